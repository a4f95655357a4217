//! One transaction at a time: begin, send, positions, commit; and what is known when a step fails.
//!
//! ```text
//!   begin -> send -> positions -> commit -> Ok
//!     |        |         |          |  \--- no answer, or a fatal one ---> Unknown (and a new producer)
//!     \--------+---------+----------+--> abort --> Nothing (a new producer if the abort failed)
//! ```
//!
//! A new producer has the same id: opening it ends what the old one left open, and fences the old one's stragglers.

use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::producer::{Producer, ThreadedProducer};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::context::WritingContext;
use super::ends::number;
use super::fault::{self, Fault, failed, kafka};
use super::ffi::{self, Asks, Membership, TransactionError};
use super::{Shared, message};
use crate::{Error, Offset, Outputs};

const OPEN: &str = "open a transactional producer";

/// The longest that one attempt to open a producer may wait inside the client; it is resumed after that.
const ATTEMPT_MS: u32 = 2_000;

/// Why a transaction was not committed, as far as is known.
#[derive(Debug)]
pub(super) struct Cause {
    /// What the brokers or the client say, where it was they.
    pub(super) code: Option<Code>,
    pub(super) fault: Fault,
}

impl From<TransactionError> for Cause {
    fn from(error: TransactionError) -> Self {
        Self { code: Some(error.code), fault: Fault::Kafka(error.into()) }
    }
}

impl From<Fault> for Cause {
    fn from(fault: Fault) -> Self {
        Self { code: None, fault }
    }
}

/// A transaction that failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nothing of it is or becomes visible.
    Nothing(Cause),
    /// It may have been committed.
    Unknown(Cause),
}

/// The positions that a transaction moves, and how to learn who moves them, asked as late as possible.
pub(super) struct Moves<'a> {
    pub(super) positions: &'a TopicPartitionList,
    pub(super) membership: &'a dyn Fn() -> Result<Membership, Fault>,
}

/// A producer and what it takes to make another one.
pub(super) struct Transactional {
    config: ClientConfig,
    answer_ms_max: u32,
    transaction_ms_max: u32,
    /// None after doubt: the next transaction begins with a new one.
    producer: Option<ThreadedProducer<WritingContext>>,
}

impl Transactional {
    /// Opens a producer; waits until the brokers have ended what its predecessor left.
    pub(super) fn open(shared: &Shared, config: ClientConfig) -> Result<Self, Error> {
        let options = &shared.options;
        let mut transactional = Self {
            config,
            answer_ms_max: options.answer_ms_max,
            transaction_ms_max: options.transaction_ms_max,
            producer: None,
        };
        transactional.renew(shared)?;
        Ok(transactional)
    }

    /// Makes sure that there is a producer.
    pub(super) fn renew(&mut self, shared: &Shared) -> Result<(), Error> {
        if self.producer.is_some() {
            return Ok(());
        }
        let producer: ThreadedProducer<WritingContext> =
            self.config.create_with_context(WritingContext::default()).map_err(kafka(OPEN))?;
        let deadline = Instant::now() + Duration::from_millis(self.answer_ms_max.into());
        // The first record would wait for this, inside a transaction.
        for topic in crate::Topic::ALL {
            let wait = Duration::from_millis(self.answer_ms_max.into());
            producer.client().fetch_metadata(Some(shared.topics.name(topic)), wait).map_err(kafka(OPEN))?;
        }
        loop {
            match ffi::init(&producer, ATTEMPT_MS) {
                Ok(()) => break,
                // The dead predecessor's transaction is being aborted, or a coordinator moves.
                Err(error) if error.asks == Asks::Again && Instant::now() < deadline => {}
                Err(error) if error.asks == Asks::Again => {
                    let reason = producer.client().context().reason.told();
                    return Err(failed(OPEN, Fault::Unanswered { waited_ms: self.answer_ms_max, reason }));
                }
                Err(error) => return Err(failed(OPEN, Fault::Kafka(error.into()))),
            }
        }
        self.producer = Some(producer);
        Ok(())
    }

