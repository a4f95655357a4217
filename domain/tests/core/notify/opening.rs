//! When an incident opens: once, while the news is young.

use andon_domain::{FoldConfig, IncidentId};

use crate::support::times::time;
use crate::support::{check, check_with};

#[test]
fn an_incident_opens_at_the_first_step_with_an_open_downtime_interval() {
    let world = check(
        "
        12:00  subscribe anna press    |
        12:00  press  12:00  running   |
        12:01  press  12:01  stopped   | opened 12:01 stopped; DOWN anna
        12:02  press  12:02  faulted   | revised 12:01 stopped then faulted@12:02
    ",
    );
    let press = world.commands[0].line_id.clone();
    assert_eq!(world.commands[0].incident_id, IncidentId::derive(&press, time("12:01").unwrap() * 1000));
    assert_eq!(world.commands[0].version, time("12:01").unwrap() * 1000);
}

#[test]
fn planned_external_and_internal_stops_are_told_idle_and_unknown_are_not() {
    for status in ["stopped", "faulted", "blocked", "starved", "planned_stop", "changeover"] {
        check(&format!(
            "
            12:00  subscribe anna press   |
            12:01  press  12:01  {status} | opened 12:01 {status}; DOWN anna
        "
        ));
    }
    for status in ["idle", "unknown"] {
        check(&format!(
            "
            12:00  subscribe anna press   |
            12:01  press  12:01  {status} | opened 12:01 {status}
        "
        ));
    }
    check(
        "
        12:00  subscribe anna press   |
        12:01  press  12:01  degraded |
        12:01  line press degraded    | opened 12:01 degraded; DOWN anna
    ",
    );
}

#[test]
fn news_older_than_notify_max_age_opens_none() {
    check(
        "
        12:00         subscribe anna press    |
        12:15:00.001  press   12:00  stopped  | opened 12:00 stopped
        12:15:00      filler  12:00  stopped  | opened 12:00 stopped
    ",
    );
    check(
        "
        12:00  subscribe anna press    |
        12:15  press  12:00  stopped   | opened 12:00 stopped; DOWN anna
    ",
    );
    let config = FoldConfig { notify_age_ms_max: 1000, ..FoldConfig::default() };
    check_with(
        config,
        "
        12:00         subscribe anna press       |
        12:00:01.001  press  12:00      stopped  | opened 12:00 stopped
        12:00:01.001  press  12:00:00.001 stopped | DOWN anna
    ",
    );
}

#[test]
fn a_backfill_mails_nobody() {
    check(
        "
        12:00    subscribe anna press       |
        1d00:00  line press lateness 24h    |
        1d00:00  press  12:00  stopped      | opened 12:00 stopped
        1d00:00  press  12:10  running      | ended 12:00-12:10 stopped
        1d00:00  press  13:00  faulted      | opened 13:00 faulted
        1d00:00  press  1d00:00  running    | ended 13:00-1d00:00 faulted
    ",
    );
}

#[test]
fn a_gateway_that_reconnects_while_its_line_is_still_down_tells() {
    check(
        "
        12:00  subscribe anna press   |
        13:00  press  12:00  stopped  | opened 12:00 stopped
        13:00  press  12:20  no_change | alive
        13:00  press  13:00  stopped  | DOWN anna
        13:05  press  13:05  running  | ended 12:00-13:05 stopped; RESTORED anna 12:00-13:05
    ",
    );
    check(
        "
        12:00  subscribe anna press    |
        13:00  press  12:00  stopped   | opened 12:00 stopped
        13:00  press  13:00  no_change | alive; DOWN anna
    ",
    );
}

#[test]
fn age_is_judged_once_and_an_open_incident_does_not_grow_too_old() {
    check(
        "
        12:00  subscribe anna press after 2h |
        12:00  press  12:00  stopped   | opened 12:00 stopped
        13:59  tick                    |
        14:00  tick                    | DOWN anna
    ",
    );
}

#[test]
fn a_stop_first_seen_already_closed_opens_none() {
    check(
        "
        12:00  subscribe anna press  |
        12:05  press  12:05  running |
        12:05  press  12:01  stopped | recorded 12:01-12:05 stopped
    ",
    );
}

#[test]
fn a_closed_incident_is_never_reopened_the_next_one_has_its_own_id() {
    let world = check(
        "
        12:00  subscribe anna press   |
        12:00  press  12:00  stopped  | opened 12:00 stopped; DOWN anna
        12:05  press  12:05  running  | ended 12:00-12:05 stopped; RESTORED anna 12:00-12:05
        12:06  press  12:05  stopped s:1 | revised 12:00 stopped; DOWN anna
        12:07  press  12:07  running  | ended 12:00-12:07 stopped; RESTORED anna 12:00-12:07
    ",
    );
    let ids: Vec<_> = world.commands.iter().map(|command| command.incident_id).collect();
    assert!(ids[0] == ids[1] && ids[1] != ids[2] && ids[2] == ids[3]);
}

#[test]
fn a_retired_line_opens_none_until_it_is_back() {
    check(
        "
        12:00  subscribe anna press  |
        12:00  line press retired    |
        12:00  press  12:00  stopped | opened 12:00 stopped
        12:01  press  12:01  faulted | revised 12:00 stopped then faulted@12:01
        12:02  line press            | DOWN anna
    ",
    );
}
