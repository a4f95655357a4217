//! Topics and a group of a test's own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use andon_log::kafka::{Fault, KafkaLog, Options};
use andon_log::{Error, Offset, Outputs, Partition, Read, Reader, Topic};

use crate::broker::Broker;

/// Long enough for any machine; a test that waits so long has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A wait between two looks at a state.
pub(crate) const WAIT: Duration = Duration::from_millis(20);

/// The topics are deleted with it.
pub(crate) struct Place {
    broker: Broker,
    prefix: String,
}

impl Place {
    /// A name that nobody else has, and no topic yet.
    pub(crate) fn empty() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        Self { broker: Broker::of_tests(), prefix: format!("own-{now}-{}-{number}.", std::process::id()) }
    }

    /// Every topic as it must be.
    pub(crate) fn of(partitions: u32) -> Self {
        let place = Self::empty();
        for topic in Topic::ALL {
            place.create(topic, if topic == Topic::Directory { 1 } else { partitions }, "LogAppendTime");
        }
        place
    }

    pub(crate) fn create(&self, topic: Topic, partitions: u32, timestamps: &str) {
        let settings = [("message.timestamp.type", timestamps)];
        self.broker.create_topic(&self.name(topic), partitions, &settings);
    }

    pub(crate) fn name(&self, topic: Topic) -> String {
        format!("{}{}", self.prefix, topic.name())
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            bootstrap: self.broker.bootstrap(),
            group: format!("{}group", self.prefix),
            topic_prefix: self.prefix.clone(),
            leaves_group: true,
            ..Options::default()
        }
    }

    /// Opens the log once the brokers have told each other of the topics.
    pub(crate) fn open(&self, options: &Options) -> KafkaLog {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match KafkaLog::open(options.clone()) {
                Err(error)
                    if matches!(fault_of(&error), Some(Fault::NoTopic { .. }))
                        && Instant::now() < deadline => {}
                opened => return opened.unwrap(),
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.broker.delete_topics(&Topic::ALL.map(|topic| self.name(topic)));
    }
}

/// What is behind an error of the adapter.
pub(crate) fn fault_of(error: &Error) -> Option<&Fault> {
    if let Error::Storage { source, .. } = error { source.downcast_ref() } else { None }
}

/// Records with these values, also as keys.
pub(crate) fn outputs(topic: Topic, partition: Partition, values: impl IntoIterator<Item = u64>) -> Outputs {
    let mut outputs = Outputs::default();
    for value in values {
        let text = value.to_string();
        outputs.push(topic, partition, text.as_bytes(), Some(text.as_bytes()));
    }
    outputs
}

/// The numbers that everything committed in a partition carries.
pub(crate) fn numbers(log: &KafkaLog, topic: Topic, partition: Partition) -> Vec<u64> {
    let mut reader = log.reader(&[(topic, partition, 0 as Offset)]).unwrap();
    let mut found = Vec::new();
    while let Read::Records(_, batch) = reader.poll(Duration::ZERO).unwrap() {
        found.extend(batch.iter().map(|record| number(record.value.unwrap())));
    }
    found
}

fn number(value: &[u8]) -> u64 {
    std::str::from_utf8(value).unwrap().parse().unwrap()
}
