//! Status changes that are refused: what is said of each, and under which reason it becomes a dead letter.

use andon_domain::StatusChange;
use andon_schemas::{EVENT_TIME_MAX, TEXT_BYTES_MAX, decode_line_status_changed, encode_line_status_changed};

use crate::{encoded, samples};

fn whole() -> Vec<u8> {
    encoded(encode_line_status_changed, &samples::status_change())
}

/// The sample with one byte changed.
fn with(at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = whole();
    bytes[at] = byte;
    bytes
}

/// The sample with something changed by `edit`.
fn edited<'a>(edit: impl FnOnce(&mut StatusChange<'a>)) -> Vec<u8> {
    let mut change = samples::status_change();
    edit(&mut change);
    encoded(encode_line_status_changed, &change)
}

/// The sample up to a byte, and then these.
fn up_to(end: usize, then: &[u8]) -> Vec<u8> {
    [&whole()[..end], then].concat()
}

/// The sample with another text as its `event_id`.
fn with_id(id: &str) -> Vec<u8> {
    let length = u8::try_from(id.len() * 2).unwrap();
    [&[0, 0, 0, 0, 1, length][..], id.as_bytes(), &whole()[42..]].concat()
}

#[test]
fn each_kind_of_wrong_value_is_told_from_the_others() {
    let (id, text) = (format!("{}x", "ñ".repeat(100)), "x".repeat(4_097));
    let uuid =
        "DECODE: field `event_id`: the text is no UUID in its canonical form (36 characters, lower case)";
    let line_id = "DECODE: field `line_id`: the text is not a line id: it needs 1 to 200 bytes in NFC, without \
                   control characters and `/`";
    let table = [
        (vec![], "DECODE: the value has 0 bytes, framing and schema id alone take 5"),
        (vec![0, 0, 0, 0], "DECODE: the value has 4 bytes, framing and schema id alone take 5"),
        (
            b"{\"line\"}".to_vec(),
            "DECODE: the value is not framed: it begins with byte 0x7b, 0x00 and a schema id are needed",
        ),
        (with(1, 1), "SCHEMA_UNKNOWN: schema id 16777217 is not known"),
        (with(4, 0), "SCHEMA_UNKNOWN: schema id 0 is not known"),
        (with(4, 8), "SCHEMA_UNKNOWN: schema id 8 is not known"),
        (with(4, 3), "DECODE: the value has schema `progress.v1`, `line-status-changed.v1` is needed"),
        // event_id
        (up_to(5, &[]), "DECODE: field `event_id`: the value ends too early"),
        (up_to(41, &[]), "DECODE: field `event_id`: the value ends too early"),
        (with(5, 1), "DECODE: field `event_id`: length -1 is below 0"),
        (with(9, b'A'), uuid),
        (with(9, 0xff), uuid),
        (with(14, b'0'), uuid),
        (with(15, b'-'), uuid),
        (with_id("79aba591320e5dae9dbea818c78124e6"), uuid),
        (with_id("{79aba591-320e-5dae-9dbe-a818c78124e6}"), uuid),
        (with_id(""), uuid),
        // line_id
        (with(43, b'/'), line_id),
        (with(43, b'\n'), line_id),
        (edited(|change| change.line_id = ""), line_id),
        (edited(|change| change.line_id = "e\u{301}"), line_id),
        (with(43, 0xff), "DECODE: field `line_id`: the text is not UTF-8"),
        (
            edited(|change| change.line_id = &id),
            "OVERSIZE: field `line_id`: length 201 is above the limit of 200",
        ),
        (
            up_to(42, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            "OVERSIZE: field `line_id`: length 9223372036854775807 is above the limit of 200",
        ),
        // event_time
        (
            edited(|change| change.event_time = -1),
            "DECODE: field `event_time`: time -1 is not between the years 1970 and 9999",
        ),
        (
            edited(|change| change.event_time = EVENT_TIME_MAX + 1),
            "DECODE: field `event_time`: time 253402300800000 is not between the years 1970 and 9999",
        ),
        (up_to(50, &[0xff; 9]), "DECODE: field `event_time`: the value ends too early"),
        (up_to(50, &[0xff; 10]), "DECODE: field `event_time`: a number has more than 64 bits"),
        (
            up_to(50, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]),
            "DECODE: field `event_time`: a number has more than 64 bits",
        ),
        (
            up_to(50, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            "DECODE: field `event_time`: time -9223372036854775808 is not between the years 1970 and 9999",
        ),
        // status and what may be missing
        (with(56, 22), "DECODE: field `status`: the enum has no symbol 11"),
        (with(56, 1), "DECODE: field `status`: the enum has no symbol -1"),
        (with(57, 4), "DECODE: field `sequence`: the union has no branch 2"),
        (with(59, 3), "DECODE: field `reason_code`: the union has no branch -2"),
        (
            edited(|change| change.reason_code = Some(&text)),
            "OVERSIZE: field `reason_code`: length 4097 is above the limit of 4096",
        ),
        (
            edited(|change| change.source = Some(&text)),
            "OVERSIZE: field `source`: length 4097 is above the limit of 4096",
        ),
        (
            edited(|change| change.source_status = Some(&text)),
            "OVERSIZE: field `source_status`: length 4097 is above the limit of 4096",
        ),
        (up_to(59, &[]), "DECODE: field `reason_code`: the value ends too early"),
        (up_to(79, &[0, 0]), "DECODE: field `the datum`: 2 bytes follow the last field"),
    ];
    for (bytes, expected) in table {
        let error = decode_line_status_changed(&bytes).expect_err(expected);
        assert_eq!(format!("{}: {error}", error.reason().name()), expected);
    }
}

#[test]
fn what_is_just_within_the_limits_is_taken() {
    let (id, text) = ("x".repeat(200), "x".repeat(TEXT_BYTES_MAX));
    for event_time in [0, EVENT_TIME_MAX] {
        let change = StatusChange {
            line_id: &id,
            event_time,
            sequence: Some(i64::MIN),
            reason_code: Some(&text),
            source: Some(&text),
            source_status: Some(""),
            ..samples::status_change()
        };
        assert_eq!(decode_line_status_changed(&encoded(encode_line_status_changed, &change)), Ok(change));
    }
}
