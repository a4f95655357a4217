//! When a subscriber is told: at once, or once the stop has lasted as long as they want.

use andon_domain::{CommandKind, LineStatus, NotificationId};

use crate::support::check;
use crate::support::times::time;

#[test]
fn at_once_means_in_the_opening_step() {
    let world = check(
        "
        12:00  subscribe anna press  |
        12:00:30  press  12:00  stopped r:jam w:AUS | opened 12:00 stopped(jam, \"AUS\"); DOWN anna
    ",
    );
    let down = &world.commands[0];
    assert_eq!(
        down.notification_id,
        NotificationId::derive(down.incident_id, CommandKind::Down, down.subscriber_id)
    );
    assert_eq!((down.created_at, down.started_at), (time("12:00:30").unwrap(), time("12:00").unwrap()));
    assert_eq!((down.first_told_start, down.ended_at), (time("12:00").unwrap(), None));
    assert_eq!(down.status, LineStatus::Stopped);
    assert_eq!((down.reason_code.as_deref(), down.source_status.as_deref()), (Some("jam"), Some("AUS")));
}

#[test]
fn later_means_started_at_plus_notify_after() {
    check("
        12:00        subscribe anna press after 5m |
        12:00        subscribe ben press after 30m |
        12:01        press  12:00  stopped         | opened 12:00 stopped
        12:04:59.999 tick                          |
        12:05        tick                          | DOWN anna
        12:29:59.999 tick                          |
        12:30        tick                          | DOWN ben
        13:00        press  13:00  running         | ended 12:00-13:00 stopped; RESTORED anna 12:00-13:00; RESTORED ben 12:00-13:00
    ");
}

#[test]
fn nobody_who_waits_is_told_earlier_than_ten_seconds_after_the_opening() {
    check(
        "
        12:00        subscribe anna press after 1m |
        12:00        subscribe ben press           |
        12:03        press  12:00  stopped         | opened 12:00 stopped; DOWN ben
        12:03:09.999 tick                          |
        12:03:10     tick                          | DOWN anna
    ",
    );
}

#[test]
fn a_close_before_the_deadline_sends_nothing() {
    check(
        "
        12:00     subscribe anna press after 5m |
        12:00     press  12:00     stopped      | opened 12:00 stopped
        12:04:59  press  12:04:59  running      | ended 12:00-12:04:59 stopped
        13:00     tick                          |
    ",
    );
}

#[test]
fn a_deadline_passed_by_the_closing_record_fires_before_it() {
    check(
        "
        12:00  subscribe anna press after 5m |
        12:00  press  12:00  stopped         | opened 12:00 stopped
        12:06  press  12:04  running         | ended 12:00-12:04 stopped; DOWN anna; RESTORED anna 12:00-12:04
    ",
    );
    // At the deadline itself it has passed.
    check(
        "
        12:00  subscribe anna press after 5m |
        12:00  press  12:00  stopped         | opened 12:00 stopped
        12:05  press  12:05  running         | ended 12:00-12:05 stopped; DOWN anna; RESTORED anna 12:00-12:05
    ",
    );
}

#[test]
fn a_start_that_moves_moves_the_deadline() {
    check(
        "
        12:00  subscribe anna press after 5m |
        12:00  press  12:00  stopped         | opened 12:00 stopped
        12:03  press  12:02  running         | ended 12:00-12:02 stopped
        12:03  press  12:03  stopped         | opened 12:03 stopped
        12:05  tick                          |
        12:08  tick                          | DOWN anna
    ",
    );
    check(
        "
        12:00  subscribe anna press after 5m |
        12:00  press  12:00  running         |
        12:03  press  12:03  stopped         | opened 12:03 stopped
        12:04  press  12:00:30 stopped       | opened 12:00:30 stopped; retracted down 12:03
        12:05  tick                          |
        12:05:30  tick                       | DOWN anna
    ",
    );
}

#[test]
fn a_start_that_moves_behind_the_deadline_tells_at_once() {
    check(
        "
        12:00  subscribe anna press after 5m |
        12:06  press  12:04  stopped         | opened 12:04 stopped
        12:07  press  12:00  stopped         | opened 12:00 stopped; retracted down 12:04; DOWN anna
    ",
    );
}

#[test]
fn a_subscription_created_after_its_deadline_gets_no_down_for_that_stop() {
    check("
        12:00      press  12:00  stopped             | opened 12:00 stopped
        12:00      subscribe anna press              | DOWN anna
        12:00:01   subscribe ben press               |
        12:01      subscribe carla press after 5m    |
        12:01      subscribe dora press after 1m     |
        12:01:01   subscribe emil press after 1m     |
        12:05      tick                              | DOWN dora; DOWN carla
        12:06      press  12:06  running             | ended 12:00-12:06 stopped; RESTORED anna 12:00-12:06; RESTORED dora 12:00-12:06; RESTORED carla 12:00-12:06
        12:07      press  12:07  stopped             | opened 12:07 stopped; DOWN anna; DOWN ben
    ");
}

#[test]
fn when_the_directory_is_read_makes_no_difference_to_who_came_too_late() {
    check(
        "
        12:00  press  12:00  stopped               | opened 12:00 stopped
        12:09  subscribe anna press made 12:00:01  |
        12:09  subscribe ben press made 11:00      | DOWN ben
    ",
    );
}

#[test]
fn a_filter_names_the_class_of_the_stop_as_it_is_now() {
    check("
        12:00  subscribe anna press only planned    |
        12:00  subscribe ben press only unplanned   |
        12:00  press  12:00  changeover             | opened 12:00 changeover; DOWN anna
        12:05  press  12:05  changeover             |
        12:06  press  12:06  faulted                | revised 12:00 changeover then faulted@12:06; DOWN ben
        12:07  press  12:07  planned_stop           | revised 12:00 changeover then faulted@12:06 then planned_stop@12:07
        12:08  press  12:08  running                | ended 12:00-12:08 changeover then faulted@12:06 then planned_stop@12:07; RESTORED anna 12:00-12:08; RESTORED ben 12:00-12:08
    ");
}

#[test]
fn a_filter_holds_at_the_deadline_too() {
    check("
        12:00  subscribe anna press only unplanned after 5m |
        12:00  press  12:00  planned_stop  | opened 12:00 planned_stop
        12:05  tick                        |
        12:06  press  12:06  blocked       | revised 12:00 planned_stop then blocked@12:06; DOWN anna
        12:07  press  12:07  idle          | ended 12:00-12:07 planned_stop then blocked@12:06; opened 12:07 idle; RESTORED anna 12:00-12:07
    ");
}

#[test]
fn nobody_is_told_twice_of_one_incident() {
    check(
        "
        12:00  subscribe anna press             |
        12:00  subscribe anna north after 5m    |
        12:00  line press path north            |
        12:00  press  12:00  stopped            | opened 12:00 stopped; DOWN anna
        12:05  tick                             |
        12:06  unsubscribe anna press           |
        12:07  subscribe anna press made 11:00  |
        12:10  press  12:10  running            | ended 12:00-12:10 stopped; RESTORED anna 12:00-12:10
    ",
    );
}

#[test]
fn an_opening_may_be_told_while_the_line_is_unknown() {
    check(
        "
        12:00  subscribe anna press after 5m |
        12:00  line press expect 2m          |
        12:00  press  12:00  stopped         | opened 12:00 stopped
        12:02  tick                          | ended 12:00-12:02 stopped; opened 12:02 unknown
        12:05  tick                          | DOWN anna
        12:06  press  12:06  running         | ended 12:02-12:06 unknown; RESTORED anna 12:00-12:02
    ",
    );
}

#[test]
fn deadlines_fire_in_the_order_of_their_time_then_of_their_line() {
    let world = check(
        "
        12:00  subscribe anna north after 5m  |
        12:00  line press path north          |
        12:00  line filler path north         |
        12:00  line box path north            |
        12:00  press   12:00  stopped         | opened 12:00 stopped
        12:00  filler  12:00  stopped         | opened 12:00 stopped
        12:00  box     12:00:01  stopped      | opened 12:00:01 stopped
        12:10  tick                           | DOWN anna; DOWN anna; DOWN anna
    ",
    );
    let told: Vec<_> = world.commands.iter().map(|c| (c.line_id.as_str(), c.created_at)).collect();
    let five = time("12:05").unwrap();
    assert_eq!(told, [("filler", five), ("press", five), ("box", five + 1000)]);
    assert_eq!(world.commands[0].version, five * 1000);
}