    /// Writes records and moves positions, all or nothing. The offsets of the records, if the producer reports them.
    pub(super) fn run(
        &mut self,
        shared: &Shared,
        records: &Outputs,
        moves: Option<&Moves<'_>>,
    ) -> Result<Vec<Offset>, Failed> {
        if let Err(error) = self.renew(shared) {
            return Err(Failed::Nothing(fault::fault_of(error).into()));
        }
        let producer = self.producer.as_ref().expect("it was renewed");
        let context = producer.client().context().clone();
        drop(context.take_delivered());
        context.take_doubt();
        if let Err(error) = ffi::begin(producer) {
            self.producer = None;
            return Err(Failed::Nothing(error.into()));
        }
        let began = Instant::now();
        let prepared = self.send(shared, producer, records).and_then(|()| match moves {
            Some(moves) => self.move_positions(producer, moves),
            None => Ok(()),
        });
        let (cause, is_sent) = match prepared {
            Ok(()) => match self.finish(ffi::commit, producer) {
                Ok(()) => {
                    // A straggler of a request that had no answer could reach into a later transaction.
                    let was_slow = began.elapsed() > Duration::from_millis(self.transaction_ms_max.into());
                    if context.take_doubt() || was_slow {
                        self.producer = None;
                    }
                    let mut delivered = context.take_delivered();
                    delivered.sort_unstable();
                    return Ok(delivered.into_iter().map(|(_, offset)| offset).collect());
                }
                Err(error) if error.asks == Asks::Abort => (error.into(), true),
                Err(error) => {
                    self.producer = None;
                    return Err(Failed::Unknown(error.into()));
                }
            },
            Err(cause) => (cause, false),
        };
        if self.finish(ffi::abort, producer).is_err() {
            self.producer = None;
            if is_sent {
                return Err(Failed::Unknown(cause));
            }
        } else if context.take_doubt() {
            self.producer = None;
        }
        Err(Failed::Nothing(cause))
    }

    fn send(
        &self,
        shared: &Shared,
        producer: &ThreadedProducer<WritingContext>,
        records: &Outputs,
    ) -> Result<(), Cause> {
        for (place, record) in records.iter().enumerate() {
            message::send(producer, &shared.topics, &record, place)
                .map_err(|error| Cause { code: fault::code(&error), fault: Fault::Kafka(error.into()) })?;
        }
        Ok(())
    }

    fn move_positions(
        &self,
        producer: &ThreadedProducer<WritingContext>,
        moves: &Moves<'_>,
    ) -> Result<(), Cause> {
        let membership = (moves.membership)()?;
        // It may be asked again only with the very same arguments, so it keeps its membership.
        let send = |producer: &_| ffi::send_positions(producer, moves.positions, &membership);
        self.finish(send, producer).map_err(Cause::from)
    }

    /// Calls until the answer is final, or the brokers must have given up the transaction themselves.
    fn finish(
        &self,
        call: impl Fn(&ThreadedProducer<WritingContext>) -> Result<(), TransactionError>,
        producer: &ThreadedProducer<WritingContext>,
    ) -> Result<(), TransactionError> {
        let deadline = Instant::now() + Duration::from_millis(u64::from(self.transaction_ms_max) * 2);
        loop {
            match call(producer) {
                Err(error) if error.asks == Asks::Again && Instant::now() < deadline => {}
                result => return result,
            }
        }
    }
}

/// Positions of the input, as the client has them.
pub(super) fn positions_of(
    topic: &str,
    positions: &[(crate::Partition, Offset)],
) -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::with_capacity(positions.len());
    for (partition, offset) in positions {
        let at = rdkafka::Offset::Offset(*offset);
        list.add_partition_offset(topic, number(*partition), at).map_err(kafka("name a position"))?;
    }
    Ok(list)
}
