//! Identities. All derived ids are UUIDv5, so that whoever computes one again gets the same one.

use std::fmt;
use std::sync::Arc;

use unicode_normalization::is_nfc;
use uuid::Uuid;

/// Milliseconds since the Unix epoch, UTC. The only unit of time in the core.
pub type Millis = i64;

/// The namespace of every UUIDv5 that Andon derives.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x6a3f_61d0_5d0e_5c0b_9b7e_2f6d_1a4c_8e90);

/// The name of a production line: 1–200 bytes of UTF-8 in NFC, without control characters and without `/`.
///
/// Cloning is cheap: the text is shared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(Arc<str>);

/// Why a text is not a [`LineId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineIdError {
    /// The text is empty.
    #[error("line id is empty, it needs 1 to {max} bytes", max = LineId::BYTES_MAX)]
    Empty,
    /// The text is longer than [`LineId::BYTES_MAX`].
    #[error("line id has {bytes} bytes, the limit is {max}", max = LineId::BYTES_MAX)]
    TooLong {
        /// The length that was met.
        bytes: usize,
    },
    /// A character that may not stand in a line id.
    #[error("line id has the character `{}` at byte {at}, control characters and `/` are not allowed", character.escape_default())]
    Character {
        /// The character.
        character: char,
        /// Its byte position.
        at: usize,
    },
    /// The text is not in Unicode normalisation form C, so that it could look like another line's.
    #[error("line id is not in Unicode normalisation form C")]
    NotNormalised,
}

impl LineId {
    /// The longest line id, in bytes of UTF-8.
    pub const BYTES_MAX: usize = 200;

    /// Checks `text` and takes it as a line id.
    pub fn new(text: &str) -> Result<Self, LineIdError> {
        Self::check(text)?;
        Ok(Self(Arc::from(text)))
    }

    /// Checks that `text` is a line id, without keeping it.
    pub fn check(text: &str) -> Result<(), LineIdError> {
        if text.is_empty() {
            return Err(LineIdError::Empty);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(LineIdError::TooLong { bytes: text.len() });
        }
        if text.bytes().all(|b| b.is_ascii_graphic() && b != b'/') {
            return Ok(());
        }
        match text.char_indices().find(|(_, c)| c.is_control() || *c == '/') {
            Some((at, character)) => Err(LineIdError::Character { character, at }),
            None if !is_nfc(text) => Err(LineIdError::NotNormalised),
            None => Ok(()),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// Identity of a status change: the same id is the same event, however often it arrives.
    EventId
}
uuid_id! {
    /// Identity of a published run: UUIDv5 of line, kind and start.
    IntervalId
}
uuid_id! {
    /// Identity of "this line is down now": UUIDv5 of line and the version of the step that opened it.
    IncidentId
}
uuid_id! {
    /// A person who wants to be told. The log knows nothing else about them.
    SubscriberId
}
uuid_id! {
    /// One person following one node: UUIDv5 of subscriber and node.
    SubscriptionId
}
uuid_id! {
    /// Identity of one message to one subscriber: UUIDv5 of incident, kind and subscriber.
    NotificationId
}

impl IntervalId {
    /// The id of the run of `line` of `kind` that starts at `started_at`.
    pub fn derive(line: &LineId, kind: crate::Kind, started_at: Millis) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, format!("interval/{line}/{}/{started_at}", kind.name()).as_bytes()))
    }
}

impl IncidentId {
    /// The id of the incident of `line` that the step of `version` opened.
    pub fn derive(line: &LineId, version: i64) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, format!("incident/{line}/{version}").as_bytes()))
    }
}

impl SubscriptionId {
    /// The id of the subscription of `subscriber` to `node`.
    pub fn derive(subscriber: SubscriberId, node: &str) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, format!("subscription/{subscriber}/{node}").as_bytes()))
    }
}

impl NotificationId {
    /// The id of the message of `kind` about `incident` to `subscriber`.
    pub fn derive(incident: IncidentId, kind: crate::CommandKind, subscriber: SubscriberId) -> Self {
        Self(Uuid::new_v5(
            &NAMESPACE,
            format!("notification/{incident}/{}/{subscriber}", kind.name()).as_bytes(),
        ))
    }
}

impl EventId {
    /// The id of an event that came without one: UUIDv5 of everything that tells it from another.
    pub fn derive(
        line: &str,
        event_time: Millis,
        status: crate::LineStatus,
        source: Option<&str>,
        sequence: Option<i64>,
    ) -> Self {
        let sequence = sequence.map_or(String::new(), |n| n.to_string());
        let name =
            format!("event/{line}/{event_time}/{}/{}/{sequence}", status.name(), source.unwrap_or_default());
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }
}
