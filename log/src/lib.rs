//! The event-log ports of Andon, and their adapters.
//!
//! Four small blocking traits, no callbacks: a role runs its loop on its own thread. [`Worker`] consumes its input
//! and commits outputs, changelog and positions as one; [`Reader`] follows committed records; [`Snapshot`] yields
//! the newest record of each key; [`Appender`] adds one durable batch. One conformance suite runs against every
//! adapter: `sqlite` for one process, `kafka` (a feature) for many, `memory` for tests.

mod batch;
mod error;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod memory;
mod partitioner;
mod port;
pub mod sqlite;
mod topic;

pub use batch::{Headers, Output, Outputs, Record, RecordBatch, decode_headers, encode_headers};
pub use error::{CommitError, Error, chain};
pub use partitioner::partition_of;
pub use port::{Appender, Polled, Read, Reader, Snapshot, Worker};
pub use topic::{Cleanup, Offset, Partition, Topic};
