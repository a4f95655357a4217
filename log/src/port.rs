//! The four traits. Their properties are fixed by the conformance suite.

use std::time::Duration;

use crate::{CommitError, Error, Offset, Outputs, Partition, RecordBatch, Topic};

/// What [`Worker::poll`] found.
#[derive(Debug)]
pub enum Polled<'a> {
    /// These partitions are ours from now on. Answer: [`Worker::snapshot`] and [`Worker::start`] for each.
    /// No record of theirs comes before `start`.
    Assigned(Vec<Partition>),
    /// These partitions go to somebody else. Answer: commit what is folded, drop their state, [`Worker::release`].
    Revoking(Vec<Partition>),
    /// These partitions are gone already. Answer: drop their state and what is not committed, [`Worker::release`].
    Lost(Vec<Partition>),
    /// The next records of started partitions, bounded in number and bytes.
    Records(&'a RecordBatch),
    /// Everything appended to the partition before `clock` was returned by earlier calls. Repeats while that holds,
    /// once a call.
    CaughtUp {
        /// The partition.
        partition: Partition,
        /// The log's clock, in ms since the epoch.
        clock: i64,
    },
    /// Nothing came within the wait, and nothing more is known.
    Idle,
}

/// The consumer of `line-status`: input, changelog, outputs and positions under one commit. One thread owns it.
pub trait Worker: Send {
    /// Waits up to `wait` for an event or for records. Assigned, Revoking and Lost repeat until they are answered.
    fn poll(&mut self, wait: Duration) -> Result<Polled<'_>, Error>;

    /// The changelog ([`Topic::LineState`]) of an assigned partition, complete up to everything committed before.
    fn snapshot(&mut self, partition: Partition) -> Result<Box<dyn Snapshot>, Error>;

    /// Starts the records of an assigned partition at its committed position, which is returned: the offset of the
    /// first record to come, 0 if nothing was ever committed.
    fn start(&mut self, partition: Partition) -> Result<Offset, Error>;

    /// Writes `outputs` and moves the positions (each the next offset to read), all or nothing, durably.
    fn commit(&mut self, outputs: &Outputs, positions: &[(Partition, Offset)]) -> Result<(), CommitError>;

    /// Answers Revoking or Lost.
    fn release(&mut self) -> Result<(), Error>;
}

/// What [`Reader::poll`] found.
#[derive(Debug)]
pub enum Read<'a> {
    /// The next committed records of one topic.
    Records(Topic, &'a RecordBatch),
    /// Everything committed before this call was returned by earlier ones. Said whenever a wait ends so.
    CaughtUp,
}

/// Follows committed records of some topics, from positions that the caller keeps.
pub trait Reader: Send {
    /// Waits up to `wait` for records. It wakes when some are committed; it does not look again and again.
    fn poll(&mut self, wait: Duration) -> Result<Read<'_>, Error>;
}

/// The newest record of each key of one compacted partition, read once.
pub trait Snapshot: Send {
    /// The next records, or none at the end. Keys come in no particular order; deleted ones may come without value.
    fn next(&mut self) -> Result<Option<&RecordBatch>, Error>;
}

/// Adds records, without positions. Shared by all who write to the log but the worker.
pub trait Appender: Send + Sync {
    /// Writes the records, all or nothing; returns once they are durable, with the offset of each in order.
    fn append(&self, records: &Outputs) -> Result<Vec<Offset>, Error>;
}
