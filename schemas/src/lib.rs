//! The Avro schemas of Andon's topics, their Confluent framing, and codecs written by hand for them.
//!
//! A codec reads and writes the bytes that any Avro library would; the tests hold each one to the `apache-avro` crate.
//! Nothing here allocates for a status change, panics on input, or knows a log.
//!
//! # Bad input
//!
//! A decoder takes a whole value or refuses it with a [`DecodeError`] that names the field, what is wrong with it, the
//! value got and the limit. A status change that is refused becomes a dead letter under [`DecodeError::reason`]:
//!
//! | the value | error | dead letter |
//! |---|---|---|
//! | is not Confluent framing: too short, or begins with another byte than 0 | [`DecodeError::Short`], [`DecodeError::NotFramed`] | `DECODE` |
//! | has a schema id that is none of [`SCHEMAS`] | [`DecodeError::UnknownSchema`] | `SCHEMA_UNKNOWN` |
//! | has one of ours that does not belong here | [`DecodeError::OtherSchema`] | `DECODE` |
//! | ends too early, or goes on after the last field | [`Fault::Truncated`], [`Fault::Trailing`] | `DECODE` |
//! | has a number of more than 64 bits, a negative length, a branch, symbol or boolean that does not exist | [`Fault::Varint`], [`Fault::Length`], [`Fault::Branch`], [`Fault::Symbol`], [`Fault::Boolean`] | `DECODE` |
//! | has a text that is not UTF-8, or an id that is not a canonical UUID | [`Fault::Utf8`], [`Fault::Uuid`] | `DECODE` |
//! | has a line id with a control character or `/`, empty, or not in NFC | [`Fault::LineId`] | `DECODE` |
//! | has an event time outside [`EVENT_TIME_MIN`] to [`EVENT_TIME_MAX`] | [`Fault::Time`] | `DECODE` |
//! | has a number outside its range | [`Fault::Range`] | `DECODE` |
//! | has a line id of more than 200 bytes, or another text of more than [`TEXT_BYTES_MAX`] | [`Fault::TooLong`] | `OVERSIZE` |
//!
//! ```
//! use andon_schemas::{DeadLetterReason, decode_line_status_changed};
//!
//! let error = decode_line_status_changed(b"STOPPED").expect_err("a bare word is no framed value");
//! assert_eq!(error.reason(), DeadLetterReason::Decode);
//! assert!(error.to_string().contains("begins with byte 0x53"));
//! ```

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
pub use progress::{PROGRESS_KEY, decode_progress, encode_progress};
pub use status_change::{
    EVENT_TIME_MAX, EVENT_TIME_MIN, TEXT_BYTES_MAX, decode_line_status_changed, encode_line_status_changed,
};
