//! The worker: polls, and commits outputs and positions as one. One thread owns it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::message::Message;

use super::context::Want;
use super::doubt::{Position, Verdict, verdict};
use super::fault::{Fault, failed, is_passing, kafka};
use super::group::Member;
use super::snapshot::{BARRIER, KafkaSnapshot};
use super::transaction::{Cause, Failed, Moves, Transactional, positions_of};
use super::{Shared, clients, limits, message};
use crate::{CommitError, Error, Offset, Outputs, Partition, Polled, RecordBatch, Snapshot, Topic, Worker};

const READ: &str = "read the next records";
const COMMIT: &str = "commit";

/// While the group changes, a commit is refused though nothing is lost: how often it is tried again in place, and how
/// long each time is waited for the change.
const SETTLING: (u32, Duration) = (100, Duration::from_millis(10));

/// A partition of ours.
struct Held {
    /// None until it is started.
    started: Option<Started>,
}

struct Started {
    /// Records below it were returned.
    next: Offset,
    /// What the log has as its position.
    committed: Offset,
    /// The clock of the last "caught up".
    caught_up_at: i64,
}

/// The worker of a log on Kafka.
pub struct KafkaWorker {
    shared: Arc<Shared>,
    // Before the producer: what is owed is answered while the producer still lives.
    member: Member,
    producer: Transactional,
    held: BTreeMap<Partition, Held>,
    batch: RecordBatch,
    /// What went wrong behind the records of the batch: they are told first, or they would be passed over.
    failure: Option<Error>,
    /// Partitions that were found caught up at this clock, and are not told yet. It stays true, whatever comes later.
    caught_up: VecDeque<(Partition, i64)>,
    /// A commit was answered with `Drop`: everything is to be told as lost, even if the group lets us keep it.
    is_dropped: bool,
}

impl KafkaWorker {
    pub(super) fn new(shared: Arc<Shared>, instance: &str) -> Result<Self, Error> {
        let options = &shared.options;
        let id = format!("{}{}-{instance}", options.topic_prefix, options.group);
        let producer = Transactional::open(&shared, clients::worker_producer(options, &id))?;
        let member = Member::join(&shared, instance)?;
        let (held, batch, caught_up) = (BTreeMap::new(), RecordBatch::default(), VecDeque::new());
        Ok(Self { shared, member, producer, held, batch, failure: None, caught_up, is_dropped: false })
    }

    fn check_held(&self, partition: Partition) -> Result<(), Error> {
        if self.held.contains_key(&partition) { Ok(()) } else { Err(Error::NotOwned { partition }) }
    }

    /// Refuses a position that the log does not have: to go on elsewhere would pass over records in silence.
    fn check_range(&self, partition: Partition, position: Offset) -> Result<(), Error> {
        let Shared { ends, topics, .. } = &*self.shared;
        let of = [(Topic::LineStatus, partition)];
        let (first, end) = (ends.first_of(topics, &of)?[0], ends.of(topics, &of)?[0]);
        if (first..=end).contains(&position) {
            return Ok(());
        }
        Err(failed("start a partition", Fault::Gone { partition, position, first, end }))
    }

