//! `line-status-changed.v1`: the input. Decoding borrows from the value and allocates nothing.

use andon_domain::{EventId, LineId, LineStatus, StatusChange};

use crate::avro::{
    Reader, put_index, put_long, put_optional_long, put_optional_string, put_string, put_uuid,
};
use crate::frame::{datum, put_frame};
use crate::{DecodeError, Fault, SchemaId};

/// The earliest event time: 1970-01-01T00:00:00Z, in ms since the epoch.
pub const EVENT_TIME_MIN: i64 = 0;

/// The latest event time: 9999-12-31T23:59:59.999Z, in ms since the epoch.
pub const EVENT_TIME_MAX: i64 = 253_402_300_799_999;

/// The longest reason code, source and controller's word, in bytes.
pub const TEXT_BYTES_MAX: usize = 4 * 1024;

/// Appends a framed status change.
pub fn encode_line_status_changed(change: &StatusChange<'_>, out: &mut Vec<u8>) {
    put_frame(out, SchemaId::LineStatusChangedV1);
    put_uuid(out, change.event_id.0);
    put_string(out, change.line_id);
    put_long(out, change.event_time);
    put_index(out, change.status as usize);
    put_optional_long(out, change.sequence);
    put_optional_string(out, change.reason_code);
    put_optional_string(out, change.source);
    put_optional_string(out, change.source_status);
}

/// Reads a framed status change.
pub fn decode_line_status_changed(value: &[u8]) -> Result<StatusChange<'_>, DecodeError> {
    let mut reader = Reader::new(datum(value, SchemaId::LineStatusChangedV1)?);
    let event_id = EventId(reader.uuid("event_id")?);
    let line_id = reader.string("line_id", LineId::BYTES_MAX)?;
    if LineId::check(line_id).is_err() {
        return Err(Fault::LineId.at("line_id"));
    }
    let event_time = reader.long("event_time")?;
    if !(EVENT_TIME_MIN..=EVENT_TIME_MAX).contains(&event_time) {
        return Err(Fault::Time { got: event_time }.at("event_time"));
    }
    let change = StatusChange {
        event_id,
        line_id,
        event_time,
        status: reader.symbol("status", LineStatus::from_index)?,
        sequence: reader.optional_long("sequence")?,
        reason_code: reader.optional_string("reason_code", TEXT_BYTES_MAX)?,
        source: reader.optional_string("source", TEXT_BYTES_MAX)?,
        source_status: reader.optional_string("source_status", TEXT_BYTES_MAX)?,
    };
    reader.end()?;
    Ok(change)
}
