//! What is published: rows, versions, log time, and what a crash leaves.

use andon_domain::{LineClass, LineStatus};

use crate::support::check;
use crate::support::times::time;

#[test]
fn a_version_is_log_time_in_microseconds_or_one_more_than_the_last() {
    let versions = |table: &str| check(table).partition.line("press").unwrap().version();
    let first = "12:00  press  12:00  stopped | opened 12:00 stopped\n";
    assert_eq!(versions(first), time("12:00").unwrap() * 1000);
    let second = format!("{first} 12:00  press  12:00:01  running | ended 12:00-12:00:01 stopped\n");
    assert_eq!(versions(&second), time("12:00").unwrap() * 1000 + 1);
    let third = format!("{second} 12:00:01  press  12:00:01  stopped s:1 | revised 12:00 stopped\n");
    assert_eq!(versions(&third), time("12:00:01").unwrap() * 1000);
}

#[test]
fn log_time_is_the_highest_append_time_and_never_goes_back() {
    let world = check(
        "
        12:00  press   12:00  running |
        11:50  press   11:55  stopped | recorded 11:55-12:00 stopped
        11:30  tick                   |
    ",
    );
    assert_eq!(world.partition.log_time(), time("12:00").unwrap());
    assert_eq!(world.partition.line("press").unwrap().version(), time("12:00").unwrap() * 1000 + 1);
}

#[test]
fn a_refused_record_moves_log_time_and_the_offset_all_the_same() {
    let world = check(
        "
        12:00  press   12:00    running |
        13:00  press   1d12:00  stopped | future
    ",
    );
    assert_eq!(world.partition.log_time(), time("13:00").unwrap());
    assert_eq!(world.partition.applied_offset(), 1);
}

