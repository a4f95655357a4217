//! The input: a line controller says what its line does.

use std::sync::Arc;

use crate::{EventId, LineStatus, Millis};

/// A short text that many events share, such as a reason code.
pub type Text = Option<Arc<str>>;

/// A status change as it arrives, borrowed from the record that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusChange<'a> {
    /// Identity of the fact.
    pub event_id: EventId,
    /// The line; checked by whoever decodes it.
    pub line_id: &'a str,
    /// When it happened, by the controller's clock.
    pub event_time: Millis,
    /// What the line does from then on.
    pub status: LineStatus,
    /// The controller's own counter; orders events of one instant.
    pub sequence: Option<i64>,
    /// Code from the plant's reason catalogue.
    pub reason_code: Option<&'a str>,
    /// Who says so: controller, gateway or operator station.
    pub source: Option<&'a str>,
    /// The controller's own word for the status.
    pub source_status: Option<&'a str>,
}
