//! The few calls of librdkafka that the safe API lacks or spoils.
//!
//! - Its `commit_transaction` flushes first and sleeps up to 100 ms in that, where the commit itself takes two.
//! - Its group metadata is opaque, and a member must look at its generation and id before it commits with them: the
//!   broker does not check a commit that carries neither.
//! - Its headers panic at a name that is not UTF-8, which any writer may send.
//!
//! Each function takes safe handles that outlive the call, and frees what the library gave it.
#![expect(unsafe_code, reason = "calls into librdkafka; each states why it is sound")]

use std::ffi::CStr;
use std::ptr;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{Producer, ThreadedProducer};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::context::WritingContext;

/// Lets a call wait as long as it needs: the library bounds it by the transaction's timeout, and other values leave it
/// out of step.
const AS_LONG_AS_NEEDED: i32 = -1;

/// What an error of a transaction asks for, in the order in which it must be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// The producer is of no more use.
    Rebuild,
    /// The transaction must be aborted.
    Abort,
    /// The same call again.
    Again,
}

/// An error of a transaction.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct TransactionError {
    pub(super) asks: Asks,
    pub(super) code: RDKafkaErrorCode,
    text: String,
}

impl TransactionError {
    /// Reads and frees an error; none is success.
    fn check(error: *mut sys::rd_kafka_error_t) -> Result<(), Self> {
        if error.is_null() {
            return Ok(());
        }
        // SAFETY: the library gave us this error, which is ours until we destroy it, once, below; the string lives as
        // long as it does and is copied.
        let found = unsafe {
            let asks = if sys::rd_kafka_error_is_fatal(error) != 0 {
                Asks::Rebuild
            } else if sys::rd_kafka_error_txn_requires_abort(error) != 0 {
                Asks::Abort
            } else if sys::rd_kafka_error_is_retriable(error) != 0 {
                Asks::Again
            } else {
                Asks::Rebuild
            };
            let text = CStr::from_ptr(sys::rd_kafka_error_string(error)).to_string_lossy().into_owned();
            let found = Self { asks, code: sys::rd_kafka_error_code(error).into(), text };
            sys::rd_kafka_error_destroy(error);
            found
        };
        Err(found)
    }
}

type WritingProducer = ThreadedProducer<WritingContext>;

/// Fences every producer of the same id before this one, and ends its transaction.
pub(super) fn init(producer: &WritingProducer, wait_ms: u32) -> Result<(), TransactionError> {
    let wait_ms = i32::try_from(wait_ms).unwrap_or(i32::MAX);
    // SAFETY: the handle lives as long as the producer, which is borrowed.
    TransactionError::check(unsafe {
        sys::rd_kafka_init_transactions(producer.client().native_ptr(), wait_ms)
    })
}

/// Begins a transaction.
pub(super) fn begin(producer: &WritingProducer) -> Result<(), TransactionError> {
    // SAFETY: as in `init`.
    TransactionError::check(unsafe { sys::rd_kafka_begin_transaction(producer.client().native_ptr()) })
}

/// Commits, after all records are delivered.
pub(super) fn commit(producer: &WritingProducer) -> Result<(), TransactionError> {
    // SAFETY: as in `init`.
    TransactionError::check(unsafe {
        sys::rd_kafka_commit_transaction(producer.client().native_ptr(), AS_LONG_AS_NEEDED)
    })
}

/// Aborts, and forgets what is not delivered.
pub(super) fn abort(producer: &WritingProducer) -> Result<(), TransactionError> {
    // SAFETY: as in `init`.
    TransactionError::check(unsafe {
        sys::rd_kafka_abort_transaction(producer.client().native_ptr(), AS_LONG_AS_NEEDED)
    })
}

/// Who a consumer is in its group, at one moment.
pub(super) struct Membership(ptr::NonNull<sys::rd_kafka_consumer_group_metadata_t>);

impl Membership {
    /// None where the consumer is in no group, or has no valid generation or id at the moment.
    pub(super) fn of<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<Self> {
        // SAFETY: the handle lives as long as the consumer, which is borrowed. The answer is ours to destroy.
        let pointer = unsafe { sys::rd_kafka_consumer_group_metadata(consumer.client().native_ptr()) };
        let membership = Self(ptr::NonNull::new(pointer)?);
        // SAFETY: the pointer is valid until `membership` is dropped, and so is the string in it.
        let is_valid = unsafe {
            let id = sys::rd_kafka_consumer_group_metadata_member_id(pointer);
            sys::rd_kafka_consumer_group_metadata_generation_id(pointer) >= 0
                && !id.is_null()
                && !CStr::from_ptr(id).is_empty()
        };
        is_valid.then_some(membership)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        // SAFETY: it is ours, and destroyed once.
        unsafe { sys::rd_kafka_consumer_group_metadata_destroy(self.0.as_ptr()) }
    }
}

/// Makes positions part of the open transaction. The broker refuses it if the membership is out of date.
pub(super) fn send_positions(
    producer: &WritingProducer,
    positions: &TopicPartitionList,
    membership: &Membership,
) -> Result<(), TransactionError> {
    // SAFETY: all three live as long as they are borrowed, and the library copies what it keeps.
    TransactionError::check(unsafe {
        sys::rd_kafka_send_offsets_to_transaction(
            producer.client().native_ptr(),
            positions.ptr(),
            membership.0.as_ptr(),
            AS_LONG_AS_NEEDED,
        )
    })
}

/// Calls `each` with name and value of every header. A name that is not UTF-8 comes with marks in place of what is not.
pub(super) fn headers(message: &BorrowedMessage<'_>, mut each: impl FnMut(&str, &[u8])) {
    let mut headers = ptr::null_mut();
    // SAFETY: the message lives as long as it is borrowed, and owns the headers.
    let code = unsafe { sys::rd_kafka_message_headers(message.ptr(), &raw mut headers) };
    if code != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return; // it has none
    }
    for place in 0.. {
        let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the pointers are to locals; what they are set to lives as long as the message.
        let code = unsafe {
            sys::rd_kafka_header_get_all(headers, place, &raw mut name, &raw mut value, &raw mut length)
        };
        if code != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return; // there is no further one
        }
        // SAFETY: the name ends with a zero; the value has `length` bytes unless it is null.
        let (name, value) = unsafe {
            let value = if value.is_null() {
                &[][..]
            } else {
                std::slice::from_raw_parts(value.cast::<u8>(), length)
            };
            (CStr::from_ptr(name).to_string_lossy(), value)
        };
        each(&name, value);
    }
}
