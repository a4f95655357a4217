//! Arbitrary values of every type that travels.

use andon_domain::{
    Command, CommandKind, DirectoryChange, DowntimeClass, EventId, IncidentId, Interval, IntervalChange,
    Kind, LineChanged, LineClass, LineEntry, LineId, LineRow, LineSettings, LineStatus, NotificationId,
    Segment, StatusChange, SubscriberId, Subscription, SubscriptionId, text,
};
use andon_schemas::{DeadLetterResolved, EVENT_TIME_MAX, EVENT_TIME_MIN, Resolution};
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

/// A status change that owns its texts.
#[derive(Debug, Clone)]
pub(crate) struct OwnedChange {
    event_id: Uuid,
    line_id: LineId,
    event_time: i64,
    status: LineStatus,
    sequence: Option<i64>,
    reason_code: Option<String>,
    source: Option<String>,
    source_status: Option<String>,
}

impl OwnedChange {
    pub(crate) fn borrow(&self) -> StatusChange<'_> {
        StatusChange {
            event_id: EventId(self.event_id),
            line_id: self.line_id.as_str(),
            event_time: self.event_time,
            status: self.status,
            sequence: self.sequence,
            reason_code: self.reason_code.as_deref(),
            source: self.source.as_deref(),
            source_status: self.source_status.as_deref(),
        }
    }
}

pub(crate) fn status_change() -> impl Strategy<Value = OwnedChange> {
    let texts = (words(), words(), words());
    (uuid(), line(), EVENT_TIME_MIN..=EVENT_TIME_MAX, status(), option::of(number()), texts).prop_map(
        |(event_id, line_id, event_time, status, sequence, (reason_code, source, source_status))| {
            OwnedChange {
                event_id,
                line_id,
                event_time,
                status,
                sequence,
                reason_code,
                source,
                source_status,
            }
        },
    )
}

/// Numbers of every length on the wire alike.
pub(crate) fn number() -> impl Strategy<Value = i64> {
    (any::<i64>(), 0_u32..64).prop_map(|(number, shift)| number >> shift)
}

pub(crate) fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub(crate) fn line() -> impl Strategy<Value = LineId> {
    "[a-zA-Z0-9ñé .%-]{1,60}".prop_filter_map("a line id", |text| LineId::new(&text).ok())
}

pub(crate) fn status() -> impl Strategy<Value = LineStatus> {
    (0..LineStatus::ALL.len()).prop_map(|index| LineStatus::ALL[index])
}

pub(crate) fn words() -> impl Strategy<Value = Option<String>> {
    option::of("\\PC{0,40}")
}

fn segment() -> impl Strategy<Value = Segment> {
    (number(), status(), words(), words()).prop_map(|(started_at, status, reason, word)| Segment {
        started_at,
        status,
        reason_code: text(reason.as_deref()),
        source_status: text(word.as_deref()),
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    (0_u8..3).prop_map(|index| Kind::from_index(index).unwrap())
}

fn change() -> impl Strategy<Value = IntervalChange> {
    prop_oneof![
        (kind(), number()).prop_map(|(kind, started_at)| IntervalChange::Retract { kind, started_at }),
        (kind(), number(), option::of(number()), prop::collection::vec(segment(), 1..6)).prop_map(
            |(kind, started_at, ended_at, segments)| {
                IntervalChange::Upsert(Interval { kind, started_at, ended_at, segments })
            }
        ),
    ]
}

pub(crate) fn line_changed() -> impl Strategy<Value = LineChanged> {
    let class =
        (0_usize..4).prop_map(|n| [LineClass::Up, LineClass::Idle, LineClass::Down, LineClass::Unknown][n]);
    let row = (status(), class, prop::array::uniform4(number()), option::of(number()), words(), words())
        .prop_map(
            |(
                status,
                class,
                [since, first_event_at, last_event_at, last_seen_at],
                open_downtime_at,
                reason,
                word,
            )| {
                LineRow {
                    status,
                    class,
                    since,
                    first_event_at,
                    last_event_at,
                    last_seen_at,
                    open_downtime_at,
                    reason_code: text(reason.as_deref()),
                    source_status: text(word.as_deref()),
                }
            },
        );
    (line(), number(), row, prop::collection::vec((number(), change()), 0..4))
        .prop_map(|(line_id, version, row, intervals)| LineChanged { line_id, version, row, intervals })
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    let ids = (uuid(), uuid(), uuid(), uuid(), (0_u8..4).prop_map(|n| CommandKind::from_index(n).unwrap()));
    (ids, line(), prop::array::uniform4(number()), option::of(number()), status(), words(), words()).prop_map(
        |(ids, line_id, times, ended_at, status, reason, word)| Command {
            notification_id: NotificationId(ids.0),
            incident_id: IncidentId(ids.1),
            kind: ids.4,
            subscriber_id: SubscriberId(ids.2),
            subscription_id: SubscriptionId(ids.3),
            line_id,
            version: times[0],
            created_at: times[1],
            first_told_start: times[2],
            started_at: times[3],
            ended_at,
            status,
            reason_code: text(reason.as_deref()),
            source_status: text(word.as_deref()),
        },
    )
}

pub(crate) fn directory_change() -> impl Strategy<Value = DirectoryChange> {
    let settings =
        (option::of(number()), option::of(any::<u32>()), option::of(any::<bool>()), option::of(number()));
    let entry = (prop::collection::vec("[a-z]{1,9}", 0..5), settings, any::<bool>()).prop_map(
        |(path, settings, is_retired)| LineEntry {
            path,
            settings: LineSettings {
                allowed_lateness_ms: settings.0,
                events_max: settings.1,
                degraded_is_down: settings.2,
                expect_signal_every_ms: settings.3,
            },
            is_retired,
        },
    );
    let class = option::of(prop_oneof![Just(DowntimeClass::Planned), Just(DowntimeClass::Unplanned)]);
    let subscription = (uuid(), uuid(), "[a-z/]{1,30}", prop::array::uniform2(number()), class).prop_map(
        |(id, subscriber, node, [notify_after_ms, created_at], class)| Subscription {
            id: SubscriptionId(id),
            subscriber_id: SubscriberId(subscriber),
            node,
            notify_after_ms,
            class,
            created_at,
        },
    );
    prop_oneof![
        (line(), entry).prop_map(|(line, entry)| DirectoryChange::Line(line, entry)),
        line().prop_map(DirectoryChange::LineRemoved),
        subscription.prop_map(DirectoryChange::Subscription),
        uuid().prop_map(|id| DirectoryChange::SubscriptionRemoved(SubscriptionId(id))),
    ]
}

pub(crate) fn resolved() -> impl Strategy<Value = DeadLetterResolved> {
    let how = prop_oneof![Just(Resolution::Redriven), Just(Resolution::Discarded)];
    (uuid(), how, number()).prop_map(|(dead_letter_id, how, at)| DeadLetterResolved {
        dead_letter_id,
        how,
        at,
    })
}
