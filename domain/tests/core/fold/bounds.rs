//! The watermark: too late, too early, too many.

use andon_domain::FoldConfig;

use crate::support::{check, check_with};

#[test]
fn at_or_before_the_watermark_is_too_late_and_changes_nothing() {
    check(
        "
        12:00  press  12:00      stopped | opened 12:00 stopped
        12:20  press  12:20      running | ended 12:00-12:20 stopped
        12:20  press  12:10      running | too late
        12:20  press  12:09:59   running | too late
        12:20  press  12:10:00.001 running | revised 12:00-12:10:00.001 stopped
    ",
    );
}

#[test]
fn a_resend_from_before_the_watermark_looks_late() {
    check(
        "
        12:00  press  12:00  stopped i:1 | opened 12:00 stopped
        12:10  press  12:10  running i:2 | ended 12:00-12:10 stopped
        12:10  press  12:00  stopped i:1 | too late
    ",
    );
}

#[test]
fn the_watermark_is_one_of_each_line() {
    check(
        "
        12:00  press   12:00  stopped | opened 12:00 stopped
        12:59  filler  12:59  running |
        12:59  press   12:01  running | ended 12:00-12:01 stopped
        12:59  filler  12:49  stopped | too late
    ",
    );
}

#[test]
fn a_sign_of_life_moves_the_watermark_and_can_be_late_itself() {
    check(
        "
        12:00  press  12:00  stopped   | opened 12:00 stopped
        12:30  press  12:30  no_change | alive
        12:30  press  12:20  running   | too late
        12:30  press  12:20  no_change | too late
        12:30  press  12:21  running   | ended 12:00-12:21 stopped
    ",
    );
}

#[test]
fn more_than_five_minutes_after_its_append_time_an_event_is_refused_and_hurts_nobody() {
    check(
        "
        12:00  press  12:05:00.001  stopped | future
        12:00  press  12:05         stopped | opened 12:05 stopped
        12:00  press  11:56         running |
        12:01  press  12:06:00.001  running | future
    ",
    );
}

#[test]
fn the_future_is_measured_from_the_append_time_of_the_record_not_from_log_time() {
    check(
        "
        13:00  filler 13:00  running |
        12:00  press  12:06  stopped | future
    ",
    );
}

#[test]
fn the_limit_of_the_future_is_a_setting() {
    let config = FoldConfig { future_skew_ms_max: 1000, ..FoldConfig::default() };
    check_with(
        config,
        "
        12:00  press  12:00:01.001  stopped | future
        12:00  press  12:00:01      stopped | opened 12:00:01 stopped
    ",
    );
}

#[test]
fn an_event_a_day_ahead_loses_none_of_the_honest_ones_after_it() {
    check(
        "
        12:00  press  1d12:00  stopped | future
        12:00  press  12:00    stopped | opened 12:00 stopped
        12:01  press  12:01    running | ended 12:00-12:01 stopped
        12:02  press  12:02    stopped | opened 12:02 stopped
        12:03  press  12:03    running | ended 12:02-12:03 stopped
        12:04  press  12:04    stopped | opened 12:04 stopped
        12:05  press  12:05    running | ended 12:04-12:05 stopped
    ",
    );
}

#[test]
fn the_bound_of_the_set_moves_the_watermark_and_says_so() {
    let config = FoldConfig { events_max: 3, ..FoldConfig::default() };
    check_with(
        config,
        "
        12:00  press  12:00  stopped | opened 12:00 stopped
        12:01  press  12:01  running | ended 12:00-12:01 stopped
        12:02  press  12:02  stopped | bounded; opened 12:02 stopped
        12:02  press  12:00  running | too late
        12:02  press  12:01:30 running | bounded
        12:03  press  12:01  running | too late
        12:03  press  12:03  running | bounded; ended 12:02-12:03 stopped
        12:04  press  12:20:00  running | future
        12:20  press  12:20  running |
    ",
    );
}

#[test]
fn events_of_one_instant_freeze_together() {
    let config = FoldConfig { events_max: 3, ..FoldConfig::default() };
    check_with(
        config,
        "
        12:00  press  12:00  running s:1 |
        12:00  press  12:00  stopped s:2 | opened 12:00 stopped
        12:01  press  12:01  running s:1 | bounded; ended 12:00-12:01 stopped
        12:01  press  12:00  running s:3 | too late
        12:01  press  12:01  running s:2 |
        12:01  press  12:01  running s:3 | bounded
        12:01  press  12:01  stopped s:4 | too late
    ",
    );
}

#[test]
fn a_line_may_be_late_by_a_day_if_it_delivers_in_order() {
    check(
        "
        12:00    line press lateness 24h |
        12:00    press  12:00  running   |
        1d11:59  press  12:01  stopped   | opened 12:01 stopped
        1d11:59  press  12:02  running   | ended 12:01-12:02 stopped
        1d11:59  press  1d11:59 running  |
        1d11:59  press  11:59  stopped   | too late
        1d12:03  press  1d12:03 running  |
        1d12:03  press  12:03  stopped   | too late
    ",
    );
}

#[test]
fn an_unregistered_line_is_taken_unless_lines_are_strict() {
    check("12:00  press  12:00  stopped | opened 12:00 stopped");
    let strict = FoldConfig { is_strict: true, ..FoldConfig::default() };
    check_with(
        strict,
        "
        12:00  press  12:00  stopped | unknown line
        12:00  line press            |
        12:00  press  12:00  stopped | opened 12:00 stopped
        12:00  remove press          |
        12:01  press  12:01  running | unknown line
        12:01  line press            |
        12:02  press  12:02  running | ended 12:00-12:02 stopped
    ",
    );
}

#[test]
fn what_is_no_line_id_is_refused() {
    check(
        "
        12:00  north/press  12:00  stopped | no line id
        12:00  press        12:00  stopped | opened 12:00 stopped
    ",
    );
}
