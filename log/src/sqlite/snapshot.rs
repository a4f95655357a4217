//! The newest record of each key of the changelog, in the order of the table. One read transaction spans it all, so it
//! is of one instant, whatever is committed meanwhile.

use rusqlite::params;

use super::fault::sql;
use super::reader::{Source, push_keyed};
use crate::{Error, RecordBatch, Snapshot};

/// The changelog, row after row.
pub(super) struct StateSnapshot {
    source: Source,
    after: i64,
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
        Ok(Self { source, after: 0, is_done: false })
    }

    fn fill(&mut self) -> rusqlite::Result<()> {
        let Source { connection, batch, bounds } = &mut self.source;
        batch.clear();
        let mut statement = connection.prepare_cached(
            "SELECT key, record_offset, appended_at, value, headers, id FROM line_state
             WHERE id > ?1 ORDER BY id",
        )?;
        let mut rows = statement.query(params![self.after])?;
        while let Some(row) = rows.next()? {
            push_keyed(row, batch)?;
            if bounds.are_met(batch) {
                self.after = row.get(5)?;
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
