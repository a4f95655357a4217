//! SQLite's errors as the port's.

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
    move |error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => Error::Full,
        Some(_) | None => storage(action, error),
    }
}
