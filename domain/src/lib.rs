//! The functional core of Andon: status changes into downtime intervals, interval changes into notifications.
//!
//! Nothing here reads a clock, does I/O, logs, draws a random number or waits; so nothing here can fail but by
//! refusing an event, and the same records always give the same answer.

mod change;
mod directory;
mod ids;
mod interval;
mod status;

pub use change::{StatusChange, Text};
pub use directory::{Directory, DirectoryChange, LineEntry, LineSettings, Subscription};
pub use ids::{
    EventId, IncidentId, IntervalId, LineId, LineIdError, Millis, NAMESPACE, NotificationId, SubscriberId,
    SubscriptionId,
};
pub use interval::{Command, CommandKind, Interval, IntervalChange, LineChanged, LineRow, Segment, text};
pub use status::{Cause, DowntimeClass, Kind, LineClass, LineStatus};
/// Settings of the fold that hold where a line has none of its own. (Being built.)
#[derive(Debug, Clone)]
pub struct FoldConfig;
