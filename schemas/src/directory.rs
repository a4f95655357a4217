//! The directory's records: `line-entry.v1` under `line/…`, `subscription.v1` under `subscription/…`.

use andon_domain::{
    DirectoryChange, DowntimeClass, LineEntry, LineId, LineSettings, SubscriberId, Subscription,
    SubscriptionId,
};

use crate::avro::{
    Reader, parse_uuid, put_array, put_boolean, put_index, put_long, put_optional_boolean, put_optional_long,
    put_string, put_uuid,
};
use crate::frame::{datum, put_frame};
use crate::{DecodeError, Fault, SchemaId};

const LINE: &[u8] = b"line/";
const SUBSCRIPTION: &[u8] = b"subscription/";

/// The most nodes above a line, itself included.
const PATH_LEN_MAX: usize = 32;

/// The longest node: a path of names, each as long as a line id may be.
const NODE_BYTES_MAX: usize = PATH_LEN_MAX * (LineId::BYTES_MAX + 1);

/// The most bytes of a wrong key that an error shows: more than any right one has.
const KEY_SHOWN_BYTES: usize = 256;

/// Why a directory record cannot be read. Keys are shown escaped, their first 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The key is of no sort that this program knows.
    #[error("the key `{key}` is neither `line/…` nor `subscription/…`")]
    Key {
        /// The key.
        key: String,
    },
    /// The key begins as a line's, and no line id follows.
    #[error("what follows `line/` in the key `{key}` is not a line id")]
    LineKey {
        /// The key.
        key: String,
    },
    /// The key begins as a subscription's, and no id follows.
    #[error("what follows `subscription/` in the key `{key}` is not a UUID in its canonical form")]
    SubscriptionKey {
        /// The key.
        key: String,
    },
    /// The value is of another subscription than its key. Were it taken, a record without a value could never end it.
    #[error("the key is that of subscription `{key}`, the value that of `{value}`")]
    OtherSubscription {
        /// The id in the key.
        key: SubscriptionId,
        /// The id in the value.
        value: SubscriptionId,
    },
    /// The value cannot be read.
    #[error(transparent)]
    Value(#[from] DecodeError),
}

/// The key of a change's record.
pub fn directory_key(change: &DirectoryChange) -> Vec<u8> {
    match change {
        DirectoryChange::Line(line, _) | DirectoryChange::LineRemoved(line) => {
            [LINE, line.as_str().as_bytes()].concat()
        }
        DirectoryChange::Subscription(Subscription { id, .. }) | DirectoryChange::SubscriptionRemoved(id) => {
            [SUBSCRIPTION, id.to_string().as_bytes()].concat()
        }
    }
}

/// Appends the framed value of a change's record; false if it has none, because it removes.
pub fn encode_directory(change: &DirectoryChange, out: &mut Vec<u8>) -> bool {
    match change {
        DirectoryChange::Line(_, entry) => {
            put_frame(out, SchemaId::LineEntryV1);
            put_array(out, &entry.path, |out, node| put_string(out, node));
            put_optional_long(out, entry.settings.allowed_lateness_ms);
            put_optional_long(out, entry.settings.events_max.map(i64::from));
            put_optional_boolean(out, entry.settings.degraded_is_down);
            put_optional_long(out, entry.settings.expect_signal_every_ms);
            put_boolean(out, entry.is_retired);
            true
        }
        DirectoryChange::Subscription(subscription) => {
            put_frame(out, SchemaId::SubscriptionV1);
            put_uuid(out, subscription.id.0);
            put_uuid(out, subscription.subscriber_id.0);
            put_string(out, &subscription.node);
            put_long(out, subscription.notify_after_ms);
            put_index(out, usize::from(subscription.class.is_some()));
            if let Some(class) = subscription.class {
                put_index(out, class as usize);
            }
            put_long(out, subscription.created_at);
            true
        }
        DirectoryChange::LineRemoved(_) | DirectoryChange::SubscriptionRemoved(_) => false,
    }
}

/// Reads a directory record.
///
/// An id has one form in a key, as compaction goes by its bytes: another form is refused.
pub fn decode_directory(key: &[u8], value: Option<&[u8]>) -> Result<DirectoryChange, DirectoryError> {
    if let Some(line) = key.strip_prefix(LINE) {
        let line = std::str::from_utf8(line).ok().and_then(|line| LineId::new(line).ok());
        let line = line.ok_or_else(|| DirectoryError::LineKey { key: shown(key) })?;
        Ok(match value {
            None => DirectoryChange::LineRemoved(line),
            Some(value) => DirectoryChange::Line(line, line_entry(value)?),
        })
    } else if let Some(id) = key.strip_prefix(SUBSCRIPTION) {
        let id = id.try_into().ok().and_then(parse_uuid).map(SubscriptionId);
        let id = id.ok_or_else(|| DirectoryError::SubscriptionKey { key: shown(key) })?;
        let Some(value) = value else { return Ok(DirectoryChange::SubscriptionRemoved(id)) };
        let subscription = subscription(value)?;
        if subscription.id != id {
            return Err(DirectoryError::OtherSubscription { key: id, value: subscription.id });
        }
        Ok(DirectoryChange::Subscription(subscription))
    } else {
        Err(DirectoryError::Key { key: shown(key) })
    }
}

fn shown(key: &[u8]) -> String {
    key[..key.len().min(KEY_SHOWN_BYTES)].escape_ascii().to_string()
}

fn line_entry(value: &[u8]) -> Result<LineEntry, DecodeError> {
    let mut reader = Reader::new(datum(value, SchemaId::LineEntryV1)?);
    let mut path = Vec::new();
    reader.array("path", PATH_LEN_MAX, |reader| {
        path.push(reader.string("path", LineId::BYTES_MAX)?.to_owned());
        Ok(())
    })?;
    let settings = LineSettings {
        allowed_lateness_ms: reader.optional_long("allowed_lateness_ms")?,
        events_max: reader.optional_long("events_max")?.map(events_max).transpose()?,
        degraded_is_down: reader.optional_boolean("degraded_is_down")?,
        expect_signal_every_ms: reader.optional_long("expect_signal_every_ms")?,
    };
    let is_retired = reader.boolean("is_retired")?;
    reader.end()?;
    Ok(LineEntry { path, settings, is_retired })
}

fn events_max(got: i64) -> Result<u32, DecodeError> {
    u32::try_from(got).map_err(|_| Fault::Range { got, min: 0, max: i64::from(u32::MAX) }.at("events_max"))
}

fn subscription(value: &[u8]) -> Result<Subscription, DecodeError> {
    let mut reader = Reader::new(datum(value, SchemaId::SubscriptionV1)?);
    let subscription = Subscription {
        id: SubscriptionId(reader.uuid("subscription_id")?),
        subscriber_id: SubscriberId(reader.uuid("subscriber_id")?),
        node: reader.string("node", NODE_BYTES_MAX)?.to_owned(),
        notify_after_ms: reader.long("notify_after_ms")?,
        class: if reader.some("class")? { Some(reader.symbol("class", downtime_class)?) } else { None },
        created_at: reader.long("created_at")?,
    };
    reader.end()?;
    Ok(subscription)
}

fn downtime_class(index: usize) -> Option<DowntimeClass> {
    [DowntimeClass::Planned, DowntimeClass::Unplanned].get(index).copied()
}
