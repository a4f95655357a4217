//! Records in bulk: bytes side by side in one buffer, so that a record costs no allocation.

use std::ops::Range;

use crate::{Offset, Partition, Topic};

/// Headers of a record: names and raw values, in order.
pub type Headers<'a> = Vec<(&'a str, &'a [u8])>;

/// A record as the log holds it, borrowed from a [`RecordBatch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its partition.
    pub partition: Partition,
    /// Its position in the partition.
    pub offset: Offset,
    /// When the log took it: milliseconds since the epoch, by the log's clock; never falls within a partition.
    pub appended_at: i64,
    /// The key.
    pub key: &'a [u8],
    /// The value; none deletes the key of a compacted topic.
    pub value: Option<&'a [u8]>,
    headers: &'a [u8],
}

impl<'a> Record<'a> {
    /// The headers.
    pub fn headers(&self) -> Headers<'a> {
        decode_headers(self.headers)
    }

    /// The headers in the encoding of [`encode_headers`], for adapters that store them as they are.
    pub fn raw_headers(&self) -> &'a [u8] {
        self.headers
    }
}

#[derive(Debug, Clone)]
struct Entry {
    partition: Partition,
    offset: Offset,
    appended_at: i64,
    key: Range<usize>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
}

/// Records that were read.
#[derive(Debug, Clone, Default)]
pub struct RecordBatch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl RecordBatch {
    /// Forgets the records and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Adds one record; `headers` in the encoding of [`encode_headers`].
    pub fn push(
        &mut self,
        partition: Partition,
        offset: Offset,
        appended_at: i64,
        key: &[u8],
        value: Option<&[u8]>,
        headers: &[u8],
    ) {
        let key = put(&mut self.bytes, key);
        let value = value.map(|value| put(&mut self.bytes, value));
        let headers = put(&mut self.bytes, headers);
        self.entries.push(Entry { partition, offset, appended_at, key, value, headers });
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The size of keys, values and headers.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The records, in the log's order within each partition.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.entries.iter().map(|entry| Record {
            partition: entry.partition,
            offset: entry.offset,
            appended_at: entry.appended_at,
            key: &self.bytes[entry.key.clone()],
            value: entry.value.clone().map(|value| &self.bytes[value]),
            headers: &self.bytes[entry.headers.clone()],
        })
    }
}

#[derive(Debug, Clone)]
struct OutputEntry {
    topic: Topic,
    partition: Partition,
    key: Range<usize>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
}

/// A record to be written, borrowed from [`Outputs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output<'a> {
    /// Where to.
    pub topic: Topic,
    /// Its partition, always explicit.
    pub partition: Partition,
    /// The key.
    pub key: &'a [u8],
    /// The value; none deletes the key of a compacted topic.
    pub value: Option<&'a [u8]>,
    /// The headers, in the encoding of [`encode_headers`].
    pub headers: &'a [u8],
}

/// Records to be written together, in order.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    bytes: Vec<u8>,
    entries: Vec<OutputEntry>,
}

impl Outputs {
    /// Forgets the records and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Adds one record without headers.
    pub fn push(&mut self, topic: Topic, partition: Partition, key: &[u8], value: Option<&[u8]>) {
        self.push_with_headers(topic, partition, key, value, &[]);
    }

    /// Adds one record; `headers` in the encoding of [`encode_headers`].
    pub fn push_with_headers(
        &mut self,
        topic: Topic,
        partition: Partition,
        key: &[u8],
        value: Option<&[u8]>,
        headers: &[u8],
    ) {
        let key = put(&mut self.bytes, key);
        let value = value.map(|value| put(&mut self.bytes, value));
        let headers = put(&mut self.bytes, headers);
        self.entries.push(OutputEntry { topic, partition, key, value, headers });
    }

    /// Adds one record whose value `write` appends to the buffer it is given: no copy in between.
    pub fn push_written(
        &mut self,
        topic: Topic,
        partition: Partition,
        key: &[u8],
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let key = put(&mut self.bytes, key);
        let start = self.bytes.len();
        write(&mut self.bytes);
        let end = self.bytes.len();
        self.entries.push(OutputEntry { topic, partition, key, value: Some(start..end), headers: end..end });
    }

    /// Adds all records of another batch.
    pub fn extend(&mut self, other: &Self) {
        for record in other.iter() {
            self.push_with_headers(record.topic, record.partition, record.key, record.value, record.headers);
        }
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The size of keys, values and headers.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The records, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = Output<'_>> {
        self.entries.iter().map(|entry| Output {
            topic: entry.topic,
            partition: entry.partition,
            key: &self.bytes[entry.key.clone()],
            value: entry.value.clone().map(|value| &self.bytes[value]),
            headers: &self.bytes[entry.headers.clone()],
        })
    }
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) -> Range<usize> {
    let start = bytes.len();
    bytes.extend_from_slice(part);
    start..bytes.len()
}

/// Encodes headers: for each, name and value with a 4-byte big-endian length before them. No header is no byte.
pub fn encode_headers(headers: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in headers {
        for part in [name.as_bytes(), value] {
            let length = u32::try_from(part.len()).expect("a header fits in memory, and that is below 4 GiB");
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part);
        }
    }
    bytes
}

/// The opposite of [`encode_headers`]. What does not parse ends the list.
pub fn decode_headers(mut bytes: &[u8]) -> Headers<'_> {
    fn part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (part, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        *bytes = rest;
        Some(part)
    }
    let mut headers = Vec::new();
    while let Some(name) = part(&mut bytes) {
        let (Ok(name), Some(value)) = (std::str::from_utf8(name), part(&mut bytes)) else { break };
        headers.push((name, value));
    }
    headers
}
