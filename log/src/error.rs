//! What can go wrong in a log, and what the caller does about it.

/// Why an operation on the log failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process owns the log's folder.
    #[error(
        "the data folder `{folder}` belongs to another running andon{owner}; stop it, or choose another `--data-dir`"
    )]
    Owned {
        /// The folder.
        folder: String,
        /// ` (process N)` where that is known.
        owner: String,
    },
    /// The disk is full: the same batch again, once there is room.
    #[error("could not write to the log, the disk is full; free some space and send the same again")]
    Full,
    /// A batch is larger than the log takes at once.
    #[error("the batch has {got} {unit}, the limit is {limit}")]
    TooLarge {
        /// `records` or `bytes`.
        unit: &'static str,
        /// The size that was met.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// The topic has no such partition.
    #[error("`{topic}` has no partition {partition}, it has {partitions}")]
    NoPartition {
        /// Name of the topic.
        topic: &'static str,
        /// The partition that was asked for.
        partition: u32,
        /// How many it has.
        partitions: u32,
    },
    /// The partition is not, or no longer, this worker's.
    #[error("partition {partition} does not belong to this worker")]
    NotOwned {
        /// The partition.
        partition: u32,
    },
    /// The log is closing or closed.
    #[error("the log is closed")]
    Closed,
    /// The stored log is of a version that this program does not know.
    #[error("the log's format is version {found}, this program knows up to {known}; use a newer program")]
    Version {
        /// The version that was found.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The operation failed in the storage below.
    #[error("could not {action}")]
    Storage {
        /// What was being done, as in "read the next records".
        action: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What a failed commit asks of its caller. In each case nothing of the batch is visible, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing was written and nothing is lost: the same outputs and positions again.
    #[error("could not commit, the same again may succeed")]
    Again(#[source] Error),
    /// None of the worker's partitions is its own any more: forget the batch and all state; `poll` says what comes
    /// next.
    #[error("could not commit, the batch belongs to another worker now")]
    Drop(#[source] Error),
    /// Whether it was committed cannot be known: forget all state, restore it, and go on from what was committed.
    #[error("could not commit, the state must be rebuilt")]
    Rebuild(#[source] Error),
}

/// An error with its causes, in one line: `Display` tells of the error itself alone, so whoever ends one walks to its roots.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
