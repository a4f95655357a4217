//! The state behind all handles of one log in memory, and the places where faults strike. Every method is one atomic
//! step; nothing here waits.

use std::collections::BTreeMap;

use super::Options;
use super::faults::Random;
use super::group::{Group, News, Number};
use super::stream::{Bounds, Streams};
use crate::{CommitError, Error, Offset, Outputs, Partition, RecordBatch, Topic};

/// What a worker's poll found; records are in its batch.
pub(super) enum Found {
    News(News),
    Records,
    CaughtUp { partition: Partition, clock: i64 },
    Idle,
}

pub(super) struct Cluster {
    pub(super) options: Options,
    random: Random,
    pub(super) streams: Streams,
    pub(super) group: Group,
    pub(super) positions: BTreeMap<Partition, Offset>,
    /// The latest time the clock showed: the log's time never goes back.
    latest: i64,
    /// Moments at which a worker may have crashed until now.
    pub(super) moments: u64,
    /// The moment at which one crashes.
    pub(super) crash_at: Option<u64>,
}

impl Cluster {
    pub(super) fn new(options: Options) -> Self {
        Self {
            random: Random::new(options.seed),
            streams: Streams::new(options.partitions),
            group: Group::new(options.partitions),
            positions: BTreeMap::new(),
            latest: i64::MIN,
            moments: 0,
            crash_at: None,
            options,
        }
    }

    pub(super) fn now(&mut self) -> i64 {
        self.latest = self.latest.max(self.options.clock_ms);
        self.latest
    }

    pub(super) fn check_partition(&self, topic: Topic, partition: Partition) -> Result<(), Error> {
        let partitions = self.streams.partitions_of(topic);
        if partition < partitions {
            return Ok(());
        }
        Err(Error::NoPartition { topic: topic.name(), partition, partitions })
    }

    /// A moment at which the worker may crash: it is gone, now or since long.
    fn moment(&mut self, worker: Number) -> Result<(), Error> {
        if self.group.is_member(worker) {
            let is_due = self.crash_at == Some(self.moments);
            self.moments += 1;
            if !is_due && !self.random.one_in(self.options.faults.crash) {
                return Ok(());
            }
            self.group.leave(worker);
        }
        Err(Error::Closed)
    }

    fn read_fault(&mut self, action: &'static str) -> Result<(), Error> {
        if self.random.one_in(self.options.faults.read_failed) {
            return Err(injected(action));
        }
        Ok(())
    }

    /// The bounds of the next read.
    fn bounds(&mut self) -> Bounds {
        let Options { read_records_max, read_bytes_max, faults, .. } = self.options;
        let is_short = self.random.one_in(faults.short_batch);
        let records_max = if is_short { 1 + self.random.below(7) } else { read_records_max.max(1) };
        Bounds { records_max, bytes_max: read_bytes_max.max(1) }
    }

    /// A worker's poll.
    pub(super) fn poll(&mut self, worker: Number, batch: &mut RecordBatch) -> Result<Found, Error> {
        self.moment(worker)?;
        let faults = self.options.faults;
        if self.random.one_in(faults.partition_lost) {
            self.group.lose_any(&mut self.random);
        }
        if self.random.one_in(faults.partition_revoked) {
            self.group.revoke_any(&mut self.random);
        }
        self.read_fault("read the next records")?;
        if let Some(news) = self.group.news(worker) {
            return Ok(Found::News(news));
        }
        if self.random.one_in(faults.idle) {
            return Ok(Found::Idle);
        }
        let clock = self.now();
        let started = self.group.started(worker);
        let Some(first) = self.group.next_turn(worker).checked_rem(started.len()) else {
            return Ok(Found::Idle);
        };
        let (partition, next) = started[first];
        if next >= self.streams.end(Topic::LineStatus, partition) {
            return Ok(Found::CaughtUp { partition, clock });
        }
        batch.clear();
        let bounds = self.bounds();
        for (partition, next) in started[first..].iter().chain(&started[..first]) {
            let behind = self.streams.fill(Topic::LineStatus, *partition, *next, batch, bounds);
            self.group.start(worker, *partition, behind);
        }
        Ok(if batch.is_empty() { Found::Idle } else { Found::Records })
    }

    /// Whether the worker's poll would find something new.
    pub(super) fn has_news_or_records(&mut self, worker: Number) -> bool {
        !self.group.is_member(worker)
            || self.group.news(worker).is_some()
            || self
                .group
                .started(worker)
                .iter()
                .any(|(partition, next)| *next < self.streams.end(Topic::LineStatus, *partition))
    }

    fn check_owned(&self, worker: Number, partition: Partition) -> Result<(), Error> {
        if self.group.believes_to_own(worker, partition) {
            return Ok(());
        }
        Err(Error::NotOwned { partition })
    }