    /// What the group wants, if it is for the caller to answer.
    fn news(&mut self) -> Result<Option<Polled<'static>>, Error> {
        if self.is_dropped {
            return Ok(Some(Polled::Lost(self.held.keys().copied().collect())));
        }
        let mut assigned = Vec::new();
        let owed = self.member.news(&mut assigned)?.map(|owed| (owed.what, owed.partitions.clone()));
        self.held.extend(assigned.into_iter().map(|partition| (partition, Held { started: None })));
        if let Some((what, partitions)) = owed {
            return Ok(Some(if what == Want::Lose {
                Polled::Lost(partitions)
            } else {
                Polled::Revoking(partitions)
            }));
        }
        let waiting: Vec<Partition> =
            self.held.iter().filter(|(_, held)| held.started.is_none()).map(|(number, _)| *number).collect();
        Ok(if waiting.is_empty() { None } else { Some(Polled::Assigned(waiting)) })
    }

    /// Fills the batch with what comes, waiting for the first.
    fn fill(&mut self, wait: Duration) {
        let deadline = Instant::now() + wait;
        let options = &self.shared.options;
        self.batch.clear();
        loop {
            let is_full = self.batch.len() >= options.read_records_max
                || self.batch.byte_len() >= options.read_bytes_max;
            if is_full || self.member.has_news() {
                return;
            }
            let left = if self.batch.is_empty() {
                deadline.saturating_duration_since(Instant::now())
            } else {
                Duration::ZERO
            };
            let found = match self.member.poll(left) {
                // Nothing, or what the group wants was noted just now.
                None if left.is_zero() => return,
                None => continue,
                Some(Err(error)) if is_passing(&error) => continue,
                Some(Err(error)) => {
                    self.failure = Some(kafka(READ)(error));
                    return;
                }
                Some(Ok(found)) => found,
            };
            let number = u32::try_from(found.partition()).unwrap_or(u32::MAX);
            let Some(started) = self.held.get_mut(&number).and_then(|held| held.started.as_mut()) else {
                continue;
            };
            // After a pause the client may deliver a record once more.
            if found.offset() < started.next {
                continue;
            }
            started.next = found.offset() + 1;
            message::push(&found, number, &mut self.batch);
        }
    }

    /// Finds the partitions of which everything was returned. Our clock is read first: what is appended after that is
    /// later by the brokers' clock too, as far as the two agree.
    fn find_caught_up(&mut self) -> Result<(), Error> {
        let options = &self.shared.options;
        let clock = (options.clock)() - i64::from(options.visible_ms_max);
        let started: Vec<_> = self.held.iter().filter(|(_, held)| held.started.is_some()).collect();
        let of: Vec<_> = started.iter().map(|(number, _)| (Topic::LineStatus, **number)).collect();
        let ends = self.shared.ends.of(&self.shared.topics, &of)?;
        let positions = self.member.positions()?;
        for ((_, partition), end) in of.into_iter().zip(ends) {
            let Some(started) = self.held.get_mut(&partition).and_then(|held| held.started.as_mut()) else {
                continue;
            };
            let position = positions.get(&partition).copied().unwrap_or(started.next).max(started.next);
            if position >= end {
                started.caught_up_at = started.caught_up_at.max(clock);
                self.caught_up.push_back((partition, started.caught_up_at));
            }
        }
        Ok(())
    }

    /// A refused commit, for the caller.
    fn refused(&mut self, cause: Cause) -> CommitError {
        let is_gone = self.member.has_lost()
            || matches!(cause.fault, Fault::Lost | Fault::NoMember)
            || matches!(cause.code, Some(Code::FencedInstanceId | Code::UnknownMemberId));
        let error = failed(COMMIT, cause.fault);
        if is_gone { self.dropped(error) } else { CommitError::Again(error) }
    }

    /// The caller forgets everything, so it must be told of everything anew.
    fn dropped(&mut self, error: Error) -> CommitError {
        self.is_dropped = !self.held.is_empty();
        CommitError::Drop(error)
    }

    /// After a commit without an answer: a new producer ends it one way or the other, and the positions say which.
    fn resolve(&mut self, positions: &[(Partition, Offset)]) -> Result<(), CommitError> {
        let numbers: Vec<Partition> = positions.iter().map(|(partition, _)| *partition).collect();
        self.producer.renew(&self.shared).map_err(CommitError::Rebuild)?;
        let found = self.member.committed(&numbers).map_err(CommitError::Rebuild)?;
        let before = |partition: &Partition| Some(self.held.get(partition)?.started.as_ref()?.committed);
        let positions: Vec<Position> = positions
            .iter()
            .map(|(partition, wanted)| Position {
                before: before(partition),
                wanted: *wanted,
                found: found.get(partition).copied().flatten().unwrap_or(0),
            })
            .collect();
        let in_doubt = failed(COMMIT, Fault::InDoubt);
        match verdict(&positions) {
            Verdict::Committed => Ok(()),
            Verdict::Nothing => Err(CommitError::Again(in_doubt)),
            Verdict::Unknown => Err(CommitError::Rebuild(in_doubt)),
        }
    }
}

/// Whether a commit was refused only because the group is changing, as far as is known: without a membership for long, the
/// worker has been left behind.
fn is_settling(cause: &Cause) -> bool {
    matches!(cause.fault, Fault::NoMember)
        || matches!(cause.code, Some(Code::IllegalGeneration | Code::RebalanceInProgress))
}

