//! The newest events, bounded in number and bytes, with the positions they end at. Knows no client: whoever reads says
//! from where, and learns when that is no longer there.

use std::collections::VecDeque;
use std::sync::Arc;

use andon_domain::Millis;
use andon_log::{Offset, RecordBatch};

use super::frame::Rendered;
use super::token::{Positions, Token};

/// What a chunk costs beside its content, in bytes, about.
const CHUNK_BYTES: usize = 256;

/// Events that became visible together.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) content: Content,
    /// The positions behind it.
    pub(super) ends: Positions,
    /// Every status change the log took before this is in it or in an earlier one.
    pub(super) as_of: Option<Millis>,
    records: usize,
    bytes: usize,
}

/// What is in a chunk.
#[derive(Debug)]
pub(super) enum Content {
    /// Records of `line-changes` as the log has them: nobody listened when they came.
    Raw(RecordBatch),
    /// Ready to be sent.
    Rendered(Vec<Rendered>),
}

/// How far the log is, as of some records.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Slots, and the next offset of each.
    pub(super) passed: Vec<(usize, Offset)>,
    /// Partitions, and the log time that each said.
    pub(super) log_times: Vec<(usize, Millis)>,
}

/// Bounds of a ring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) records_max: usize,
    pub(super) bytes_max: usize,
}

/// The newest chunks.
#[derive(Debug)]
pub(super) struct Ring {
    chunks: VecDeque<Arc<Chunk>>,
    /// Number of the first chunk that is there.
    first: u64,
    records: usize,
    bytes: usize,
    bounds: Bounds,
    began_at: Millis,
    /// Where it began.
    starts: Positions,
    /// Everything from here on is there.
    floor: Positions,
    /// Where it ends; further than the last chunk where what came was nobody's event.
    ends: Positions,
    /// Log time of each partition, once it said one.
    log_times: Vec<Option<Millis>>,
}

/// What is next for a client.
pub(super) enum Next {
    /// This chunk.
    Chunk(Arc<Chunk>),
    /// Nothing; it has everything up to these positions, and with it every status change before that time.
    Nothing(Positions, Option<Millis>),
    /// It is too far behind: what it would get next is gone.
    Gone,
}

impl Ring {
    pub(super) fn new(starts: Positions, began_at: Millis, bounds: Bounds) -> Self {
        Self {
            chunks: VecDeque::new(),
            first: 0,
            records: 0,
            bytes: 0,
            bounds,
            began_at,
            log_times: vec![None; starts.len() - 1],
            floor: starts.clone(),
            ends: starts.clone(),
            starts,
        }
    }

    /// Every status change that the log took before this has been pushed; none while a partition has said nothing.
    pub(super) fn as_of(&self) -> Option<Millis> {
        self.log_times.iter().copied().min().flatten()
    }

    /// Moves the ends and the log times, and adds what came up to there, if anything did; the oldest chunks go.
    pub(super) fn push(&mut self, step: &Step, content: Option<Content>) {
        for (slot, next) in &step.passed {
            let end = &mut self.ends[*slot];
            *end = (*end).max(*next);
        }
        for (partition, log_time) in &step.log_times {
            let known = &mut self.log_times[*partition];
            *known = (*known).max(Some(*log_time));
        }
        let Some(content) = content else { return };
        let (records, bytes) = match &content {
            Content::Raw(batch) => (batch.len(), batch.byte_len()),
            Content::Rendered(events) => (events.len(), events.iter().map(Rendered::byte_len).sum()),
        };
        let bytes = bytes + CHUNK_BYTES;
        let (ends, as_of) = (self.ends.clone(), self.as_of());
        self.chunks.push_back(Arc::new(Chunk { content, ends, as_of, records, bytes }));
        self.records += records;
        self.bytes += bytes;
        // The newest one stays, however large: those who follow have to get it.
        while self.chunks.len() > 1
            && (self.records > self.bounds.records_max || self.bytes > self.bounds.bytes_max)
            && let Some(oldest) = self.chunks.pop_front()
        {
            self.first += 1;
            self.records -= oldest.records;
            self.bytes -= oldest.bytes;
            self.floor.clone_from(&oldest.ends);
        }
    }

