//! One value of each type that travels, with everything in it.

use andon_domain::{
    Command, CommandKind, DowntimeClass, EventId, IncidentId, Interval, IntervalChange, Kind, LineChanged,
    LineClass, LineEntry, LineId, LineRow, LineSettings, LineStatus, NotificationId, Segment, StatusChange,
    SubscriberId, Subscription, SubscriptionId, text,
};
use andon_schemas::{DeadLetterResolved, Resolution};
use uuid::Uuid;

/// 2022-03-25T15:31:00Z
pub(crate) const AT: i64 = 1_648_222_260_000;

/// A UUID of one digit.
pub(crate) const fn uuid(digit: u8) -> Uuid {
    Uuid::from_bytes([digit << 4 | digit; 16])
}

pub(crate) fn line() -> LineId {
    LineId::new("press-1").unwrap()
}

pub(crate) fn status_change() -> StatusChange<'static> {
    StatusChange {
        event_id: EventId(Uuid::from_u128(0x79ab_a591_320e_5dae_9dbe_a818_c781_24e6)),
        line_id: "press-1",
        event_time: AT,
        status: LineStatus::Faulted,
        sequence: Some(-7),
        reason_code: Some("E-12"),
        source: Some("plc"),
        source_status: Some("Aborted"),
    }
}

pub(crate) fn segment() -> Segment {
    Segment {
        started_at: AT,
        status: LineStatus::Blocked,
        reason_code: text(Some("jam")),
        source_status: text(Some("Held")),
    }
}

pub(crate) fn line_changed() -> LineChanged {
    let interval =
        Interval { kind: Kind::Down, started_at: AT, ended_at: Some(AT + 1), segments: vec![segment()] };
    LineChanged {
        line_id: line(),
        version: 3,
        row: LineRow {
            status: LineStatus::Running,
            class: LineClass::Up,
            since: AT + 1,
            first_event_at: AT - 1,
            last_event_at: AT + 2,
            last_seen_at: AT + 3,
            open_downtime_at: Some(AT + 4),
            reason_code: text(Some("a")),
            source_status: text(Some("b")),
        },
        intervals: vec![
            (1, IntervalChange::Upsert(interval)),
            (2, IntervalChange::Retract { kind: Kind::Unknown, started_at: AT + 1 }),
        ],
    }
}

pub(crate) fn command() -> Command {
    Command {
        notification_id: NotificationId(uuid(1)),
        incident_id: IncidentId(uuid(2)),
        kind: CommandKind::Restored,
        subscriber_id: SubscriberId(uuid(3)),
        subscription_id: SubscriptionId(uuid(4)),
        line_id: line(),
        version: 9,
        created_at: AT,
        first_told_start: AT + 1,
        started_at: AT + 2,
        ended_at: Some(AT + 3),
        status: LineStatus::Changeover,
        reason_code: text(Some("a")),
        source_status: text(Some("b")),
    }
}

pub(crate) fn resolved() -> DeadLetterResolved {
    DeadLetterResolved { dead_letter_id: uuid(10), how: Resolution::Discarded, at: AT }
}

pub(crate) fn line_entry() -> LineEntry {
    LineEntry {
        path: vec!["hall".to_owned(), "press-1".to_owned()],
        settings: LineSettings {
            allowed_lateness_ms: Some(86_400_000),
            events_max: Some(u32::MAX),
            degraded_is_down: Some(true),
            expect_signal_every_ms: Some(60_000),
        },
        is_retired: true,
    }
}

pub(crate) fn subscription() -> Subscription {
    Subscription {
        id: SubscriptionId(uuid(11)),
        subscriber_id: SubscriberId(uuid(12)),
        node: "hall/press-1".to_owned(),
        notify_after_ms: 300_000,
        class: Some(DowntimeClass::Unplanned),
        created_at: AT,
    }
}