impl Worker for KafkaWorker {
    fn poll(&mut self, wait: Duration) -> Result<Polled<'_>, Error> {
        if let Some(news) = self.news()? {
            return Ok(news);
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        // What is known need not wait.
        self.fill(if self.caught_up.is_empty() { wait } else { Duration::ZERO });
        if !self.batch.is_empty() {
            return Ok(Polled::Records(&self.batch));
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if let Some(news) = self.news()? {
            return Ok(news);
        }
        if self.caught_up.is_empty() {
            match self.find_caught_up() {
                // That nobody answers at the moment is no news.
                Err(Error::Storage { source, .. })
                    if matches!(source.downcast_ref(), Some(Fault::Unanswered { .. })) => {}
                found => found?,
            }
        }
        Ok(match self.caught_up.pop_front() {
            Some((partition, clock)) => Polled::CaughtUp { partition, clock },
            None => Polled::Idle,
        })
    }

    fn snapshot(&mut self, partition: Partition) -> Result<Box<dyn Snapshot>, Error> {
        self.check_held(partition)?;
        let mut barrier = Outputs::default();
        barrier.push(Topic::LineState, partition, BARRIER, Some(self.shared.options.group.as_bytes()));
        self.producer.run(&self.shared, &barrier, None).map_err(|failure| {
            let (Failed::Nothing(cause) | Failed::Unknown(cause)) = failure;
            failed("write the barrier of a snapshot", cause.fault)
        })?;
        Ok(Box::new(KafkaSnapshot::new(&self.shared, partition)?))
    }

    fn start(&mut self, partition: Partition) -> Result<Offset, Error> {
        self.check_held(partition)?;
        let position = self.member.committed(&[partition])?.remove(&partition).flatten();
        if let Some(position) = position {
            self.check_range(partition, position)?;
        }
        self.member.start(partition, position)?;
        let next = position.unwrap_or(0);
        self.caught_up.retain(|(number, _)| *number != partition);
        let started = Started { next, committed: next, caught_up_at: i64::MIN };
        self.held.insert(partition, Held { started: Some(started) });
        Ok(next)
    }

    fn commit(&mut self, outputs: &Outputs, positions: &[(Partition, Offset)]) -> Result<(), CommitError> {
        let options = &self.shared.options;
        limits::check(&self.shared, outputs, options.commit_records_max, options.commit_bytes_max)
            .map_err(CommitError::Again)?;
        // The broker knows members, not what they have: that only the owner commits is checked here.
        for (partition, _) in positions {
            if self.held.get(partition).is_none_or(|held| held.started.is_none()) {
                return Err(self.dropped(Error::NotOwned { partition: *partition }));
            }
        }
        let input = self.shared.topics.name(Topic::LineStatus);
        let list = positions_of(input, positions).map_err(CommitError::Again)?;
        let mut tries = 0;
        loop {
            let member = &self.member;
            let membership = || member.membership();
            let moves = Moves { positions: &list, membership: &membership };
            let moves = if positions.is_empty() { None } else { Some(&moves) };
            match self.producer.run(&self.shared, outputs, moves) {
                Ok(_) => break,
                Err(Failed::Nothing(cause)) if is_settling(&cause) && tries < SETTLING.0 => {
                    if self.member.has_lost() {
                        return Err(self.refused(cause));
                    }
                    tries += 1;
                    std::thread::sleep(SETTLING.1);
                }
                Err(Failed::Nothing(cause)) => return Err(self.refused(cause)),
                Err(Failed::Unknown(_)) => {
                    self.resolve(positions)?;
                    break;
                }
            }
        }
        for (partition, next) in positions {
            if let Some(started) = self.held.get_mut(partition).and_then(|held| held.started.as_mut()) {
                started.committed = *next;
            }
        }
        Ok(())
    }

    fn release(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.is_dropped) {
            self.held.values_mut().for_each(|held| held.started = None);
            self.caught_up.clear();
        }
        for partition in self.member.release()? {
            self.held.remove(&partition);
            self.caught_up.retain(|(number, _)| *number != partition);
        }
        Ok(())
    }
}
