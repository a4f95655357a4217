//! What goes wrong inside the adapter, before it is known which operation failed. It never leaves the adapter: the
//! port's [`Error`] is made of it where a call ends.

use rusqlite::ErrorCode;

use crate::Error;

/// A failure of SQLite, or a stored value that does not parse.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite says so.
    Sql(rusqlite::Error),
    /// A stored value is broken.
    Corrupt {
        /// What it should have been.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The caller asks for more than the port allows.
    TooMany {
        /// Of what.
        what: &'static str,
        /// The number asked for.
        got: usize,
        /// The most there may be.
        limit: usize,
    },
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Fault {
    /// A stored `what` that does not parse.
    pub(super) fn corrupt(what: &'static str, why: impl Into<String>) -> Self {
        Self::Corrupt { what, why: why.into() }
    }

    /// The port's error: it happened to `store`, while doing `action`.
    pub(super) fn during(self, store: &'static str, action: &'static str) -> Error {
        let error = match self {
            Self::Corrupt { what, why } => return Error::Corrupt { store, what, why },
            Self::TooMany { what, got, limit } => return Error::TooMany { what, got, limit },
            Self::Sql(error) => error,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Error::Full { store },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Error::Corrupt { store, what: "database", why: error.to_string() }
            }
            _ if is_unreadable(&error) => Error::Corrupt { store, what: "column", why: error.to_string() },
            _ => Error::Storage { action, source: Box::new(error) },
        }
    }
}

/// Whether a column holds another type than the one this program writes there.
fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
    )
}
