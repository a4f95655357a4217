//! One partition of one topic: its committed records. It knows nothing of who writes or reads.

use std::collections::BTreeMap;

use crate::{Cleanup, Offset, Output, Partition, RecordBatch, Topic};

struct Stored {
    appended_at: i64,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    headers: Vec<u8>,
}

/// Committed records in their order.
#[derive(Default)]
pub(super) struct Stream {
    records: BTreeMap<Offset, Stored>,
    /// The newest offset of each key, where the topic is compacted.
    newest: BTreeMap<Vec<u8>, Offset>,
    pub(super) end: Offset,
    /// The newest append time.
    pub(super) appended_at: Option<i64>,
}

impl Stream {
    /// Adds a record; its offset.
    pub(super) fn push(&mut self, output: &Output<'_>, appended_at: i64) -> Offset {
        let offset = self.end;
        self.end += 1;
        self.appended_at = Some(appended_at);
        if output.topic.cleanup() == Cleanup::Compact
            && let Some(older) = self.newest.insert(output.key.to_vec(), offset)
        {
            self.records.remove(&older);
        }
        let stored = Stored {
            appended_at,
            key: output.key.to_vec(),
            value: output.value.map(<[u8]>::to_vec),
            headers: output.headers.to_vec(),
        };
        self.records.insert(offset, stored);
        offset
    }

    /// Adds the records from `from` on to the batch, until it is full. The next offset to read.
    pub(super) fn fill(
        &self,
        partition: Partition,
        from: Offset,
        batch: &mut RecordBatch,
        bounds: Bounds,
    ) -> Offset {
        for (offset, stored) in self.records.range(from..) {
            if batch.len() >= bounds.records_max || batch.byte_len() >= bounds.bytes_max {
                return *offset;
            }
            let Stored { appended_at, key, value, headers } = stored;
            batch.push(partition, *offset, *appended_at, key, value.as_deref(), headers);
        }
        self.end.max(from)
    }
}

/// The bounds of one read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) records_max: usize,
    pub(super) bytes_max: usize,
}

/// All streams of a log.
pub(super) struct Streams {
    partitions: u32,
    streams: BTreeMap<(Topic, Partition), Stream>,
}

impl Streams {
    pub(super) const fn new(partitions: u32) -> Self {
        Self { partitions, streams: BTreeMap::new() }
    }

    /// How many partitions a topic has.
    pub(super) const fn partitions_of(&self, topic: Topic) -> u32 {
        match topic {
            Topic::Directory => 1,
            Topic::LineStatus
            | Topic::LineState
            | Topic::LineChanges
            | Topic::NotificationCommands
            | Topic::DeadLetters => self.partitions,
        }
    }

    /// A stream, to be written to.
    pub(super) fn stream(&mut self, topic: Topic, partition: Partition) -> &mut Stream {
        self.streams.entry((topic, partition)).or_default()
    }

    /// Where a stream ends.
    pub(super) fn end(&self, topic: Topic, partition: Partition) -> Offset {
        self.streams.get(&(topic, partition)).map_or(0, |stream| stream.end)
    }

    /// See [`Stream::fill`].
    pub(super) fn fill(
        &self,
        topic: Topic,
        partition: Partition,
        from: Offset,
        batch: &mut RecordBatch,
        bounds: Bounds,
    ) -> Offset {
        self.streams
            .get(&(topic, partition))
            .map_or(from, |stream| stream.fill(partition, from, batch, bounds))
    }
}
