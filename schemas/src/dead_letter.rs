//! Dead letters: the original record, with what is wrong in headers that people and tools know.

use andon_domain::NAMESPACE;
use uuid::Uuid;

use crate::avro::{Reader, put_index, put_long, put_uuid};
use crate::frame::{datum, put_frame};
use crate::{DecodeError, SchemaId};

/// Header that counts how often a dead letter was sent again.
pub const REDRIVE_HEADER: &str = "x-redrive";

/// Why a record is not folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeadLetterReason {
    /// The value does not decode.
    Decode,
    /// The value's schema is not known.
    SchemaUnknown,
    /// Key and value name different lines.
    KeyMismatch,
    /// The event lies at or before its line's watermark.
    TooLate,
    /// The event lies too far after its arrival.
    FutureTimestamp,
    /// Lines must be registered, and this one is not.
    UnknownLine,
    /// The value, or a text in it, is too large.
    Oversize,
}

impl DeadLetterReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Decode,
        Self::SchemaUnknown,
        Self::KeyMismatch,
        Self::TooLate,
        Self::FutureTimestamp,
        Self::UnknownLine,
        Self::Oversize,
    ];

    /// The name in headers, the API and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decode => "DECODE",
            Self::SchemaUnknown => "SCHEMA_UNKNOWN",
            Self::KeyMismatch => "KEY_MISMATCH",
            Self::TooLate => "TOO_LATE",
            Self::FutureTimestamp => "FUTURE_TIMESTAMP",
            Self::UnknownLine => "UNKNOWN_LINE",
            Self::Oversize => "OVERSIZE",
        }
    }

    /// The reason of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What the headers of a dead letter say. All values are UTF-8 texts; the `__connect.errors.…` names are Kafka
/// Connect's, which tools know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterInfo {
    /// Why.
    pub reason: DeadLetterReason,
    /// Topic of the original record.
    pub topic: String,
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: i64,
    /// Its append time, in ms since the epoch.
    pub timestamp: i64,
    /// The consumer group that could not fold it.
    pub group: String,
    /// The version of the program that could not.
    pub app_version: String,
    /// The error, in words.
    pub error: String,
}

/// Why headers are not those of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// A header is missing.
    #[error("header `{name}` is missing")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// A header has a value that makes no sense.
    #[error("header `{name}` is `{got}`")]
    Value {
        /// Its name.
        name: &'static str,
        /// The value, escaped; its first 100 characters.
        got: String,
    },
}

const REASON: &str = "x-dlq-reason";
const TOPIC: &str = "x-dlq-topic";
const PARTITION: &str = "x-dlq-partition";
const OFFSET: &str = "x-dlq-offset";
const TIMESTAMP: &str = "x-dlq-timestamp";
const GROUP: &str = "x-dlq-group";
const APP_VERSION: &str = "x-dlq-app-version";
const ERROR: &str = "x-dlq-error";

impl DeadLetterInfo {
    /// The headers to add to the original ones.
    pub fn to_headers(&self) -> Vec<(&'static str, String)> {
        let (partition, offset) = (self.partition.to_string(), self.offset.to_string());
        vec![
            (REASON, self.reason.name().to_owned()),
            (TOPIC, self.topic.clone()),
            (PARTITION, partition.clone()),
            (OFFSET, offset.clone()),
            (TIMESTAMP, self.timestamp.to_string()),
            (GROUP, self.group.clone()),
            (APP_VERSION, self.app_version.clone()),
            (ERROR, self.error.clone()),
            ("__connect.errors.topic", self.topic.clone()),
            ("__connect.errors.partition", partition),
            ("__connect.errors.offset", offset),
            ("__connect.errors.exception.message", self.error.clone()),
        ]
    }

    /// Reads the headers. Of a header that stands twice the last one counts: a dead letter that was sent again and
    /// failed again has both.
    pub fn from_headers(headers: &[(&str, &[u8])]) -> Result<Self, HeaderError> {
        let text = |name: &'static str| {
            let value = headers.iter().rev().find(|(known, _)| *known == name);
            let (_, value) = value.ok_or(HeaderError::Missing { name })?;
            Ok(String::from_utf8_lossy(value).into_owned())
        };
        let reason = text(REASON)?;
        Ok(Self {
            reason: DeadLetterReason::from_name(&reason).ok_or_else(|| wrong(REASON, &reason))?,
            topic: text(TOPIC)?,
            partition: number(PARTITION, &text(PARTITION)?)?,
            offset: number(OFFSET, &text(OFFSET)?)?,
            timestamp: number(TIMESTAMP, &text(TIMESTAMP)?)?,
            group: text(GROUP)?,
            app_version: text(APP_VERSION)?,
            error: text(ERROR)?,
        })
    }
}

fn number<N: std::str::FromStr>(name: &'static str, text: &str) -> Result<N, HeaderError> {
    text.parse().map_err(|_| wrong(name, text))
}

fn wrong(name: &'static str, text: &str) -> HeaderError {
    HeaderError::Value { name, got: text.chars().take(100).flat_map(char::escape_debug).collect() }
}

/// Identity of a dead letter: UUIDv5 of reason, key and value, each with its length before it, so that a resend is
/// one row with a count.
pub fn dead_letter_id(reason: DeadLetterReason, key: &[u8], value: Option<&[u8]>) -> Uuid {
    let mut name = Vec::with_capacity(64 + key.len() + value.map_or(0, <[u8]>::len));
    name.extend_from_slice(b"dead-letter/");
    for part in [Some(reason.name().as_bytes()), Some(key), value] {
        let part = match part {
            None => {
                name.push(0);
                continue;
            }
            Some(part) => part,
        };
        name.push(1);
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part);
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

/// How a dead letter was dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Resolution {
    /// Sent again.
    Redriven = 0,
    /// Set aside.
    Discarded = 1,
}

/// A dead letter was dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetterResolved {
    /// The dead letter.
    pub dead_letter_id: Uuid,
    /// How.
    pub how: Resolution,
    /// When, in ms since the epoch.
    pub at: i64,
}

/// Appends a framed record.
pub fn encode_dead_letter_resolved(resolved: &DeadLetterResolved, out: &mut Vec<u8>) {
    put_frame(out, SchemaId::DeadLetterResolvedV1);
    put_uuid(out, resolved.dead_letter_id);
    put_index(out, resolved.how as usize);
    put_long(out, resolved.at);
}

/// Reads a framed record.
pub fn decode_dead_letter_resolved(value: &[u8]) -> Result<DeadLetterResolved, DecodeError> {
    let mut reader = Reader::new(datum(value, SchemaId::DeadLetterResolvedV1)?);
    let resolved = DeadLetterResolved {
        dead_letter_id: reader.uuid("dead_letter_id")?,
        how: reader
            .symbol("how", |index| [Resolution::Redriven, Resolution::Discarded].get(index).copied())?,
        at: reader.long("at")?,
    };
    reader.end()?;
    Ok(resolved)
}
