//! The newest record of each key of the changelog, read in pages of keys within one read transaction: all of it is of
//! one instant, whatever is committed meanwhile.

use rusqlite::params;

use super::fault::sql;
use super::reader::{Source, push_keyed};
use crate::{Error, RecordBatch, Snapshot};

/// The changelog, key after key.
pub(super) struct StateSnapshot {
    source: Source,
    after: Option<Vec<u8>>,
    is_done: bool,
}

impl StateSnapshot {
    /// Everything that is committed now.
    pub(super) fn new(source: Source) -> Result<Self, Error> {
        // The first read fixes the instant.
        source
            .connection()
            .execute_batch("BEGIN; SELECT count(*) FROM positions")
            .map_err(sql("read the changelog"))?;
        Ok(Self { source, after: None, is_done: false })
    }

    fn fill(&mut self) -> rusqlite::Result<()> {
        let Source { connection, batch, bounds } = &mut self.source;
        batch.clear();
        let mut statement = connection.prepare_cached(
            "SELECT key, record_offset, appended_at, value, headers FROM line_state
             WHERE ?1 IS NULL OR key > ?1 ORDER BY key",
        )?;
        let mut rows = statement.query(params![self.after])?;
        while let Some(row) = rows.next()? {
            push_keyed(row, batch)?;
            if bounds.are_met(batch) {
                self.after = row.get(0)?;
                return Ok(());
            }
        }
        self.is_done = true;
        Ok(())
    }
}

impl Snapshot for StateSnapshot {
    fn next(&mut self) -> Result<Option<&RecordBatch>, Error> {
        if self.is_done {
            return Ok(None);
        }
        let failed = sql("read the changelog");
        self.fill().map_err(&failed)?;
        if self.is_done {
            self.source.connection().execute_batch("COMMIT").map_err(&failed)?;
        }
        Ok(if self.source.batch.is_empty() { None } else { Some(&self.source.batch) })
    }
}
