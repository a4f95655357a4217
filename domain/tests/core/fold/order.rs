//! Disorder, duplicates, equal instants.

use crate::support::check;

#[test]
fn status_changes_in_order_open_and_end_intervals() {
    check(
        "
        12:00  press  12:00  running  |
        12:05  press  12:05  stopped  | opened 12:05 stopped
        12:09  press  12:09  running  | ended 12:05-12:09 stopped
        12:10  press  12:10  running  |
        12:11  press  12:11  faulted  | opened 12:11 faulted
    ",
    );
}

#[test]
fn a_late_event_within_the_bound_revises() {
    check(
        "
        12:00  press  12:00  stopped  | opened 12:00 stopped
        12:08  press  12:08  running  | ended 12:00-12:08 stopped
        12:09  press  12:04  running  | revised 12:00-12:04 stopped
        12:09  press  12:02  running  | revised 12:00-12:02 stopped
        12:09  press  12:06  stopped  | recorded 12:06-12:08 stopped
        12:09  press  12:00  running  s:1 | retracted down 12:00
    ",
    );
}

#[test]
fn a_late_event_splits_an_interval_and_another_one_merges_it_again() {
    check(
        "
        12:00  press  12:00  stopped         | opened 12:00 stopped
        12:06  press  12:03  running         | ended 12:00-12:03 stopped
        12:06  press  12:05  stopped         | opened 12:05 stopped
        12:07  press  12:03  stopped  s:1    | revised 12:00 stopped; retracted down 12:05
    ",
    );
}

#[test]
fn a_repeat_is_kept_for_a_later_event_may_fall_before_it() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let rows = ["12:00 running i:1", "12:20 running i:2", "12:10 stopped i:3"];
        let mut table = "12:00 line press lateness 1h |\n".to_owned();
        for index in order {
            table.push_str(&format!("12:20 press {} |\n", rows[index]));
        }
        assert_eq!(super::intervals_in_the_end(&table), ["12:10-12:20 stopped"], "in the order {order:?}");
    }
}

#[test]
fn the_same_event_twice_is_a_duplicate_and_nothing_else() {
    check(
        "
        12:00  press  12:00  stopped r:jam s:1 w:AUS src:plc i:7 | opened 12:00 stopped(jam, \"AUS\")
        12:00  press  12:00  stopped r:jam s:1 w:AUS src:plc i:7 | duplicate
        12:05  press  12:05  running                             | ended 12:00-12:05 stopped(jam, \"AUS\")
        12:06  press  12:00  stopped r:jam s:1 w:AUS src:plc i:7 | duplicate
    ",
    );
}

#[test]
fn an_event_that_differs_in_anything_is_another_event() {
    check(
        "
        12:00  press  12:00  running             i:1 |
        12:00  press  12:00  running s:0         i:1 | conflicting
        12:00  press  12:00  running s:1         i:1 | conflicting
        12:00  press  12:00  running s:1 r:jam   i:1 | conflicting
        12:00  press  12:00  running s:1 src:plc i:1 | conflicting
        12:00  press  12:00  running s:1 w:EIN   i:1 | conflicting
        12:00  press  12:00  running s:1         i:2 |
        12:00  press  12:01  running s:1         i:2 | conflicting
        12:00  press  12:01  running s:1         i:2 | duplicate
    ",
    );
}

#[test]
fn of_one_instant_the_higher_sequence_rules_and_none_is_lowest() {
    check(
        "
        12:00  press  12:00  running  s:2  i:1  |
        12:00  press  12:00  stopped  s:1  i:9  |
        12:00  press  12:00  faulted       i:9  | conflicting
        12:00  press  12:00  stopped  s:3  i:1  | conflicting; opened 12:00 stopped
        12:00  press  12:00  running  s:-5 i:4  |
    ",
    );
    check(
        "
        12:00  press  12:00  running       i:9  |
        12:00  press  12:00  stopped  s:-5 i:1  | opened 12:00 stopped
    ",
    );
}

#[test]
fn of_one_instant_and_sequence_the_higher_id_rules_then_the_content() {
    check(
        "
        12:00  press  12:00  running  s:1 i:8 |
        12:00  press  12:00  stopped  s:1 i:7 |
        12:00  press  12:00  faulted  s:1 i:9 | opened 12:00 faulted
        12:00  press  12:00  stopped  s:1 i:9 | conflicting
        12:00  press  12:00  blocked  s:1 i:9 | conflicting; revised 12:00 blocked
        12:00  press  12:00  blocked  s:1 i:9 r:jam | conflicting; revised 12:00 blocked(jam)
        12:00  press  12:00  blocked  s:1 i:9 r:ham | conflicting
    ",
    );
}

#[test]
fn an_id_compares_as_sixteen_bytes_from_the_front() {
    let high_front = u128::from_be_bytes([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let high_back = u128::from_be_bytes([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255]);
    check(&format!(
        "
        12:00  press  12:00  running i:{high_front} |
        12:00  press  12:00  stopped i:{high_back}  |
    "
    ));
}

#[test]
fn lines_do_not_touch_each_other() {
    check(
        "
        12:00  press   12:00  stopped i:1 | opened 12:00 stopped
        12:00  filler  12:00  stopped i:1 | opened 12:00 stopped
        13:00  filler  13:00  running i:2 | ended 12:00-13:00 stopped
        13:00  press   12:30  running i:2 | ended 12:00-12:30 stopped
    ",
    );
}

#[test]
fn a_status_that_lasts_no_time_is_no_run() {
    check(
        "
        12:00  press  12:00  running  s:1 |
        12:05  press  12:05  stopped  s:1 | opened 12:05 stopped
        12:05  press  12:05  running  s:2 | retracted down 12:05
    ",
    );
}

#[test]
fn before_the_first_event_nothing_is_said_and_an_earlier_one_moves_the_start() {
    check(
        "
        12:05  press  12:05  stopped | opened 12:05 stopped
        12:06  press  12:03  stopped | opened 12:03 stopped; retracted down 12:05
        12:06  press  12:01  running |
    ",
    );
}
