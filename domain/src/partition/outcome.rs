//! What comes of a record, and what a partition has to say.

use crate::{Command, LineChanged, Millis};

/// Why a status change is not folded. It becomes a dead letter, and the state is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It lies at or before the line's watermark.
    #[error(
        "event time {event_time} is at or before the watermark {watermark} of line `{line}`; `allowed_lateness` is {allowed_lateness_ms} ms"
    )]
    TooLate {
        /// The line.
        line: String,
        /// The event time.
        event_time: Millis,
        /// The watermark.
        watermark: Millis,
        /// The line's setting.
        allowed_lateness_ms: i64,
    },
    /// It lies too far after the instant at which the log took it: its clock is fast.
    #[error("event time {event_time} is {ahead_ms} ms after the append time, the limit is {limit_ms} ms")]
    FutureTimestamp {
        /// The event time.
        event_time: Millis,
        /// How far ahead.
        ahead_ms: i64,
        /// The limit.
        limit_ms: i64,
    },
    /// Lines must be registered, and this one is not.
    #[error("line `{line}` is not registered, and `lines.strict` is on")]
    UnknownLine {
        /// The line.
        line: String,
    },
    /// The line id is none.
    #[error(transparent)]
    LineId(#[from] crate::LineIdError),
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A status change that is now part of the line's timeline.
    Accepted {
        /// Its id stands in the line's set with other content: a fault of whoever sends it.
        is_conflicting: bool,
        /// The bound of the set moved the watermark further than lateness would.
        hit_size_bound: bool,
    },
    /// A sign of life.
    SignOfLife,
    /// The set holds this very event already.
    Duplicate,
    /// The log delivered a record again that the state already contains.
    Replayed,
    /// It is not folded.
    Refused(Refusal),
}

/// What a partition has to say: to be committed with the position of the last record, as one.
#[derive(Debug, Default)]
pub struct Drained {
    /// One entry for each line that changed anything published.
    pub published: Vec<LineChanged>,
    /// Who is to be told what, in the order decided.
    pub commands: Vec<Command>,
}
