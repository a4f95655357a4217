//! The output: maximal runs of not producing, and what is published about a line.

use std::sync::Arc;

use crate::{
    IncidentId, IntervalId, Kind, LineClass, LineId, LineStatus, Millis, NotificationId, SubscriberId,
    SubscriptionId, Text,
};

/// A stretch of an interval in which status and reason stay the same. It ends where the next one starts, the last
/// one with its interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// When it began.
    pub started_at: Millis,
    /// The status; class and cause follow from it ([`LineStatus::downtime_class`], [`LineStatus::cause`]).
    pub status: LineStatus,
    /// The reason, once somebody named one.
    pub reason_code: Text,
    /// The controller's own word.
    pub source_status: Text,
}

/// A maximal run of one [`Kind`]. Of a line, intervals never overlap, and two of one kind never touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// What sort of run.
    pub kind: Kind,
    /// When it began; with the line and the kind, its identity.
    pub started_at: Millis,
    /// When it ended; none while it lasts.
    pub ended_at: Option<Millis>,
    /// What happened inside; at least one, tiling the interval, at most [`Interval::SEGMENTS_MAX`].
    pub segments: Vec<Segment>,
}

impl Interval {
    /// The most segments of one interval; what comes later belongs to the last one.
    pub const SEGMENTS_MAX: usize = 256;

    /// The identity of this interval, being one of `line`.
    pub fn id(&self, line: &LineId) -> IntervalId {
        IntervalId::derive(line, self.kind, self.started_at)
    }
}

/// What happened to a published interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntervalChange {
    /// It is new, or it changed: this is all of it.
    Upsert(Interval),
    /// It is not so: late events took it away.
    Retract {
        /// Kind of the interval that is gone.
        kind: Kind,
        /// Its start.
        started_at: Millis,
    },
}

impl IntervalChange {
    /// Start and kind: with the line, the key of the row.
    pub fn key(&self) -> (Millis, Kind) {
        match self {
            Self::Upsert(interval) => (interval.started_at, interval.kind),
            Self::Retract { kind, started_at } => (*started_at, *kind),
        }
    }
}

/// The current state of a line, as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRow {
    /// What it does now; `UNKNOWN` when it is silent.
    pub status: LineStatus,
    /// What that means for this line.
    pub class: LineClass,
    /// Start of the run of this status.
    pub since: Millis,
    /// Event time of its first status change: before that nothing is known of it.
    pub first_event_at: Millis,
    /// Newest event time among its status changes and signs of life, as of the step that made the row's version.
    pub last_event_at: Millis,
    /// Append time of the signal accepted last, to 10 s.
    pub last_seen_at: Millis,
    /// Start of the downtime interval that lasts, if one does.
    pub open_downtime_at: Option<Millis>,
    /// The reason of the current run.
    pub reason_code: Text,
    /// The controller's own word for the status.
    pub source_status: Text,
}

/// What is published about a line: its current row, and each interval that changed, with the version of the step
/// that changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineChanged {
    /// The line.
    pub line_id: LineId,
    /// Version of the row: rises with each step that changed anything published.
    pub version: i64,
    /// The row.
    pub row: LineRow,
    /// The changed intervals, ordered by (start, kind), one entry each.
    pub intervals: Vec<(i64, IntervalChange)>,
}

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CommandKind {
    /// The line is down. The one opening command.
    Down = 0,
    /// It runs again. A close.
    Restored = 1,
    /// We told, and it was not so. A close.
    Withdrawn = 2,
    /// The subscriber no longer follows the line. A close without a message.
    Unsubscribed = 3,
}

impl CommandKind {
    /// The name on the wire and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Down => "DOWN",
            Self::Restored => "RESTORED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Unsubscribed => "UNSUBSCRIBED",
        }
    }

    /// The kind of that number (its `repr`), if there is one.
    pub fn from_index(index: u8) -> Option<Self> {
        [Self::Down, Self::Restored, Self::Withdrawn, Self::Unsubscribed].get(usize::from(index)).copied()
    }
}

/// Tell one subscriber one thing about one incident. It names the subscriber by id alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Identity of the message.
    pub notification_id: NotificationId,
    /// The incident it is about; threads hang on it.
    pub incident_id: IncidentId,
    /// What to say.
    pub kind: CommandKind,
    /// Whom to tell.
    pub subscriber_id: SubscriberId,
    /// The subscription that caused the opening.
    pub subscription_id: SubscriptionId,
    /// The line.
    pub line_id: LineId,
    /// Version of the step that decided it.
    pub version: i64,
    /// Log time of that step.
    pub created_at: Millis,
    /// Start of the stop when this incident was first told to anybody: the unchanging part of the subject.
    pub first_told_start: Millis,
    /// Start of the stop as known now.
    pub started_at: Millis,
    /// End of the stop; only a `RESTORED` has one.
    pub ended_at: Option<Millis>,
    /// The status: while down the one of the stop, in a close the one that ended it.
    pub status: LineStatus,
    /// The reason of the stop, if known.
    pub reason_code: Text,
    /// The controller's own word for the stop.
    pub source_status: Text,
}

/// Makes a shared text.
pub fn text(value: Option<&str>) -> Text {
    value.map(Arc::from)
}
