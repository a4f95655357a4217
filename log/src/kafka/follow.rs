//! Reads partitions of one's own choice from offsets on, each partition's records in a line of their own, so that a
//! busy one does not keep the others waiting. Barriers are ours and are left out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset as At, TopicPartitionList};

use super::context::ReadingContext;
use super::ends::number;
use super::fault::{Fault, failed, is_passing, kafka};
use super::snapshot::BARRIER;
use super::{Shared, clients, message};
use crate::{Error, Offset, Partition, RecordBatch, Topic};

const READ: &str = "read the event log";

/// The first and the longest wait for a transaction that is being ended; there is nothing that would wake.
const SETTLING: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// How long closing may take, before the client is left to itself.
const CLOSE: Duration = Duration::from_secs(5);

struct Line {
    topic: Topic,
    partition: Partition,
    /// Records below it are not wanted, or were here already.
    next: Offset,
    waiting: VecDeque<RecordBatch>,
}

/// Follows some partitions.
pub(super) struct Follow {
    shared: Arc<Shared>,
    consumer: BaseConsumer<ReadingContext>,
    lines: Vec<Line>,
    waiting_bytes: usize,
    /// The line to look at first.
    turn: usize,
}

impl Follow {
    pub(super) fn new(shared: &Arc<Shared>, from: &[(Topic, Partition, Offset)]) -> Result<Self, Error> {
        for (topic, partition, _) in from {
            shared.topics.check_partition(*topic, *partition)?;
        }
        let of: Vec<_> = from.iter().map(|(topic, partition, _)| (*topic, *partition)).collect();
        let firsts = shared.ends.first_of(&shared.topics, &of)?;
        let ends = shared.ends.of(&shared.topics, &of)?;
        let consumer = clients::reading(&shared.options)?;
        let mut list = TopicPartitionList::with_capacity(from.len());
        for ((topic, partition, offset), (first, end)) in from.iter().zip(firsts.into_iter().zip(ends)) {
            // An offset that the partition does not have makes the client look for another one; closing it in that
            // moment it waits for itself, for ever. What is below `offset` is left out in any case.
            let at = At::Offset((*offset).min(end).max(first));
            list.add_partition_offset(shared.topics.name(*topic), number(*partition), at)
                .map_err(kafka(READ))?;
        }
        // A partition whose leader is not known yet would wait half a second for the next look.
        let wait = Duration::from_millis(shared.options.answer_ms_max.into());
        for topic in Topic::ALL.into_iter().filter(|topic| from.iter().any(|(of, ..)| of == topic)) {
            consumer.fetch_metadata(Some(shared.topics.name(topic)), wait).map_err(kafka(READ))?;
        }
        consumer.assign(&list).map_err(kafka(READ))?;
        let lines = from
            .iter()
            .map(|(topic, partition, offset)| Line {
                topic: *topic,
                partition: *partition,
                next: *offset,
                waiting: VecDeque::new(),
            })
            .collect();
        Ok(Self { shared: shared.clone(), consumer, lines, waiting_bytes: 0, turn: 0 })
    }

    /// The next records of some line, waiting up to `wait`; none if none came.
    pub(super) fn next(&mut self, wait: Duration) -> Result<Option<(Topic, RecordBatch)>, Error> {
        let deadline = Instant::now() + wait;
        loop {
            self.take_what_is_there()?;
            if let Some(found) = self.pop() {
                return Ok(Some(found));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.take_one(left)?;
        }
    }

    /// As `next`, and goes on until everything below `ends` (one of each line) was returned. None says that it was.
    pub(super) fn next_below(&mut self, ends: &[Offset]) -> Result<Option<(Topic, RecordBatch)>, Error> {
        let waited_ms = self.shared.options.answer_ms_max;
        let deadline = Instant::now() + Duration::from_millis(waited_ms.into());
        let mut wait = SETTLING.0;
        loop {
            if let Some(found) = self.next(Duration::ZERO)? {
                return Ok(Some(found));
            }
            if self.has_passed(ends)? {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                let reason = self.consumer.context().reason.told();
                return Err(failed(READ, Fault::Unanswered { waited_ms, reason }));
            }
            if let Some(found) = self.next(wait)? {
                return Ok(Some(found));
            }
            wait = (wait * 2).min(SETTLING.1);
        }
    }

    /// Where the partitions end now.
    pub(super) fn ends(&self) -> Result<Vec<Offset>, Error> {
        let of: Vec<_> = self.lines.iter().map(|line| (line.topic, line.partition)).collect();
        self.shared.ends.of(&self.shared.topics, &of)
    }

    /// Whether the client has gone past these offsets. It also passes what is no record: the marks of transactions.
    fn has_passed(&self, ends: &[Offset]) -> Result<bool, Error> {
        if self.lines.iter().zip(ends).all(|(line, end)| line.next >= *end) {
            return Ok(true);
        }
        let positions = self.consumer.position().map_err(kafka(READ))?;
        Ok(self.lines.iter().zip(ends).all(|(line, end)| {
            let name = self.shared.topics.name(line.topic);
            let position = positions.find_partition(name, number(line.partition)).map(|found| found.offset());
            let passed = if let Some(At::Offset(passed)) = position { passed } else { line.next };
            passed.max(line.next) >= *end
        }))
    }

    fn pop(&mut self) -> Option<(Topic, RecordBatch)> {
        let count = self.lines.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            if let Some(batch) = self.lines[at].waiting.pop_front() {
                self.turn = at + 1;
                self.waiting_bytes -= batch.byte_len();
                return Some((self.lines[at].topic, batch));
            }
        }
        None
    }

    fn take_what_is_there(&mut self) -> Result<(), Error> {
        while self.waiting_bytes < self.shared.options.fetch_bytes_max && self.take_one(Duration::ZERO)? {}
        Ok(())
    }

    /// Takes one event of the client; whether there was one.
    fn take_one(&mut self, wait: Duration) -> Result<bool, Error> {
        let Self { shared, consumer, lines, waiting_bytes, .. } = self;
        let found = match consumer.poll(wait) {
            None => return Ok(false),
            Some(Err(error)) if is_passing(&error) => return Ok(true),
            Some(Err(error)) => return Err(kafka(READ)(error)),
            Some(Ok(found)) => found,
        };
        let (topic, offset) = (shared.topics.named(found.topic()), found.offset());
        let line = lines.iter_mut().find(|line| {
            Some(line.topic) == topic && number(line.partition) == found.partition() && offset >= line.next
        });
        let Some(line) = line else { return Ok(true) };
        line.next = offset + 1;
        if line.topic == Topic::LineState && found.key() == Some(BARRIER) {
            return Ok(true);
        }
        let options = &shared.options;
        let has_room = |batch: &RecordBatch| {
            batch.len() < options.read_records_max && batch.byte_len() < options.read_bytes_max
        };
        if !line.waiting.back().is_some_and(has_room) {
            line.waiting.push_back(RecordBatch::default());
        }
        if let Some(batch) = line.waiting.back_mut() {
            let before = batch.byte_len();
            message::push(&found, line.partition, batch);
            *waiting_bytes += batch.byte_len() - before;
        }
        Ok(true)
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        // Left to itself, the client closes in steps of 100 ms.
        if self.consumer.close_queue().is_ok() {
            let deadline = Instant::now() + CLOSE;
            while !self.consumer.closed() && Instant::now() < deadline {
                drop(self.consumer.poll(SETTLING.0));
            }
        }
    }
}