#[test]
fn the_row_says_what_the_line_does_now() {
    let row = |table: &str| check(table).rows.into_values().next().unwrap().1;
    let stopped = "
        12:00  press  12:00  running w:EIN         |
        12:01  press  12:01  stopped r:jam w:AUS   | opened 12:01 stopped(jam, \"AUS\")
        12:02  press  12:02  faulted               | revised 12:01 stopped(jam, \"AUS\") then faulted@12:02
    ";
    let now = row(stopped);
    assert_eq!(
        (now.status, now.class, now.since),
        (LineStatus::Faulted, LineClass::Down, time("12:02").unwrap())
    );
    assert_eq!(now.open_downtime_at, time("12:01"));
    assert_eq!((now.reason_code, now.source_status), (None, None));
    assert_eq!(now.last_event_at, time("12:02").unwrap());
    let now = row(&format!(
        "{stopped} 12:03 press 12:03 running w:EIN | ended 12:01-12:03 stopped(jam, \"AUS\") then faulted@12:02"
    ));
    assert_eq!(
        (now.status, now.class, now.since),
        (LineStatus::Running, LineClass::Up, time("12:03").unwrap())
    );
    assert_eq!((now.open_downtime_at, now.reason_code), (None, None));
    assert_eq!(now.source_status.as_deref(), Some("EIN"));
}

/// Production is the rest since the first event: where that lies is part of the row, and an earlier event moves it.
#[test]
fn the_row_says_when_the_line_spoke_first() {
    let first = |table: &str| check(table).rows.into_values().next().unwrap().1.first_event_at;
    let known = "
        12:00  press  11:58  running |
        12:00  press  11:59  running |
        12:01  press  12:01  stopped | opened 12:01 stopped
    ";
    assert_eq!(first(known), time("11:58").unwrap());
    let earlier = format!("{known} 12:02 press 11:55 running |\n");
    assert_eq!(first(&earlier), time("11:55").unwrap(), "late, within the bound, and no interval changes");
    let frozen = format!("{earlier} 12:30 press 12:30 running | ended 12:01-12:30 stopped");
    assert_eq!(first(&frozen), time("11:55").unwrap(), "it is kept when it freezes");
}

#[test]
fn a_silent_row_is_unknown_and_keeps_nobodys_reason() {
    let world = check(
        "
        12:00  line press expect 1m          |
        12:00  press  12:00  running r:slow w:EIN |
        12:01  tick                          | opened 12:01 unknown
    ",
    );
    let row = world.rows.into_values().next().unwrap().1;
    assert_eq!((row.status, row.class), (LineStatus::Unknown, LineClass::Unknown));
    assert_eq!((row.since, row.reason_code, row.source_status), (time("12:01").unwrap(), None, None));
}

#[test]
fn a_row_is_published_again_once_last_seen_has_moved_by_ten_seconds() {
    let seen = |table: &str| {
        let (version, row) = check(table).rows.into_values().next().unwrap();
        (version, row.last_seen_at)
    };
    let first = "12:00  press  12:00  running |\n".to_owned();
    let noon = (time("12:00").unwrap() * 1000, time("12:00").unwrap());
    assert_eq!(seen(&first), noon);
    let early = format!("{first} 12:00:09.999  press  12:00:09  running |\n");
    assert_eq!(seen(&early), noon);
    let late = format!("{early} 12:00:10  press  12:00:10  no_change | alive\n");
    assert_eq!(seen(&late), (time("12:00:10").unwrap() * 1000, time("12:00:10").unwrap()));
}

#[test]
fn a_restart_changes_nothing_and_publishes_nothing() {
    check("
        12:00  line press expect 1m    |
        12:00  press  12:00  stopped   | opened 12:00 stopped
        12:00  restart                 |
        12:01  tick                    | ended 12:00-12:01 stopped; opened 12:01 unknown
        12:01  restart                 |
        12:01  restart                 |
        12:05  press  12:05  no_change | alive; ended 12:01-12:05 unknown; opened 12:05 stopped
        12:05  restart                 |
        12:05  press  12:00:30  stopped r:jam | revised 12:00-12:01:30 stopped(jam); retracted unknown 12:01; recorded 12:01:30-12:05 unknown; revised 12:05 stopped(jam)
    ");
}

#[test]
fn the_next_deadline_is_known_to_whoever_waits_for_it() {
    let next = |table: &str| check(table).partition.next_deadline();
    assert_eq!(next("12:00  press  12:00  running |"), None);
    let stopped = "
        12:00  subscribe anna press after 5m |
        12:00  press  12:00  stopped         | opened 12:00 stopped
    ";
    assert_eq!(next(stopped), time("12:05"));
    assert_eq!(next(&format!("{stopped} 12:00 line press expect 2m |")), time("12:02"));
    assert_eq!(next(&format!("{stopped} 12:05 tick | DOWN anna")), None);
    // A deadline that moved forward leaves nothing behind at its old place.
    let sooner = format!("{stopped} 12:00 subscribe anna press after 1m |\n");
    assert_eq!(next(&sooner), time("12:01"));
    assert_eq!(next(&format!("{sooner} 12:01 tick | DOWN anna")), None);
}

#[test]
fn what_the_log_delivers_again_moves_nothing() {
    let mut world = check("12:00  press  12:00  running |");
    let later = time("13:00").unwrap();
    let directory = world.directory.clone();
    world.partition.pass(0, later, &directory);
    assert_eq!(world.partition.log_time(), time("12:00").unwrap());
    world.next_offset = 0;
    let change = crate::support::histories::change;
    let signal = crate::support::reference::Signal {
        at: later,
        sequence: None,
        id: 5,
        status: LineStatus::Stopped,
        reason: None,
        source: None,
        word: None,
    };
    assert_eq!(world.fold(later, &change("press", &signal)), andon_domain::Outcome::Replayed);
    assert_eq!(world.partition.log_time(), time("12:00").unwrap());
    world.partition.pass(1, later, &directory);
    assert_eq!((world.partition.log_time(), world.partition.applied_offset()), (later, 1));
    assert_eq!(world.partition.line_count(), 1);
}

#[test]
fn a_line_skips_what_it_has_folded_even_if_the_partitions_offset_was_lost() {
    use andon_domain::{CONTROL_KEY, Directory, FoldConfig, Outcome, Restore};

    let world = check(
        "
        12:00  press  12:00  running |
        12:01  press  12:01  stopped | opened 12:01 stopped
    ",
    );
    let mut restore = Restore::new(FoldConfig::default());
    for (key, value) in world.changelog().iter().filter(|(key, _)| key.as_slice() != CONTROL_KEY) {
        restore.record(key, Some(value)).unwrap();
    }
    let mut partition = restore.finish(&Directory::default());
    let signal = crate::support::reference::Signal {
        at: time("12:02").unwrap(),
        sequence: None,
        id: 5,
        status: LineStatus::Running,
        reason: None,
        source: None,
        word: None,
    };
    let change = crate::support::histories::change("press", &signal);
    assert_eq!(partition.applied_offset(), -1);
    let mut fold = |offset| partition.fold(offset, signal.at, &change, &Directory::default());
    assert_eq!(fold(1), Outcome::Replayed);
    assert_eq!(fold(2), Outcome::Accepted { is_conflicting: false, hit_size_bound: false });
}

#[test]
fn a_line_takes_what_its_events_take_and_gives_it_back() {
    use andon_domain::Line;

    const EVENT: usize = 48;
    let mut world = crate::support::world::World::new(andon_domain::FoldConfig::default());
    let bytes_after = |world: &mut crate::support::world::World, second: i64| {
        let at = time("12:00").unwrap() + second * 1000;
        let signal = crate::support::reference::Signal {
            at,
            sequence: None,
            id: u128::try_from(second).unwrap(),
            status: LineStatus::Running,
            reason: None,
            source: None,
            word: None,
        };
        world.fold(at, &crate::support::histories::change("press", &signal));
        world.partition.line("press").map_or(0, Line::memory_bytes)
    };
    // The line, its id with two counters, and no more room than its events need.
    let empty = size_of::<Line>() + 16 + "press".len();
    for count in 1..=4_usize {
        let second = i64::try_from(count).unwrap();
        assert_eq!(bytes_after(&mut world, second), empty + count * EVENT, "{count} events");
    }
    assert!(empty + EVENT <= 400, "a line at rest takes at most 400 bytes");
    let few = (5..=32).map(|second| bytes_after(&mut world, second)).last().unwrap();
    assert_eq!(few, empty + 32 * EVENT, "up to 32 events have no fingerprints");
    let full = (33..=600).map(|second| bytes_after(&mut world, second)).last().unwrap();
    let list = full - empty - 512 * EVENT;
    assert!((511 * 4..=1024 * 4 + 64).contains(&list), "512 events and their fingerprints: {list}");
    let rest = bytes_after(&mut world, 10_000);
    assert!((empty + EVENT..=empty + 9 * EVENT).contains(&rest), "an hour later: {rest}");
}
