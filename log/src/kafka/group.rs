//! A member of the workers' group. What the group wants is noted by the callback and answered here, when the worker is
//! ready: until then the client delivers nothing and goes on being alive.
//!
//! ```text
//!   Assign --(answered at once, paused)--> Assigned --start--> Started --Revoke, Lose--> owed --release--> gone
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset as At, TopicPartitionList};

use super::context::{MemberContext, Want, Wanted};
use super::ends::number;
use super::fault::{Fault, failed, is_passing, kafka};
use super::ffi::Membership;
use super::{Shared, clients};
use crate::{Error, Offset, Partition, Topic};

const ANSWER: &str = "answer the group";
const POSITION: &str = "read the committed position";

/// How long leaving and closing may take each, before the client is left to itself.
const CLOSE: Duration = Duration::from_secs(5);

/// One look at the client while it leaves or closes.
const LOOK: Duration = Duration::from_millis(5);

/// The answer to what a group wants of a consumer. The wrong pair is refused, and stays owed.
pub(super) fn answer<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    is_assign: bool,
    list: &TopicPartitionList,
) -> Result<(), KafkaError> {
    match (is_assign, consumer.rebalance_protocol()) {
        (true, RebalanceProtocol::Cooperative) => consumer.incremental_assign(list),
        (false, RebalanceProtocol::Cooperative) => consumer.incremental_unassign(list),
        (true, RebalanceProtocol::Eager | RebalanceProtocol::None) => consumer.assign(list),
        (false, RebalanceProtocol::Eager | RebalanceProtocol::None) => consumer.unassign(),
    }
}

/// The member.
pub(super) struct Member {
    shared: Arc<Shared>,
    consumer: BaseConsumer<MemberContext>,
    /// Revoke or Lose, told and not answered yet.
    owed: Option<Wanted>,
}

impl Member {
    pub(super) fn join(shared: &Arc<Shared>, instance: &str) -> Result<Self, Error> {
        let consumer = clients::member(&shared.options, instance)?;
        let input = shared.topics.name(Topic::LineStatus);
        let wait = Duration::from_millis(shared.options.answer_ms_max.into());
        consumer.fetch_metadata(Some(input), wait).map_err(kafka("join the group"))?;
        consumer.subscribe(&[input]).map_err(kafka("join the group"))?;
        Ok(Self { shared: shared.clone(), consumer, owed: None })
    }