    /// The changelog of a partition, in batches.
    pub(super) fn snapshot(
        &mut self,
        worker: Number,
        partition: Partition,
    ) -> Result<Vec<RecordBatch>, Error> {
        self.moment(worker)?;
        self.check_owned(worker, partition)?;
        self.read_fault("read the changelog")?;
        let end = self.streams.end(Topic::LineState, partition);
        let (mut batches, mut next) = (Vec::new(), 0);
        while next < end {
            let bounds = self.bounds();
            let mut batch = RecordBatch::default();
            next = self.streams.fill(Topic::LineState, partition, next, &mut batch, bounds);
            if !batch.is_empty() {
                batches.push(batch);
            }
        }
        Ok(batches)
    }

    pub(super) fn start(&mut self, worker: Number, partition: Partition) -> Result<Offset, Error> {
        self.moment(worker)?;
        self.check_owned(worker, partition)?;
        self.read_fault("read the committed position")?;
        let position = self.positions.get(&partition).copied().unwrap_or(0);
        self.group.start(worker, partition, position);
        Ok(position)
    }

    pub(super) fn release(&mut self, worker: Number) -> Result<(), Error> {
        self.moment(worker)?;
        self.group.release(worker);
        Ok(())
    }

    /// A worker's commit, and every way in which it may end.
    pub(super) fn commit(
        &mut self,
        worker: Number,
        outputs: &Outputs,
        positions: &[(Partition, Offset)],
    ) -> Result<(), CommitError> {
        self.moment(worker).map_err(CommitError::Rebuild)?;
        let faults = self.options.faults;
        let Options { commit_records_max, commit_bytes_max, .. } = self.options;
        self.check(outputs, commit_records_max, commit_bytes_max).map_err(CommitError::Again)?;
        for (partition, _) in positions {
            self.check_partition(Topic::LineStatus, *partition).map_err(CommitError::Again)?;
        }
        if self.random.one_in(faults.commit_dropped) {
            self.group.lose_all(worker);
        }
        if self.random.one_in(faults.commit_dropped_untold) {
            self.group.forget_all(worker, &mut self.random);
            return Err(CommitError::Drop(injected("commit")));
        }
        if let Some((partition, _)) =
            positions.iter().find(|(partition, _)| !self.group.owns(worker, *partition))
        {
            self.group.lose_all(worker);
            return Err(CommitError::Drop(Error::NotOwned { partition: *partition }));
        }
        if self.random.one_in(faults.commit_refused) {
            return Err(CommitError::Again(injected("commit")));
        }
        let is_undone = self.random.one_in(faults.commit_undone_in_doubt);
        let is_in_doubt = is_undone || self.random.one_in(faults.commit_done_in_doubt);
        if !is_undone {
            self.write(outputs);
            self.positions.extend(positions.iter().copied());
        }
        self.moment(worker).map_err(CommitError::Rebuild)?;
        if is_in_doubt {
            self.group.stop_reading(worker);
            return Err(CommitError::Rebuild(injected("commit")));
        }
        Ok(())
    }

    pub(super) fn append(&mut self, records: &Outputs) -> Result<Vec<Offset>, Error> {
        let Options { append_records_max, append_bytes_max, faults, .. } = self.options;
        self.check(records, append_records_max, append_bytes_max)?;
        if self.random.one_in(faults.append_refused) {
            return Err(Error::Full);
        }
        let offsets = self.write(records);
        if self.random.one_in(faults.append_in_doubt) {
            return Err(injected("append"));
        }
        Ok(offsets)
    }

    fn check(&self, records: &Outputs, records_max: usize, bytes_max: usize) -> Result<(), Error> {
        for (unit, got, limit) in
            [("records", records.len(), records_max), ("bytes", records.byte_len(), bytes_max)]
        {
            if got > limit {
                return Err(Error::TooLarge { unit, got, limit });
            }
        }
        records.iter().try_for_each(|record| self.check_partition(record.topic, record.partition))
    }

    fn write(&mut self, records: &Outputs) -> Vec<Offset> {
        let now = self.now();
        let is_gap = self.random.one_in(self.options.faults.gap);
        let mut ends = BTreeMap::new();
        let mut offsets = Vec::with_capacity(records.len());
        for record in records.iter() {
            let offset = self.streams.stream(record.topic, record.partition).push(&record, now);
            ends.insert((record.topic, record.partition), offset);
            offsets.push(offset);
        }
        if is_gap {
            for (topic, partition) in ends.into_keys() {
                self.streams.stream(topic, partition).end += 1;
            }
        }
        offsets
    }

    /// A reader's read: the place in `positions` of the topic whose records are in the batch, or none.
    pub(super) fn read(
        &mut self,
        positions: &mut [(Topic, Partition, Offset)],
        turn: usize,
        batch: &mut RecordBatch,
    ) -> Result<Option<usize>, Error> {
        self.read_fault("read the event log")?;
        let bounds = self.bounds();
        for step in 0..positions.len() {
            let at = (turn + step) % positions.len();
            let (topic, partition, next) = &mut positions[at];
            batch.clear();
            *next = self.streams.fill(*topic, *partition, *next, batch, bounds);
            if !batch.is_empty() {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}

/// A fault that was drawn.
fn injected(action: &'static str) -> Error {
    Error::Storage { action, source: "an injected fault".into() }
}
