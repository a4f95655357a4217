//! One batch of the projector as one transaction: the hot path. Rows are put into the order of their tables first,
//! and of each key only the highest version is written.

use std::cmp::Reverse;

use andon_domain::{IntervalChange, IntervalId, Millis};
use rusqlite::Connection;

use super::memory::Memory;
use super::{dead_letters, directory};
use crate::sqlite::fault::Fault;
use crate::sqlite::{rows, segments};
use crate::{IntervalWrite, LineWrite, ViewBatch};

/// Writes the batch. Dead letters come after the lines and intervals that they are compared with.
pub(super) fn apply(db: &Connection, memory: &mut Memory, batch: &ViewBatch) -> Result<(), Fault> {
    write_lines(db, memory, &batch.lines)?;
    write_intervals(db, memory, &batch.intervals)?;
    directory::write(db, &batch.directory)?;
    dead_letters::write(db, &batch.dead_letters)?;
    dead_letters::resolve(db, &batch.resolved)?;
    write_progress(db, &batch.progress)?;
    rows::write_positions(db, &batch.positions)
}

fn write_lines(db: &Connection, memory: &mut Memory, lines: &[LineWrite]) -> Result<(), Fault> {
    let mut keyed = Vec::with_capacity(lines.len());
    for line in lines {
        keyed.push((memory.line_key(db, &line.line_id)?, line));
    }
    keyed.sort_unstable_by_key(|(key, line)| (*key, Reverse(line.version)));
    keyed.dedup_by_key(|(key, _)| *key);
    let mut write = db.prepare_cached(
        "UPDATE lines SET version = ?2, status = ?3, class = ?4, since = ?5, last_event_at = ?6,
             last_seen_at = ?7, open_downtime_at = ?8, reason_code = ?9, source_status = ?10, first_event_at = ?11
         WHERE line_key = ?1 AND (version IS NULL OR version < ?2)",
    )?;
    for (key, LineWrite { version, row, .. }) in keyed {
        write.execute((
            key,
            version,
            row.status.name(),
            row.class.name(),
            row.since,
            row.last_event_at,
            row.last_seen_at,
            row.open_downtime_at,
            row.reason_code.as_deref(),
            row.source_status.as_deref(),
            row.first_event_at,
        ))?;
    }
    Ok(())
}

fn write_intervals(db: &Connection, memory: &mut Memory, intervals: &[IntervalWrite]) -> Result<(), Fault> {
    let mut keyed = Vec::with_capacity(intervals.len());
    for interval in intervals {
        let (started_at, kind) = interval.change.key();
        keyed.push(((memory.line_key(db, &interval.line_id)?, started_at, kind), interval));
    }
    keyed.sort_unstable_by_key(|(key, interval)| (*key, Reverse(interval.version)));
    keyed.dedup_by_key(|(key, _)| *key);
    let mut write = db.prepare_cached(
        "INSERT INTO intervals
             (line_key, started_at, kind, version, is_retracted, ended_at, segments, id_prefix, id_run)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT DO UPDATE SET version = excluded.version, is_retracted = excluded.is_retracted,
             ended_at = excluded.ended_at, segments = excluded.segments
         WHERE excluded.version > intervals.version",
    )?;
    let id_run = memory.id_run(db, keyed.len())?;
    let mut encoded = Vec::new();
    for ((line_key, started_at, kind), IntervalWrite { line_id, version, change }) in keyed {
        encoded.clear();
        let ended_at = match change {
            IntervalChange::Upsert(interval) => {
                segments::encode(started_at, &interval.segments, &mut encoded);
                interval.ended_at
            }
            IntervalChange::Retract { .. } => None,
        };
        write.execute((
            line_key,
            started_at,
            kind as u8,
            version,
            matches!(change, IntervalChange::Retract { .. }),
            ended_at,
            &encoded,
            id_prefix(IntervalId::derive(line_id, kind, started_at)),
            id_run,
        ))?;
    }
    Ok(())
}

/// The part of an interval's id that is indexed: its first eight bytes, as a number.
pub(super) fn id_prefix(id: IntervalId) -> i64 {
    let (prefix, _) = id.0.as_u64_pair();
    i64::from_be_bytes(prefix.to_be_bytes())
}

fn write_progress(db: &Connection, progress: &[(u32, Millis)]) -> Result<(), Fault> {
    let mut write = db.prepare_cached(
        "INSERT INTO progress (partition, log_time) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET log_time = excluded.log_time WHERE excluded.log_time > progress.log_time",
    )?;
    for (partition, log_time) in progress {
        write.execute((partition, log_time))?;
    }
    Ok(())
}
