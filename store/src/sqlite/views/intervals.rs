//! Reading one interval: by its id, or the one that contains an instant.

use andon_domain::{Interval, IntervalId, Kind, LineId, Millis};
use rusqlite::{Connection, Row};

use super::write::id_prefix;
use crate::sqlite::fault::Fault;
use crate::sqlite::{rows, segments};
use crate::{IntervalFound, StoredInterval};

/// Reads the columns (started_at, kind, version, ended_at, segments) that begin at `at`.
pub(super) fn stored_interval(line_id: LineId, row: &Row<'_>, at: usize) -> Result<StoredInterval, Fault> {
    let started_at = row.get(at)?;
    let kind = kind(row.get(at + 1)?)?;
    let encoded = rows::bytes(row, at + 4)?;
    let interval = Interval {
        kind,
        started_at,
        ended_at: row.get(at + 3)?,
        segments: segments::decode(started_at, encoded)?,
    };
    Ok(StoredInterval { line_id, version: row.get(at + 2)?, interval })
}

pub(super) fn kind(index: u8) -> Result<Kind, Fault> {
    Kind::from_index(index).ok_or_else(|| Fault::corrupt("kind", format!("no kind has the number {index}")))
}

/// Two ids may share the indexed prefix, so each row found is compared by its whole id.
pub(super) fn by_id(db: &Connection, id: IntervalId) -> Result<IntervalFound, Fault> {
    let mut find = db.prepare_cached(
        "WITH RECURSIVE runs (number) AS (
             SELECT max(id_run) FROM intervals
             UNION ALL SELECT number - 1 FROM runs WHERE number > 0)
         SELECT l.line_id, i.is_retracted, i.started_at, i.kind, i.version, i.ended_at, i.segments
         FROM runs CROSS JOIN intervals i ON i.id_run = runs.number AND i.id_prefix = ?1
             CROSS JOIN lines l ON l.line_key = i.line_key",
    )?;
    let mut candidates = find.query([id_prefix(id)])?;
    while let Some(row) = candidates.next()? {
        let line = rows::line_id(rows::text(row, 0)?)?;
        if IntervalId::derive(&line, kind(row.get(3)?)?, row.get(2)?) != id {
            continue;
        }
        return if row.get(1)? {
            Ok(IntervalFound::Retracted)
        } else {
            Ok(IntervalFound::Current(stored_interval(line, row, 2)?))
        };
    }
    Ok(IntervalFound::Never)
}

/// The interval, of any kind, that contains `instant`. Only the newest that starts by then can, as intervals of a
/// line never overlap.
pub(super) fn containing(
    db: &Connection,
    line: &LineId,
    instant: Millis,
) -> Result<Option<StoredInterval>, Fault> {
    let find = db.prepare_cached(
        "SELECT started_at, kind, version, ended_at, segments FROM intervals
         WHERE line_key = (SELECT line_key FROM lines WHERE line_id = ?1)
             AND started_at <= ?2 AND is_retracted = 0
         ORDER BY started_at DESC LIMIT 1",
    )?;
    let newest = rows::first(find, (line.as_str(), instant), |row| stored_interval(line.clone(), row, 0))?;
    Ok(newest.filter(|stored| stored.interval.ended_at.is_none_or(|ended_at| ended_at > instant)))
}