    /// The first position of each slot that is still there.
    pub(super) fn floor(&self) -> &[Offset] {
        &self.floor
    }

    /// Whether whoever holds the token can go on from it without missing anything.
    pub(super) fn has(&self, token: &Token) -> bool {
        let is = |holds: fn(Offset, Offset) -> bool, bounds: &[Offset]| {
            token.positions.iter().zip(bounds).all(|(position, bound)| holds(*position, *bound))
        };
        let is_complete = token.positions.len() == self.ends.len();
        // When this began the log went to `starts` and no further: an older token that knows more is of another log.
        let is_of_this_log =
            token.issued_at >= self.began_at || is(|position, start| position <= start, &self.starts);
        is_complete
            && is_of_this_log
            && is(|position, floor| position >= floor, &self.floor)
            && is(|position, end| position <= end, &self.ends)
    }

    /// The chunk of a number, for a client that has read up to `positions`. The number goes on behind it, and
    /// behind what the client has already.
    pub(super) fn read(&self, number: &mut u64, positions: &[Offset]) -> Next {
        if *number < self.first {
            if positions.iter().zip(&self.floor).any(|(position, floor)| position < floor) {
                return Next::Gone;
            }
            *number = self.first;
        }
        while let Some(chunk) = usize::try_from(*number - self.first).ok().and_then(|at| self.chunks.get(at))
        {
            *number += 1;
            if chunk.ends.iter().zip(positions).any(|(end, position)| end > position) {
                return Next::Chunk(chunk.clone());
            }
        }
        Next::Nothing(self.ends.clone(), self.as_of())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(slot: usize, next: Offset) -> Step {
        Step { passed: vec![(slot, next)], log_times: Vec::new() }
    }

    fn progressed(partition: usize, log_time: Millis) -> Step {
        Step { passed: Vec::new(), log_times: vec![(partition, log_time)] }
    }

    fn ring(records_max: usize) -> Ring {
        Ring::new(vec![10, 20, 5], 1_000, Bounds { records_max, bytes_max: 1 << 20 })
    }

    fn token(issued_at: Millis, positions: &[Offset]) -> Token {
        Token { issued_at, positions: positions.to_vec() }
    }

    #[test]
    fn what_is_gone_is_said_to_be_gone_and_nothing_else_is() {
        let mut ring = ring(3);
        for offset in 10..20 {
            let mut batch = RecordBatch::default();
            batch.push(0, offset, 0, b"press-1", Some(b"value"), &[]);
            ring.push(&passed(0, offset + 1), Some(Content::Raw(batch)));
        }
        let kept = token(2_000, &[17, 20, 5]);
        for (positions, has) in [
            (vec![17, 20, 5], true),
            (vec![20, 20, 5], true),
            (vec![16, 20, 5], false),
            (vec![21, 20, 5], false),
            (vec![17, 20], false),
            (vec![17, 19, 5], false),
            (vec![17, 20, 5, 1], false),
        ] {
            assert_eq!(ring.has(&token(2_000, &positions)), has, "{positions:?}");
        }
        let mut number = 0;
        assert!(matches!(ring.read(&mut number, &[16, 20, 5]), Next::Gone));
        let mut found = Vec::new();
        while let Next::Chunk(chunk) = ring.read(&mut number, &kept.positions) {
            found.push(chunk.ends[0]);
        }
        assert_eq!(found, [18, 19, 20]);
        assert_eq!(number, 10);
    }

    #[test]
    fn an_older_token_that_knows_more_is_of_another_log() {
        let mut ring = ring(100);
        ring.push(&passed(0, 15), None);
        assert!(ring.has(&token(999, &[10, 20, 5])));
        assert!(ring.has(&token(1_000, &[12, 20, 5])));
        assert!(!ring.has(&token(999, &[12, 20, 5])));
    }

    #[test]
    fn as_of_waits_for_every_partition_and_is_the_least() {
        let mut ring = ring(100);
        assert_eq!(ring.as_of(), None);
        ring.push(&progressed(0, 7_000), None);
        assert_eq!(ring.as_of(), None);
        ring.push(&progressed(1, 5_000), None);
        assert_eq!(ring.as_of(), Some(5_000));
        ring.push(&progressed(1, 4_000), None);
        assert_eq!(ring.as_of(), Some(5_000));
    }
}
