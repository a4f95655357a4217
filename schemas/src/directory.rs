//! The directory's records: `line-entry.v1` under `line/…`, `subscription.v1` under `subscription/…`.

use andon_domain::{
    DirectoryChange, DowntimeClass, LineEntry, LineId, LineSettings, SubscriberId, Subscription,
    SubscriptionId,
};
use uuid::Uuid;

use crate::avro::{
    Reader, put_array, put_boolean, put_index, put_long, put_optional_boolean, put_optional_long, put_string,
    put_uuid,
};
use crate::frame::{datum, put_frame};
use crate::{DecodeError, Fault, SchemaId};

const LINE: &[u8] = b"line/";
const SUBSCRIPTION: &[u8] = b"subscription/";

/// The most nodes above a line, itself included.
const PATH_LEN_MAX: usize = 32;

/// The longest node: a path of names, each as long as a line id may be.
const NODE_BYTES_MAX: usize = PATH_LEN_MAX * (LineId::BYTES_MAX + 1);

/// Why a directory record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The key is of no sort that this program knows.
    #[error("the key `{key}` is neither `line/…` nor `subscription/…`")]
    Key {
        /// The key, escaped.
        key: String,
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
pub fn decode_directory(key: &[u8], value: Option<&[u8]>) -> Result<DirectoryChange, DirectoryError> {
    let unknown = || DirectoryError::Key { key: key.escape_ascii().to_string() };
    if let Some(line) = key.strip_prefix(LINE) {
        let line =
            std::str::from_utf8(line).ok().and_then(|line| LineId::new(line).ok()).ok_or_else(unknown)?;
        Ok(match value {
            None => DirectoryChange::LineRemoved(line),
            Some(value) => DirectoryChange::Line(line, line_entry(value)?),
        })
    } else if let Some(id) = key.strip_prefix(SUBSCRIPTION) {
        let id = Uuid::try_parse_ascii(id).map_err(|_| unknown())?;
        Ok(match value {
            None => DirectoryChange::SubscriptionRemoved(SubscriptionId(id)),
            Some(value) => DirectoryChange::Subscription(subscription(value)?),
        })
    } else {
        Err(unknown())
    }
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
