//! The log on Apache Kafka, for a company with many plants and machines.
//!
//! A worker is one thread with one consumer, a static member of the group, and one transactional producer. Rebalances
//! are answered by the loop: the callback of the client does nothing but note them. No transaction spans two calls of
//! the port: what is committed is kept by the caller, so a commit that was refused is the same commit again. Readers
//! read committed records alone, and know the end of a partition by asking for it.

mod appender;
mod clients;
mod context;
mod doubt;
mod ends;
mod fault;
mod ffi;
mod follow;
mod group;
mod limits;
mod message;
mod options;
mod reader;
mod snapshot;
mod topics;
mod transaction;
mod worker;

use std::sync::{Arc, Mutex};

use crate::{Error, Offset, Partition, Topic};

pub use appender::KafkaAppender;
pub use fault::Fault;
pub use options::Options;
pub use reader::KafkaReader;
pub use worker::KafkaWorker;

use appender::Appending;
use ends::Ends;
use topics::Topics;

/// A handle of the log; clones share it.
#[derive(Clone)]
pub struct KafkaLog {
    shared: Arc<Shared>,
    appending: Arc<Mutex<Option<Arc<Appending>>>>,
}

/// What everything that reads or writes the log needs.
struct Shared {
    options: Options,
    topics: Topics,
    ends: Ends,
}

impl KafkaLog {
    /// Connects, and checks that every topic is there as it must be: the input stamped by the brokers
    /// (`message.timestamp.type=LogAppendTime`), one partition in the directory, and in every other topic as many as
    /// in the input.
    pub fn open(options: Options) -> Result<Self, Error> {
        let ends = Ends::new(&options)?;
        let topics = Topics::check(&options, &ends)?;
        let shared = Arc::new(Shared { options, topics, ends });
        Ok(Self { shared, appending: Arc::default() })
    }

    /// A consumer of the input. `instance` names it in its group: a name that no other living worker has, and that the
    /// worker which takes its place after a restart has again.
    pub fn worker(&self, instance: &str) -> Result<KafkaWorker, Error> {
        KafkaWorker::new(self.shared.clone(), instance)
    }

    /// A reader that follows these topics from these offsets.
    pub fn reader(&self, positions: &[(Topic, Partition, Offset)]) -> Result<KafkaReader, Error> {
        KafkaReader::new(&self.shared, positions)
    }

    /// An appender. All of one log share a thread and a producer, which the first one starts.
    pub fn appender(&self) -> Result<KafkaAppender, Error> {
        let mut appending = self.appending.lock().expect("nothing panics while it makes an appender");
        let shared = match &*appending {
            Some(running) => running.clone(),
            None => appending.insert(Arc::new(Appending::start(&self.shared)?)).clone(),
        };
        Ok(KafkaAppender::new(self.shared.clone(), shared))
    }

    /// How many partitions the input has.
    pub fn partitions(&self) -> u32 {
        self.shared.topics.partitions(Topic::LineStatus)
    }

    /// The offset that the next record of the partition gets.
    pub fn end_offset(&self, topic: Topic, partition: Partition) -> Result<Offset, Error> {
        self.shared.topics.check_partition(topic, partition)?;
        let ends = self.shared.ends.of(&self.shared.topics, &[(topic, partition)])?;
        Ok(ends[0])
    }
}
