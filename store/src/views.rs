//! The port of the views: whole rows with a version. A row whose version is not higher changes nothing, so writing
//! the same batch twice, or an old one late, is harmless.

use andon_domain::{
    DirectoryChange, Interval, IntervalChange, IntervalId, Kind, LineEntry, LineId, LineRow, Millis,
    SubscriberId, Subscription, SubscriptionId,
};
use async_trait::async_trait;
use uuid::Uuid;

use crate::Error;

/// Where a reader of a stream goes on: `offset` is the next one to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Name of the topic.
    pub stream: String,
    /// Partition.
    pub partition: u32,
    /// Next offset.
    pub offset: i64,
}

/// The current row of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineWrite {
    /// The line.
    pub line_id: LineId,
    /// Version of the row.
    pub version: i64,
    /// The row.
    pub row: LineRow,
}

/// One changed interval. Its key is (line, start, kind).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntervalWrite {
    /// The line.
    pub line_id: LineId,
    /// Version of the row.
    pub version: i64,
    /// What it is now, or that it is gone.
    pub change: IntervalChange,
}

/// How a dead letter was dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Sent again.
    Redriven,
    /// Set aside.
    Discarded,
}

impl Resolution {
    /// The name in the API and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redriven => "redriven",
            Self::Discarded => "discarded",
        }
    }
}

/// A record that could not be folded, as it arrived. Arriving again it is counted on its row, once per offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterWrite {
    /// UUIDv5 of reason, key and value.
    pub id: Uuid,
    /// Why, as in `TOO_LATE`.
    pub reason: String,
    /// The error, in words.
    pub error: String,
    /// The record's original key.
    pub key: Vec<u8>,
    /// Its original value.
    pub value: Option<Vec<u8>>,
    /// Its headers, in the log's encoding.
    pub headers: Vec<u8>,
    /// Partition of the dead-letter topic.
    pub partition: u32,
    /// Offset in the dead-letter topic.
    pub offset: i64,
    /// When it became a dead letter.
    pub appended_at: Millis,
    /// For a `TOO_LATE` that decodes: its line, its instant, and whether the status it reports, so that the store can
    /// tell whether the views say the same already. None for every other one.
    pub late: Option<LateStatus>,
}

/// What a `TOO_LATE` says; see [`DeadLetterWrite::late`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateStatus {
    /// The line.
    pub line_id: LineId,
    /// The instant.
    pub event_time: Millis,
    /// The status; `NO_CHANGE` says nothing that could contradict.
    pub status: andon_domain::LineStatus,
    /// The reason it names.
    pub reason_code: Option<String>,
}

/// A dead letter as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterRow {
    /// See [`DeadLetterWrite::id`].
    pub id: Uuid,
    /// Why.
    pub reason: String,
    /// The error, in words.
    pub error: String,
    /// Original key.
    pub key: Vec<u8>,
    /// Original value.
    pub value: Option<Vec<u8>>,
    /// Headers, in the log's encoding.
    pub headers: Vec<u8>,
    /// Partition of the dead-letter topic.
    pub partition: u32,
    /// When it first arrived.
    pub first_at: Millis,
    /// When it last arrived.
    pub last_at: Millis,
    /// How often it arrived.
    pub count: u64,
    /// Whether it says what the views say already: hidden by default, no alarm.
    pub is_redundant: bool,
    /// How and when it was dealt with; arriving again opens it again.
    pub resolved: Option<(Resolution, Millis)>,
}

/// Which dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadLetterQuery {
    /// Only of this reason.
    pub reason: Option<String>,
    /// Also the redundant ones.
    pub with_redundant: bool,
    /// Also those dealt with.
    pub with_resolved: bool,
    /// Go on behind this one.
    pub after: Option<(Millis, Uuid)>,
    /// At most so many.
    pub limit: usize,
}

/// Some dead letters, newest first by (`last_at`, id), and how many there are of the sort that alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterPage {
    /// The rows.
    pub rows: Vec<DeadLetterRow>,
    /// Unresolved and not redundant, over all.
    pub open: u64,
}

