//! What librdkafka calls back: it notes, and does nothing else. The threads that call the port act on the notes.
//!
//! Log lines of the client are dropped: what matters comes back as the error of a call, with the reason noted here.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{NoCustomPartitioner, ProducerContext};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::{fault, group};
use crate::{Offset, Partition};

/// The last thing that a client complained about.
#[derive(Default)]
pub(super) struct Reason(Mutex<String>);

impl Reason {
    fn note(&self, reason: &str) {
        *self.0.lock().expect("nothing panics while it notes a reason") = reason.to_owned();
    }

    /// `: reason`, or nothing.
    pub(super) fn told(&self) -> String {
        let reason = self.0.lock().expect("nothing panics while it notes a reason");
        if reason.is_empty() { String::new() } else { format!(": {reason}") }
    }
}

/// Of a client that reads without a group.
#[derive(Default)]
pub(super) struct ReadingContext {
    pub(super) reason: Reason,
}

impl ClientContext for ReadingContext {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, reason: &str) {
        self.reason.note(reason);
    }
}

impl ConsumerContext for ReadingContext {}

/// What the group wants, to be answered by the thread that polls.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) what: Want,
    pub(super) partitions: Vec<Partition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Assign,
    Revoke,
    /// As revoke, but somebody else may have them already.
    Lose,
}

/// Of a member of a group.
#[derive(Default)]
pub(super) struct MemberContext {
    pub(super) reason: Reason,
    wanted: Mutex<VecDeque<Wanted>>,
    /// While it is set nobody reads the notes, so what the group wants is answered on the spot: the client would wait
    /// for ever for an answer.
    is_closing: AtomicBool,
}

impl MemberContext {
    pub(super) fn next(&self) -> Option<Wanted> {
        self.wanted.lock().expect("nothing panics while it notes what is wanted").pop_front()
    }

    pub(super) fn has_next(&self) -> bool {
        !self.wanted.lock().expect("nothing panics while it notes what is wanted").is_empty()
    }

    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
    }
}

impl ClientContext for MemberContext {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, reason: &str) {
        self.reason.note(reason);
    }
}

impl ConsumerContext for MemberContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let is_assign = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.is_closing.load(Ordering::SeqCst) {
            // A refused answer leaves the client waiting; there is nothing better to do while closing.
            drop(group::answer(consumer, is_assign, list));
            return;
        }
        let what = match (is_assign, consumer.assignment_lost()) {
            (true, _) => Want::Assign,
            (false, false) => Want::Revoke,
            (false, true) => Want::Lose,
        };
        // A copy: the list belongs to the event.
        let partitions =
            list.elements().iter().filter_map(|element| u32::try_from(element.partition()).ok()).collect();
        self.wanted
            .lock()
            .expect("nothing panics while it notes what is wanted")
            .push_back(Wanted { what, partitions });
    }
}

/// Of a transactional producer.
#[derive(Default)]
pub(super) struct WritingContext {
    pub(super) reason: Reason,
    /// Offsets of the records of the open transaction, by their place in it.
    delivered: Mutex<Vec<(usize, Offset)>>,
    is_doubtful: AtomicBool,
}

impl WritingContext {
    /// The offsets since the last call.
    pub(super) fn take_delivered(&self) -> Vec<(usize, Offset)> {
        std::mem::take(&mut *self.delivered.lock().expect("nothing panics while it notes an offset"))
    }

    /// Whether a request went without an answer since the last call. A straggler may then still be on its way.
    pub(super) fn take_doubt(&self) -> bool {
        self.is_doubtful.swap(false, Ordering::SeqCst)
    }
}

impl ClientContext for WritingContext {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        if fault::is_passing(&error) {
            self.is_doubtful.store(true, Ordering::SeqCst);
        }
        self.reason.note(reason);
    }
}

impl ProducerContext<NoCustomPartitioner> for WritingContext {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, place: usize) {
        // A record that was not delivered fails its transaction, which says so itself.
        if let Ok(message) = result {
            let mut delivered = self.delivered.lock().expect("nothing panics while it notes an offset");
            delivered.push((place, message.offset()));
        }
    }
}
