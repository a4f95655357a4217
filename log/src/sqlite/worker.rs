//! The consumer of the input. The one partition is its own from the first poll on, and nobody takes it away.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::OptionalExtension;

use super::Options;
use super::chunk::Prepared;
use super::fault::sql;
use super::reader::Source;
use super::shared::Shared;
use super::snapshot::StateSnapshot;
use crate::{CommitError, Error, Offset, Outputs, Partition, Polled, Snapshot, Topic, Worker};

/// The worker of an embedded log.
pub struct SqliteWorker {
    shared: Arc<Shared>,
    options: Arc<Options>,
    source: Source,
    /// Next offset to read, once started.
    next: Option<Offset>,
}

impl SqliteWorker {
    pub(super) fn new(shared: Arc<Shared>, options: Arc<Options>) -> Result<Self, Error> {
        let source = Source::new(&shared, &options)?;
        Ok(Self { shared, options, source, next: None })
    }
}

impl Worker for SqliteWorker {
    fn poll(&mut self, wait: Duration) -> Result<Polled<'_>, Error> {
        let Some(next) = self.next else { return Ok(Polled::Assigned(vec![0])) };
        let at = Topic::LineStatus as usize;
        self.shared.wait(wait, |ends| ends[at] > next)?;
        // The clock is taken with the ends: what they do not cover is appended after it.
        let (ends, clock) = self.shared.ends_and_clock();
        if next < ends[at] {
            let behind = self.source.fill(Topic::LineStatus, next, ends[at])?;
            self.next = Some(behind);
            if !self.source.batch.is_empty() {
                return Ok(Polled::Records(&self.source.batch));
            }
        }
        Ok(Polled::CaughtUp { partition: 0, clock })
    }

    fn snapshot(&mut self, _partition: Partition) -> Result<Box<dyn Snapshot>, Error> {
        Ok(Box::new(StateSnapshot::new(Source::new(&self.shared, &self.options)?)))
    }

    fn start(&mut self, partition: Partition) -> Result<Offset, Error> {
        let position = self
            .source
            .connection()
            .query_row(
                "SELECT next_offset FROM positions WHERE consumed_partition = ?1",
                [partition],
                |row| row.get(0),
            )
            .optional()
            .map_err(sql("read the committed position"))?
            .unwrap_or(0);
        self.next = Some(position);
        Ok(position)
    }

    fn commit(&mut self, outputs: &Outputs, positions: &[(Partition, Offset)]) -> Result<(), CommitError> {
        let prepared = Prepared::new(outputs, positions.to_vec()).map_err(CommitError::Again)?;
        match self.shared.write(prepared) {
            Ok(_) => Ok(()),
            Err(error @ Error::Closed) => Err(CommitError::Drop(error)),
            Err(error) => Err(CommitError::Again(error)),
        }
    }

    fn release(&mut self) -> Result<(), Error> {
        self.next = None;
        Ok(())
    }
}
