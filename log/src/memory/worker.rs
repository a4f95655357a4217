//! A worker of the group. Everything it does is a step of the cluster; it keeps nothing but its batch.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::cluster::Found;
use super::group::{News, Number};
use super::reader::MemorySnapshot;
use crate::{CommitError, Error, Offset, Outputs, Partition, Polled, RecordBatch, Snapshot, Worker};

/// A worker. One that has crashed answers [`Error::Closed`] to everything: drop it and make a new one.
pub struct MemoryWorker {
    shared: Arc<Shared>,
    number: Number,
    batch: RecordBatch,
}

impl MemoryWorker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let number = shared.step(|cluster| cluster.group.join());
        Self { shared, number, batch: RecordBatch::default() }
    }
}

impl Drop for MemoryWorker {
    fn drop(&mut self) {
        self.shared.step(|cluster| cluster.group.leave(self.number));
    }
}

impl Worker for MemoryWorker {
    fn poll(&mut self, wait: Duration) -> Result<Polled<'_>, Error> {
        let Self { shared, number, batch } = self;
        shared.wait(wait, |cluster| cluster.has_news_or_records(*number));
        Ok(match shared.step(|cluster| cluster.poll(*number, batch))? {
            Found::News(News::Assigned(partitions)) => Polled::Assigned(partitions),
            Found::News(News::Revoking(partitions)) => Polled::Revoking(partitions),
            Found::News(News::Lost(partitions)) => Polled::Lost(partitions),
            Found::Records => Polled::Records(batch),
            Found::CaughtUp { partition, clock } => Polled::CaughtUp { partition, clock },
            Found::Idle => Polled::Idle,
        })
    }

    fn snapshot(&mut self, partition: Partition) -> Result<Box<dyn Snapshot>, Error> {
        let batches = self.shared.step(|cluster| cluster.snapshot(self.number, partition))?;
        Ok(Box::new(MemorySnapshot::new(batches)))
    }

    fn start(&mut self, partition: Partition) -> Result<Offset, Error> {
        self.shared.step(|cluster| cluster.start(self.number, partition))
    }

    fn commit(&mut self, outputs: &Outputs, positions: &[(Partition, Offset)]) -> Result<(), CommitError> {
        self.shared.step(|cluster| cluster.commit(self.number, outputs, positions))
    }

    fn release(&mut self) -> Result<(), Error> {
        self.shared.step(|cluster| cluster.release(self.number))
    }
}
