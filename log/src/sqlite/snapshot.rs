//! The newest record of each key, read in pages of keys.

use rusqlite::params;

use super::fault::sql;
use super::reader::{Source, push_keyed};
use crate::{Error, RecordBatch, Snapshot};

/// Most records of a page.
const PAGE: u32 = 10_000;

/// The changelog, key after key.
pub(super) struct StateSnapshot {
    source: Source,
    after: Option<Vec<u8>>,
    is_done: bool,
}

impl StateSnapshot {
    pub(super) fn new(source: Source) -> Self {
        Self { source, after: None, is_done: false }
    }
}

impl Snapshot for StateSnapshot {
    fn next(&mut self) -> Result<Option<&RecordBatch>, Error> {
        if self.is_done {
            return Ok(None);
        }
        let failed = sql("read the changelog");
        let mut batch = std::mem::take(&mut self.source.batch);
        batch.clear();
        let mut last: Option<Vec<u8>> = None;
        {
            let mut statement = self
                .source
                .connection()
                .prepare_cached(
                    "SELECT key, record_offset, appended_at, value, headers FROM line_state
                     WHERE ?1 IS NULL OR key > ?1 ORDER BY key LIMIT ?2",
                )
                .map_err(&failed)?;
            let mut rows = statement.query(params![self.after, PAGE]).map_err(&failed)?;
            while let Some(row) = rows.next().map_err(&failed)? {
                push_keyed(row, &mut batch).map_err(&failed)?;
                if batch.len() == PAGE as usize {
                    last = row.get(0).map_err(&failed)?;
                }
            }
        }
        self.is_done = last.is_none();
        self.after = last;
        self.source.batch = batch;
        Ok(if self.source.batch.is_empty() { None } else { Some(&self.source.batch) })
    }
}
