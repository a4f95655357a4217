//! The changelog of one partition, from its beginning to a barrier: a record that the worker wrote for this. The brokers
//! give committed records in order, so whoever has passed the barrier has passed, ended one way or the other, every
//! transaction before it. The newest of a key is the last that comes; keys may come twice.

use std::sync::Arc;

use super::Shared;
use super::follow::Follow;
use crate::{Error, Offset, Partition, Record, RecordBatch, Snapshot, Topic};

/// Key of the barrier. A newer one takes its place when the topic is compacted.
pub(super) const BARRIER: &[u8] = b"\0barrier";

/// The records below the end of the partition, as it was after the barrier.
pub(super) struct KafkaSnapshot {
    follow: Follow,
    end: Offset,
    batch: RecordBatch,
    is_done: bool,
}

impl KafkaSnapshot {
    /// Everything committed before this call; a barrier has just been committed.
    pub(super) fn new(shared: &Arc<Shared>, partition: Partition) -> Result<Self, Error> {
        // The barrier is below the end, and the last thing below it that may have been compacted is older. So the end
        // is reached, even where the barrier itself has been replaced by then.
        let end = shared.ends.of(&shared.topics, &[(Topic::LineState, partition)])?[0];
        let follow = Follow::new(shared, &[(Topic::LineState, partition, 0)])?;
        Ok(Self { follow, end, batch: RecordBatch::default(), is_done: false })
    }
}

impl Snapshot for KafkaSnapshot {
    fn next(&mut self) -> Result<Option<&RecordBatch>, Error> {
        while !self.is_done {
            let Some((_, found)) = self.follow.next_below(&[self.end])? else {
                self.is_done = true;
                break;
            };
            self.batch.clear();
            for record in found.iter() {
                // What is behind the end is of a later instant.
                self.is_done |= record.offset >= self.end;
                if !self.is_done {
                    let Record { partition, offset, appended_at, key, value, .. } = record;
                    self.batch.push(partition, offset, appended_at, key, value, record.raw_headers());
                }
            }
            if !self.batch.is_empty() {
                return Ok(Some(&self.batch));
            }
        }
        Ok(None)
    }
}
