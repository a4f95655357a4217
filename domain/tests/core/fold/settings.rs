//! Settings that change while a line runs: only what is later than the watermark is told anew.

use crate::support::check;

#[test]
fn degraded_counts_otherwise_from_just_after_the_watermark() {
    check(
        "
        12:00  press  12:00  degraded       |
        12:30  press  12:30  no_change      | alive
        12:30  line press degraded          | opened 12:20:00.001 degraded
        12:30  press  12:20:00.001  running | too late
        12:31  press  12:31  running        | ended 12:20:00.001-12:31 degraded
    ",
    );
    check(
        "
        12:00  line press degraded     |
        12:00  press  12:00  degraded  | opened 12:00 degraded
        12:30  press  12:30  no_change | alive
        12:30  line press              | ended 12:00-12:20:00.001 degraded
        12:31  press  12:31  degraded  |
        12:32  press  12:32  stopped   | opened 12:32 stopped
    ",
    );
}

#[test]
fn what_is_later_than_the_watermark_is_projected_anew() {
    check(
        "
        12:00  press  12:00  running   |
        12:05  press  12:05  degraded  |
        12:07  press  12:07  running   |
        12:08  line press degraded     | recorded 12:05-12:07 degraded
        12:08  line press              | retracted down 12:05
    ",
    );
}

#[test]
fn an_event_just_after_the_watermark_decides_that_instant_by_itself() {
    check(
        "
        12:00  press  12:00         degraded      |
        12:20  press  12:20         no_change     | alive
        12:20  press  12:10:00.001  degraded r:jam |
        12:20  line press degraded                | opened 12:10:00.001 degraded(jam)
        12:20  line press                         | ended 12:10:00.001-12:10:00.002 degraded(jam)
        12:20  line press degraded                | opened 12:10:00.003 degraded(jam)
    ",
    );
    check(
        "
        12:00  press  12:00         degraded  |
        12:20  press  12:20         no_change | alive
        12:20  press  12:10:00.001  stopped   | opened 12:10:00.001 stopped
        12:20  line press degraded            | 
    ",
    );
}

#[test]
fn less_lateness_moves_the_watermark_and_more_does_not_take_it_back() {
    check(
        "
        12:00  press  12:00  running    |
        12:09  press  12:09  running    |
        12:09  line press lateness 1m   |
        12:09  press  12:08  stopped    | too late
        12:09  line press lateness 1h   |
        12:09  press  12:08  stopped    | too late
        12:09  press  12:08:01  stopped | recorded 12:08:01-12:09 stopped
    ",
    );
}

#[test]
fn a_smaller_bound_of_events_holds_from_then_on() {
    check(
        "
        12:00  press  12:00  running  |
        12:01  press  12:01  running  |
        12:02  press  12:02  running  |
        12:02  line press events 2    |
        12:02  press  12:01  stopped  | too late
        12:02  press  12:01:30 stopped | bounded; recorded 12:01:30-12:02 stopped
    ",
    );
}

#[test]
fn a_new_promise_starts_at_the_watermark_and_gives_one_span_of_grace() {
    check(
        "
        12:00  press  12:00  running |
        12:30  press  12:30  running |
        13:00  tick                  |
        13:00  line press expect 1m  |
        13:00:59  tick               |
        13:01  tick                  | opened 12:31 unknown
        13:02  line press            | retracted unknown 12:31
        14:00  tick                  |
    ",
    );
}

#[test]
fn a_longer_promise_ends_the_silence_and_a_shorter_one_begins_it_at_once() {
    check(
        "
        12:00  line press expect 1m  |
        12:00  press  12:00  running |
        12:10  tick                  | opened 12:01 unknown
        12:10  line press expect 1h  | retracted unknown 12:01
        12:59  tick                  |
        12:59  line press expect 5m  | opened 12:05 unknown
    ",
    );
}

#[test]
fn a_frozen_silence_stays_and_ends_where_a_longer_promise_covers_the_line_again() {
    check(
        "
        12:00  line press expect 10m   |
        12:00  press  12:00  running   |
        12:30  press  12:30  running   | recorded 12:10-12:30 unknown
        12:30  line press expect 25m   | revised 12:10-12:20:00.001 unknown; recorded 12:25-12:30 unknown
        12:30  line press              | retracted unknown 12:25
    ",
    );
}

#[test]
fn a_shorter_promise_makes_no_gap_in_what_is_frozen() {
    check(
        "
        12:00  line press expect 20m   |
        12:00  press  12:00  running   |
        12:25  press  12:25  running   | recorded 12:20-12:25 unknown
        12:25  line press expect 5m    | recorded 12:15:00.001-12:25 unknown; retracted unknown 12:20
    ",
    );
}

#[test]
fn a_change_that_means_nothing_for_the_fold_leaves_a_silence_alone() {
    check(
        "
        12:00  line press expect 1m            |
        12:00  press  12:00  running           |
        12:10  tick                            | opened 12:01 unknown
        12:10  line press expect 1m path north |
        12:10  line press expect 1m lateness 5m |
        12:11  tick                            |
    ",
    );
}

#[test]
fn removing_a_line_gives_it_default_settings_again() {
    check(
        "
        12:00  line press degraded    |
        12:00  press  12:00  degraded | opened 12:00 degraded
        12:00  remove press           | retracted down 12:00
    ",
    );
}

#[test]
fn a_signal_on_the_seam_of_a_shorter_promise_leaves_no_run_of_no_length() {
    let before = "
        12:00  line press expect 20m   |
        12:00  press  12:00  running   |
        12:25  press  12:25  running   | recorded 12:20-12:25 unknown
        12:25  line press expect 5m    | recorded 12:15:00.001-12:25 unknown; retracted unknown 12:20
    ";
    for signal in ["no_change | alive;", "running |"] {
        check(&format!(
            "{before}
            12:25  press  12:15:00.001  {signal} retracted unknown 12:15:00.001; recorded 12:20:00.001-12:25 unknown
        "
        ));
    }
}
