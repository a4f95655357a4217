//! SQLite's errors as the port's. Nothing of SQLite's types is in what it returns but as a boxed source.

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use crate::Error;

/// An operation that failed in the storage below.
pub(super) fn storage(
    action: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::Storage { action, source: source.into() }
}

/// An SQL error while doing `action`.
pub(super) fn sql(action: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |error| match error.sqlite_error() {
        Some(cause) if cause.code == ErrorCode::DiskFull => Error::Full,
        // The journal's index is a file too: that it cannot grow is how a full disk shows itself there.
        Some(cause) if cause.extended_code == SQLITE_IOERR_SHMSIZE => Error::Full,
        Some(_) | None => storage(action, error),
    }
}
