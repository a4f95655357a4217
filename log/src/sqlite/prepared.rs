//! A batch made ready by its caller, so that the one writer has little to do. It checks the limits, and never touches
//! the file.

use std::cmp::Reverse;
use std::ops::Range;

use super::chunk::Chunk;
use super::schema::PARTITIONS;
use crate::{Cleanup, Error, Offset, Outputs, Partition, Topic};

/// Bytes of a batch that no setting exceeds: SQLite holds no blob of more than 10⁹ bytes.
const BYTES_CEILING: usize = 900_000_000;

/// A number for each topic, by the topic's number.
pub(super) type PerTopic = [i64; Topic::ALL.len()];

/// A record of a compacted topic.
pub(super) struct Upsert {
    pub(super) topic: Topic,
    /// Its place among the batch's records of the topic, from 0.
    pub(super) nth: i64,
    key: Range<usize>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
}

/// A batch in the form in which it is stored.
pub(super) struct Prepared {
    pub(super) chunks: Vec<Chunk>,
    /// The newest of each key, ordered by key: neighbours in the index are looked up one after the other.
    pub(super) upserts: Vec<Upsert>,
    /// How many offsets of each topic the batch takes.
    pub(super) counts: PerTopic,
    pub(super) positions: Vec<(Partition, Offset)>,
    pub(super) byte_len: usize,
    bytes: Vec<u8>,
}

impl Prepared {
    /// Encodes a batch of at most so many records and bytes.
    pub(super) fn new(
        records: &Outputs,
        positions: &[(Partition, Offset)],
        records_max: usize,
        bytes_max: usize,
    ) -> Result<Self, Error> {
        for (unit, got, limit) in [
            ("records", records.len(), records_max),
            ("bytes", records.byte_len(), bytes_max.min(BYTES_CEILING)),
        ] {
            if got > limit {
                return Err(Error::TooLarge { unit, got, limit });
            }
        }
        for (partition, _) in positions {
            check_partition(Topic::LineStatus, *partition)?;
        }
        let mut prepared = Self {
            chunks: Vec::new(),
            upserts: Vec::new(),
            counts: [0; Topic::ALL.len()],
            positions: positions.to_vec(),
            byte_len: records.byte_len(),
            bytes: Vec::new(),
        };
        let mut open: [Option<Chunk>; Topic::ALL.len()] = [const { None }; Topic::ALL.len()];
        for record in records.iter() {
            let topic = record.topic;
            check_partition(topic, record.partition)?;
            match topic.cleanup() {
                Cleanup::Compact => {
                    let mut put = |part: &[u8]| {
                        let start = prepared.bytes.len();
                        prepared.bytes.extend_from_slice(part);
                        start..prepared.bytes.len()
                    };
                    let (key, value) = (put(record.key), record.value.map(&mut put));
                    let headers = put(record.headers);
                    let nth = prepared.counts[topic as usize];
                    prepared.upserts.push(Upsert { topic, nth, key, value, headers });
                }
                Cleanup::Delete => {
                    let bytes = record.key.len() + record.value.map_or(0, <[u8]>::len) + record.headers.len();
                    let slot = &mut open[topic as usize];
                    if slot.as_ref().is_some_and(|chunk| chunk.is_full_for(bytes)) {
                        prepared.chunks.extend(slot.take());
                    }
                    let chunk = slot.get_or_insert_with(|| Chunk::new(topic));
                    chunk.put(record.key, record.value, record.headers);
                }
            }
            prepared.counts[topic as usize] += 1;
        }
        prepared.chunks.extend(open.into_iter().flatten());
        prepared.keep_newest();
        Ok(prepared)
    }

    /// Of several records of a key only the last is kept, as the table would do.
    fn keep_newest(&mut self) {
        let bytes = &self.bytes;
        let key = |upsert: &Upsert| &bytes[upsert.key.clone()];
        self.upserts.sort_unstable_by(|a, b| {
            (a.topic, key(a), Reverse(a.nth)).cmp(&(b.topic, key(b), Reverse(b.nth)))
        });
        self.upserts.dedup_by(|later, first| first.topic == later.topic && key(first) == key(later));
    }

    /// Key, value and headers of one of the upserts.
    pub(super) fn parts(&self, upsert: &Upsert) -> (&[u8], Option<&[u8]>, &[u8]) {
        let part = |range: &Range<usize>| &self.bytes[range.clone()];
        (part(&upsert.key), upsert.value.as_ref().map(part), part(&upsert.headers))
    }
}

/// Refuses a partition that the log does not have.
pub(super) fn check_partition(topic: Topic, partition: Partition) -> Result<(), Error> {
    if partition < PARTITIONS {
        return Ok(());
    }
    Err(Error::NoPartition { topic: topic.name(), partition, partitions: PARTITIONS })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_record_of_a_key_is_kept_with_its_own_place() {
        let mut records = Outputs::default();
        for (key, value) in [("b", "1"), ("a", "2"), ("b", "3"), ("a", "4"), ("c", "5")] {
            records.push(Topic::LineState, 0, key.as_bytes(), Some(value.as_bytes()));
        }
        let prepared = Prepared::new(&records, &[], 10, 100).unwrap();
        let kept: Vec<_> = prepared
            .upserts
            .iter()
            .map(|upsert| {
                let (key, value, _) = prepared.parts(upsert);
                (key[0] as char, value.unwrap()[0] as char, upsert.nth)
            })
            .collect();
        assert_eq!(kept, [('a', '4', 3), ('b', '3', 2), ('c', '5', 4)]);
        assert_eq!(prepared.counts[Topic::LineState as usize], 5, "each record takes an offset");
    }
}
