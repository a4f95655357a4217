//! The codecs against an Avro library that nobody here wrote, against themselves, and against garbage.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

use andon_domain::{
    Command, CommandKind, DirectoryChange, DowntimeClass, EventId, IncidentId, Interval, IntervalChange,
    Kind, LineChanged, LineClass, LineEntry, LineId, LineRow, LineSettings, LineStatus, NotificationId,
    Segment, StatusChange, SubscriberId, Subscription, SubscriptionId, text,
};
use andon_schemas::{
    DeadLetterInfo, DeadLetterReason, DeadLetterResolved, HeaderError, Resolution, SCHEMAS, SchemaId,
    dead_letter_id, decode_command, decode_dead_letter_resolved, decode_directory, decode_line_changed,
    decode_line_status_changed, decode_progress, directory_key, encode_command, encode_dead_letter_resolved,
    encode_directory, encode_line_changed, encode_line_status_changed, encode_progress,
};
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

/// Reads a framed value with the library, checks that the library would write the same bytes, and returns what it
/// read.
fn by_the_library(framed: &[u8], id: SchemaId) -> Vec<(String, Value)> {
    let schema = Schema::parse_str(id.schema().text).unwrap();
    let (frame, mut datum) = framed.split_at(5);
    assert_eq!(frame, [&[0][..], &(id as u32).to_be_bytes()].concat());
    let bytes = datum.to_vec();
    let value = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut datum).unwrap();
    assert!(datum.is_empty(), "{} bytes are left", datum.len());
    let again =
        GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(value.clone()).unwrap();
    assert_eq!(again, bytes, "the library writes something else");
    match value {
        Value::Record(fields) => fields,
        other => panic!("no record: {other:?}"),
    }
}

/// A field, without the union around it.
fn field<'a>(fields: &'a [(String, Value)], name: &str) -> &'a Value {
    match &fields.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no field {name}")).1 {
        Value::Union(_, value) => value,
        value => value,
    }
}

fn string(value: Option<&str>) -> Value {
    value.map_or(Value::Null, |text| Value::String(text.to_owned()))
}

fn time(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::TimestampMillis)
}

