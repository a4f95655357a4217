//! What can end or hold up the mailer. What concerns one message alone is no error but a state of its delivery.

use andon_log as log;
use andon_store as store;

/// Why the mailer could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log did not answer.
    #[error("could not read the notification commands")]
    Read(#[source] log::Error),
    /// The accounts did not answer.
    #[error("could not {action}")]
    Accounts {
        /// What was being done, as in "enter deliveries into the ledger".
        action: &'static str,
        /// The cause.
        #[source]
        source: store::Error,
    },
}

impl Error {
    pub(crate) fn accounts(action: &'static str) -> impl FnOnce(store::Error) -> Self {
        move |source| Self::Accounts { action, source }
    }

    /// Whether the same again may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Read(error) => match error {
                log::Error::Full | log::Error::Storage { .. } => true,
                log::Error::Owned { .. }
                | log::Error::TooLarge { .. }
                | log::Error::NoPartition { .. }
                | log::Error::NotOwned { .. }
                | log::Error::Closed
                | log::Error::Version { .. } => false,
            },
            Self::Accounts { source, .. } => match source.disposition() {
                store::Disposition::Retry => true,
                store::Disposition::Stop => false,
            },
        }
    }
}
