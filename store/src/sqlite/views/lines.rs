//! Reading current rows of lines, and the progress of partitions.

use andon_domain::{LineId, LineRow, Millis};
use rusqlite::{Connection, Row};

use crate::StoredLine;
use crate::sqlite::fault::Fault;
use crate::sqlite::rows;

pub(super) fn line(db: &Connection, line: &LineId) -> Result<Option<StoredLine>, Fault> {
    let find = db.prepare_cached(
        "SELECT line_id, version, status, class, since, last_event_at, last_seen_at, open_downtime_at,
             reason_code, source_status, first_event_at
         FROM lines WHERE line_id = ?1 AND version IS NOT NULL",
    )?;
    rows::first(find, [line.as_str()], stored_line)
}

pub(super) fn lines(db: &Connection, after: Option<&LineId>, limit: usize) -> Result<Vec<StoredLine>, Fault> {
    let read = db.prepare_cached(
        "SELECT line_id, version, status, class, since, last_event_at, last_seen_at, open_downtime_at,
             reason_code, source_status, first_event_at
         FROM lines WHERE line_id > ?1 AND version IS NOT NULL ORDER BY line_id LIMIT ?2",
    )?;
    // No line id is empty, so the empty text is before all of them.
    let after = after.map_or("", LineId::as_str);
    rows::collect(read, (after, rows::limit(limit)), stored_line)
}

fn stored_line(row: &Row<'_>) -> Result<StoredLine, Fault> {
    Ok(StoredLine {
        line_id: rows::line_id(rows::text(row, 0)?)?,
        version: row.get(1)?,
        row: LineRow {
            status: rows::status(rows::text(row, 2)?)?,
            class: rows::line_class(rows::text(row, 3)?)?,
            since: row.get(4)?,
            first_event_at: row.get(10)?,
            last_event_at: row.get(5)?,
            last_seen_at: row.get(6)?,
            open_downtime_at: row.get(7)?,
            reason_code: row.get(8)?,
            source_status: row.get(9)?,
        },
    })
}

pub(super) fn progress(db: &Connection) -> Result<Vec<(u32, Millis)>, Fault> {
    let read = db.prepare_cached("SELECT partition, log_time FROM progress ORDER BY partition")?;
    rows::collect(read, [], |row| Ok((row.get(0)?, row.get(1)?)))
}
