//! Kinds, statuses, reasons and segments.

use andon_domain::{FoldConfig, Interval};

use crate::support::times::clock;
use crate::support::{check, check_with};

#[test]
fn every_status_makes_the_run_that_the_design_names() {
    check(
        "
        12:00  press  12:00  running      |
        12:01  press  12:01  degraded     |
        12:02  press  12:02  idle         | opened 12:02 idle
        12:03  press  12:03  stopped      | ended 12:02-12:03 idle; opened 12:03 stopped
        12:04  press  12:04  faulted      | revised 12:03 stopped then faulted@12:04
        12:05  press  12:05  unknown      | ended 12:03-12:05 stopped then faulted@12:04; opened 12:05 unknown
        12:06  press  12:06  planned_stop | ended 12:05-12:06 unknown; opened 12:06 planned_stop
        12:07  press  12:07  running      | ended 12:06-12:07 planned_stop
    ",
    );
    check(
        "
        12:00  press  12:00  blocked      | opened 12:00 blocked
        12:01  press  12:01  starved      | revised 12:00 blocked then starved@12:01
        12:02  press  12:02  changeover   | revised 12:00 blocked then starved@12:01 then changeover@12:02
    ",
    );
}

#[test]
fn degraded_is_production_unless_the_line_says_that_it_is_down() {
    check(
        "
        12:00  line strict-press degraded     |
        12:00  press         12:00  degraded  |
        12:00  strict-press  12:00  degraded  | opened 12:00 degraded
        12:01  strict-press  12:01  stopped   | revised 12:00 degraded then stopped@12:01
        12:02  strict-press  12:02  running   | ended 12:00-12:02 degraded then stopped@12:01
    ",
    );
    let config = FoldConfig { degraded_is_down: true, ..FoldConfig::default() };
    check_with(config, "12:00  press  12:00  degraded | opened 12:00 degraded");
}

#[test]
fn the_first_reason_fills_back_to_the_start_of_its_run() {
    check(
        "
        12:00  press  12:00  stopped        | opened 12:00 stopped
        12:03  press  12:03  stopped        |
        12:05  press  12:05  stopped r:jam  | revised 12:00 stopped(jam)
        12:06  press  12:06  stopped        |
        12:07  press  12:07  stopped r:jam  |
    ",
    );
}

#[test]
fn a_different_reason_starts_a_segment() {
    check("
        12:00  press  12:00  stopped r:jam  | opened 12:00 stopped(jam)
        12:05  press  12:05  stopped r:film | revised 12:00 stopped(jam) then stopped(film)@12:05
        12:06  press  12:06  stopped        |
        12:07  press  12:07  stopped r:jam  | revised 12:00 stopped(jam) then stopped(film)@12:05 then stopped(jam)@12:07
        12:09  press  12:09  running        | ended 12:00-12:09 stopped(jam) then stopped(film)@12:05 then stopped(jam)@12:07
    ");
}

#[test]
fn a_reason_does_not_colour_the_status_before_it() {
    check("
        12:00  press  12:00  changeover       | opened 12:00 changeover
        12:05  press  12:05  faulted r:e-stop | revised 12:00 changeover then faulted(e-stop)@12:05
        12:06  press  12:06  changeover       | revised 12:00 changeover then faulted(e-stop)@12:05 then changeover@12:06
    ");
}

#[test]
fn a_late_reason_is_filled_in_where_it_belongs() {
    check(
        "
        12:00  press  12:00  stopped        | opened 12:00 stopped
        12:06  press  12:06  running        | ended 12:00-12:06 stopped
        12:08  press  12:03  stopped r:jam  | revised 12:00-12:06 stopped(jam)
        12:08  press  12:01  stopped r:film | revised 12:00-12:06 stopped(film) then stopped(jam)@12:03
    ",
    );
}

#[test]
fn a_reason_reaches_back_behind_the_watermark_while_its_run_lasts() {
    check(
        "
        12:00  press  12:00  stopped        | opened 12:00 stopped
        13:00  press  13:00  stopped        |
        14:00  press  14:00  stopped r:jam  | revised 12:00 stopped(jam)
        15:00  press  15:00  running        | ended 12:00-15:00 stopped(jam)
    ",
    );
}

#[test]
fn a_word_of_the_controller_travels_along_and_the_first_one_of_a_segment_stays() {
    check("
        12:00  press  12:00  stopped           | opened 12:00 stopped
        12:01  press  12:01  stopped w:HALT    | revised 12:00 stopped(\"HALT\")
        12:02  press  12:02  stopped w:STOP    |
        12:03  press  12:03  stopped r:jam w:X | revised 12:00 stopped(jam, \"HALT\")
        12:04  press  12:04  stopped r:film    | revised 12:00 stopped(jam, \"HALT\") then stopped(film)@12:04
        12:05  press  12:05  stopped w:LATE    | revised 12:00 stopped(jam, \"HALT\") then stopped(film, \"LATE\")@12:04
        12:06  press  12:06  faulted           | revised 12:00 stopped(jam, \"HALT\") then stopped(film, \"LATE\")@12:04 then faulted@12:06
    ");
}

#[test]
fn runs_of_different_kinds_may_touch() {
    check(
        "
        12:00  press  12:00  stopped | opened 12:00 stopped
        12:01  press  12:01  idle    | ended 12:00-12:01 stopped; opened 12:01 idle
        12:02  press  12:02  stopped | ended 12:01-12:02 idle; opened 12:02 stopped
    ",
    );
}

#[test]
fn no_change_is_no_status_of_its_own() {
    check(
        "
        12:00  press  12:00  no_change | alive
        12:01  press  12:01  stopped   | opened 12:01 stopped
        12:02  press  12:02  no_change | alive
        12:03  press  12:03  running   | ended 12:01-12:03 stopped
        12:04  press  12:02  no_change | alive
    ",
    );
}

#[test]
fn an_interval_keeps_256_segments_and_what_comes_later_belongs_to_the_last_one() {
    let mut table = "06:00  press  06:00  running |\n".to_owned();
    let mut words = String::new();
    for index in 0..300_u32 {
        let at = clock(crate::support::times::time("06:01").unwrap() + i64::from(index) * 60_000);
        let status = if index % 2 == 0 { "stopped" } else { "faulted" };
        table.push_str(&format!("{at} press {at} {status} |"));
        if index == 0 {
            words = format!("{at} {status}");
            table.push_str(&format!(" opened {words}"));
        } else if index < 256 {
            words.push_str(&format!(" then {status}@{at}"));
            table.push_str(&format!(" revised {words}"));
        }
        table.push('\n');
    }
    let world = check(&table);
    let open = world.intervals_of("press").pop().unwrap();
    assert_eq!(open.segments.len(), Interval::SEGMENTS_MAX);
    let ended = words.split_once(' ').unwrap().1.to_owned();
    table.push_str("12:00 press 12:00 faulted r:jam |\n");
    table.push_str("12:01 press 12:01 stopped r:jam |\n");
    table.push_str("12:01 press 12:02 stopped r:film |\n");
    table.push_str(&format!("12:05 press 12:05 running | ended 06:01-12:05 {ended}\n"));
    check(&table);
}
