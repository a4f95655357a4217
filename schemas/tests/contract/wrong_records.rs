//! Records of our own that are refused: they can only come from another program, and then they are told from ours.

use andon_domain::{Command, Interval, IntervalChange, LineChanged, text};
use andon_schemas::{
    decode_command, decode_dead_letter_resolved, decode_line_changed, decode_progress, encode_command,
    encode_dead_letter_resolved, encode_line_changed, encode_progress,
};

use crate::{encoded, samples};

fn progress() -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_progress(samples::AT, &mut bytes);
    bytes
}

/// A line change without intervals.
fn bare() -> LineChanged {
    LineChanged { intervals: Vec::new(), ..samples::line_changed() }
}

/// `bare` with these bytes in place of its intervals.
fn with_intervals(array: &[u8]) -> Vec<u8> {
    let bytes = encoded(encode_line_changed, &bare());
    [&bytes[..bytes.len() - 1], array].concat()
}

fn with(mut bytes: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    bytes[at] = byte;
    bytes
}

#[test]
fn a_wrong_line_change_says_what_is_wrong() {
    let long = text(Some(&"x".repeat(4_097)));
    let segments = vec![samples::segment(); Interval::SEGMENTS_MAX + 1];
    let IntervalChange::Upsert(interval) = samples::line_changed().intervals[0].1.clone() else { panic!() };
    let many = LineChanged {
        intervals: vec![(1, IntervalChange::Upsert(Interval { segments, ..interval }))],
        ..bare()
    };
    let mut wordy = bare();
    wordy.row.source_status = long;
    let whole = || encoded(encode_line_changed, &bare());
    let table = [
        (progress(), "the value has schema `progress.v1`, `line-changed.v1` is needed"),
        (whole()[..13].to_vec(), "field `version`: the value ends too early"),
        (with(whole(), 14, 22), "field `status`: the enum has no symbol 11"),
        (with(whole(), 15, 8), "field `class`: the enum has no symbol 4"),
        (
            encoded(encode_line_changed, &wordy),
            "field `source_status`: length 4097 is above the limit of 4096",
        ),
        (with_intervals(&[]), "field `intervals`: the value ends too early"),
        (with_intervals(&[2, 6]), "field `intervals.kind`: the enum has no symbol 3"),
        (with_intervals(&[2, 0, 0, 0, 0, 2]), "field `intervals.is_retracted`: byte 2 is no boolean"),
        (
            with_intervals(&[0x82, 0x89, 0x7a]),
            "field `intervals`: length 1000001 is above the limit of 1000000",
        ),
        (
            with_intervals(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0]),
            "field `intervals`: length 9223372036854775808 is above the limit of 1000000",
        ),
        (with_intervals(&[2, 0, 0, 0, 0, 0, 2, 0, 22]), "field `segments.status`: the enum has no symbol 11"),
        (
            encoded(encode_line_changed, &many),
            "field `intervals.segments`: length 257 is above the limit of 256",
        ),
        (with_intervals(&[0, 0]), "field `the datum`: 1 bytes follow the last field"),
    ];
    for (bytes, expected) in table {
        assert_eq!(decode_line_changed(&bytes).expect_err(expected).to_string(), expected);
    }
}

#[test]
fn the_limit_of_an_array_holds_over_its_blocks_together() {
    let segment = [0, 0, 0, 0];
    let block = |count: u16| {
        let count = count * 2;
        [&[(count & 0x7f) as u8 | 0x80, (count >> 7) as u8][..], &segment.repeat(usize::from(count / 2))]
            .concat()
    };
    let array =
        |second| with_intervals(&[&[2, 0, 0, 0, 0, 0][..], &block(200), &block(second), &[0, 0]].concat());
    assert!(decode_line_changed(&array(56)).is_ok());
    let expected = "field `intervals.segments`: length 257 is above the limit of 256";
    assert_eq!(decode_line_changed(&array(57)).expect_err(expected).to_string(), expected);
}

#[test]
fn a_wrong_command_says_what_is_wrong() {
    let whole = || encoded(encode_command, &samples::command());
    let wordy = Command { reason_code: text(Some(&"x".repeat(4_097))), ..samples::command() };
    let table = [
        (progress(), "the value has schema `progress.v1`, `notification-command.v1` is needed"),
        (with(whole(), 79, 8), "field `kind`: the enum has no symbol 4"),
        (
            with(whole(), 81, b'A'),
            "field `subscriber_id`: the text is no UUID in its canonical form (36 characters, lower case)",
        ),
        (
            with(whole(), 155, b'/'),
            "field `line_id`: the text is not a line id: it needs 1 to 200 bytes in NFC, without control \
             characters and `/`",
        ),
        (encoded(encode_command, &wordy), "field `reason_code`: length 4097 is above the limit of 4096"),
        ([whole(), vec![0]].concat(), "field `the datum`: 1 bytes follow the last field"),
    ];
    for (bytes, expected) in table {
        assert_eq!(decode_command(&bytes).expect_err(expected).to_string(), expected);
    }
}

#[test]
fn wrong_small_records_say_what_is_wrong() {
    let error = decode_progress(&[0, 0, 0, 0, 3]).unwrap_err();
    assert_eq!(error.to_string(), "field `log_time`: the value ends too early");
    let error = decode_progress(&[progress(), vec![7, 7]].concat()).unwrap_err();
    assert_eq!(error.to_string(), "field `the datum`: 2 bytes follow the last field");
    let resolved = with(encoded(encode_dead_letter_resolved, &samples::resolved()), 42, 4);
    let error = decode_dead_letter_resolved(&resolved).unwrap_err();
    assert_eq!(error.to_string(), "field `how`: the enum has no symbol 2");
}