    /// The next message or error of the client; None also right after the group has wanted something.
    pub(super) fn poll(&self, wait: Duration) -> Option<Result<BorrowedMessage<'_>, KafkaError>> {
        self.consumer.poll(wait)
    }

    /// Whether the group wants something that was not looked at yet.
    pub(super) fn has_news(&self) -> bool {
        self.owed.is_some() || self.consumer.context().has_next()
    }

    /// What the group wants, up to the first thing that only the worker can answer: new partitions are taken at once,
    /// paused, and come in `assigned`.
    pub(super) fn news(&mut self, assigned: &mut Vec<Partition>) -> Result<Option<&Wanted>, Error> {
        while self.owed.is_none()
            && let Some(wanted) = self.consumer.context().next()
        {
            match wanted.what {
                Want::Assign => {
                    self.accept(&wanted.partitions)?;
                    assigned.extend(wanted.partitions);
                }
                Want::Revoke | Want::Lose if wanted.partitions.is_empty() => {
                    self.answer(false, &self.list(&[], At::Invalid)?)?;
                }
                Want::Revoke | Want::Lose => self.owed = Some(wanted),
            }
        }
        Ok(self.owed.as_ref())
    }

    /// Answers what is owed; the partitions that are gone.
    pub(super) fn release(&mut self) -> Result<Vec<Partition>, Error> {
        let Some(owed) = self.owed.take() else { return Ok(Vec::new()) };
        let answered = self.list(&owed.partitions, At::Invalid).and_then(|list| self.answer(false, &list));
        match answered {
            Ok(()) => Ok(owed.partitions),
            Err(error) => {
                self.owed = Some(owed);
                Err(error)
            }
        }
    }

    /// Reads an assigned partition from this position on.
    pub(super) fn start(&self, partition: Partition, position: Option<Offset>) -> Result<(), Error> {
        let at = position.map_or(At::Beginning, At::Offset);
        let list = self.list(&[partition], at)?;
        let wait = Duration::from_millis(self.shared.options.answer_ms_max.into());
        let failed = kafka("go to the committed position");
        let sought = self.consumer.seek_partitions(list, wait).map_err(&failed)?;
        sought.elements().iter().try_for_each(|element| element.error()).map_err(&failed)?;
        self.consumer.resume(&sought).map_err(kafka("go on with a partition"))
    }

    /// The committed positions; none where nothing was ever committed. Waits for transactions that are being ended.
    pub(super) fn committed(&self, of: &[Partition]) -> Result<BTreeMap<Partition, Option<Offset>>, Error> {
        let waited_ms = self.shared.options.answer_ms_max;
        let deadline = Instant::now() + Duration::from_millis(waited_ms.into());
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let list = self.list(of, At::Invalid)?;
            let found = self.consumer.committed_offsets(list, left).and_then(|found| {
                found.elements().iter().try_for_each(|element| element.error())?;
                Ok(found)
            });
            match found {
                Ok(found) => {
                    let position = |at: At| if let At::Offset(offset) = at { Some(offset) } else { None };
                    return Ok(found
                        .elements()
                        .iter()
                        .filter_map(|element| {
                            Some((u32::try_from(element.partition()).ok()?, element.offset()))
                        })
                        .map(|(partition, at)| (partition, position(at)))
                        .collect());
                }
                Err(error) if !is_passing(&error) => return Err(kafka(POSITION)(error)),
                Err(_) if left.is_zero() => {
                    let reason = self.consumer.context().reason.told();
                    return Err(failed(POSITION, Fault::Unanswered { waited_ms, reason }));
                }
                // A coordinator that moves says so at once; the next look is not to come at once.
                Err(_) => std::thread::sleep(LOOK.min(left)),
            }
        }
    }

    /// Where the client is in each partition that it has, past the marks of transactions too.
    pub(super) fn positions(&self) -> Result<BTreeMap<Partition, Offset>, Error> {
        let positions = self.consumer.position().map_err(kafka("read the event log"))?;
        let found = positions.elements().into_iter().filter_map(|element| {
            let At::Offset(offset) = element.offset() else { return None };
            Some((u32::try_from(element.partition()).ok()?, offset))
        });
        Ok(found.collect())
    }

    /// Whether the partitions may be somebody else's already.
    pub(super) fn has_lost(&self) -> bool {
        self.consumer.assignment_lost()
    }

    /// Who it is in the group, to commit with. None of that, or partitions lost, is an error: the broker does not check
    /// a commit that carries neither generation nor member.
    pub(super) fn membership(&self) -> Result<Membership, Fault> {
        if self.has_lost() {
            return Err(Fault::Lost);
        }
        Membership::of(&self.consumer).ok_or(Fault::NoMember)
    }

    /// Takes new partitions, paused: the group is not kept waiting while they are restored.
    fn accept(&self, partitions: &[Partition]) -> Result<(), Error> {
        let list = self.list(partitions, At::Beginning)?;
        self.answer(true, &list)?;
        if partitions.is_empty() {
            return Ok(());
        }
        self.consumer.pause(&list).map_err(kafka("pause a partition"))
    }

    fn answer(&self, is_assign: bool, list: &TopicPartitionList) -> Result<(), Error> {
        answer(&self.consumer, is_assign, list).map_err(kafka(ANSWER))
    }

    fn list(&self, partitions: &[Partition], at: At) -> Result<TopicPartitionList, Error> {
        let input = self.shared.topics.name(Topic::LineStatus);
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition_offset(input, number(*partition), at).map_err(kafka(ANSWER))?;
        }
        Ok(list)
    }

    /// Looks at the client until it holds, giving away at once whatever the group wants back.
    fn give_away_until(&mut self, holds: impl Fn(&Self) -> bool) -> Result<(), Error> {
        let deadline = Instant::now() + CLOSE;
        while !holds(self) && Instant::now() < deadline {
            drop(self.consumer.poll(LOOK));
            let mut assigned = Vec::new();
            if self.news(&mut assigned)?.is_some() {
                self.release()?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        self.release()?;
        if self.shared.options.leaves_group {
            self.consumer.unsubscribe();
            let is_empty = |member: &Self| member.consumer.assignment().is_ok_and(|list| list.count() == 0);
            self.give_away_until(|member| is_empty(member) && !member.has_news())?;
        }
        self.consumer.close_queue().map_err(kafka("leave the group"))?;
        self.give_away_until(|member| member.consumer.closed())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // What cannot be answered now is answered by the callback, below; nobody is left to be told of an error.
        drop(self.close());
        self.consumer.context().close();
    }
}
