//! Where partitions begin, and where they end, as the brokers say at the moment: behind all that was written, whether it is committed or not.
//! Whoever has read up to there has read all that was committed before it asked.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset as At, TopicPartitionList};

use super::context::ReadingContext;
use super::fault::{Fault, failed, is_passing, kafka};
use super::topics::Topics;
use super::{Options, clients};
use crate::{Error, Offset, Partition, Topic};

const ASK: &str = "ask where a partition ends";

/// Asks. Any number of threads may.
pub(super) struct Ends {
    client: BaseConsumer<ReadingContext>,
    answer_ms_max: u32,
}

impl Ends {
    pub(super) fn new(options: &Options) -> Result<Self, Error> {
        Ok(Self { client: clients::asking(options)?, answer_ms_max: options.answer_ms_max })
    }

    pub(super) fn client(&self) -> &BaseConsumer<ReadingContext> {
        &self.client
    }

    /// The end of each of these, in their order.
    pub(super) fn of(&self, topics: &Topics, of: &[(Topic, Partition)]) -> Result<Vec<Offset>, Error> {
        self.ask(topics, of, At::End)
    }

    /// The first offset that each of these still has, in their order.
    pub(super) fn first_of(&self, topics: &Topics, of: &[(Topic, Partition)]) -> Result<Vec<Offset>, Error> {
        self.ask(topics, of, At::Beginning)
    }

    /// One request for each broker that leads some.
    fn ask(&self, topics: &Topics, of: &[(Topic, Partition)], which: At) -> Result<Vec<Offset>, Error> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        // Nobody waits for this client's events; they are taken so that they do not pile up.
        while self.client.poll(Duration::ZERO).is_some() {}
        let mut list = TopicPartitionList::with_capacity(of.len());
        for (topic, partition) in of {
            // In this request the field is a time; the earliest and the latest have the numbers of beginning and end.
            list.add_partition_offset(topics.name(*topic), number(*partition), which).map_err(kafka(ASK))?;
        }
        let wait = Duration::from_millis(self.answer_ms_max.into());
        let answers =
            self.client.offsets_for_times(list, wait).map_err(|error| self.unanswered(ASK, error))?;
        of.iter()
            .map(|(topic, partition)| {
                let name = topics.name(*topic);
                let answer = answers
                    .find_partition(name, number(*partition))
                    .ok_or_else(|| failed(ASK, Fault::NoTopic { topic: name.to_owned() }))?;
                answer.error().map_err(|error| self.unanswered(ASK, error))?;
                match answer.offset() {
                    At::Offset(end) => Ok(end),
                    // An empty partition has neither.
                    At::End | At::Invalid | At::Beginning | At::Stored | At::OffsetTail(_) => Ok(0),
                }
            })
            .collect()
    }

    /// The error, with what the client last complained about where it is about waiting in vain.
    pub(super) fn unanswered(&self, action: &'static str, error: KafkaError) -> Error {
        if is_passing(&error) {
            let reason = self.client.context().reason.told();
            return failed(action, Fault::Unanswered { waited_ms: self.answer_ms_max, reason });
        }
        failed(action, Fault::Kafka(error.into()))
    }
}

/// A partition's number as the client has it.
pub(super) fn number(partition: Partition) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}
