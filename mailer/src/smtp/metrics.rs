//! The metrics of the way out. Labels come from enums alone.

use prometheus::{IntCounterVec, Opts, Registry};

use crate::SendError;
use crate::metrics::registered;

/// Counters of one SMTP transport.
#[derive(Debug, Clone)]
pub struct SmtpMetrics {
    connections: IntCounterVec,
    failures: IntCounterVec,
}

/// How a message came by its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    Opened,
    Reused,
}

impl SmtpMetrics {
    /// Makes them, in a registry that has none of them yet.
    ///
    /// # Panics
    /// If the registry has them already: a mistake of the program.
    pub fn new(registry: &Registry) -> Self {
        let counter =
            |name, help, label| registered(registry, IntCounterVec::new(Opts::new(name, help), &[label]));
        let metrics = Self {
            connections: counter(
                "mailer_smtp_connections_total",
                "Connections to the mail server, by whether they were opened for a message or reused",
                "use",
            ),
            failures: counter(
                "mailer_smtp_failures_total",
                "Messages that the mail server did not accept, by what that means for them",
                "class",
            ),
        };
        for name in ["opened", "reused"] {
            metrics.connections.with_label_values(&[name]).inc_by(0);
        }
        for name in ["refused", "transient", "ambiguous", "infrastructure", "message"] {
            metrics.failures.with_label_values(&[name]).inc_by(0);
        }
        metrics
    }

    pub(super) fn connection(&self, connection: Connection) {
        let name = match connection {
            Connection::Opened => "opened",
            Connection::Reused => "reused",
        };
        self.connections.with_label_values(&[name]).inc();
    }

    pub(super) fn failed(&self, error: &SendError) {
        let name = match error {
            SendError::Refused { .. } => "refused",
            SendError::Transient { .. } => "transient",
            SendError::Ambiguous(_) => "ambiguous",
            SendError::Infrastructure(_) => "infrastructure",
            SendError::Message { .. } => "message",
        };
        self.failures.with_label_values(&[name]).inc();
    }
}
