//! Dead letters: one row per id, counted once per offset. Resolutions and arrivals are ordered by offset, so a row
//! is open exactly if its last arrival came after its last resolution. A row never becomes redundant by later
//! intervals: that is judged when it arrives.

use andon_domain::{LineStatus, Millis};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::{intervals, lines};
use crate::sqlite::fault::Fault;
use crate::sqlite::rows;
use crate::{DeadLetterPage, DeadLetterQuery, DeadLetterRow, DeadLetterWrite, LateStatus, Resolution};

pub(super) fn write(db: &Connection, letters: &[DeadLetterWrite]) -> Result<(), Fault> {
    if letters.is_empty() {
        return Ok(());
    }
    // Arrivals count by offset: taken in another order, the earlier one of two would be lost.
    let mut letters: Vec<&DeadLetterWrite> = letters.iter().collect();
    letters.sort_by_key(|letter| letter.offset);
    let mut write = db.prepare_cached(
        "INSERT INTO dead_letters (id, reason, error, record_key, record_value, record_headers, partition,
             first_at, last_at, count, last_offset, is_redundant)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1, ?9, ?10)
         ON CONFLICT DO UPDATE SET error = excluded.error, record_headers = excluded.record_headers,
             last_at = max(last_at, excluded.last_at), count = count + 1,
             last_offset = excluded.last_offset, is_redundant = excluded.is_redundant,
             resolution = NULL, resolved_at = NULL
         WHERE excluded.last_offset > dead_letters.last_offset",
    )?;
    for letter in letters {
        let is_redundant = match &letter.late {
            Some(late) => is_redundant(db, late)?,
            None => false,
        };
        write.execute((
            letter.id.as_bytes(),
            &letter.reason,
            &letter.error,
            &letter.key,
            &letter.value,
            &letter.headers,
            letter.partition,
            letter.appended_at,
            letter.offset,
            is_redundant,
        ))?;
    }
    Ok(())
}

/// Whether the views say the same of that instant already.
fn is_redundant(db: &Connection, late: &LateStatus) -> Result<bool, Fault> {
    if late.status == LineStatus::NoChange {
        return Ok(true);
    }
    let Some(found) = intervals::containing(db, &late.line_id, late.event_time)? else {
        let is_up = matches!(late.status, LineStatus::Running | LineStatus::Degraded);
        return Ok(is_up && lines::line(db, &late.line_id)?.is_some());
    };
    let segments = &found.interval.segments;
    let at = segments.partition_point(|segment| segment.started_at <= late.event_time);
    Ok(at.checked_sub(1).and_then(|at| segments.get(at)).is_some_and(|segment| {
        segment.status == late.status
            && (late.reason_code.is_none() || late.reason_code.as_deref() == segment.reason_code.as_deref())
    }))
}

pub(super) fn resolve(db: &Connection, resolved: &[(Uuid, Resolution, Millis, i64)]) -> Result<(), Fault> {
    let mut write = db.prepare_cached(
        "UPDATE dead_letters SET resolution = ?2, resolved_at = ?3, resolved_offset = ?4
         WHERE id = ?1 AND last_offset < ?4 AND (resolved_offset IS NULL OR resolved_offset < ?4)",
    )?;
    for (id, resolution, at, offset) in resolved {
        write.execute((id.as_bytes(), resolution.name(), at, offset))?;
    }
    Ok(())
}

macro_rules! columns {
    () => {
        "SELECT id, reason, error, record_key, record_value, record_headers, partition, first_at, last_at, count,
             is_redundant, resolution, resolved_at FROM dead_letters "
    };
}

pub(super) fn by_id(db: &Connection, id: Uuid) -> Result<Option<DeadLetterRow>, Fault> {
    let find = db.prepare_cached(concat!(columns!(), "WHERE id = ?1"))?;
    rows::first(find, [id.as_bytes()], stored_letter)
}

pub(super) fn page(db: &Connection, query: &DeadLetterQuery) -> Result<DeadLetterPage, Fault> {
    // The conditions are written out, so that each of the few statements finds the index made for it.
    let mut sql = String::from(concat!(columns!(), "WHERE (last_at, id) < (?1, ?2)"));
    if !query.with_redundant {
        sql.push_str(" AND is_redundant = 0");
    }
    if !query.with_resolved {
        sql.push_str(" AND resolution IS NULL");
    }
    if query.reason.is_some() {
        sql.push_str(" AND reason = ?4");
    }
    sql.push_str(" ORDER BY last_at DESC, id DESC LIMIT ?3");
    // No id that is derived is the highest one, so nothing is left out behind it.
    let (at, id) = query.after.unwrap_or((Millis::MAX, Uuid::max()));
    let read = db.prepare_cached(&sql)?;
    let limit = rows::limit(query.limit);
    let rows = match &query.reason {
        Some(reason) => rows::collect(read, (at, id.as_bytes(), limit, reason), stored_letter)?,
        None => rows::collect(read, (at, id.as_bytes(), limit), stored_letter)?,
    };
    let open: i64 = db
        .prepare_cached("SELECT count(*) FROM dead_letters WHERE resolution IS NULL AND is_redundant = 0")?
        .query_row([], |row| row.get(0))?;
    Ok(DeadLetterPage { rows, open: rows::unsigned("count", open)? })
}

fn stored_letter(row: &Row<'_>) -> Result<DeadLetterRow, Fault> {
    let resolution: Option<String> = row.get(11)?;
    let resolved = match resolution {
        None => None,
        Some(name) => Some((resolution_named(&name)?, row.get(12)?)),
    };
    Ok(DeadLetterRow {
        id: rows::uuid(row.get(0)?),
        reason: row.get(1)?,
        error: row.get(2)?,
        key: row.get(3)?,
        value: row.get(4)?,
        headers: row.get(5)?,
        partition: row.get(6)?,
        first_at: row.get(7)?,
        last_at: row.get(8)?,
        count: rows::unsigned("count", row.get(9)?)?,
        is_redundant: row.get(10)?,
        resolved,
    })
}

fn resolution_named(name: &str) -> Result<Resolution, Fault> {
    [Resolution::Redriven, Resolution::Discarded]
        .into_iter()
        .find(|resolution| resolution.name() == name)
        .ok_or_else(|| Fault::corrupt("resolution", format!("no resolution is named `{name}`")))
}
