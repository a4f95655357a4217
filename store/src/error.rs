//! What can go wrong in a store, and what the caller does about it.

/// Why an operation on a store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk is full.
    #[error("could not write to the {store} store, the disk is full")]
    Full {
        /// `views` or `accounts`.
        store: &'static str,
    },
    /// The stored schema is of a version that this program does not know.
    #[error(
        "the {store} store's schema is version {found}, this program knows up to {known}; use a newer program"
    )]
    Version {
        /// `views` or `accounts`.
        store: &'static str,
        /// The version that was found.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// A stored value does not parse: somebody else wrote it, or the disk is damaged.
    #[error("the {store} store holds a broken {what}: {why}")]
    Corrupt {
        /// `views` or `accounts`.
        store: &'static str,
        /// What it should have been.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The caller asks for more than the port allows; nothing was done.
    #[error("there are {got} {what}, the limit is {limit}")]
    TooMany {
        /// Of what, as in "lines of a query".
        what: &'static str,
        /// The number that was met.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// The operation failed in the database below.
    #[error("could not {action}")]
    Storage {
        /// What was being done, as in "read a line".
        action: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What to do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The same again, later.
    Retry,
    /// It will not get better by itself: end the process.
    Stop,
}

impl Error {
    /// What the caller does about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Full { .. } | Self::Storage { .. } => Disposition::Retry,
            Self::Version { .. } | Self::Corrupt { .. } | Self::TooMany { .. } => Disposition::Stop,
        }
    }
}
