//! Kafka's errors as the port's, and which of them pass by themselves.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::Error;

/// What is behind an [`Error::Storage`] of this adapter.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The topic is missing.
    #[error("there is no topic `{topic}`; create it")]
    NoTopic {
        /// Its name.
        topic: String,
    },
    /// The topic's records are stamped by their writers.
    #[error("the topic `{topic}` has message.timestamp.type={found}, it must have LogAppendTime")]
    Timestamps {
        /// Its name.
        topic: String,
        /// What it has.
        found: String,
    },
    /// The topic has another number of partitions than it must.
    #[error("the topic `{topic}` has {found} partitions, it must have {wanted}")]
    Partitions {
        /// Its name.
        topic: String,
        /// How many it has.
        found: u32,
        /// How many it must have.
        wanted: u32,
    },
    /// The log does not have what is to be read next: it was deleted before it was folded, or the topic is another one.
    #[error("the committed position of partition {partition} is {position}, the log has {first} to {end}")]
    Gone {
        /// The partition of the input.
        partition: u32,
        /// The next offset to read.
        position: i64,
        /// The first offset that the log has.
        first: i64,
        /// The offset behind its last record.
        end: i64,
    },
    /// The brokers did not answer in time.
    #[error("no answer within {waited_ms} ms{reason}")]
    Unanswered {
        /// How long it waited, in ms.
        waited_ms: u32,
        /// What the client said last, after a colon; empty if nothing.
        reason: String,
    },
    /// The worker is no member of its group at the moment.
    #[error("the worker is not a member of its group")]
    NoMember,
    /// The worker's partitions were taken away.
    #[error("the worker has lost its partitions")]
    Lost,
    /// What the committed positions say after a commit in doubt.
    #[error("whether the transaction was committed cannot be known")]
    InDoubt,
    /// What Kafka says.
    #[error("{0}")]
    Kafka(Box<dyn std::error::Error + Send + Sync>),
}

/// An operation that failed for this reason.
pub(super) fn failed(action: &'static str, fault: Fault) -> Error {
    Error::Storage { action, source: Box::new(fault) }
}

/// What is behind an error of this adapter, to go into another one.
pub(super) fn fault_of(error: Error) -> Fault {
    match error {
        Error::Storage { source, .. } => match source.downcast() {
            Ok(fault) => *fault,
            Err(other) => Fault::Kafka(other),
        },
        other => Fault::Kafka(other.into()),
    }
}

/// An error of Kafka while doing `action`.
pub(super) fn kafka(action: &'static str) -> impl Fn(KafkaError) -> Error {
    move |error| failed(action, Fault::Kafka(error.into()))
}

/// The code in an error, where it has one.
pub(super) fn code(error: &KafkaError) -> Option<Code> {
    match error {
        KafkaError::Transaction(cause) => Some(cause.code()),
        other => other.rdkafka_error_code(),
    }
}

/// Whether it passes by itself: a broker that restarts, a leader or coordinator that moves, an answer that is late.
pub(super) fn is_passing(error: &KafkaError) -> bool {
    matches!(
        code(error),
        Some(
            Code::BrokerTransportFailure
                | Code::AllBrokersDown
                | Code::OperationTimedOut
                | Code::TimedOutQueue
                | Code::MessageTimedOut
                | Code::Resolve
                | Code::InProgress
                | Code::PreviousInProgress
                | Code::WaitingForCoordinator
                | Code::Retry
                | Code::RequestTimedOut
                | Code::CoordinatorLoadInProgress
                | Code::CoordinatorNotAvailable
                | Code::NotCoordinator
                | Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::NetworkException
                | Code::BrokerNotAvailable
                | Code::ReplicaNotAvailable
                | Code::RebalanceInProgress
                | Code::ConcurrentTransactions
                | Code::UnstableOffsetCommit
                | Code::FencedLeaderEpoch
                | Code::UnknownLeaderEpoch
                | Code::OffsetNotAvailable
                | Code::KafkaStorageError
                | Code::PollExceeded
        )
    )
}
