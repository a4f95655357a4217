//! The Avro schemas of Andon's topics, their Confluent framing, and codecs written by hand for them.
//!
//! A codec reads and writes the bytes that any Avro library would; the tests hold each one to the `apache-avro` crate.
//! Nothing here allocates for a status change, panics on input, or knows a log.

mod avro;
mod command;
mod dead_letter;
mod directory;
mod error;
mod frame;
mod line_changed;
mod progress;
mod status_change;

pub use command::{decode_command, encode_command};
pub use dead_letter::{
    DeadLetterInfo, DeadLetterReason, DeadLetterResolved, HeaderError, REDRIVE_HEADER, Resolution,
    dead_letter_id, decode_dead_letter_resolved, encode_dead_letter_resolved,
};
pub use directory::{DirectoryError, decode_directory, directory_key, encode_directory};
pub use error::{DecodeError, Fault};
pub use frame::{SCHEMAS, Schema, SchemaId};
pub use line_changed::{decode_line_changed, encode_line_changed};
pub use progress::{decode_progress, encode_progress};
pub use status_change::{
    EVENT_TIME_MAX, EVENT_TIME_MIN, TEXT_BYTES_MAX, decode_line_status_changed, encode_line_status_changed,
};
