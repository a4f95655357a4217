//! What the schemas and codecs promise: the bytes of an Avro library that nobody here wrote, the same ones as ever,
//! and a precise error for everything else.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod blocks;
mod dead_letters;
mod files;
mod garbage;
mod golden;
mod library;
mod records;
mod samples;
mod strategies;
mod wrong_directory;
mod wrong_records;
mod wrong_status_changes;

/// What an encoder appends, alone.
fn encoded<T: ?Sized>(encode: impl FnOnce(&T, &mut Vec<u8>), value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(value, &mut bytes);
    bytes
}
