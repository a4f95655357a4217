//! Following partitions, and reading a snapshot that was taken at once. Only committed records are ever in memory.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::{Error, Offset, Partition, Read, Reader, RecordBatch, Snapshot, Topic};

/// Follows some partitions.
pub struct MemoryReader {
    shared: Arc<Shared>,
    positions: Vec<(Topic, Partition, Offset)>,
    turn: usize,
    batch: RecordBatch,
}

impl MemoryReader {
    pub(super) fn new(shared: Arc<Shared>, positions: Vec<(Topic, Partition, Offset)>) -> Self {
        Self { shared, positions, turn: 0, batch: RecordBatch::default() }
    }
}

impl Reader for MemoryReader {
    fn poll(&mut self, wait: Duration) -> Result<Read<'_>, Error> {
        let Self { shared, positions, turn, batch } = self;
        shared.wait(wait, |cluster| {
            positions.iter().any(|(topic, partition, next)| *next < cluster.streams.end(*topic, *partition))
        });
        let found = shared.lock().read(positions, *turn, batch)?;
        Ok(match found {
            Some(at) => {
                *turn = at + 1;
                Read::Records(positions[at].0, batch)
            }
            None => Read::CaughtUp,
        })
    }
}

/// Batches that were copied when the snapshot was taken.
pub(super) struct MemorySnapshot {
    batches: std::vec::IntoIter<RecordBatch>,
    current: RecordBatch,
}

impl MemorySnapshot {
    pub(super) fn new(batches: Vec<RecordBatch>) -> Self {
        Self { batches: batches.into_iter(), current: RecordBatch::default() }
    }
}

impl Snapshot for MemorySnapshot {
    fn next(&mut self) -> Result<Option<&RecordBatch>, Error> {
        let Some(batch) = self.batches.next() else { return Ok(None) };
        self.current = batch;
        Ok(Some(&self.current))
    }
}
