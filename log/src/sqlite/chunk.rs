//! Chunks: the stored form of many records of one topic. Their offsets follow each other; they share an append time.
//!
//! A record is three big-endian lengths (key; value plus one, 0 for none; headers), then the three. This file knows
//! bytes only, never a connection.

use crate::{Offset, RecordBatch, Topic};

/// Most records of a chunk.
const RECORDS_MAX: usize = 1_000;

/// Most bytes of a chunk; a record that is larger has one of its own.
const BYTES_MAX: usize = 256 * 1024;

/// The three lengths before a record.
const LENGTHS: usize = 12;

/// Records of one topic, ready to be stored.
pub(super) struct Chunk {
    pub(super) topic: Topic,
    pub(super) count: usize,
    pub(super) bytes: Vec<u8>,
}

impl Chunk {
    pub(super) const fn new(topic: Topic) -> Self {
        Self { topic, count: 0, bytes: Vec::new() }
    }

    /// Whether the chunk takes no further record of so many bytes.
    pub(super) fn is_full_for(&self, record_bytes: usize) -> bool {
        let bytes = self.bytes.len() + LENGTHS + record_bytes;
        self.count >= RECORDS_MAX || (self.count > 0 && bytes > BYTES_MAX)
    }

    /// Adds a record. Batches are bounded far below 4 GiB before they come here.
    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>, headers: &[u8]) {
        let length = |part: &[u8]| u32::try_from(part.len()).expect("batches are bounded below 1 GiB");
        self.bytes.extend_from_slice(&length(key).to_be_bytes());
        self.bytes.extend_from_slice(&value.map_or(0, |value| length(value) + 1).to_be_bytes());
        self.bytes.extend_from_slice(&length(headers).to_be_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.bytes.extend_from_slice(headers);
        self.count += 1;
    }
}

/// The bounds of one read.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) records_max: usize,
    pub(super) bytes_max: usize,
}

impl Bounds {
    /// Whether a batch takes no further record.
    pub(super) fn are_met(self, batch: &RecordBatch) -> bool {
        batch.len() >= self.records_max || batch.byte_len() >= self.bytes_max
    }
}

/// Adds the records of a chunk from offset `from` on to `batch`, until it is full. The offset behind the last one
/// that was looked at, or none if the bytes are no chunk.
pub(super) fn read(
    bytes: &[u8],
    first_offset: Offset,
    appended_at: i64,
    from: Offset,
    batch: &mut RecordBatch,
    bounds: Bounds,
) -> Option<Offset> {
    let (mut rest, mut offset) = (bytes, first_offset);
    while !rest.is_empty() && !bounds.are_met(batch) {
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

    const WIDE: Bounds = Bounds { records_max: 1000, bytes_max: 1000 };

    fn chunk_of_five() -> Chunk {
        let mut chunk = Chunk::new(Topic::LineStatus);
        for n in 0..5_u8 {
            chunk.put(&[n], (n != 2).then_some(&[n, n][..]), &[9; 3]);
        }
        chunk
    }

    #[test]
    fn a_chunk_is_read_from_any_offset() {
        let chunk = chunk_of_five();
        for from in 100..106 {
            let mut batch = RecordBatch::default();
            assert_eq!(read(&chunk.bytes, 100, 7, from, &mut batch, WIDE), Some(105));
            let offsets: Vec<_> = batch.iter().map(|record| record.offset).collect();
            assert_eq!(offsets, (from..105).collect::<Vec<_>>());
            for record in batch.iter() {
                let expected = [record.key[0], record.key[0]];
                assert_eq!(record.value, (record.offset != 102).then_some(&expected[..]));
                assert_eq!(record.raw_headers(), [9; 3]);
            }
        }
    }

    #[test]
    fn a_full_batch_stops_inside_a_chunk() {
        let mut batch = RecordBatch::default();
        let bounds = Bounds { records_max: 3, ..WIDE };
        assert_eq!(read(&chunk_of_five().bytes, 100, 7, 100, &mut batch, bounds), Some(103));
        assert_eq!(batch.len(), 3);
    }

    #[test]
    fn a_chunk_cut_anywhere_inside_a_record_is_refused() {
        let bytes = chunk_of_five().bytes;
        let record = LENGTHS + 1 + 2 + 3;
        let ends = [0, record, 2 * record, 3 * record - 2, 4 * record - 2, 5 * record - 2];
        assert_eq!(ends[5], bytes.len());
        for cut in 0..=bytes.len() {
            let mut batch = RecordBatch::default();
            let is_read = read(&bytes[..cut], 100, 7, 100, &mut batch, WIDE).is_some();
            assert_eq!(is_read, ends.contains(&cut), "cut at {cut}");
        }
    }

    #[test]
    fn a_record_larger_than_a_chunk_has_one_of_its_own() {
        let mut chunk = Chunk::new(Topic::LineStatus);
        assert!(!chunk.is_full_for(BYTES_MAX * 2), "an empty chunk takes anything");
        chunk.put(b"k", Some(b"v"), &[]);
        assert!(chunk.is_full_for(BYTES_MAX * 2));
        assert!(!chunk.is_full_for(1));
    }
}
