//! What can be wrong with a record's value.

use crate::{DeadLetterReason, SchemaId};

/// Why a value cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It does not begin with the zero byte and the 4-byte schema id of Confluent framing.
    #[error("the value is not framed: it begins with byte {first:#04x}, 0x00 and a schema id are needed")]
    NotFramed {
        /// The first byte.
        first: u8,
    },
    /// It is shorter than the frame.
    #[error("the value has {bytes} bytes, framing and schema id alone take 5")]
    Short {
        /// Its length.
        bytes: usize,
    },
    /// Its schema id is none that this program knows.
    #[error("schema id {id} is not known")]
    UnknownSchema {
        /// The id.
        id: u32,
    },
    /// It has a schema that does not belong here.
    #[error("the value has schema `{found}`, `{needed}` is needed", found = found.schema().name, needed = needed.schema().name)]
    OtherSchema {
        /// The schema it has.
        found: SchemaId,
        /// The one that is read here.
        needed: SchemaId,
    },
    /// A field is wrong.
    #[error("field `{field}`: {fault}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The value ends inside.
    #[error("the value ends too early")]
    Truncated,
    /// Bytes follow the last field.
    #[error("{got} bytes follow the last field")]
    Trailing {
        /// How many.
        got: usize,
    },
    /// A number of more than 64 bits.
    #[error("a number has more than 64 bits")]
    Varint,
    /// A length below 0.
    #[error("length {got} is below 0")]
    Length {
        /// The length.
        got: i64,
    },
    /// A length beyond the limit.
    #[error("length {got} is above the limit of {limit}")]
    TooLong {
        /// The length.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// A text that is not UTF-8.
    #[error("the text is not UTF-8")]
    Utf8,
    /// A branch that the union does not have.
    #[error("the union has no branch {got}")]
    Branch {
        /// The branch.
        got: i64,
    },
    /// A symbol that the enum does not have.
    #[error("the enum has no symbol {got}")]
    Symbol {
        /// Its index.
        got: i64,
    },
    /// A byte that is no boolean.
    #[error("byte {got} is no boolean")]
    Boolean {
        /// The byte.
        got: u8,
    },
    /// Not the 36 characters of a UUID in lower case.
    #[error("the text is no UUID in its canonical form (36 characters, lower case)")]
    Uuid,
    /// An instant before 1970 or after 9999.
    #[error("time {got} is not between the years 1970 and 9999")]
    Time {
        /// The instant, in ms since the epoch.
        got: i64,
    },
    /// A number outside its range.
    #[error("{got} is not from {min} to {max}")]
    Range {
        /// The number.
        got: i64,
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// Not a line id.
    #[error("the text is not a line id: it needs 1 to 200 bytes in NFC, without control characters and `/`")]
    LineId,
}

impl Fault {
    pub(crate) const fn at(self, field: &'static str) -> DecodeError {
        DecodeError::Field { field, fault: self }
    }
}

impl DecodeError {
    /// The reason under which a status change with this fault becomes a dead letter.
    pub const fn reason(&self) -> DeadLetterReason {
        match self {
            Self::UnknownSchema { .. } => DeadLetterReason::SchemaUnknown,
            Self::Field { fault: Fault::TooLong { .. }, .. } => DeadLetterReason::Oversize,
            Self::NotFramed { .. } | Self::Short { .. } | Self::OtherSchema { .. } | Self::Field { .. } => {
                DeadLetterReason::Decode
            }
        }
    }
}
