//! A log of its own on a real broker for every test: own topics, own group.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use andon_log::kafka::{Fault, KafkaLog, Options};
use andon_log::{Appender, Cleanup, Error, Offset, Partition, Reader, Topic, Worker};

use crate::broker::Broker;
use crate::fixture::{DEADLINE, Fixture};

const READ_RECORDS_MAX: usize = 100;
const APPEND_RECORDS_MAX: usize = 2_500;
const APPEND_BYTES_MAX: usize = 1 << 20;

pub(crate) struct Kafka {
    broker: Broker,
    log: KafkaLog,
    prefix: String,
    partitions: u32,
    workers: AtomicU32,
}

impl Kafka {
    /// A log of so many partitions.
    pub(crate) fn of(partitions: u32) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        // The process ids of two runs against one broker may be the same; the times are not.
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let prefix = format!("test-{now}-{}-{number}.", std::process::id());
        let broker = Broker::of_tests();
        for topic in Topic::ALL {
            let cleanup = match topic.cleanup() {
                Cleanup::Delete => "delete",
                Cleanup::Compact => "compact",
            };
            let settings = [("message.timestamp.type", "LogAppendTime"), ("cleanup.policy", cleanup)];
            let count = if topic == Topic::Directory { 1 } else { partitions };
            broker.create_topic(&format!("{prefix}{}", topic.name()), count, &settings);
        }
        let options = Options {
            bootstrap: broker.bootstrap(),
            group: format!("{prefix}group"),
            topic_prefix: prefix.clone(),
            leaves_group: true,
            session_ms: 6_000,
            read_records_max: READ_RECORDS_MAX,
            append_records_max: APPEND_RECORDS_MAX,
            append_bytes_max: APPEND_BYTES_MAX,
            ..Options::default()
        };
        let log = open(&options);
        Self { broker, log, prefix, partitions, workers: AtomicU32::new(0) }
    }
}

/// Opens the log once the brokers have told each other of the topics.
fn open(options: &Options) -> KafkaLog {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match KafkaLog::open(options.clone()) {
            Err(Error::Storage { source, .. })
                if matches!(source.downcast_ref(), Some(Fault::NoTopic { .. }))
                    && Instant::now() < deadline => {}
            opened => return opened.unwrap(),
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.broker.delete_topics(&Topic::ALL.map(|topic| format!("{}{}", self.prefix, topic.name())));
    }
}

impl Fixture for Kafka {
    fn partitions(&self) -> u32 {
        self.partitions
    }

    fn worker(&self) -> Box<dyn Worker> {
        let number = self.workers.fetch_add(1, Ordering::SeqCst);
        Box::new(self.log.worker(&number.to_string()).unwrap())
    }

    fn reader(&self, positions: &[(Topic, Partition, Offset)]) -> Box<dyn Reader> {
        Box::new(self.log.reader(positions).unwrap())
    }

    fn appender(&self) -> Arc<dyn Appender> {
        Arc::new(self.log.appender().unwrap())
    }

    fn end_offset(&self, topic: Topic, partition: Partition) -> Offset {
        self.log.end_offset(topic, partition).unwrap()
    }

    fn while_writes_fail(&self, during: &mut dyn FnMut()) {
        self.broker.while_writes_are_forbidden(&self.prefix, during);
    }

    fn read_records_max(&self) -> usize {
        READ_RECORDS_MAX
    }

    fn append_max(&self) -> (usize, usize) {
        (APPEND_RECORDS_MAX, APPEND_BYTES_MAX)
    }
}
