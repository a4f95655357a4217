//! The SQLite adapter: two files in one folder, `views.db` and `accounts.db`.
//!
//! SQLite runs inline on the calling thread, also inside the async traits: every call is bounded by one batch or
//! one page. Most take microseconds, a batch of 10,000 rows or a page merged from thousands of lines some tens of
//! milliseconds; a hop to another thread for each would cost more than it saves. Reads have connections of their own
//! and never wait for the writer. It must never hold a lock over an await, and no type of the database below may
//! leave this module.

mod accounts;
mod database;
mod fault;
mod rows;
mod segments;
mod views;

pub use accounts::SqliteAccounts;
pub use views::SqliteViews;

/// How a store of SQLite is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Connections for reading, at least 1: so many reads run at once, others wait for one of them. Default 4.
    pub readers: usize,
    /// How long a call waits for another process that writes to the same file, in ms. Default 10,000.
    pub busy_ms_max: u32,
    /// Bound of the file, in pages of 4 KiB: beyond it a write is refused as if the disk were full. Default: none.
    pub page_count_max: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, busy_ms_max: 10_000, page_count_max: None }
    }
}
