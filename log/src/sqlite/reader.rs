//! Following topics: reads in bulk, wakes when something is committed. It never looks beyond what the writer said is
//! committed.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::Options;
use super::chunk::{self, Bounds};
use super::fault::{sql, storage};
use super::prepared::check_partition;
use super::schema::{open_for_reading, table};
use super::shared::{Shared, State};
use crate::{Cleanup, Error, Offset, Partition, Read, Reader, RecordBatch, Topic};

/// Reads from one connection into one batch.
pub(super) struct Source {
    pub(super) connection: Connection,
    pub(super) batch: RecordBatch,
    pub(super) bounds: Bounds,
}

impl Source {
    /// A source with a connection of its own.
    pub(super) fn new(shared: &Shared, options: &Options) -> Result<Self, Error> {
        let connection = open_for_reading(&shared.path)?;
        let bounds =
            Bounds { records_max: options.read_records_max.max(1), bytes_max: options.read_bytes_max.max(1) };
        Ok(Self { connection, batch: RecordBatch::default(), bounds })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Fills the batch with the records of `topic` from `from` on, below `end`. The next offset to read.
    pub(super) fn fill(&mut self, topic: Topic, from: Offset, end: Offset) -> Result<Offset, Error> {
        self.batch.clear();
        match topic.cleanup() {
            Cleanup::Delete => self.fill_from_chunks(topic, from, end),
            Cleanup::Compact => self.fill_from_keys(topic, from, end),
        }
    }

    fn fill_from_chunks(&mut self, topic: Topic, from: Offset, end: Offset) -> Result<Offset, Error> {
        let failed = sql("read the event log");
        let table = table(topic);
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "SELECT first_offset, appended_at, records FROM {table}
                 WHERE first_offset >= (SELECT coalesce(max(first_offset), 0) FROM {table} WHERE first_offset <= ?1)
                   AND first_offset < ?2
                 ORDER BY first_offset"
            ))
            .map_err(&failed)?;
        let mut rows = statement.query(params![from, end]).map_err(&failed)?;
        let mut next = from;
        while let Some(row) = rows.next().map_err(&failed)? {
            let first: Offset = row.get(0).map_err(&failed)?;
            let appended_at: i64 = row.get(1).map_err(&failed)?;
            let bytes = row
                .get_ref(2)
                .map_err(&failed)?
                .as_blob()
                .map_err(|error| storage("read the event log", error))?;
            next = chunk::read(bytes, first, appended_at, from, &mut self.batch, self.bounds)
                .ok_or_else(|| {
                    storage("read the event log", format!("the chunk at offset {first} is broken"))
                })?
                .max(next);
            if self.bounds.are_met(&self.batch) {
                return Ok(next);
            }
        }
        // Below `end` there is nothing left: what is missing was deleted as too old.
        Ok(next.max(end))
    }

    fn fill_from_keys(&mut self, topic: Topic, from: Offset, end: Offset) -> Result<Offset, Error> {
        let failed = sql("read the event log");
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "SELECT key, record_offset, appended_at, value, headers FROM {}
                 WHERE record_offset >= ?1 AND record_offset < ?2 ORDER BY record_offset",
                table(topic)
            ))
            .map_err(&failed)?;
        let mut rows = statement.query(params![from, end]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            let offset = push_keyed(row, &mut self.batch).map_err(&failed)?;
            if self.bounds.are_met(&self.batch) {
                return Ok(offset + 1);
            }
        }
        Ok(end.max(from))
    }
}

/// Adds a row of a compacted topic to the batch; its offset.
pub(super) fn push_keyed(row: &rusqlite::Row<'_>, batch: &mut RecordBatch) -> rusqlite::Result<Offset> {
    let offset: Offset = row.get(1)?;
    let key = row.get_ref(0)?.as_blob()?;
    let value = row.get_ref(3)?.as_blob_or_null()?;
    batch.push(0, offset, row.get(2)?, key, value, row.get_ref(4)?.as_blob()?);
    Ok(offset)
}

/// Follows some topics.
pub struct SqliteReader {
    shared: Arc<Shared>,
    source: Source,
    positions: Vec<(Topic, Offset)>,
    /// The topic to look at first, so that a busy one does not keep the others waiting.
    turn: usize,
}

impl SqliteReader {
    pub(super) fn new(
        shared: Arc<Shared>,
        options: Arc<Options>,
        positions: &[(Topic, Partition, Offset)],
    ) -> Result<Self, Error> {
        let source = Source::new(&shared, &options)?;
        for (topic, partition, _) in positions {
            check_partition(*topic, *partition)?;
        }
        let positions = positions.iter().map(|(topic, _, offset)| (*topic, *offset)).collect();
        Ok(Self { shared, source, positions, turn: 0 })
    }
}

impl Reader for SqliteReader {
    fn poll(&mut self, wait: Duration) -> Result<Read<'_>, Error> {
        let positions = &self.positions;
        let is_behind =
            |state: &State| positions.iter().any(|(topic, next)| state.ends[*topic as usize] > *next);
        self.shared.wait(wait, is_behind)?;
        let ends = self.shared.ends();
        let count = self.positions.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            let (topic, next) = self.positions[at];
            let end = ends[topic as usize];
            if next < end {
                self.positions[at].1 = self.source.fill(topic, next, end)?;
                if !self.source.batch.is_empty() {
                    self.turn = at + 1;
                    return Ok(Read::Records(topic, &self.source.batch));
                }
            }
        }
        Ok(Read::CaughtUp)
    }
}
