//! The settings of the clients.

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::BaseConsumer;

use super::Options;
use super::context::{MemberContext, ReadingContext};
use super::fault::kafka;
use crate::Error;

/// Every client's.
fn base(options: &Options) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &options.bootstrap)
        .set("client.id", "andon")
        .set("allow.auto.create.topics", "false")
        // After an outage, look often rather than politely: there are few of us.
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set_log_level(RDKafkaLogLevel::Error);
    config
}

/// A transactional producer of this id. Whoever opens the same id fences the one before.
pub(super) fn producer(options: &Options, transactional_id: &str) -> ClientConfig {
    let mut config = base(options);
    config
        .set("transactional.id", transactional_id)
        .set("transaction.timeout.ms", options.transaction_ms_max.to_string())
        // A transaction flushes anyway, so waiting for more records gains nothing.
        .set("linger.ms", "0")
        // The next transaction waits so long while the markers of the one before are written; the default of 100 ms
        // is most of a commit.
        .set("retry.backoff.ms", "2")
        .set("compression.codec", "lz4")
        // One transaction at a time, whose bounds are lower: the queue never fills.
        .set("queue.buffering.max.messages", (options.commit_records_max + 1).to_string())
        .set("queue.buffering.max.kbytes", (2 << 20).to_string())
        .set("message.max.bytes", (options.record_bytes_max + 1024).to_string());
    config
}

/// What consumers of records share.
fn consumer(options: &Options) -> ClientConfig {
    let mut config = base(options);
    config
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("queued.max.messages.kbytes", (options.fetch_bytes_max / 1024).max(1).to_string())
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.error.backoff.ms", "100")
        // A partition that joins waits for the fetch that is under way.
        .set("fetch.wait.max.ms", "100");
    config
}

/// A client that reads partitions of its own choice. It is in no group, but the client library wants a name of one.
pub(super) fn reading(options: &Options) -> Result<BaseConsumer<ReadingContext>, Error> {
    consumer(options)
        .set("group.id", "andon-reader")
        // What was deleted as too old is left out.
        .set("auto.offset.reset", "earliest")
        .create_with_context(ReadingContext::default())
        .map_err(kafka("open a reader"))
}

/// A client that only asks where partitions end, counting what is not committed yet.
pub(super) fn asking(options: &Options) -> Result<BaseConsumer<ReadingContext>, Error> {
    base(options)
        .set("isolation.level", "read_uncommitted")
        .create_with_context(ReadingContext::default())
        .map_err(kafka("connect to Kafka"))
}

/// A member of the workers' group.
pub(super) fn member(options: &Options, instance: &str) -> Result<BaseConsumer<MemberContext>, Error> {
    consumer(options)
        .set("group.id", &options.group)
        .set("group.instance.id", instance)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", options.session_ms.to_string())
        .set("heartbeat.interval.ms", (options.session_ms / 10).max(1).to_string())
        .set("max.poll.interval.ms", options.poll_ms_max.max(options.session_ms).to_string())
        // A position that is gone is an error: input that nobody folded would be skipped in silence.
        .set("auto.offset.reset", "error")
        .create_with_context(MemberContext::default())
        .map_err(kafka("join the group"))
}

/// A client that asks how topics are set up.
pub(super) fn admin(options: &Options) -> ClientConfig {
    base(options)
}

/// The worker's producer: it need not know where its records came to lie, only whether one could not be written.
pub(super) fn worker_producer(options: &Options, transactional_id: &str) -> ClientConfig {
    let mut config = producer(options, transactional_id);
    config.set("delivery.report.only.error", "true");
    config
}
