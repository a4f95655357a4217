//! How an opening is closed: once, and truly.

use andon_domain::{CommandKind, LineStatus};

use crate::support::check;
use crate::support::times::time;

#[test]
fn a_moved_start_a_split_and_a_merge_send_nothing_and_change_no_id() {
    let world = check(
        "
        12:00  subscribe anna press             |
        12:05  press  12:05  stopped            | opened 12:05 stopped; DOWN anna
        12:06  press  12:00  stopped            | opened 12:00 stopped; retracted down 12:05
        12:07  press  12:02  running            | ended 12:00-12:02 stopped; opened 12:05 stopped
        12:08  press  12:02  stopped s:1        | revised 12:00 stopped; retracted down 12:05
        12:09  press  12:09  running            | ended 12:00-12:09 stopped; RESTORED anna 12:00-12:09
    ",
    );
    let [down, restored] = world.commands.as_slice() else { panic!("one opening, one close") };
    assert_eq!(down.incident_id, restored.incident_id);
    assert_eq!(
        (restored.first_told_start, restored.started_at),
        (time("12:05").unwrap(), time("12:00").unwrap())
    );
    assert_eq!(restored.status, LineStatus::Running);
    assert_ne!(down.notification_id, restored.notification_id);
}

#[test]
fn unknown_neither_opens_nor_closes() {
    check("
        12:00  subscribe anna press    |
        12:00  press  12:00  unknown   | opened 12:00 unknown
        12:01  press  12:01  stopped   | ended 12:00-12:01 unknown; opened 12:01 stopped; DOWN anna
        12:02  press  12:02  unknown   | ended 12:01-12:02 stopped; opened 12:02 unknown
        12:03  press  12:03  stopped   | ended 12:02-12:03 unknown; opened 12:03 stopped
        12:04  press  12:04  unknown   | ended 12:03-12:04 stopped; opened 12:04 unknown
        12:05  press  12:05  idle      | ended 12:04-12:05 unknown; opened 12:05 idle; RESTORED anna 12:03-12:04
    ");
}

#[test]
fn silence_neither_opens_nor_closes() {
    check(
        "
        12:00  line press expect 1m    |
        12:00  subscribe anna press    |
        12:00  press  12:00  stopped   | opened 12:00 stopped; DOWN anna
        12:01  tick                    | ended 12:00-12:01 stopped; opened 12:01 unknown
        12:05  press  12:05  no_change | alive; ended 12:01-12:05 unknown; opened 12:05 stopped
        12:06  tick                    | ended 12:05-12:06 stopped; opened 12:06 unknown
        12:07  press  12:07  running   | ended 12:06-12:07 unknown; RESTORED anna 12:05-12:06
    ",
    );
}

#[test]
fn what_was_told_and_was_not_so_is_withdrawn() {
    let world = check(
        "
        12:00  subscribe anna press       |
        12:05  press  12:05  stopped      | opened 12:05 stopped; DOWN anna
        12:06  press  12:05  running s:1  | retracted down 12:05; WITHDRAWN anna
    ",
    );
    assert_eq!(world.commands[1].ended_at, None);
}

#[test]
fn withdrawn_looks_at_downtime_after_the_first_told_start_alone() {
    check(
        "
        12:00  subscribe anna press       |
        12:01  press  12:01  stopped      | opened 12:01 stopped; DOWN anna
        12:02  press  12:02  running      | ended 12:01-12:02 stopped; RESTORED anna 12:01-12:02
        12:05  press  12:05  stopped      | opened 12:05 stopped; DOWN anna
        12:06  press  12:05  running s:1  | retracted down 12:05; WITHDRAWN anna
    ",
    );
    // An end at the very start that was told does not overlap what was told.
    check(
        "
        12:00  subscribe anna press          |
        12:05  press  12:05  stopped         | opened 12:05 stopped; DOWN anna
        12:06  press  12:01  stopped         | opened 12:01 stopped; retracted down 12:05
        12:07  press  12:05  running s:1     | ended 12:01-12:05 stopped; WITHDRAWN anna
    ",
    );
    check("
        12:00  subscribe anna press             |
        12:05  press  12:05  stopped            | opened 12:05 stopped; DOWN anna
        12:06  press  12:01  stopped            | opened 12:01 stopped; retracted down 12:05
        12:07  press  12:05:00.001  running s:1 | ended 12:01-12:05:00.001 stopped; RESTORED anna 12:01-12:05:00.001
    ");
}

#[test]
fn the_first_told_start_is_the_first_subscribers() {
    let world = check(
        "
        12:00  subscribe anna press           |
        12:00  subscribe ben press after 5m   |
        12:03  press  12:03  stopped          | opened 12:03 stopped; DOWN anna
        12:04  press  12:00  stopped          | opened 12:00 stopped; retracted down 12:03
        12:05  tick                           | DOWN ben
    ",
    );
    let starts: Vec<_> = world.commands.iter().map(|c| (c.first_told_start, c.started_at)).collect();
    let (three, noon) = (time("12:03").unwrap(), time("12:00").unwrap());
    assert_eq!(starts, [(three, three), (three, noon)]);
}

#[test]
fn a_close_names_the_stop_and_what_ended_it() {
    let world = check("
        12:00  subscribe anna press         |
        12:00  press  12:00  stopped w:AUS  | opened 12:00 stopped(\"AUS\"); DOWN anna
        12:03  press  12:03  stopped r:jam  | revised 12:00 stopped(jam, \"AUS\")
        12:05  press  12:05  idle w:LEER r:none | ended 12:00-12:05 stopped(jam, \"AUS\"); opened 12:05 idle(none, \"LEER\"); RESTORED anna 12:00-12:05
    ");
    let close = &world.commands[1];
    assert_eq!((close.status, close.reason_code.as_deref()), (LineStatus::Idle, Some("jam")));
    assert_eq!((close.source_status.as_deref(), close.ended_at), (Some("AUS"), time("12:05")));
    assert_eq!(close.created_at, time("12:05").unwrap());
}

#[test]
fn retiring_a_line_withdraws() {
    check(
        "
        12:00  subscribe anna press   |
        12:00  press  12:00  stopped  | opened 12:00 stopped; DOWN anna
        12:01  line press retired     | WITHDRAWN anna
        12:02  press  12:02  running  | ended 12:00-12:02 stopped
    ",
    );
}

#[test]
fn every_one_told_gets_one_close_in_the_order_of_telling() {
    let world = check("
        12:00  subscribe anna press after 1m  |
        12:00  subscribe ben press            |
        12:00  press  12:00  stopped          | opened 12:00 stopped; DOWN ben
        12:01  tick                           | DOWN anna
        12:02  press  12:02  running          | ended 12:00-12:02 stopped; RESTORED ben 12:00-12:02; RESTORED anna 12:00-12:02
        12:03  press  12:03  running          |
    ");
    assert!(world.commands[2..].iter().all(|command| command.kind == CommandKind::Restored));
}

#[test]
fn a_restart_between_opening_and_close_loses_neither() {
    check("
        12:00  subscribe anna press after 5m  |
        12:00  subscribe ben press            |
        12:00  restart                        |
        12:00  press  12:00  stopped          | opened 12:00 stopped; DOWN ben
        12:00  restart                        |
        12:05  tick                           | DOWN anna
        12:05  restart                        |
        12:06  press  12:06  running          | ended 12:00-12:06 stopped; RESTORED ben 12:00-12:06; RESTORED anna 12:00-12:06
        12:06  restart                        |
        12:07  press  12:07  stopped          | opened 12:07 stopped; DOWN ben
    ");
}
