//! Lines that must not be silent.

use andon_domain::FoldConfig;

use crate::support::{check, check_with};

fn expecting(minutes: i64) -> FoldConfig {
    FoldConfig { expect_signal_every_ms: Some(minutes * 60_000), ..FoldConfig::default() }
}

#[test]
fn a_line_that_may_be_silent_never_is() {
    check(
        "
        12:00    press  12:00  running |
        1d12:00  tick                  |
    ",
    );
}

#[test]
fn what_no_event_covers_is_unknown() {
    check_with(
        expecting(1),
        "
        12:00     press  12:00     running |
        12:05     press  12:05     running | recorded 12:01-12:05 unknown
        12:05:30  press  12:05:30  stopped | opened 12:05:30 stopped
        12:06:30  press  12:06:30  running | ended 12:05:30-12:06:30 stopped
    ",
    );
}

#[test]
fn the_open_tail_is_asserted_once_log_time_has_reached_append_time_plus_the_promise() {
    check_with(
        expecting(1),
        "
        12:00:20     press  12:00  running |
        12:01:00     tick                  |
        12:01:19.999 tick                  |
        12:01:20     tick                  | opened 12:01 unknown
        12:05        tick                  |
    ",
    );
}

#[test]
fn a_silence_is_not_asserted_before_it_begins() {
    check_with(
        expecting(1),
        "
        12:00     press  12:01  running |
        12:01:59  tick                  |
        12:02     tick                  | opened 12:02 unknown
    ",
    );
}

#[test]
fn a_signal_that_arrives_later_revises_the_silence() {
    check_with(expecting(1), "
        12:00  press  12:00     running   |
        12:02  tick                       | opened 12:01 unknown
        12:02  press  12:00:30  no_change | alive; retracted unknown 12:01
        12:03  tick                       | opened 12:01:30 unknown
        12:04  press  12:04     running   | ended 12:01:30-12:04 unknown
        12:04  press  12:02     no_change | alive; revised 12:01:30-12:02 unknown; recorded 12:03-12:04 unknown
    ");
}

#[test]
fn the_last_signal_by_arrival_holds_the_silence_back() {
    check_with(
        expecting(1),
        "
        12:00     press  12:00     running   |
        12:00:50  press  11:59:30  no_change | alive
        12:01:49  tick                       |
        12:01:50  tick                       | opened 12:01 unknown
    ",
    );
}

#[test]
fn a_duplicate_is_no_signal() {
    check_with(
        expecting(1),
        "
        12:00     press  12:00  running |
        12:00:50  again                 | duplicate
        12:01     tick                  | opened 12:01 unknown
    ",
    );
}

#[test]
fn a_sign_of_life_takes_up_what_the_line_did_before_the_silence() {
    check_with(
        expecting(1),
        "
        12:00  press  12:00  stopped r:jam | opened 12:00 stopped(jam)
        12:01  tick                        | ended 12:00-12:01 stopped(jam); opened 12:01 unknown
        12:05  press  12:05  no_change     | alive; ended 12:01-12:05 unknown; opened 12:05 stopped(jam)
        12:05:30  press  12:05:30  running | ended 12:05-12:05:30 stopped(jam)
    ",
    );
}

#[test]
fn a_sign_of_life_right_after_the_watermark_ends_a_silence_that_reaches_behind_it() {
    let config = FoldConfig { allowed_lateness_ms: 60_000, ..expecting(1) };
    check_with(config, "
        12:00        press  12:00  stopped          | opened 12:00 stopped
        12:05:00.001 press  12:05:00.001  no_change | alive; ended 12:00-12:01 stopped; recorded 12:01-12:05:00.001 unknown; opened 12:05:00.001 stopped
        12:06        press  12:06         no_change | alive
        12:06        press  12:05:30      stopped   |
        12:06        press  12:05:20      running   | ended 12:05:00.001-12:05:20 stopped; opened 12:05:30 stopped
    ");
}

#[test]
fn coverage_ends_just_before_event_time_plus_the_promise() {
    check_with(
        expecting(1),
        "
        12:00  press  12:00         running |
        12:01  press  12:01         running |
        12:03  press  12:02:00.001  running | recorded 12:02-12:02:00.001 unknown
    ",
    );
}

#[test]
fn unknown_by_report_and_unknown_by_silence_are_one_run() {
    check_with(
        expecting(1),
        "
        12:00     press  12:00     unknown r:net | opened 12:00 unknown(net)
        12:05     tick                           |
        12:05     press  12:05     no_change     | alive
        12:05:30  press  12:05:30  running       | ended 12:00-12:05:30 unknown(net)
        12:06:30  tick                           | opened 12:06:30 unknown
        12:08     press  12:08     unknown r:net | revised 12:06:30 unknown(net)
        12:08:30  press  12:08:30  running       | ended 12:06:30-12:08:30 unknown(net)
    ",
    );
}

#[test]
fn before_the_first_status_silence_says_nothing() {
    check_with(
        expecting(1),
        "
        12:00  press  12:00  no_change | alive
        12:05  tick                    |
        12:05  press  12:05  running   |
    ",
    );
}

#[test]
fn a_line_has_its_own_promise() {
    check(
        "
        12:00  line filler expect 1m    |
        12:00  press   12:00  running   |
        12:00  filler  12:00  running   |
        12:05  tick                     | opened 12:01 unknown
    ",
    );
}

#[test]
fn deadlines_fire_before_the_record_that_passes_them_each_at_its_own_log_time() {
    let world = check_with(
        expecting(1),
        "
        12:00     press   12:00     running |
        12:00:10  filler  12:00:10  running |
        12:09     other   12:09     running | opened 12:01 unknown; opened 12:01:10 unknown
    ",
    );
    let version = |line: &str| world.partition.line(line).unwrap().version();
    let micros = |at: &str| crate::support::times::time(at).unwrap() * 1000;
    assert_eq!(version("press"), micros("12:01"));
    assert_eq!(version("filler"), micros("12:01:10"));
    assert_eq!(version("other"), micros("12:09"));
}
