//! The topics as the cluster has them. They are checked, and never made: that is for whoever runs the cluster.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;

use super::ends::Ends;
use super::fault::{Fault, failed, kafka};
use super::{Options, clients};
use crate::{Error, Partition, Topic};

const LOOK: &str = "look at the topics";

/// What is known of the topics. It does not change: a number of partitions that did would move lines away from their
/// state.
pub(super) struct Topics {
    by_topic: BTreeMap<Topic, (String, u32)>,
}

impl Topics {
    /// Looks at every topic.
    pub(super) fn check(options: &Options, ends: &Ends) -> Result<Self, Error> {
        let mut by_topic = BTreeMap::new();
        for topic in Topic::ALL {
            let name = format!("{}{}", options.topic_prefix, topic.name());
            let partitions = partitions_of(options, ends, &name)?;
            by_topic.insert(topic, (name, partitions));
        }
        let topics = Self { by_topic };
        for topic in Topic::ALL {
            let wanted = if topic == Topic::Directory { 1 } else { topics.partitions(Topic::LineStatus) };
            let found = topics.partitions(topic);
            if found != wanted {
                let topic = topics.name(topic).to_owned();
                return Err(failed(LOOK, Fault::Partitions { topic, found, wanted }));
            }
        }
        topics.check_timestamps(options)?;
        Ok(topics)
    }

    /// The topic's name in the cluster.
    pub(super) fn name(&self, topic: Topic) -> &str {
        &self.by_topic[&topic].0
    }

    /// The topic of that name.
    pub(super) fn named(&self, name: &str) -> Option<Topic> {
        self.by_topic.iter().find(|(_, (known, _))| known == name).map(|(topic, _)| *topic)
    }

    /// How many partitions it has.
    pub(super) fn partitions(&self, topic: Topic) -> u32 {
        self.by_topic[&topic].1
    }

    /// Refuses a partition that the topic does not have.
    pub(super) fn check_partition(&self, topic: Topic, partition: Partition) -> Result<(), Error> {
        let partitions = self.partitions(topic);
        if partition < partitions {
            return Ok(());
        }
        Err(Error::NoPartition { topic: topic.name(), partition, partitions })
    }

    /// Log time is what everything that is computed depends on: it must come from the log, not from whoever writes.
    fn check_timestamps(&self, options: &Options) -> Result<(), Error> {
        let name = self.name(Topic::LineStatus);
        let admin: AdminClient<DefaultClientContext> =
            AdminClient::from_config(&clients::admin(options)).map_err(kafka(LOOK))?;
        let wait = Duration::from_millis(options.answer_ms_max.into());
        let specifier = ResourceSpecifier::Topic(name);
        let settings = AdminOptions::new().request_timeout(Some(wait));
        let found = block_on(admin.describe_configs([&specifier], &settings))
            .map_err(kafka(LOOK))?
            .into_iter()
            .next()
            .ok_or_else(|| failed(LOOK, Fault::NoTopic { topic: name.to_owned() }))?
            .map_err(|code| failed(LOOK, Fault::Kafka(KafkaError::AdminOp(code).into())))?;
        let kind = found.get("message.timestamp.type").and_then(|entry| entry.value.clone());
        match kind.as_deref() {
            Some("LogAppendTime") => Ok(()),
            other => {
                let found = other.unwrap_or("nothing").to_owned();
                Err(failed(LOOK, Fault::Timestamps { topic: name.to_owned(), found }))
            }
        }
    }
}

/// How many partitions a topic has; an error if it is not there.
fn partitions_of(options: &Options, ends: &Ends, name: &str) -> Result<u32, Error> {
    let wait = Duration::from_millis(options.answer_ms_max.into());
    let metadata =
        ends.client().fetch_metadata(Some(name), wait).map_err(|error| ends.unanswered(LOOK, error))?;
    let partitions = metadata
        .topics()
        .iter()
        .find(|topic| topic.name() == name && topic.error().is_none())
        .map_or(0, |topic| topic.partitions().len());
    match u32::try_from(partitions) {
        Ok(0) | Err(_) => Err(failed(LOOK, Fault::NoTopic { topic: name.to_owned() })),
        Ok(partitions) => Ok(partitions),
    }
}

/// Waits for the one answer that the client library gives as a future; it is woken from a thread of the library.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => std::thread::park(),
        }
    }
}
