//! Confluent framing: a zero byte, a 4-byte big-endian schema id, the datum. Ids of the embedded form are compiled in.

use crate::DecodeError;

/// A schema of ours. The number is its id in the embedded form: once released it never changes, new ones follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum SchemaId {
    /// `line-status-changed.v1`
    LineStatusChangedV1 = 1,
    /// `line-changed.v1`
    LineChangedV1 = 2,
    /// `progress.v1`
    ProgressV1 = 3,
    /// `notification-command.v1`
    NotificationCommandV1 = 4,
    /// `dead-letter-resolved.v1`
    DeadLetterResolvedV1 = 5,
    /// `line-entry.v1`
    LineEntryV1 = 6,
    /// `subscription.v1`
    SubscriptionV1 = 7,
}

/// A schema file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// Its id.
    pub id: SchemaId,
    /// Its name with the version, as the file is called.
    pub name: &'static str,
    /// The file's text.
    pub text: &'static str,
}

macro_rules! schema {
    ($id:ident, $name:literal) => {
        Schema { id: SchemaId::$id, name: $name, text: include_str!(concat!("../avro/", $name, ".avsc")) }
    };
}

/// Every schema, ordered by id from 1.
pub const SCHEMAS: [Schema; 7] = [
    schema!(LineStatusChangedV1, "line-status-changed.v1"),
    schema!(LineChangedV1, "line-changed.v1"),
    schema!(ProgressV1, "progress.v1"),
    schema!(NotificationCommandV1, "notification-command.v1"),
    schema!(DeadLetterResolvedV1, "dead-letter-resolved.v1"),
    schema!(LineEntryV1, "line-entry.v1"),
    schema!(SubscriptionV1, "subscription.v1"),
];

impl SchemaId {
    /// The schema of this id.
    pub const fn schema(self) -> &'static Schema {
        &SCHEMAS[self as usize - 1]
    }
}

/// Appends the frame.
pub(crate) fn put_frame(out: &mut Vec<u8>, id: SchemaId) {
    out.push(0);
    out.extend_from_slice(&(id as u32).to_be_bytes());
}

/// The datum in a frame that names `needed`.
pub(crate) fn datum(value: &[u8], needed: SchemaId) -> Result<&[u8], DecodeError> {
    match value {
        [0, a, b, c, d, datum @ ..] => match u32::from_be_bytes([*a, *b, *c, *d]) {
            id if id == needed as u32 => Ok(datum),
            id => Err(match SCHEMAS.iter().find(|schema| schema.id as u32 == id) {
                Some(schema) => DecodeError::OtherSchema { found: schema.id, needed },
                None => DecodeError::UnknownSchema { id },
            }),
        },
        [] | [0, ..] => Err(DecodeError::Short { bytes: value.len() }),
        [first, ..] => Err(DecodeError::NotFramed { first: *first }),
    }
}
