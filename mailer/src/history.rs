//! What a message says beyond its command: the course of the stop, what the reader's day was like so far, and how it is
//! written. Read once, at the first attempt, then kept in the ledger: a retry is the same message, whatever the views say
//! and the reader has set by then.

mod read;

use andon_domain::{LineStatus, Millis};
use serde::{Deserialize, Serialize};

pub(crate) use read::{Patience, Reading, read};

/// Segments that are told, the first and the last ones of the stop: more is not read on a phone.
const FIRST_SEGMENTS: usize = 6;
const LAST_SEGMENTS: usize = 6;

/// What the views knew of a stop. Empty where they did not answer in time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct History {
    /// The course of the stop, oldest first; empty if it is not known, or all in the command already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Stretch>,
    /// How many segments are left out after the first few.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// The reader's day up to the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<Today>,
    /// How the message is written; none: as the reader has it set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manner: Option<Manner>,
}

/// How a message is written. A reader who changes language or zone meanwhile gets the same message in a retry, and the
/// same subject in the whole thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// Language, as in `es`.
    pub locale: String,
    /// IANA time zone.
    pub zone: String,
    /// The subject, the same through the whole thread.
    pub stem: String,
}

/// A part of a stop in which status and reason stayed the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// When it began.
    pub started_at: Millis,
    /// When it ended; none while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Millis>,
    /// The status.
    #[serde(with = "status_name")]
    pub status: LineStatus,
    /// The reason, fit to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The controller's own word, fit to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_status: Option<String>,
}

/// The stops of a line on the reader's local day, the one told of included, up to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Today {
    /// Downtime intervals that reach into the day.
    pub stops: usize,
    /// How long they lasted within it, in ms.
    pub down_ms: i64,
}

impl History {
    /// The bytes for the ledger.
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("lists, numbers and texts have a JSON")
    }

    /// Reads back what [`Self::encode`] wrote; no bytes are an empty history.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        if bytes.is_empty() { Ok(Self::default()) } else { serde_json::from_slice(bytes) }
    }

    /// Takes the course of a stop; a long one loses its middle.
    fn with_course(mut self, mut segments: Vec<Stretch>) -> Self {
        self.left_out = segments.len().saturating_sub(FIRST_SEGMENTS + LAST_SEGMENTS);
        if self.left_out > 0 {
            segments.drain(FIRST_SEGMENTS..FIRST_SEGMENTS + self.left_out);
        }
        self.segments = segments;
        self
    }

    /// After how many segments some are left out.
    pub(crate) const fn gap_at(&self) -> Option<usize> {
        if self.left_out > 0 { Some(FIRST_SEGMENTS) } else { None }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A status by its name, as everywhere.
mod status_name {
    use andon_domain::LineStatus;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) fn serialize<S: Serializer>(status: &LineStatus, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(status.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LineStatus, D::Error> {
        let name = String::deserialize(deserializer)?;
        LineStatus::from_name(&name)
            .ok_or_else(|| D::Error::custom(format_args!("no status is named `{name}`")))
    }
}
