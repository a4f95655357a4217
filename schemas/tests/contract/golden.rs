//! The bytes on the wire. They are in logs that outlive this program: what is written here must be read for ever.

use andon_domain::{DirectoryChange, StatusChange};
use andon_schemas::{
    decode_command, decode_dead_letter_resolved, decode_directory, decode_line_changed,
    decode_line_status_changed, decode_progress, directory_key, encode_command, encode_dead_letter_resolved,
    encode_directory, encode_line_changed, encode_line_status_changed, encode_progress,
};

use crate::{encoded, samples};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_bytes_of_a_status_change_are_these() {
    let full = samples::status_change();
    let bytes = encoded(encode_line_status_changed, &full);
    assert_eq!(
        hex(&bytes),
        [
            "0000000001",                                                                 // frame
            "4837396162613539312d333230652d356461652d396462652d613831386337383132346536", // event_id
            "0e70726573732d31",                                                           // line_id
            "c0ac9e9bf85f",                                                               // event_time
            "0a",                                                                         // status
            "020d",                                                                       // sequence
            "0208452d3132",                                                               // reason_code
            "0206706c63",                                                                 // source
            "020e41626f72746564",                                                         // source_status
        ]
        .concat(),
    );
    assert_eq!(decode_line_status_changed(&bytes), Ok(full));
    let small = StatusChange { sequence: None, reason_code: None, source: None, source_status: None, ..full };
    let bytes = encoded(encode_line_status_changed, &small);
    assert_eq!(
        hex(&bytes),
        [
            "0000000001",                                                                 // frame
            "4837396162613539312d333230652d356461652d396462652d613831386337383132346536", // event_id
            "0e70726573732d31",                                                           // line_id
            "c0ac9e9bf85f",                                                               // event_time
            "0a",                                                                         // status
            "00000000", // no sequence, reason_code, source, source_status
        ]
        .concat()
    );
    assert_eq!(decode_line_status_changed(&bytes), Ok(small));
}

#[test]
fn the_bytes_of_a_line_change_are_these() {
    let changed = samples::line_changed();
    let bytes = encoded(encode_line_changed, &changed);
    assert_eq!(
        hex(&bytes),
        [
            "0000000002",                   // frame
            "0e70726573732d31",             // line_id
            "06",                           // version
            "02",                           // status
            "00",                           // class
            "c2ac9e9bf85f",                 // since
            "beac9e9bf85f",                 // first_event_at
            "c4ac9e9bf85f",                 // last_event_at
            "c6ac9e9bf85f",                 // last_seen_at
            "02c8ac9e9bf85f",               // open_downtime_at
            "020261",                       // reason_code
            "020262",                       // source_status
            "04",                           // 2 intervals
            "00c0ac9e9bf85f02c2ac9e9bf85f", // kind, started_at, ended_at
            "0200",                         // version, is_retracted
            "02c0ac9e9bf85f0c",             // 1 segment: started_at, status
            "02066a616d020848656c64",       // reason_code, source_status
            "00",                           // no more segments
            "04c2ac9e9bf85f00",             // kind, started_at, no ended_at
            "0401",                         // version, is_retracted
            "00",                           // no segments
            "00",                           // no more intervals
        ]
        .concat()
    );
    assert_eq!(decode_line_changed(&bytes), Ok(changed));
}

#[test]
fn the_bytes_of_progress_are_these() {
    let mut bytes = Vec::new();
    encode_progress(samples::AT, &mut bytes);
    assert_eq!(hex(&bytes), "0000000003c0ac9e9bf85f");
    assert_eq!(decode_progress(&bytes), Ok(samples::AT));
}

#[test]
fn the_bytes_of_a_command_are_these() {
    let command = samples::command();
    let bytes = encoded(encode_command, &command);
    assert_eq!(
        hex(&bytes),
        [
            "0000000004",                                                                 // frame
            "4831313131313131312d313131312d313131312d313131312d313131313131313131313131", // notification_id
            "4832323232323232322d323232322d323232322d323232322d323232323232323232323232", // incident_id
            "02",                                                                         // kind
            "4833333333333333332d333333332d333333332d333333332d333333333333333333333333", // subscriber_id
            "4834343434343434342d343434342d343434342d343434342d343434343434343434343434", // subscription_id
            "0e70726573732d31",                                                           // line_id
            "12",                                                                         // version
            "c0ac9e9bf85f",                                                               // created_at
            "c2ac9e9bf85f",                                                               // first_told_start
            "c4ac9e9bf85f",                                                               // started_at
            "02c6ac9e9bf85f",                                                             // ended_at
            "12",                                                                         // status
            "020261",                                                                     // reason_code
            "020262",                                                                     // source_status
        ]
        .concat()
    );
    assert_eq!(decode_command(&bytes), Ok(command));
}

#[test]
fn the_bytes_of_a_resolution_are_these() {
    let bytes = encoded(encode_dead_letter_resolved, &samples::resolved());
    assert_eq!(
        hex(&bytes),
        [
            "0000000005",                                                                 // frame
            "4861616161616161612d616161612d616161612d616161612d616161616161616161616161", // dead_letter_id
            "02",                                                                         // how
            "c0ac9e9bf85f",                                                               // at
        ]
        .concat()
    );
    assert_eq!(decode_dead_letter_resolved(&bytes), Ok(samples::resolved()));
}

#[test]
fn the_bytes_of_a_line_entry_are_these() {
    let change = DirectoryChange::Line(samples::line(), samples::line_entry());
    let mut bytes = Vec::new();
    assert!(encode_directory(&change, &mut bytes));
    assert_eq!(
        hex(&bytes),
        [
            "0000000006",                     // frame
            "040868616c6c0e70726573732d3100", // path
            "0280f0b252",                     // allowed_lateness_ms
            "02feffffff1f",                   // events_max
            "0201",                           // degraded_is_down
            "02c0a907",                       // expect_signal_every_ms
            "01",                             // is_retired
        ]
        .concat()
    );
    assert_eq!(directory_key(&change), b"line/press-1");
    assert_eq!(decode_directory(b"line/press-1", Some(&bytes)), Ok(change));
    let removed = DirectoryChange::LineRemoved(samples::line());
    assert_eq!(directory_key(&removed), b"line/press-1");
    assert_eq!(decode_directory(b"line/press-1", None), Ok(removed));
}

#[test]
fn the_bytes_of_a_subscription_are_these() {
    let subscription = samples::subscription();
    let key = b"subscription/bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";
    let removed = DirectoryChange::SubscriptionRemoved(subscription.id);
    let change = DirectoryChange::Subscription(subscription);
    let mut bytes = Vec::new();
    assert!(encode_directory(&change, &mut bytes));
    assert_eq!(
        hex(&bytes),
        [
            "0000000007",                                                                 // frame
            "4862626262626262622d626262622d626262622d626262622d626262626262626262626262", // subscription_id
            "4863636363636363632d636363632d636363632d636363632d636363636363636363636363", // subscriber_id
            "1868616c6c2f70726573732d31",                                                 // node
            "c0cf24",                                                                     // notify_after_ms
            "0202",                                                                       // class
            "c0ac9e9bf85f",                                                               // created_at
        ]
        .concat()
    );
    assert_eq!(directory_key(&change), key);
    assert_eq!(decode_directory(key, Some(&bytes)), Ok(change));
    assert_eq!(directory_key(&removed), key);
    assert_eq!(decode_directory(key, None), Ok(removed));
}
