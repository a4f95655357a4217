//! Follows committed records of some topics.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::follow::Follow;
use crate::{Error, Offset, Partition, Read, Reader, RecordBatch, Topic};

/// A reader. That it is caught up it knows by asking where the partitions end, and reading up to there: while somebody's
/// transaction is open below that end, it waits for the end of the transaction.
pub struct KafkaReader {
    follow: Follow,
    batch: RecordBatch,
}

impl KafkaReader {
    pub(super) fn new(shared: &Arc<Shared>, from: &[(Topic, Partition, Offset)]) -> Result<Self, Error> {
        Ok(Self { follow: Follow::new(shared, from)?, batch: RecordBatch::default() })
    }
}

impl Reader for KafkaReader {
    fn poll(&mut self, wait: Duration) -> Result<Read<'_>, Error> {
        let mut found = self.follow.next(wait)?;
        if found.is_none() {
            let ends = self.follow.ends()?;
            found = self.follow.next_below(&ends)?;
        }
        Ok(match found {
            Some((topic, batch)) => {
                self.batch = batch;
                Read::Records(topic, &self.batch)
            }
            None => Read::CaughtUp,
        })
    }
}