fn symbol(value: &Value) -> &str {
    match value {
        Value::Enum(_, symbol) => symbol,
        other => panic!("no enum: {other:?}"),
    }
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn line() -> impl Strategy<Value = LineId> {
    "[a-zA-Z0-9ñé .%-]{1,60}".prop_filter_map("a line id", |text| LineId::new(&text).ok())
}

fn status() -> impl Strategy<Value = LineStatus> {
    (0..LineStatus::ALL.len()).prop_map(|index| LineStatus::ALL[index])
}

fn words() -> impl Strategy<Value = Option<String>> {
    option::of("\\PC{0,40}")
}

fn segment() -> impl Strategy<Value = Segment> {
    (any::<i64>(), status(), words(), words()).prop_map(|(started_at, status, reason, word)| Segment {
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
        (kind(), any::<i64>()).prop_map(|(kind, started_at)| IntervalChange::Retract { kind, started_at }),
        (kind(), any::<i64>(), option::of(any::<i64>()), prop::collection::vec(segment(), 1..6)).prop_map(
            |(kind, started_at, ended_at, segments)| {
                IntervalChange::Upsert(Interval { kind, started_at, ended_at, segments })
            }
        ),
    ]
}

fn line_changed() -> impl Strategy<Value = LineChanged> {
    let class =
        (0_usize..4).prop_map(|n| [LineClass::Up, LineClass::Idle, LineClass::Down, LineClass::Unknown][n]);
    let row = (status(), class, any::<[i64; 3]>(), option::of(any::<i64>()), words(), words()).prop_map(
        |(status, class, [since, last_event_at, last_seen_at], open_downtime_at, reason, word)| LineRow {
            status,
            class,
            since,
            last_event_at,
            last_seen_at,
            open_downtime_at,
            reason_code: text(reason.as_deref()),
            source_status: text(word.as_deref()),
        },
    );
    (line(), any::<i64>(), row, prop::collection::vec((any::<i64>(), change()), 0..4))
        .prop_map(|(line_id, version, row, intervals)| LineChanged { line_id, version, row, intervals })
}

fn command() -> impl Strategy<Value = Command> {
    let ids = (uuid(), uuid(), uuid(), uuid(), (0_u8..4).prop_map(|n| CommandKind::from_index(n).unwrap()));
    (ids, line(), any::<[i64; 4]>(), option::of(any::<i64>()), status(), words(), words()).prop_map(
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

fn directory_change() -> impl Strategy<Value = DirectoryChange> {
    let settings = (
        option::of(any::<i64>()),
        option::of(any::<u32>()),
        option::of(any::<bool>()),
        option::of(any::<i64>()),
    );
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
    let subscription = (uuid(), uuid(), "[a-z/]{1,30}", any::<[i64; 2]>(), class).prop_map(
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

proptest! {
    #[test]
    fn a_status_change_is_what_the_library_reads(
        id in uuid(), line in line(), at in 0..=andon_schemas::EVENT_TIME_MAX, status in status(),
        sequence in option::of(any::<i64>()), reason in words(), source in words(), word in words(),
    ) {
        let change = StatusChange {
            event_id: EventId(id),
            line_id: line.as_str(),
            event_time: at,
            status,
            sequence,
            reason_code: reason.as_deref(),
            source: source.as_deref(),
            source_status: word.as_deref(),
        };
        let mut bytes = Vec::new();
        encode_line_status_changed(&change, &mut bytes);
        prop_assert_eq!(decode_line_status_changed(&bytes), Ok(change));
        let fields = by_the_library(&bytes, SchemaId::LineStatusChangedV1);
        prop_assert_eq!(field(&fields, "event_id"), &Value::Uuid(id));
        prop_assert_eq!(field(&fields, "line_id"), &string(Some(line.as_str())));
        prop_assert_eq!(field(&fields, "event_time"), &time(Some(at)));
        prop_assert_eq!(symbol(field(&fields, "status")), status.name());
        prop_assert_eq!(field(&fields, "sequence"), &sequence.map_or(Value::Null, Value::Long));
        prop_assert_eq!(field(&fields, "reason_code"), &string(reason.as_deref()));
        prop_assert_eq!(field(&fields, "source"), &string(source.as_deref()));
        prop_assert_eq!(field(&fields, "source_status"), &string(word.as_deref()));
    }

    #[test]
    fn a_line_change_is_what_the_library_reads(changed in line_changed()) {
        let mut bytes = Vec::new();
        encode_line_changed(&changed, &mut bytes);
        prop_assert_eq!(decode_line_changed(&bytes).unwrap(), changed.clone());
        let fields = by_the_library(&bytes, SchemaId::LineChangedV1);
        let row = &changed.row;
        prop_assert_eq!(symbol(field(&fields, "status")), row.status.name());
        prop_assert_eq!(symbol(field(&fields, "class")).to_lowercase(), row.class.name());
        prop_assert_eq!(field(&fields, "version"), &Value::Long(changed.version));
        prop_assert_eq!(field(&fields, "since"), &time(Some(row.since)));
        prop_assert_eq!(field(&fields, "last_event_at"), &time(Some(row.last_event_at)));
        prop_assert_eq!(field(&fields, "last_seen_at"), &time(Some(row.last_seen_at)));
        prop_assert_eq!(field(&fields, "open_downtime_at"), &time(row.open_downtime_at));
        let Value::Array(intervals) = field(&fields, "intervals") else { panic!("no array") };
        prop_assert_eq!(intervals.len(), changed.intervals.len());
        for (read, (version, written)) in intervals.iter().zip(&changed.intervals) {
            let Value::Record(read) = read else { panic!("no record") };
            let (started_at, kind) = written.key();
            prop_assert_eq!(symbol(field(read, "kind")).to_lowercase(), kind.name());
            prop_assert_eq!(field(read, "started_at"), &time(Some(started_at)));
            prop_assert_eq!(field(read, "version"), &Value::Long(*version));
            let is_retracted = matches!(written, IntervalChange::Retract { .. });
            prop_assert_eq!(field(read, "is_retracted"), &Value::Boolean(is_retracted));
        }
    }

    #[test]
    fn a_command_is_what_the_library_reads(command in command()) {
        let mut bytes = Vec::new();
        encode_command(&command, &mut bytes);
        prop_assert_eq!(decode_command(&bytes).unwrap(), command.clone());
        let fields = by_the_library(&bytes, SchemaId::NotificationCommandV1);
        prop_assert_eq!(symbol(field(&fields, "kind")), command.kind.name());
        prop_assert_eq!(field(&fields, "notification_id"), &Value::Uuid(command.notification_id.0));
        prop_assert_eq!(field(&fields, "incident_id"), &Value::Uuid(command.incident_id.0));
        prop_assert_eq!(field(&fields, "subscriber_id"), &Value::Uuid(command.subscriber_id.0));
        prop_assert_eq!(field(&fields, "subscription_id"), &Value::Uuid(command.subscription_id.0));
        prop_assert_eq!(field(&fields, "created_at"), &time(Some(command.created_at)));
        prop_assert_eq!(field(&fields, "first_told_start"), &time(Some(command.first_told_start)));
        prop_assert_eq!(field(&fields, "started_at"), &time(Some(command.started_at)));
        prop_assert_eq!(field(&fields, "ended_at"), &time(command.ended_at));
        prop_assert_eq!(symbol(field(&fields, "status")), command.status.name());
    }

    #[test]
    fn a_directory_record_is_what_the_library_reads(change in directory_change()) {
        let mut bytes = Vec::new();
        let has_value = encode_directory(&change, &mut bytes);
        let value = has_value.then_some(bytes.as_slice());
        prop_assert_eq!(decode_directory(&directory_key(&change), value).unwrap(), change.clone());
        match &change {
            DirectoryChange::Line(_, entry) => {
                let fields = by_the_library(&bytes, SchemaId::LineEntryV1);
                let path = entry.path.iter().map(|node| string(Some(node))).collect();
                prop_assert_eq!(field(&fields, "path"), &Value::Array(path));
                let lateness = entry.settings.allowed_lateness_ms.map_or(Value::Null, Value::Long);
                prop_assert_eq!(field(&fields, "allowed_lateness_ms"), &lateness);
                let expect = entry.settings.expect_signal_every_ms.map_or(Value::Null, Value::Long);
                prop_assert_eq!(field(&fields, "expect_signal_every_ms"), &expect);
                let degraded = entry.settings.degraded_is_down.map_or(Value::Null, Value::Boolean);
                prop_assert_eq!(field(&fields, "degraded_is_down"), &degraded);
                prop_assert_eq!(field(&fields, "is_retired"), &Value::Boolean(entry.is_retired));
            }
            DirectoryChange::Subscription(subscription) => {
                let fields = by_the_library(&bytes, SchemaId::SubscriptionV1);
                prop_assert_eq!(field(&fields, "subscription_id"), &Value::Uuid(subscription.id.0));
                prop_assert_eq!(field(&fields, "subscriber_id"), &Value::Uuid(subscription.subscriber_id.0));
                prop_assert_eq!(field(&fields, "node"), &string(Some(&subscription.node)));
                prop_assert_eq!(field(&fields, "notify_after_ms"), &Value::Long(subscription.notify_after_ms));
                prop_assert_eq!(field(&fields, "created_at"), &time(Some(subscription.created_at)));
                match subscription.class {
                    None => prop_assert_eq!(field(&fields, "class"), &Value::Null),
                    Some(class) => {
                        prop_assert_eq!(symbol(field(&fields, "class")).to_lowercase(), class.name());
                    }
                }
            }
            DirectoryChange::LineRemoved(_) | DirectoryChange::SubscriptionRemoved(_) => {
                prop_assert!(!has_value);
            }
        }
    }

    #[test]
    fn small_records_are_what_the_library_reads(id in uuid(), at in any::<i64>(), is_redriven in any::<bool>()) {
        let mut bytes = Vec::new();
        encode_progress(at, &mut bytes);
        prop_assert_eq!(decode_progress(&bytes), Ok(at));
        let fields = by_the_library(&bytes, SchemaId::ProgressV1);
        prop_assert_eq!(field(&fields, "log_time"), &time(Some(at)));

        let how = if is_redriven { Resolution::Redriven } else { Resolution::Discarded };
        let resolved = DeadLetterResolved { dead_letter_id: id, how, at };
        let mut bytes = Vec::new();
        encode_dead_letter_resolved(&resolved, &mut bytes);
        prop_assert_eq!(decode_dead_letter_resolved(&bytes), Ok(resolved));
        let fields = by_the_library(&bytes, SchemaId::DeadLetterResolvedV1);
        prop_assert_eq!(field(&fields, "dead_letter_id"), &Value::Uuid(id));
        prop_assert_eq!(symbol(field(&fields, "how")), if is_redriven { "REDRIVEN" } else { "DISCARDED" });
        prop_assert_eq!(field(&fields, "at"), &time(Some(at)));
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), id in 0_u32..9) {
        for value in [bytes.clone(), [&[0][..], &id.to_be_bytes(), &bytes].concat()] {
            let mut read = usize::from(decode_line_status_changed(&value).is_ok());
            read += usize::from(decode_line_changed(&value).is_ok());
            read += usize::from(decode_command(&value).is_ok());
            read += usize::from(decode_progress(&value).is_ok());
            read += usize::from(decode_dead_letter_resolved(&value).is_ok());
            read += usize::from(decode_directory(&bytes, Some(&value)).is_ok());
            read += usize::from(decode_directory(b"line/a", Some(&value)).is_ok());
            let key = b"subscription/00000000-0000-0000-0000-000000000000";
            read += usize::from(decode_directory(key, Some(&value)).is_ok());
            // Each value names one schema, so that one codec at most takes it.
            prop_assert!(read <= 1);
        }
    }

    #[test]
    fn a_cut_or_changed_value_never_panics_and_a_cut_one_is_never_read(
        changed in line_changed(), command in command(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let (mut line, mut tell) = (Vec::new(), Vec::new());
        encode_line_changed(&changed, &mut line);
        encode_command(&command, &mut tell);
        let (in_line, in_tell) = (at.index(line.len()), at.index(tell.len()));
        prop_assert!(decode_line_changed(&line[..in_line]).is_err());
        prop_assert!(decode_command(&tell[..in_tell]).is_err());
        line[in_line] = byte;
        tell[in_tell] = byte;
        drop(decode_line_changed(&line));
        drop(decode_command(&tell));
    }
}

#[test]
fn every_schema_parses_has_its_number_and_did_not_change() {
    // A released schema never changes: the fingerprint of its text is fixed here. A new version is a new file.
    let released: [(&str, u64); 7] = [
        ("line-status-changed.v1", 0x8fa3_5e8e_45b9_68d6),
        ("line-changed.v1", 0x9c54_d73d_db94_cc65),
        ("progress.v1", 0xc566_c18c_61eb_28f3),
        ("notification-command.v1", 0x3269_09d4_fea7_45e8),
        ("dead-letter-resolved.v1", 0xb2bb_fe0e_98b4_b79a),
        ("line-entry.v1", 0x31fc_a1b1_422e_12e2),
        ("subscription.v1", 0xc66f_105d_8f98_ab2f),
    ];
    for (number, (schema, (name, fingerprint))) in SCHEMAS.iter().zip(released).enumerate() {
        Schema::parse_str(schema.text).unwrap();
        assert_eq!(schema.id as usize, number + 1, "{name}");
        assert_eq!(schema.name, name);
        assert_eq!(schema.id.schema(), schema);
        let hash = schema.text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        assert_eq!(hash, fingerprint, "{name} is released: write a new version instead; {hash:#x}");
    }
}

#[test]
fn the_headers_of_a_dead_letter_say_all_of_it_and_the_last_ones_count() {
    let info = DeadLetterInfo {
        reason: DeadLetterReason::TooLate,
        topic: "andon.line-status".to_owned(),
        partition: 3,
        offset: 77,
        timestamp: 1_767_592_800_000,
        group: "andon-processor".to_owned(),
        app_version: "0.1.0".to_owned(),
        error: "event time 5 is at or before the watermark 9".to_owned(),
    };
    let owned = info.to_headers();
    let mut headers: Vec<(&str, &[u8])> =
        vec![("x-dlq-reason", b"DECODE"), ("x-dlq-offset", b"1"), ("trace", b"\xff\x00")];
    headers.extend(owned.iter().map(|(name, value)| (*name, value.as_bytes())));
    assert_eq!(DeadLetterInfo::from_headers(&headers), Ok(info.clone()));
    let connect: Vec<_> = owned.iter().filter(|(name, _)| name.starts_with("__connect.errors.")).collect();
    assert_eq!(connect.len(), 4);

    let without: Vec<(&str, &[u8])> =
        headers.iter().copied().filter(|(name, _)| *name != "x-dlq-group").collect();
    assert_eq!(DeadLetterInfo::from_headers(&without), Err(HeaderError::Missing { name: "x-dlq-group" }));
    headers.push(("x-dlq-partition", b"many"));
    let wrong = HeaderError::Value { name: "x-dlq-partition", got: "many".to_owned() };
    assert_eq!(DeadLetterInfo::from_headers(&headers), Err(wrong));
}

#[test]
fn dead_letters_that_differ_in_anything_have_different_ids() {
    use DeadLetterReason::{Decode, TooLate};
    let ids = [
        dead_letter_id(Decode, b"ab", Some(b"c")),
        dead_letter_id(Decode, b"a", Some(b"bc")),
        dead_letter_id(Decode, b"abc", Some(b"")),
        dead_letter_id(Decode, b"abc", None),
        dead_letter_id(TooLate, b"ab", Some(b"c")),
    ];
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
    assert_eq!(dead_letter_id(Decode, b"ab", Some(b"c")), ids[0]);
}
