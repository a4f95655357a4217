//! The headers of dead letters, and their ids.

use andon_schemas::{DeadLetterInfo, DeadLetterReason, HeaderError, REDRIVE_HEADER, dead_letter_id};

fn info() -> DeadLetterInfo {
    DeadLetterInfo {
        reason: DeadLetterReason::TooLate,
        topic: "andon.line-status".to_owned(),
        partition: 3,
        offset: 77,
        timestamp: 1_767_592_800_000,
        group: "andon-processor".to_owned(),
        app_version: "0.1.0".to_owned(),
        error: "event time 5 is at or before the watermark 9".to_owned(),
    }
}

#[test]
fn the_headers_of_a_dead_letter_say_all_of_it_and_the_last_ones_count() {
    let info = info();
    let owned = info.to_headers();
    let mut headers: Vec<(&str, &[u8])> =
        vec![("x-dlq-reason", b"DECODE"), ("x-dlq-offset", b"1"), ("trace", b"\xff\x00")];
    headers.extend(owned.iter().map(|(name, value)| (*name, value.as_bytes())));
    assert_eq!(DeadLetterInfo::from_headers(&headers), Ok(info.clone()));

    let without: Vec<(&str, &[u8])> =
        headers.iter().copied().filter(|(name, _)| *name != "x-dlq-group").collect();
    assert_eq!(DeadLetterInfo::from_headers(&without), Err(HeaderError::Missing { name: "x-dlq-group" }));
    headers.push(("x-dlq-partition", b"many"));
    let wrong = HeaderError::Value { name: "x-dlq-partition", got: "many".to_owned() };
    assert_eq!(DeadLetterInfo::from_headers(&headers), Err(wrong));
    let late = ["too\nlate", &"x".repeat(200)].concat();
    headers.push(("x-dlq-reason", late.as_bytes()));
    let shown = format!("header `x-dlq-reason` is `too\\nlate{}`", "x".repeat(92));
    assert_eq!(DeadLetterInfo::from_headers(&headers).unwrap_err().to_string(), shown);
}

#[test]
fn the_headers_have_the_names_that_tools_know() {
    let names = info().to_headers().into_iter().map(|(name, value)| format!("{name}: {value}"));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "x-dlq-reason: TOO_LATE",
            "x-dlq-topic: andon.line-status",
            "x-dlq-partition: 3",
            "x-dlq-offset: 77",
            "x-dlq-timestamp: 1767592800000",
            "x-dlq-group: andon-processor",
            "x-dlq-app-version: 0.1.0",
            "x-dlq-error: event time 5 is at or before the watermark 9",
            "__connect.errors.topic: andon.line-status",
            "__connect.errors.partition: 3",
            "__connect.errors.offset: 77",
            "__connect.errors.exception.message: event time 5 is at or before the watermark 9",
        ]
    );
    assert_eq!(REDRIVE_HEADER, "x-redrive");
}

#[test]
fn every_reason_has_a_name_of_its_own_and_is_found_by_it() {
    for reason in DeadLetterReason::ALL {
        assert_eq!(DeadLetterReason::from_name(reason.name()), Some(reason));
    }
    assert_eq!(DeadLetterReason::from_name("late"), None);
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
    // The rows of old dead letters are found by it.
    assert_eq!(ids[0].to_string(), "567f7443-d863-569d-beab-3f9d6fc88a6f");
}
