//! What is forgotten, in steps small enough that no request waits long behind one. Compacted topics and line changes
//! are never touched, and by size nothing is forgotten that the worker has not read.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::Options;
use super::fault::sql;
use super::schema::{Standing, table, write_standing};
use crate::{Error, Offset, Topic};

/// The pause after a step that left more to forget.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// Most chunks of one step and topic.
const CHUNKS_MAX: u32 = 1_000;

/// Bytes at which a step ends.
const BYTES_MAX: i64 = 16 << 20;

/// Deletes some chunks that are too old, and the oldest status changes if there are too many. Whether more may wait.
pub(super) fn step(
    connection: &Connection,
    options: &Options,
    standing: &mut Standing,
) -> Result<bool, Error> {
    let mut is_more = false;
    let before = (options.clock)().saturating_sub(options.retention_age_ms);
    for topic in [Topic::LineStatus, Topic::NotificationCommands, Topic::DeadLetters] {
        is_more |= forget(connection, standing, topic, |chunk, _| chunk.appended_at < before)?;
    }
    let stored = standing.stored_bytes[Topic::LineStatus as usize];
    let excess = stored.saturating_sub(i64::try_from(options.retention_bytes).unwrap_or(i64::MAX));
    if excess > 0 {
        let read_to: Offset = connection
            .query_row("SELECT coalesce(max(next_offset), 0) FROM positions", [], |row| row.get(0))
            .map_err(sql("read the committed position"))?;
        is_more |= forget(connection, standing, Topic::LineStatus, |chunk, deleted| {
            deleted < excess && chunk.last_offset < read_to
        })?;
    }
    Ok(is_more)
}

struct ChunkHead {
    first_offset: Offset,
    last_offset: Offset,
    appended_at: i64,
    bytes: i64,
}

/// Deletes the oldest chunks of a topic for as long as `goes` says so of the next one and the bytes deleted before it.
/// Whether the step ended before that did.
fn forget(
    connection: &Connection,
    standing: &mut Standing,
    topic: Topic,
    goes: impl Fn(&ChunkHead, i64) -> bool,
) -> Result<bool, Error> {
    let failed = sql("delete old records");
    let table = table(topic);
    let (mut deleted, mut chunks, mut last, mut is_more) = (0, 0, None, false);
    {
        let mut statement = connection
            .prepare_cached(&format!(
                "SELECT first_offset, last_offset, appended_at, length(records) FROM {table}
                 ORDER BY first_offset LIMIT {CHUNKS_MAX}"
            ))
            .map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            let head = (|| {
                Ok(ChunkHead {
                    first_offset: row.get(0)?,
                    last_offset: row.get(1)?,
                    appended_at: row.get(2)?,
                    bytes: row.get(3)?,
                })
            })()
            .map_err(&failed)?;
            if !goes(&head, deleted) {
                is_more = false;
                break;
            }
            (deleted, chunks, last) = (deleted + head.bytes, chunks + 1, Some(head.first_offset));
            is_more = chunks == CHUNKS_MAX || deleted >= BYTES_MAX;
            if is_more {
                break;
            }
        }
    }
    let Some(last) = last else { return Ok(false) };
    let mut after = *standing;
    after.stored_bytes[topic as usize] -= deleted;
    let transaction = connection.unchecked_transaction().map_err(&failed)?;
    transaction
        .prepare_cached(&format!("DELETE FROM {table} WHERE first_offset <= ?1"))
        .and_then(|mut statement| statement.execute(params![last]))
        .map_err(&failed)?;
    write_standing(&transaction, topic, &after).map_err(&failed)?;
    transaction.commit().map_err(&failed)?;
    *standing = after;
    Ok(is_more)
}
