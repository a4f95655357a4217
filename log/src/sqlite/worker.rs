//! The consumer of the input. The first worker has the one partition from its first poll on, and nobody takes it away;
//! a further one waits until the first is dropped.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::OptionalExtension;

use super::Options;
use super::fault::sql;
use super::prepared::Prepared;
use super::reader::Source;
use super::shared::Shared;
use super::snapshot::StateSnapshot;
use crate::{CommitError, Error, Offset, Outputs, Partition, Polled, Snapshot, Topic, Worker};

/// The worker of an embedded log.
pub struct SqliteWorker {
    shared: Arc<Shared>,
    options: Arc<Options>,
    source: Source,
    number: u64,
    is_owner: bool,
    /// Next offset to read, once started.
    next: Option<Offset>,
}

impl SqliteWorker {
    pub(super) fn new(shared: Arc<Shared>, options: Arc<Options>) -> Result<Self, Error> {
        let source = Source::new(&shared, &options)?;
        let number = shared.next_worker();
        Ok(Self { shared, options, source, number, is_owner: false, next: None })
    }

    fn check_owned(&self, partition: Partition) -> Result<(), Error> {
        if self.is_owner && partition == 0 { Ok(()) } else { Err(Error::NotOwned { partition }) }
    }
}

impl Drop for SqliteWorker {
    fn drop(&mut self) {
        self.shared.give_up(self.number);
    }
}

impl Worker for SqliteWorker {
    fn poll(&mut self, wait: Duration) -> Result<Polled<'_>, Error> {
        if !self.is_owner {
            self.shared.wait(wait, |state| state.owner.is_none())?;
            self.is_owner = self.shared.claim(self.number);
            if !self.is_owner {
                return Ok(Polled::Idle);
            }
        }
        let Some(next) = self.next else { return Ok(Polled::Assigned(vec![0])) };
        let at = Topic::LineStatus as usize;
        self.shared.wait(wait, |state| state.ends[at] > next)?;
        // The clock is taken with the ends: what they do not cover is appended at that time or later.
        let (ends, clock) = self.shared.ends_and_clock();
        if next < ends[at] {
            self.next = Some(self.source.fill(Topic::LineStatus, next, ends[at])?);
            if !self.source.batch.is_empty() {
                return Ok(Polled::Records(&self.source.batch));
            }
        }
        Ok(Polled::CaughtUp { partition: 0, clock })
    }

    fn snapshot(&mut self, partition: Partition) -> Result<Box<dyn Snapshot>, Error> {
        self.check_owned(partition)?;
        Ok(Box::new(StateSnapshot::new(Source::new(&self.shared, &self.options)?)?))
    }

    fn start(&mut self, partition: Partition) -> Result<Offset, Error> {
        self.check_owned(partition)?;
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
        let Options { commit_records_max, commit_bytes_max, .. } = *self.options;
        let prepared = Prepared::new(outputs, positions, commit_records_max, commit_bytes_max)
            .map_err(CommitError::Again)?;
        for (partition, _) in positions {
            self.check_owned(*partition).map_err(CommitError::Drop)?;
        }
        match self.shared.write(prepared) {
            Ok(_) => Ok(()),
            // The writer may have ended before or after it wrote this.
            Err(error @ Error::Closed) => Err(CommitError::Rebuild(error)),
            Err(error) => Err(CommitError::Again(error)),
        }
    }

    fn release(&mut self) -> Result<(), Error> {
        Ok(()) // nothing is ever taken away, so there is nothing to answer
    }
}
