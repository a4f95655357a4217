//! Records between the client's form and the port's.

use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, ThreadedProducer};

use super::context::WritingContext;
use super::ffi;
use super::topics::Topics;
use crate::batch::Output;
use crate::{Partition, RecordBatch, decode_headers, encode_headers};

/// Adds a message to a batch.
pub(super) fn push(message: &BorrowedMessage<'_>, partition: Partition, batch: &mut RecordBatch) {
    let mut headers = Vec::new();
    ffi::headers(message, |name, value| headers.extend(encode_headers(&[(name, value)])));
    // A record of another client may have no key; the port knows none without.
    let key = message.key().unwrap_or_default();
    let appended_at = message.timestamp().to_millis().unwrap_or_default();
    batch.push(partition, message.offset(), appended_at, key, message.payload(), &headers);
}

/// Hands a record to the producer. `place` comes back with its offset.
pub(super) fn send(
    producer: &ThreadedProducer<WritingContext>,
    topics: &Topics,
    record: &Output<'_>,
    place: usize,
) -> Result<(), KafkaError> {
    let mut message = BaseRecord::<[u8], [u8], usize>::with_opaque_to(topics.name(record.topic), place)
        .partition(i32::try_from(record.partition).unwrap_or(i32::MAX))
        .key(record.key);
    message.payload = record.value;
    if !record.headers.is_empty() {
        let headers = decode_headers(record.headers);
        let all = OwnedHeaders::new_with_capacity(headers.len());
        message.headers = Some(headers.into_iter().fold(all, |all, (name, value)| {
            // The protocol's names are texts with an end.
            let name = name.split('\0').next().unwrap_or_default();
            all.insert(Header { key: name, value: Some(value) })
        }));
    }
    producer.send(message).map_err(|(error, _)| error)
}
