//! Faults of other systems that this one must not have.

use crate::support::check;

#[test]
fn a_hundred_stops_of_five_seconds_are_five_hundred_seconds() {
    let mut table = String::new();
    for minute in 0..100 {
        let (hour, minute) = (12 + minute / 60, minute % 60);
        let start = format!("{hour}:{minute:02}");
        table.push_str(&format!("{start} press {start} stopped | opened {start} stopped\n"));
        let end = format!("{start}:05");
        table.push_str(&format!("{end} press {end} running | ended {start}-{end} stopped\n"));
    }
    let world = check(&table);
    let lasted = |interval: &andon_domain::Interval| interval.ended_at.unwrap() - interval.started_at;
    assert_eq!(world.intervals_of("press").iter().map(lasted).sum::<i64>(), 500_000);
}

#[test]
fn a_stop_across_midnight_is_one_stop() {
    check(
        "
        23:50    press  23:50    stopped   | opened 23:50 stopped
        1d00:10  press  1d00:10  running   | ended 23:50-1d00:10 stopped
    ",
    );
}

#[test]
fn running_that_overtakes_its_stop_tells_nobody() {
    check(
        "
        12:00  subscribe anna press    |
        12:01  press  12:01  running   |
        12:01  press  12:00  stopped   | recorded 12:00-12:01 stopped
    ",
    );
}

#[test]
fn down_twice_tells_once() {
    check(
        "
        12:00  subscribe anna press    |
        12:00  press  12:00  stopped   | opened 12:00 stopped; DOWN anna
        12:00  again                   | duplicate
        12:01  press  12:01  stopped   |
    ",
    );
}

#[test]
fn running_without_a_stop_closes_nothing() {
    check(
        "
        12:00  subscribe anna press    |
        12:00  press  12:00  running   |
        12:01  press  12:01  running   |
    ",
    );
}

#[test]
fn two_controllers_on_one_line_make_one_timeline() {
    check(
        "
        12:00     press  12:00     stopped src:plc    i:1 | opened 12:00 stopped
        12:00:01  press  12:00     stopped src:panel  i:2 |
        12:05     press  12:05     running src:panel  i:3 | ended 12:00-12:05 stopped
        12:05:02  press  12:05:02  running src:plc    i:4 |
    ",
    );
}

#[test]
fn a_duration_counts_from_the_event_not_from_its_arrival() {
    check(
        "
        12:09  press  12:00  stopped  | opened 12:00 stopped
        12:09  press  12:05  running  | ended 12:00-12:05 stopped
    ",
    );
}

#[test]
fn a_line_that_went_down_before_its_subscriber_came_sends_no_orphan() {
    check(
        "
        12:00  press  12:00  stopped   | opened 12:00 stopped
        12:05  subscribe anna press    |
        12:10  press  12:10  running   | ended 12:00-12:10 stopped
    ",
    );
}

#[test]
fn three_hours_of_standstill_of_the_worker_are_not_a_flood() {
    check(
        "
        12:00  subscribe anna press     |
        12:00  press  12:00  stopped    | opened 12:00 stopped; DOWN anna
        15:00  press  12:01  running    | ended 12:00-12:01 stopped; RESTORED anna 12:00-12:01
        15:00  press  12:30  stopped    | opened 12:30 stopped
        15:00  press  12:31  running    | ended 12:30-12:31 stopped
        15:00  press  14:50  faulted    | opened 14:50 faulted; DOWN anna
    ",
    );
}

#[test]
fn an_early_down_of_a_child_still_gets_its_close_after_its_area_was_edited() {
    check(
        "
        12:00  subscribe anna north            |
        12:00  line press path north           |
        12:00  press  12:00  stopped           | opened 12:00 stopped; DOWN anna
        12:01  line press path north/hall      |
        12:01  restart                         |
        12:02  press  12:02  running           | ended 12:00-12:02 stopped; RESTORED anna 12:00-12:02
    ",
    );
}
