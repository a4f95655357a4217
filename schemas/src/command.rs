//! `notification-command.v1`: tell one subscriber one thing.

use andon_domain::{
    Command, CommandKind, IncidentId, LineStatus, NotificationId, SubscriberId, SubscriptionId, text,
};

use crate::avro::{
    Reader, put_index, put_long, put_optional_long, put_optional_string, put_string, put_uuid,
};
use crate::frame::{datum, put_frame};
use crate::line_changed::line_id;
use crate::{DecodeError, SchemaId, TEXT_BYTES_MAX};

/// Appends a framed command.
pub fn encode_command(command: &Command, out: &mut Vec<u8>) {
    put_frame(out, SchemaId::NotificationCommandV1);
    put_uuid(out, command.notification_id.0);
    put_uuid(out, command.incident_id.0);
    put_index(out, command.kind as usize);
    put_uuid(out, command.subscriber_id.0);
    put_uuid(out, command.subscription_id.0);
    put_string(out, command.line_id.as_str());
    put_long(out, command.version);
    put_long(out, command.created_at);
    put_long(out, command.first_told_start);
    put_long(out, command.started_at);
    put_optional_long(out, command.ended_at);
    put_index(out, command.status as usize);
    put_optional_string(out, command.reason_code.as_deref());
    put_optional_string(out, command.source_status.as_deref());
}

/// Reads a framed command.
pub fn decode_command(value: &[u8]) -> Result<Command, DecodeError> {
    let mut reader = Reader::new(datum(value, SchemaId::NotificationCommandV1)?);
    let command = Command {
        notification_id: NotificationId(reader.uuid("notification_id")?),
        incident_id: IncidentId(reader.uuid("incident_id")?),
        kind: reader.symbol("kind", |index| u8::try_from(index).ok().and_then(CommandKind::from_index))?,
        subscriber_id: SubscriberId(reader.uuid("subscriber_id")?),
        subscription_id: SubscriptionId(reader.uuid("subscription_id")?),
        line_id: line_id(&mut reader)?,
        version: reader.long("version")?,
        created_at: reader.long("created_at")?,
        first_told_start: reader.long("first_told_start")?,
        started_at: reader.long("started_at")?,
        ended_at: reader.optional_long("ended_at")?,
        status: reader.symbol("status", LineStatus::from_index)?,
        reason_code: text(reader.optional_string("reason_code", TEXT_BYTES_MAX)?),
        source_status: text(reader.optional_string("source_status", TEXT_BYTES_MAX)?),
    };
    reader.end()?;
    Ok(command)
}