/// Everything one step of the projector writes, positions included, as one.
#[derive(Debug, Clone, Default)]
pub struct ViewBatch {
    /// Current rows; of one line the highest version wins.
    pub lines: Vec<LineWrite>,
    /// Intervals; of one key the highest version wins.
    pub intervals: Vec<IntervalWrite>,
    /// Directory records and their offsets; of one key the highest offset wins.
    pub directory: Vec<(i64, DirectoryChange)>,
    /// Dead letters.
    pub dead_letters: Vec<DeadLetterWrite>,
    /// Dead letters dealt with: id, how, when, and the offset that says so in the dead letter's partition.
    pub resolved: Vec<(Uuid, Resolution, Millis, i64)>,
    /// Log time of each partition up to which everything is in the views.
    pub progress: Vec<(u32, Millis)>,
    /// Where to go on reading, written with the rows or after them.
    pub positions: Vec<Position>,
}

/// A line as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLine {
    /// The line.
    pub line_id: LineId,
    /// Version of the row.
    pub version: i64,
    /// The row.
    pub row: LineRow,
}

/// An interval as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInterval {
    /// The line.
    pub line_id: LineId,
    /// Version of the row.
    pub version: i64,
    /// The interval.
    pub interval: Interval,
}

/// What stands under an interval's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntervalFound {
    /// This interval.
    Current(StoredInterval),
    /// One that late events took away.
    Retracted,
    /// Nothing.
    Never,
}

/// Whose intervals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every line.
    All,
    /// These lines, at most 5,000.
    Lines(Vec<LineId>),
}

/// Which intervals: those that overlap `[from, to)`, ordered by (start, line).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntervalQuery {
    /// Whose.
    pub scope: Scope,
    /// Of which kind; none: of every kind.
    pub kind: Option<Kind>,
    /// Start of the window.
    pub from: Millis,
    /// End of the window, excluded.
    pub to: Millis,
    /// Go on behind the interval with this start and line.
    pub after: Option<(Millis, LineId)>,
    /// At most so many.
    pub limit: usize,
}

/// The views.
#[async_trait]
pub trait Views: Send + Sync {
    /// A number that is another one once a batch is written, however little it changed, and the same as long as none is:
    /// two reads between which it stays the same read the same. None while a batch becomes visible, and where others
    /// may write too without our knowing.
    fn generation(&self) -> Option<u64> {
        None
    }

    /// Writes a batch.
    async fn apply(&self, batch: &ViewBatch) -> Result<(), Error>;

    /// Where the projector goes on.
    async fn positions(&self) -> Result<Vec<Position>, Error>;

    /// Log time of each partition up to which everything is in the views.
    async fn progress(&self) -> Result<Vec<(u32, Millis)>, Error>;

    /// The current row of a line.
    async fn line(&self, line: &LineId) -> Result<Option<StoredLine>, Error>;

    /// Current rows ordered by line, behind `after`, at most `limit`.
    async fn lines(&self, after: Option<&LineId>, limit: usize) -> Result<Vec<StoredLine>, Error>;

    /// Intervals of a window.
    async fn intervals(&self, query: &IntervalQuery) -> Result<Vec<StoredInterval>, Error>;

    /// The interval of that id.
    async fn interval(&self, id: IntervalId) -> Result<IntervalFound, Error>;

    /// A line's entry in the directory.
    async fn line_entry(&self, line: &LineId) -> Result<Option<LineEntry>, Error>;

    /// Entries of these lines, in any order; lines without an entry are left out.
    async fn line_entries(&self, lines: &[LineId]) -> Result<Vec<(LineId, LineEntry)>, Error>;

    /// Registered lines with their entries, ordered by line, behind `after`, at most `limit`.
    async fn registered(
        &self,
        after: Option<&LineId>,
        limit: usize,
    ) -> Result<Vec<(LineId, LineEntry)>, Error>;

    /// Registered lines at or under a node (`site/area`, or a line id), ordered, at most `limit`.
    async fn lines_under(&self, node: &str, limit: usize) -> Result<Vec<LineId>, Error>;

    /// A subscription.
    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, Error>;

    /// The subscriptions of one subscriber, ordered by node.
    async fn subscriptions_of(&self, subscriber: SubscriberId) -> Result<Vec<Subscription>, Error>;

    /// Dead letters, newest first.
    async fn dead_letters(&self, query: &DeadLetterQuery) -> Result<DeadLetterPage, Error>;

    /// One dead letter.
    async fn dead_letter(&self, id: Uuid) -> Result<Option<DeadLetterRow>, Error>;
}
