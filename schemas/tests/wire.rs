//! The bytes on the wire, and what is said of wrong ones.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

use andon_domain::{EventId, LineStatus, StatusChange};
use andon_schemas::{
    DeadLetterReason, DecodeError, Fault, SchemaId, decode_line_status_changed, encode_line_status_changed,
    encode_progress,
};
use uuid::Uuid;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn full() -> StatusChange<'static> {
    StatusChange {
        event_id: EventId(Uuid::from_u128(0x79ab_a591_320e_5dae_9dbe_a818_c781_24e6)),
        line_id: "press-1",
        event_time: 1_648_222_260_000,
        status: LineStatus::Faulted,
        sequence: Some(-7),
        reason_code: Some("E-12"),
        source: Some("plc"),
        source_status: Some("Aborted"),
    }
}

fn encoded(change: &StatusChange<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_line_status_changed(change, &mut bytes);
    bytes
}

#[test]
fn the_bytes_of_a_status_change_are_these() {
    let id = "37396162613539312d333230652d356461652d396462652d613831386337383132346536";
    assert_eq!(
        hex(&encoded(&full())),
        format!("000000000148{id}0e70726573732d31c0ac9e9bf85f0a020d0208452d31320206706c63020e41626f72746564"),
    );
    let small =
        StatusChange { sequence: None, reason_code: None, source: None, source_status: None, ..full() };
    assert_eq!(hex(&encoded(&small)), format!("000000000148{id}0e70726573732d31c0ac9e9bf85f0a00000000"));
}

#[test]
fn the_bytes_of_progress_are_these() {
    let mut bytes = Vec::new();
    encode_progress(1_648_222_260_000, &mut bytes);
    assert_eq!(hex(&bytes), "0000000003c0ac9e9bf85f");
}

/// A full status change with one byte changed; counted from the frame on.
fn with(at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = encoded(&full());
    bytes[at] = byte;
    bytes
}

#[test]
fn each_kind_of_wrong_value_is_told_from_the_others() {
    let field = |field: &'static str, fault: Fault| DecodeError::Field { field, fault };
    let long = "x".repeat(4_097);
    let id_long = "x".repeat(201);
    let table: Vec<(&str, Vec<u8>, DecodeError, DeadLetterReason)> = vec![
        ("nothing", vec![], DecodeError::Short { bytes: 0 }, DeadLetterReason::Decode),
        ("half a frame", vec![0, 0, 0], DecodeError::Short { bytes: 3 }, DeadLetterReason::Decode),
        ("JSON", b"{\"line\": 1}".to_vec(), DecodeError::NotFramed { first: b'{' }, DeadLetterReason::Decode),
        (
            "unknown schema",
            with(4, 99),
            DecodeError::UnknownSchema { id: 99 },
            DeadLetterReason::SchemaUnknown,
        ),
        (
            "another schema",
            with(4, 3),
            DecodeError::OtherSchema { found: SchemaId::ProgressV1, needed: SchemaId::LineStatusChangedV1 },
            DeadLetterReason::Decode,
        ),
        ("a frame alone", vec![0, 0, 0, 0, 1], field("event_id", Fault::Truncated), DeadLetterReason::Decode),
        ("an upper-case uuid", with(8, b'A'), field("event_id", Fault::Uuid), DeadLetterReason::Decode),
        ("a uuid without a hyphen", with(14, b'0'), field("event_id", Fault::Uuid), DeadLetterReason::Decode),
        (
            "a negative length",
            with(5, 1),
            field("event_id", Fault::Length { got: -1 }),
            DeadLetterReason::Decode,
        ),
        ("a line id with a slash", with(43, b'/'), field("line_id", Fault::LineId), DeadLetterReason::Decode),
        ("a line id of no UTF-8", with(43, 0xff), field("line_id", Fault::Utf8), DeadLetterReason::Decode),
        (
            "a line id that is too long",
            encoded(&StatusChange { line_id: &id_long, ..full() }),
            field("line_id", Fault::TooLong { got: 201, limit: 200 }),
            DeadLetterReason::Oversize,
        ),
        (
            "no line id",
            encoded(&StatusChange { line_id: "", ..full() }),
            field("line_id", Fault::LineId),
            DeadLetterReason::Decode,
        ),
        (
            "before 1970",
            encoded(&StatusChange { event_time: -1, ..full() }),
            field("event_time", Fault::Time { got: -1 }),
            DeadLetterReason::Decode,
        ),
        (
            "after 9999",
            encoded(&StatusChange { event_time: 253_402_300_800_000, ..full() }),
            field("event_time", Fault::Time { got: 253_402_300_800_000 }),
            DeadLetterReason::Decode,
        ),
        (
            "an unknown status",
            with(56, 22),
            field("status", Fault::Symbol { got: 11 }),
            DeadLetterReason::Decode,
        ),
        (
            "a negative status",
            with(56, 1),
            field("status", Fault::Symbol { got: -1 }),
            DeadLetterReason::Decode,
        ),
        (
            "no such branch",
            with(57, 4),
            field("sequence", Fault::Branch { got: 2 }),
            DeadLetterReason::Decode,
        ),
        (
            "a reason that is too long",
            encoded(&StatusChange { reason_code: Some(&long), ..full() }),
            field("reason_code", Fault::TooLong { got: 4_097, limit: 4_096 }),
            DeadLetterReason::Oversize,
        ),
        (
            "something behind it",
            [encoded(&full()), vec![0, 0]].concat(),
            field("the datum", Fault::Trailing { got: 2 }),
            DeadLetterReason::Decode,
        ),
        (
            "a number without an end",
            [&encoded(&full())[..50], &[0xff; 12][..]].concat(),
            field("event_time", Fault::Varint),
            DeadLetterReason::Decode,
        ),
    ];
    for (what, bytes, error, reason) in table {
        assert_eq!(decode_line_status_changed(&bytes), Err(error), "{what}");
        assert_eq!(error.reason(), reason, "{what}");
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn a_status_change_cut_anywhere_is_refused() {
    let bytes = encoded(&full());
    for end in 0..bytes.len() {
        assert!(decode_line_status_changed(&bytes[..end]).is_err(), "{end}");
    }
    assert_eq!(decode_line_status_changed(&bytes), Ok(full()));
}
