//! Intake: commands of the log become deliveries of the ledger, together with the position behind them.
//!
//! A command that was seen before changes nothing, and one that cannot be read is counted and passed over: it never
//! stops the others. What was read and could not be entered is kept and entered first.

use std::collections::BTreeMap;

use andon_domain::Millis;
use andon_log::{Record, RecordBatch, Topic};
use andon_schemas::decode_command;
use andon_store::{NewDelivery, Position};
use tracing::warn;

use crate::policy;

/// Deliveries and positions of one batch of records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) deliveries: Vec<NewDelivery>,
    pub(crate) positions: Vec<Position>,
    pub(crate) undecodable: u64,
    /// When the log took the newest of them.
    pub(crate) appended_at: Option<Millis>,
}

/// Makes deliveries of records.
pub(crate) fn take(batch: &RecordBatch, now: Millis, notify_max_age_ms: i64) -> Taken {
    let mut taken = Taken::default();
    let mut next_offsets = BTreeMap::new();
    for record in batch.iter() {
        next_offsets.insert(record.partition, record.offset.saturating_add(1));
        taken.appended_at = taken.appended_at.max(Some(record.appended_at));
        match delivery(&record, now, notify_max_age_ms) {
            Some(delivery) => taken.deliveries.push(delivery),
            None => taken.undecodable += 1,
        }
    }
    taken.positions = next_offsets
        .into_iter()
        .map(|(partition, offset)| Position {
            stream: Topic::NotificationCommands.name().to_owned(),
            partition,
            offset,
        })
        .collect();
    taken
}

fn delivery(record: &Record<'_>, now: Millis, notify_max_age_ms: i64) -> Option<NewDelivery> {
    let Record { partition, offset, .. } = *record;
    let Some(value) = record.value else {
        warn!(log.partition = partition, log.offset = offset, "a notification command has no value");
        return None;
    };
    match decode_command(value) {
        Ok(command) => {
            let entry = policy::enter(command.kind, command.created_at, now, notify_max_age_ms);
            Some(NewDelivery {
                id: command.notification_id,
                incident_id: command.incident_id,
                subscriber_id: command.subscriber_id,
                line_id: command.line_id,
                kind: command.kind,
                command: value.to_owned(),
                created_at: command.created_at,
                state: entry.state,
                due_at: entry.due_at,
                rule: entry.rule.to_owned(),
            })
        }
        Err(error) => {
            warn!(
                log.partition = partition,
                log.offset = offset,
                "a notification command is unreadable: {error}"
            );
            None
        }
    }
}
