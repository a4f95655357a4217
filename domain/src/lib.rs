//! The functional core of Andon: status changes into downtime intervals, interval changes into notifications.
//!
//! Nothing here reads a clock, does I/O, logs, draws a random number or waits; so nothing here can fail but by
//! refusing an event, and the same records always give the same answer.

mod change;
mod config;
mod directory;
mod ids;
mod incident;
mod interval;
mod line;
mod partition;
mod state;
mod status;
mod texts;
mod timeline;
mod vocabulary;

pub use change::{StatusChange, Text};
pub use config::FoldConfig;
pub use directory::{Directory, DirectoryChange, LineEntry, LineSettings, Subscription};
pub use ids::{
    EventId, IncidentId, IntervalId, LineId, LineIdError, Millis, NAMESPACE, NotificationId, SubscriberId,
    SubscriptionId,
};
pub use interval::{Command, CommandKind, Interval, IntervalChange, LineChanged, LineRow, Segment, text};
pub use line::Line;
pub use partition::{Drained, Outcome, Partition, Refusal};
pub use state::{CONTROL_KEY, Control, Restore, StateError};
pub use status::{Cause, DowntimeClass, Kind, LineClass, LineStatus};
pub use vocabulary::Vocabulary;
