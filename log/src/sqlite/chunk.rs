//! Chunks: the stored form of many records of one topic. Their offsets follow each other; they share an append time.
//!
//! A record is three big-endian lengths (key; value plus one, 0 for none; headers), then the three.

use crate::{Cleanup, Error, Offset, Outputs, Partition, RecordBatch, Topic};

/// Most records of a chunk.
const RECORDS_MAX: usize = 1_000;

/// Bytes at which a chunk is closed; a larger record has one of its own.
const BYTES_MAX: usize = 256 * 1024;

/// Records of one topic, ready to be stored.
pub(super) struct Chunk {
    pub(super) topic: Topic,
    pub(super) count: usize,
    pub(super) bytes: Vec<u8>,
}

/// A record of a compacted topic, ready to be stored.
pub(super) struct Upsert {
    pub(super) topic: Topic,
    pub(super) key: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Vec<u8>,
}

/// A batch made ready by its caller, so that the one writer has little to do.
pub(super) struct Prepared {
    pub(super) chunks: Vec<Chunk>,
    pub(super) upserts: Vec<Upsert>,
    /// The topic of each record, in the caller's order.
    pub(super) topics: Vec<Topic>,
    pub(super) positions: Vec<(Partition, Offset)>,
    pub(super) byte_len: usize,
}

impl Prepared {
    /// Encodes a batch. There is one partition: 0.
    pub(super) fn new(records: &Outputs, positions: Vec<(Partition, Offset)>) -> Result<Self, Error> {
        let mut prepared = Self {
            chunks: Vec::new(),
            upserts: Vec::new(),
            topics: Vec::with_capacity(records.len()),
            positions,
            byte_len: records.byte_len(),
        };
        let mut open: [Option<Chunk>; Topic::ALL.len()] = [const { None }; Topic::ALL.len()];
        for record in records.iter() {
            if record.partition != 0 {
                let got = record.partition as usize;
                return Err(Error::TooLarge { unit: "as its highest partition", got, limit: 0 });
            }
            prepared.topics.push(record.topic);
            if record.topic.cleanup() == Cleanup::Compact {
                prepared.upserts.push(Upsert {
                    topic: record.topic,
                    key: record.key.to_vec(),
                    value: record.value.map(<[u8]>::to_vec),
                    headers: record.headers.to_vec(),
                });
                continue;
            }
            let chunk = open[record.topic as usize].get_or_insert_with(|| Chunk {
                topic: record.topic,
                count: 0,
                bytes: Vec::new(),
            });
            put(&mut chunk.bytes, record.key, record.value, record.headers);
            chunk.count += 1;
            if chunk.count >= RECORDS_MAX || chunk.bytes.len() >= BYTES_MAX {
                prepared.chunks.extend(open[record.topic as usize].take());
            }
        }
        prepared.chunks.extend(open.into_iter().flatten());
        Ok(prepared)
    }
}

fn put(bytes: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>, headers: &[u8]) {
    let length = |part: &[u8]| u32::try_from(part.len()).expect("a batch has less than 4 GiB");
    bytes.extend_from_slice(&length(key).to_be_bytes());
    bytes.extend_from_slice(&value.map_or(0, |value| length(value) + 1).to_be_bytes());
    bytes.extend_from_slice(&length(headers).to_be_bytes());
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(value.unwrap_or_default());
    bytes.extend_from_slice(headers);
}

/// Adds the records of a chunk from offset `from` on to `batch`, until it is full. The offset behind the last one
/// added, or none if the bytes are no chunk.
pub(super) fn read(
    bytes: &[u8],
    first_offset: Offset,
    appended_at: i64,
    from: Offset,
    batch: &mut RecordBatch,
    records_max: usize,
    bytes_max: usize,
) -> Option<Offset> {
    let (mut rest, mut offset) = (bytes, first_offset);
    while !rest.is_empty() && batch.len() < records_max && (batch.is_empty() || batch.byte_len() < bytes_max)
    {
        let mut length = || -> Option<usize> {
            let (length, after) = rest.split_first_chunk::<4>()?;
            rest = after;
            usize::try_from(u32::from_be_bytes(*length)).ok()
        };
        let (key, value, headers) = (length()?, length()?, length()?);
        let mut part = |length: usize| -> Option<&[u8]> {
            let (part, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(part)
        };
        let key = part(key)?;
        let value = match value.checked_sub(1) {
            Some(length) => Some(part(length)?),
            None => None,
        };
        let headers = part(headers)?;
        if offset >= from {
            batch.push(0, offset, appended_at, key, value, headers);
        }
        offset += 1;
    }
    Some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_read_from_any_offset_and_a_broken_one_is_refused() {
        let mut outputs = Outputs::default();
        for n in 0..5_u8 {
            outputs.push_with_headers(Topic::LineStatus, 0, &[n], (n != 2).then_some(&[n, n][..]), &[9; 3]);
        }
        let prepared = Prepared::new(&outputs, Vec::new()).unwrap();
        let [chunk] = prepared.chunks.as_slice() else { panic!("five small records are one chunk") };
        for from in 100..106 {
            let mut batch = RecordBatch::default();
            assert_eq!(read(&chunk.bytes, 100, 7, from, &mut batch, 1000, 1000), Some(105));
            let offsets: Vec<_> = batch.iter().map(|record| record.offset).collect();
            assert_eq!(offsets, (from..105).collect::<Vec<_>>());
            assert!(batch.iter().all(|r| r.value == (r.offset != 102).then_some(&[r.key[0], r.key[0]][..])));
        }
        let mut batch = RecordBatch::default();
        assert_eq!(read(&chunk.bytes[..chunk.bytes.len() - 1], 100, 7, 100, &mut batch, 1000, 1000), None);
        let mut batch = RecordBatch::default();
        assert_eq!(read(&chunk.bytes, 100, 7, 100, &mut batch, 3, 1000), Some(103), "a full batch stops");
    }
}
