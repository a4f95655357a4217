//! What ends a role.

/// Why a role cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log failed in a way that trying again does not mend.
    #[error("could not go on reading or writing the log")]
    Log(#[from] andon_log::Error),
    /// The views failed in a way that trying again does not mend.
    #[error("could not go on writing the views")]
    Store(#[from] andon_store::Error),
    /// The stored state of a partition cannot be read.
    #[error("could not restore partition {partition}")]
    Restore {
        /// The partition.
        partition: u32,
        /// The cause.
        #[source]
        source: andon_domain::StateError,
    },
    /// The state was made with another number of input partitions, so that lines would now be elsewhere.
    #[error(
        "partition {partition} was folded with {known} input partitions, now there are {found}; \
         the number must not change"
    )]
    PartitionCount {
        /// The partition.
        partition: u32,
        /// What the state knows.
        known: u32,
        /// What is configured.
        found: u32,
    },
}
