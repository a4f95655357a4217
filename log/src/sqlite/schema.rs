//! The tables of `log.db`, and how its connections are opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use super::Options;
use super::fault::sql;
use super::prepared::PerTopic;
use crate::{Cleanup, Error, Topic};

/// The newest format of the file this program knows (`PRAGMA user_version`).
const VERSION: i64 = 1;

/// Every topic has one partition.
pub(super) const PARTITIONS: u32 = 1;

/// Where each topic stands, by the topic's number.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    /// The offset of the next record.
    pub(super) ends: PerTopic,
    /// The newest append time, in ms.
    pub(super) appended_at: PerTopic,
    /// Bytes in chunks.
    pub(super) stored_bytes: PerTopic,
}

/// The table of a topic.
pub(super) const fn table(topic: Topic) -> &'static str {
    match topic {
        Topic::LineStatus => "line_status",
        Topic::Directory => "directory",
        Topic::LineState => "line_state",
        Topic::LineChanges => "line_changes",
        Topic::NotificationCommands => "notification_commands",
        Topic::DeadLetters => "dead_letters",
    }
}

/// Opens the file for the writer and brings it to the newest format.
pub(super) fn open_for_writing(path: &Path, options: &Options) -> Result<Connection, Error> {
    let failed = sql("open the event log");
    let mut connection = Connection::open(path).map_err(&failed)?;
    connection.busy_timeout(Duration::from_millis(options.busy_wait_ms_max)).map_err(&failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    let found: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(&failed)?;
    if !(0..=VERSION).contains(&found) {
        return Err(Error::Version { found, known: VERSION });
    }
    let mut settings = String::from(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
         PRAGMA wal_autocheckpoint = 8192; PRAGMA journal_size_limit = 134217728; PRAGMA temp_store = MEMORY;",
    );
    if let Some(pages) = options.page_count_max {
        settings.push_str(&format!("PRAGMA max_page_count = {pages};"));
    }
    connection.execute_batch(&settings).map_err(&failed)?;
    if found == 0 {
        let transaction = connection.transaction().map_err(&failed)?;
        for topic in Topic::ALL {
            let table = table(topic);
            transaction
                .execute_batch(&match topic.cleanup() {
                    Cleanup::Delete => format!(
                        "CREATE TABLE {table} (
                             first_offset INTEGER PRIMARY KEY,
                             last_offset INTEGER NOT NULL,
                             appended_at INTEGER NOT NULL,
                             records BLOB NOT NULL
                         ) STRICT;"
                    ),
                    // Rows by number and an index over the keys: a table ordered by key would keep no more than a
                    // kilobyte of a row in place, and a state of a busy line is larger than that.
                    Cleanup::Compact => format!(
                        "CREATE TABLE {table} (
                             id INTEGER PRIMARY KEY,
                             key BLOB NOT NULL UNIQUE,
                             record_offset INTEGER NOT NULL,
                             appended_at INTEGER NOT NULL,
                             value BLOB,
                             headers BLOB NOT NULL
                         ) STRICT;"
                    ),
                })
                .map_err(&failed)?;
        }
        transaction
            .execute_batch(
                "CREATE INDEX directory_by_offset ON directory (record_offset);
                 CREATE TABLE positions (
                     consumed_partition INTEGER PRIMARY KEY,
                     next_offset INTEGER NOT NULL
                 ) STRICT;
                 CREATE TABLE ends (
                     topic INTEGER PRIMARY KEY,
                     next_offset INTEGER NOT NULL,
                     appended_at INTEGER NOT NULL,
                     stored_bytes INTEGER NOT NULL
                 ) STRICT;",
            )
            .map_err(&failed)?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
    }
    Ok(connection)
}

/// Opens the file for one reader.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, Error> {
    let failed = sql("open the event log for reading");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(&failed)?;
    Ok(connection)
}

/// Where each topic stands.
pub(super) fn read_standing(connection: &Connection) -> Result<Standing, Error> {
    let failed = sql("read where the event log ends");
    let mut standing = Standing {
        ends: [0; Topic::ALL.len()],
        appended_at: [i64::MIN; Topic::ALL.len()],
        stored_bytes: [0; Topic::ALL.len()],
    };
    let mut statement = connection
        .prepare("SELECT topic, next_offset, appended_at, stored_bytes FROM ends")
        .map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    while let Some(row) = rows.next().map_err(&failed)? {
        let topic: usize = row.get(0).map_err(&failed)?;
        if topic < Topic::ALL.len() {
            standing.ends[topic] = row.get(1).map_err(&failed)?;
            standing.appended_at[topic] = row.get(2).map_err(&failed)?;
            standing.stored_bytes[topic] = row.get(3).map_err(&failed)?;
        }
    }
    Ok(standing)
}

/// Keeps where a topic stands, in the transaction that moved it.
pub(super) fn write_standing(
    connection: &Connection,
    topic: Topic,
    standing: &Standing,
) -> Result<(), rusqlite::Error> {
    let at = topic as usize;
    connection
        .prepare_cached(
            "INSERT INTO ends (topic, next_offset, appended_at, stored_bytes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (topic) DO UPDATE SET next_offset = ?2, appended_at = ?3, stored_bytes = ?4",
        )?
        .execute(params![at, standing.ends[at], standing.appended_at[at], standing.stored_bytes[at]])?;
    Ok(())
}
