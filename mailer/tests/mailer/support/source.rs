//! A log of commands in memory: one partition, offsets with gaps, small batches.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use andon_log::{Error, Offset, Read, Reader, RecordBatch, Topic};

/// Records of a batch.
const BATCH: usize = 4;

/// A value, and when the log took it.
type Entry = (Vec<u8>, i64);

#[derive(Clone, Default)]
pub(crate) struct Source {
    records: Arc<Mutex<Vec<Entry>>>,
}

impl Source {
    pub(crate) fn append(&self, value: Vec<u8>, appended_at: i64) {
        self.records.lock().unwrap().push((value, appended_at));
    }

    /// Follows from an offset: each record has twice its index, so that offsets have gaps.
    pub(crate) fn reader(&self, from: Offset) -> Following {
        Following {
            source: self.clone(),
            next: usize::try_from(from).unwrap().div_ceil(2),
            batch: RecordBatch::default(),
        }
    }
}

pub(crate) struct Following {
    source: Source,
    next: usize,
    batch: RecordBatch,
}

impl Reader for Following {
    fn poll(&mut self, _wait: Duration) -> Result<Read<'_>, Error> {
        let records = self.source.records.lock().unwrap();
        self.batch.clear();
        for (value, appended_at) in records.iter().skip(self.next).take(BATCH) {
            let offset = Offset::try_from(self.next * 2).unwrap();
            self.batch.push(0, offset, *appended_at, b"subscriber", Some(value), &[]);
            self.next += 1;
        }
        if self.batch.is_empty() {
            return Ok(Read::CaughtUp);
        }
        Ok(Read::Records(Topic::NotificationCommands, &self.batch))
    }
}
