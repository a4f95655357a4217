//! Every kind of bad record that reaches the log by other ways than HTTP, or is good in form and makes no sense to the
//! fold: it becomes a dead letter with its reason, nothing stops, and nothing else is lost. The third table of
//! `docs/bad-input.md` is this one.

use andon_domain::{EventId, LineStatus, StatusChange};
use andon_log::{Appender, Outputs, Topic};
use andon_schemas::encode_line_status_changed;
use uuid::Uuid;

use crate::support::Fixture;

/// What arrives: the key, the value, and the dead letter's reason; none: it is taken.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    pub(crate) reason: Option<&'static str>,
}

const MINUTE: i64 = 60_000;

fn change(line_id: &str, event_time: i64) -> StatusChange<'_> {
    StatusChange {
        event_id: EventId(Uuid::from_u128(event_time.unsigned_abs().into())),
        line_id,
        event_time,
        status: LineStatus::Stopped,
        sequence: None,
        reason_code: None,
        source: None,
        source_status: None,
    }
}

fn encoded(change: &StatusChange<'_>) -> Vec<u8> {
    let mut value = Vec::new();
    encode_line_status_changed(change, &mut value);
    value
}

/// The rows, as of a wall time. Line `a` is registered, and its newest event is of that time.
pub(crate) fn rows(now: i64) -> Vec<Row> {
    let row = |what, key: &str, value: Option<Vec<u8>>, reason| Row {
        what,
        key: key.as_bytes().to_vec(),
        value,
        reason: Some(reason),
    };
    let good = || encoded(&change("a", now - MINUTE));
    let with_id = |id: [u8; 4]| [&[0], id.as_slice(), &good()[5..]].concat();
    let long = "x".repeat(5_000);
    let in_whole = good().len();
    vec![
        row("no value", "a", None, "DECODE"),
        row("an empty value", "a", Some(vec![]), "DECODE"),
        row("not Avro: a word", "a", Some(b"STOPPED".to_vec()), "DECODE"),
        row("not Avro: JSON", "a", Some(br#"{"line_id":"a","status":"STOPPED"}"#.to_vec()), "DECODE"),
        row("Avro without the frame", "a", Some(good()[5..].to_vec()), "DECODE"),
        row("Avro cut short by a byte", "a", Some(good()[..in_whole - 1].to_vec()), "DECODE"),
        row("Avro cut short to its frame", "a", Some(good()[..5].to_vec()), "DECODE"),
        row("a byte behind the Avro", "a", Some([good(), vec![0]].concat()), "DECODE"),
        row("an unknown schema id", "a", Some(with_id([0, 0, 0x30, 0x39])), "SCHEMA_UNKNOWN"),
        row("a schema id of another topic", "a", Some(with_id([0, 0, 0, 2])), "DECODE"),
        row("100 kB of zeros", "a", Some(vec![0; 100_000]), "OVERSIZE"),
        row("a wrong key", "b", Some(good()), "KEY_MISMATCH"),
        row("an empty key", "", Some(good()), "KEY_MISMATCH"),
        Row {
            what: "a key that is no UTF-8",
            key: vec![0xff, 0xfe],
            value: Some(good()),
            reason: Some("KEY_MISMATCH"),
        },
        row("a line with a slash", "a/b", Some(encoded(&change("a/b", now))), "DECODE"),
        row("an empty line", "", Some(encoded(&change("", now))), "DECODE"),
        row("a line of 5,000 bytes", &long, Some(encoded(&change(&long, now))), "OVERSIZE"),
        row(
            "a reason of 5,000 bytes",
            "a",
            Some(encoded(&StatusChange { reason_code: Some(&long), ..change("a", now) })),
            "OVERSIZE",
        ),
        row("a negative time", "a", Some(encoded(&change("a", -1))), "DECODE"),
        row("a time after 9999", "a", Some(encoded(&change("a", i64::MAX))), "DECODE"),
        row("the year 9999", "a", Some(encoded(&change("a", 253_370_764_800_000))), "FUTURE_TIMESTAMP"),
        row("an hour in the future", "a", Some(encoded(&change("a", now + 60 * MINUTE))), "FUTURE_TIMESTAMP"),
        row("an hour late", "a", Some(encoded(&change("a", now - 60 * MINUTE))), "TOO_LATE"),
        row("the first day of 1970", "a", Some(encoded(&change("a", 0))), "TOO_LATE"),
        row(
            "a line that is not registered, where it must be",
            "z",
            Some(encoded(&change("z", now))),
            "UNKNOWN_LINE",
        ),
        Row {
            what: "the same event twice",
            key: b"a".to_vec(),
            value: Some(encoded(&change("a", now))),
            reason: None,
        },
        Row {
            what: "the id of another event, with other content",
            key: b"a".to_vec(),
            value: Some(encoded(&StatusChange {
                event_id: change("a", now).event_id,
                ..change("a", now - 2 * MINUTE)
            })),
            reason: None,
        },
    ]
}

#[test]
fn each_bad_record_becomes_a_dead_letter_and_nothing_else_is_lost() {
    let plant = Fixture::new();
    let now = jiff::Timestamp::now().as_millisecond();
    let rows = rows(now);
    let names: Vec<String> = (0..rows.len()).map(|number| format!("after-{number}")).collect();
    plant.register(&["a"], &[]);
    plant.register(&names.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let send = |key: &[u8], value: Option<&[u8]>| {
        let mut records = Outputs::default();
        records.push(Topic::LineStatus, 0, key, value);
        plant.log.appender().append(&records).unwrap();
    };
    send(b"a", Some(&encoded(&change("a", now))));
    // Behind each bad record comes a good one of a line of its own.
    for (row, name) in rows.iter().zip(&names) {
        send(&row.key, row.value.as_deref());
        send(name.as_bytes(), Some(&encoded(&change(name, now))));
    }
    plant.report(&[]);
    for name in &names {
        assert_eq!(plant.get(&format!("/v1/lines/{name}")).json()["status"], "STOPPED", "{name}");
    }
    let bad: Vec<&Row> = rows.iter().filter(|row| row.reason.is_some()).collect();
    plant.until("the dead letters", || {
        plant.walk("/v1/dead-letters?redundant=true", 1_000).len() >= bad.len()
    });
    let mut found: Vec<String> = plant
        .walk("/v1/dead-letters?redundant=true", 1_000)
        .iter()
        .map(|letter| letter["reason"].as_str().unwrap().to_owned())
        .collect();
    let mut wanted: Vec<&str> = bad.iter().filter_map(|row| row.reason).collect();
    found.sort();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "one each, and none for what is taken");
    for row in bad {
        let Ok(key) = std::str::from_utf8(&row.key) else { continue };
        let path = format!("/v1/dead-letters?redundant=true&reason={}", row.reason.unwrap());
        let of_key = plant.walk(&path, 1_000).into_iter().any(|letter| letter["key"] == key);
        assert!(of_key, "{}: no {:?} of key `{key}`", row.what, row.reason);
    }
    // Both events of one id are in the timeline: neither hides the other.
    let runs = plant.walk("/v1/lines/a/downtime", 9);
    let began = jiff::Timestamp::from_millisecond(now - 2 * MINUTE).unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["started_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap(), began);
}
