//! Each type that travels as the value that an Avro library would hold for it, written after the schema files.

use andon_domain::{
    Command, DowntimeClass, IntervalChange, LineChanged, LineClass, LineEntry, LineStatus, Segment,
    StatusChange, Subscription,
};
use andon_schemas::{DeadLetterResolved, Resolution};
use apache_avro::types::Value;

pub(crate) fn status_change(change: &StatusChange<'_>) -> Value {
    record([
        ("event_id", Value::Uuid(change.event_id.0)),
        ("line_id", string(change.line_id)),
        ("event_time", Value::TimestampMillis(change.event_time)),
        ("status", line_status(change.status)),
        ("sequence", optional(change.sequence.map(Value::Long))),
        ("reason_code", optional(change.reason_code.map(string))),
        ("source", optional(change.source.map(string))),
        ("source_status", optional(change.source_status.map(string))),
    ])
}

pub(crate) fn line_changed(changed: &LineChanged) -> Value {
    let row = &changed.row;
    let intervals = changed.intervals.iter().map(|(version, change)| interval(*version, change)).collect();
    record([
        ("line_id", string(changed.line_id.as_str())),
        ("version", Value::Long(changed.version)),
        ("status", line_status(row.status)),
        ("class", line_class(row.class)),
        ("since", Value::TimestampMillis(row.since)),
        ("first_event_at", Value::TimestampMillis(row.first_event_at)),
        ("last_event_at", Value::TimestampMillis(row.last_event_at)),
        ("last_seen_at", Value::TimestampMillis(row.last_seen_at)),
        ("open_downtime_at", optional(row.open_downtime_at.map(Value::TimestampMillis))),
        ("reason_code", optional(row.reason_code.as_deref().map(string))),
        ("source_status", optional(row.source_status.as_deref().map(string))),
        ("intervals", Value::Array(intervals)),
    ])
}

fn interval(version: i64, change: &IntervalChange) -> Value {
    let (started_at, kind) = change.key();
    let (ended_at, segments, is_retracted) = match change {
        IntervalChange::Upsert(interval) => (interval.ended_at, interval.segments.as_slice(), false),
        IntervalChange::Retract { .. } => (None, [].as_slice(), true),
    };
    record([
        ("kind", symbol(kind.name(), &["DOWN", "IDLE", "UNKNOWN"])),
        ("started_at", Value::TimestampMillis(started_at)),
        ("ended_at", optional(ended_at.map(Value::TimestampMillis))),
        ("version", Value::Long(version)),
        ("is_retracted", Value::Boolean(is_retracted)),
        ("segments", Value::Array(segments.iter().map(segment).collect())),
    ])
}

fn segment(segment: &Segment) -> Value {
    record([
        ("started_at", Value::TimestampMillis(segment.started_at)),
        ("status", line_status(segment.status)),
        ("reason_code", optional(segment.reason_code.as_deref().map(string))),
        ("source_status", optional(segment.source_status.as_deref().map(string))),
    ])
}

pub(crate) fn progress(log_time: i64) -> Value {
    record([("log_time", Value::TimestampMillis(log_time))])
}

pub(crate) fn command(command: &Command) -> Value {
    record([
        ("notification_id", Value::Uuid(command.notification_id.0)),
        ("incident_id", Value::Uuid(command.incident_id.0)),
        ("kind", symbol(command.kind.name(), &["DOWN", "RESTORED", "WITHDRAWN", "UNSUBSCRIBED"])),
        ("subscriber_id", Value::Uuid(command.subscriber_id.0)),
        ("subscription_id", Value::Uuid(command.subscription_id.0)),
        ("line_id", string(command.line_id.as_str())),
        ("version", Value::Long(command.version)),
        ("created_at", Value::TimestampMillis(command.created_at)),
        ("first_told_start", Value::TimestampMillis(command.first_told_start)),
        ("started_at", Value::TimestampMillis(command.started_at)),
        ("ended_at", optional(command.ended_at.map(Value::TimestampMillis))),
        ("status", line_status(command.status)),
        ("reason_code", optional(command.reason_code.as_deref().map(string))),
        ("source_status", optional(command.source_status.as_deref().map(string))),
    ])
}

pub(crate) fn dead_letter_resolved(resolved: &DeadLetterResolved) -> Value {
    let how = match resolved.how {
        Resolution::Redriven => "REDRIVEN",
        Resolution::Discarded => "DISCARDED",
    };
    record([
        ("dead_letter_id", Value::Uuid(resolved.dead_letter_id)),
        ("how", symbol(how, &["REDRIVEN", "DISCARDED"])),
        ("at", Value::TimestampMillis(resolved.at)),
    ])
}

pub(crate) fn line_entry(entry: &LineEntry) -> Value {
    let settings = &entry.settings;
    record([
        ("path", Value::Array(entry.path.iter().map(|node| string(node)).collect())),
        ("allowed_lateness_ms", optional(settings.allowed_lateness_ms.map(Value::Long))),
        ("events_max", optional(settings.events_max.map(|max| Value::Long(i64::from(max))))),
        ("degraded_is_down", optional(settings.degraded_is_down.map(Value::Boolean))),
        ("expect_signal_every_ms", optional(settings.expect_signal_every_ms.map(Value::Long))),
        ("is_retired", Value::Boolean(entry.is_retired)),
    ])
}

pub(crate) fn subscription(subscription: &Subscription) -> Value {
    record([
        ("subscription_id", Value::Uuid(subscription.id.0)),
        ("subscriber_id", Value::Uuid(subscription.subscriber_id.0)),
        ("node", string(&subscription.node)),
        ("notify_after_ms", Value::Long(subscription.notify_after_ms)),
        ("class", optional(subscription.class.map(downtime_class))),
        ("created_at", Value::TimestampMillis(subscription.created_at)),
    ])
}

fn downtime_class(class: DowntimeClass) -> Value {
    symbol(class.name(), &["PLANNED", "UNPLANNED"])
}

fn line_class(class: LineClass) -> Value {
    symbol(class.name(), &["UP", "IDLE", "DOWN", "UNKNOWN"])
}

fn line_status(status: LineStatus) -> Value {
    symbol(status.name(), &LineStatus::ALL.map(LineStatus::name))
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Record(fields.map(|(name, value)| (name.to_owned(), value)).into())
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn optional(value: Option<Value>) -> Value {
    match value {
        None => Value::Union(0, Box::new(Value::Null)),
        Some(value) => Value::Union(1, Box::new(value)),
    }
}

fn symbol(name: &str, symbols: &[&str]) -> Value {
    let name = name.to_uppercase();
    let index = symbols.iter().position(|symbol| **symbol == *name).unwrap();
    Value::Enum(u32::try_from(index).unwrap(), name)
}
