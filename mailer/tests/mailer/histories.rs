//! What messages tell from the views: never wrong, never late, and the same in every retry.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use andon_domain::CommandKind::{Down, Restored, Withdrawn};
use andon_domain::{
    Command, CommandKind, Interval, IntervalChange, Kind, LineClass, LineRow, LineStatus, Millis, Segment,
    text,
};
use andon_mailer::{Mail, SendError};
use andon_store::{IntervalWrite, LineWrite, Subscriber, ViewBatch};

use crate::support::{
    DAY, Fate, FatedViews, HOUR, MINUTE, Plant, START, command, parsed, read, subscriber, turn,
};

const STOPPED_AT: Millis = START - 10_000;

/// A stop of line `press-1` with a segment every 4 s.
fn stop(started_at: Millis, ended_at: Option<Millis>) -> Interval {
    let segment = |at, status, reason| Segment {
        started_at: at,
        status,
        reason_code: text(reason),
        source_status: text(Some("E7")),
    };
    let segments = vec![
        segment(started_at, LineStatus::Faulted, None),
        segment(started_at + 4_000, LineStatus::Starved, Some("no\r\npallet")),
    ];
    Interval { kind: Kind::Down, started_at, ended_at, segments }
}

fn batch(version: i64, intervals: Vec<IntervalChange>) -> ViewBatch {
    let line_id = command(1, Down, 1, START).line_id;
    let row = LineRow {
        status: LineStatus::Faulted,
        class: LineClass::Down,
        since: START,
        first_event_at: 0,
        last_event_at: START,
        last_seen_at: START,
        open_downtime_at: None,
        reason_code: None,
        source_status: None,
    };
    ViewBatch {
        lines: vec![LineWrite { line_id: line_id.clone(), version, row }],
        intervals: intervals
            .into_iter()
            .map(|change| IntervalWrite { line_id: line_id.clone(), version, change })
            .collect(),
        ..ViewBatch::default()
    }
}

fn show(plant: &Plant, version: i64, intervals: Vec<Interval>) {
    let changes = intervals.into_iter().map(IntervalChange::Upsert).collect();
    plant.run(plant.views.apply(&batch(version, changes))).unwrap();
}

/// The only text that was accepted of a kind.
fn told(plant: &Plant, kind: CommandKind) -> String {
    let of_kind: Vec<Mail> =
        plant.transport.accepted().into_iter().filter(|mail| mail.kind == kind).collect();
    assert_eq!(of_kind.len(), 1);
    read(&of_kind[0].content).text
}

#[test]
fn a_message_tells_the_course_of_the_stop_and_of_the_day() {
    let plant = Plant::new();
    // It is 07:00 in Madrid: of yesterday's stop, half an hour lies in today.
    let midnight = START - 7 * HOUR;
    let earlier = [(midnight - 2 * HOUR, midnight - HOUR), (midnight - HOUR, midnight + 30 * MINUTE)];
    let later = [(midnight + HOUR, midnight + HOUR + 5 * MINUTE)];
    let stops = earlier.iter().chain(&later).map(|(start, end)| stop(*start, Some(*end)));
    show(&plant, 1, stops.chain([stop(STOPPED_AT, None)]).collect());
    plant.log(&[command(1, Down, 1, START)]);
    plant.settle_all(&mut plant.mailer());
    let down = told(&plant, Down);
    assert!(down.contains("\nToday: 3rd stop, 35 min 10 s down in all\n"), "{down}");
    let course = "\nCourse of the stop:\n- 06:59:50 CET, 4 s: faulted, E7\n\
                  - 06:59:54 CET, still: starved, no pallet, E7\n";
    assert!(down.contains(course), "{down}");

    show(&plant, 2, vec![stop(STOPPED_AT, Some(START + 50_000))]);
    plant.log(&[Command { ended_at: Some(START + 50_000), ..command(1, Restored, 1, START + 51_000) }]);
    plant.settle_all(&mut plant.mailer());
    let restored = told(&plant, Restored);
    assert!(restored.contains("\nToday: 3rd stop, 36 min down in all\n"), "{restored}");
    assert!(restored.contains("\n- 06:59:54 CET, 56 s: starved, no pallet, E7\n"), "{restored}");
}

#[test]
fn a_day_is_the_reader_s_and_has_25_hours_when_his_clocks_go_back() {
    // 2026-10-25 in Madrid begins at 22:00 UTC and has 25 hours; a stop of an hour before and one after each midnight.
    let midnight = 1_792_879_200_000;
    let next_midnight = midnight + 25 * HOUR;
    let starts = [midnight - 2 * HOUR, midnight + HOUR, next_midnight - 2 * HOUR, next_midnight + HOUR];
    for (at, (zone, wanted)) in [
        (2, ("Europe/Madrid", "2nd stop, 2 h down in all")),
        (3, ("Europe/Madrid", "1st stop, 1 h down in all")),
        // There the day began two hours later than in Madrid, just when the stop before was over.
        (2, ("Atlantic/Reykjavik", "1st stop, 1 h down in all")),
        (3, ("Atlantic/Reykjavik", "1st stop, 1 h down in all")),
    ] {
        let plant = Plant::new();
        plant.subscribe(&Subscriber { zone: zone.to_owned(), ..subscriber(9) });
        show(&plant, 1, starts.iter().map(|start| stop(*start, Some(start + HOUR))).collect());
        let end = starts[at] + HOUR;
        let told_of = |kind| Command {
            first_told_start: starts[at],
            started_at: starts[at],
            ended_at: (kind == Restored).then_some(end),
            ..command(1, kind, 9, end)
        };
        plant.log(&[Command { created_at: START, ..told_of(Down) }, told_of(Restored)]);
        plant.settle_all(&mut plant.mailer());
        let restored = told(&plant, Restored);
        assert!(restored.contains(&format!("\nToday: {wanted}\n")), "{zone}: {restored}");
    }
}

#[test]
fn a_retry_is_the_same_message_whatever_the_views_say_by_then() {
    for (first, wants_history) in [(true, true), (false, false)] {
        let plant = Plant::new();
        if first {
            show(&plant, 1, vec![stop(STOPPED_AT, None)]);
        }
        plant.log(&[command(1, Down, 1, START)]);
        let tried: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let seen = tried.clone();
        plant.transport.answer(move |mail| {
            let mut seen = seen.lock().unwrap();
            seen.push(mail.content.clone());
            match seen.len() {
                1 => Err(SendError::Transient { reply: 451.into() }),
                2 => Err(SendError::Ambiguous("it broke".into())),
                _ => Ok(()),
            }
        });
        turn(&mut plant.mailer());
        let mut other = stop(STOPPED_AT, Some(START));
        other.segments[1].reason_code = text(Some("another reason"));
        show(&plant, 2, vec![stop(STOPPED_AT - HOUR, Some(STOPPED_AT - MINUTE)), other]);
        plant.set(1, "es", "America/Lima");
        // Another process: nothing is left but the ledger.
        plant.settle_all(&mut plant.mailer());
        let tried = tried.lock().unwrap();
        assert_eq!(tried.len(), 3);
        assert!(tried.iter().all(|content| *content == tried[0]));
        let text = read(&tried[0]).text;
        assert_eq!(text.contains("Course of the stop"), wants_history, "{text}");
        assert_eq!(text.contains("1st stop"), wants_history, "{text}");
    }
}

#[test]
fn a_thread_keeps_its_subject_when_its_reader_changes_language_and_zone() {
    let plant = Plant::new();
    plant.log(&[command(1, Down, 1, START)]);
    plant.settle_all(&mut plant.mailer());
    plant.set(1, "es", "America/Lima");
    plant.log(&[command(1, Restored, 1, START + 60_000), command(2, Down, 1, START + 60_000)]);
    plant.settle_all(&mut plant.mailer());
    let accepted = plant.transport.accepted();
    let subjects: Vec<String> =
        accepted.iter().map(|mail| parsed(&mail.content).subject().unwrap().to_owned()).collect();
    assert_eq!(
        subjects,
        [
            "[press-1] Down since 2026-11-24 06:59",
            // Openings leave first.
            "[press-2] Parada desde 2026-11-24 00:59",
            "[press-1] Down since 2026-11-24 06:59",
        ]
    );
    let restored = read(&accepted[2].content).text;
    assert!(restored.contains("\nInicio: 2026-11-24 00:59:50 -05\n"), "{restored}");
}

#[test]
fn views_that_are_behind_get_a_moment_to_catch_up() {
    let mut plant = Plant::new();
    // More than any machine needs: what is waited for is the third reading.
    plant.config.views_ms_max = 10_000;
    let views = FatedViews::new(plant.views.clone(), |reading| match reading {
        2 => Fate::After(batch(1, vec![IntervalChange::Upsert(stop(STOPPED_AT, None))])),
        _ => Fate::Answer,
    });
    plant.views = views.clone();
    plant.log(&[command(1, Down, 1, START)]);
    plant.settle_all(&mut plant.mailer());
    assert!(told(&plant, Down).contains("Course of the stop"));
    assert_eq!(views.readings(), 3);
}

#[test]
fn views_that_stay_behind_fail_or_hang_hold_nothing_up_for_long() {
    for fate in [|_| Fate::Answer, |_| Fate::Fail, |_| Fate::Hang] {
        let mut plant = Plant::new();
        plant.config.views_ms_max = 50;
        plant.views = FatedViews::new(plant.views.clone(), fate);
        let commands = [1, 2, 3].map(|subscriber| command(1, Down, subscriber, START));
        plant.log(&commands);
        let begun = Instant::now();
        turn(&mut plant.mailer());
        // One moment for the whole portion; the bound is far above it, for a slow machine.
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(plant.transport.accepted_kinds(), [Down, Down, Down]);
        let text = read(&plant.transport.accepted()[0].content).text;
        assert!(!text.contains("Course") && !text.contains("Today"), "{text}");
    }
}

#[test]
fn what_the_views_know_by_now_does_not_contradict_the_message() {
    let opening = || command(1, Down, 1, START);
    let close = |ended_at| Command { ended_at: Some(ended_at), ..command(1, Restored, 1, START + 60_000) };
    let (ended_at, other) = (START + 50_000, START + 40_000);
    let retract = IntervalChange::Retract { kind: Kind::Down, started_at: STOPPED_AT };

    // The line runs already when its opening leaves: the opening tells what was so.
    let plant = Plant::new();
    show(&plant, 1, vec![stop(STOPPED_AT, Some(START + 5_000)), stop(START + 10_000, None)]);
    plant.log(&[opening()]);
    plant.settle_all(&mut plant.mailer());
    let text = told(&plant, Down);
    assert!(text.contains(", still: starved") && text.contains("1st stop, 10 s down in all"), "{text}");

    // The end was revised, is not known yet, or the stop is gone.
    for changes in [
        vec![IntervalChange::Upsert(stop(STOPPED_AT, Some(other)))],
        vec![IntervalChange::Upsert(stop(STOPPED_AT, None))],
        vec![IntervalChange::Upsert(stop(STOPPED_AT, Some(ended_at))), retract],
    ] {
        let plant = Plant::new();
        for (version, change) in (1..).zip(changes) {
            plant.run(plant.views.apply(&batch(version, vec![change]))).unwrap();
        }
        plant.log(&[opening(), close(ended_at)]);
        plant.settle_all(&mut plant.mailer());
        let text = told(&plant, Restored);
        assert!(!text.contains("Course") && !text.contains("Today"), "{text}");
    }
}

#[test]
fn a_withdrawal_asks_no_view() {
    let mut plant = Plant::new();
    let views = FatedViews::new(plant.views.clone(), |_| Fate::Answer);
    plant.views = views.clone();
    plant.log(&[command(1, Down, 1, START), command(1, Withdrawn, 1, START + 1_000)]);
    plant.settle_all(&mut plant.mailer());
    assert_eq!(plant.transport.accepted_kinds(), [Down, Withdrawn]);
    assert_eq!(views.readings(), 1, "that of the opening");
}

#[test]
fn a_very_long_course_keeps_its_beginning_and_its_end() {
    let plant = Plant::new();
    let mut long = stop(STOPPED_AT, None);
    long.segments = (0..256)
        .map(|at| Segment {
            started_at: STOPPED_AT + at * 10,
            status: if at % 2 == 0 { LineStatus::Faulted } else { LineStatus::Blocked },
            reason_code: text(Some(&format!("reason {at} {}", "x".repeat(10_000)))),
            source_status: None,
        })
        .collect();
    show(&plant, 1, vec![long]);
    plant.log(&[command(1, Down, 1, START)]);
    plant.settle_all(&mut plant.mailer());
    let text = told(&plant, Down);
    for (at, is_there) in [(0, true), (5, true), (6, false), (249, false), (250, true), (255, true)] {
        assert_eq!(text.contains(&format!(" reason {at} ")), is_there, "{at}: {text}");
    }
    assert!(text.contains("\n  … 244 more …\n"), "{text}");
    let facts = plant.delivery(1, Down, 1).facts.unwrap();
    assert!(facts.len() < 5_000, "{} bytes of facts", facts.len());
}

/// What "Today" says in a message, and how it goes on.
fn today_of(plant: &Plant, kind: CommandKind) -> Option<String> {
    let text = told(plant, kind);
    text.lines().find_map(|line| line.strip_prefix("Today: ")).map(str::to_owned)
}

#[test]
fn a_day_counts_stops_up_to_this_one_and_nothing_else() {
    const MIDNIGHT: Millis = START - 7 * HOUR;
    let idle = |start: Millis, end: Millis| Interval { kind: Kind::Idle, ..stop(start, Some(end)) };
    let (yesterday, today) = (MIDNIGHT - HOUR, MIDNIGHT + HOUR);
    // What the views know, start, end if it is over, when it was told, what is wanted.
    type Row<'a> = (Vec<Interval>, Millis, Option<Millis>, Millis, Option<&'a str>);
    let rows: Vec<Row<'_>> = vec![
        // It began yesterday: of it, what lies in today.
        (vec![stop(yesterday, None)], yesterday, None, today, Some("1st stop, 1 h down in all")),
        (
            vec![stop(yesterday, Some(today))],
            yesterday,
            Some(today),
            today,
            Some("1st stop, 1 h down in all"),
        ),
        // It was over before today, and today's message says nothing of the day.
        (vec![stop(yesterday, Some(MIDNIGHT))], yesterday, Some(MIDNIGHT), today, None),
        (vec![stop(yesterday, Some(MIDNIGHT - 1))], yesterday, Some(MIDNIGHT - 1), today, None),
        // A clock is a little fast: it begins tomorrow, or ahead of the log.
        (vec![stop(MIDNIGHT, None)], MIDNIGHT, None, MIDNIGHT - 1, None),
        (vec![stop(today + 2, None)], today + 2, None, today, Some("1st stop, less than 1 s down in all")),
        // Another one came after it, before it was told.
        (
            vec![stop(today, Some(today + MINUTE)), stop(today + 2 * MINUTE, None)],
            today,
            None,
            today + 5 * MINUTE,
            Some("1st stop, 1 min down in all"),
        ),
        // Without an order a line is not down.
        (
            vec![idle(MIDNIGHT, today), stop(today, None)],
            today,
            None,
            today + MINUTE,
            Some("1st stop, 1 min down in all"),
        ),
    ];
    for (known, started_at, ended_at, created_at, wanted) in rows {
        let mut plant = Plant::new();
        // It is no longer the hour of these messages.
        plant.config.notify_max_age_ms = DAY;
        let kind = if ended_at.is_some() { Restored } else { Down };
        show(&plant, 1, known);
        let told = Command { first_told_start: started_at, started_at, ..command(1, Down, 1, created_at) };
        plant.log(std::slice::from_ref(&told));
        if kind == Restored {
            plant.log(&[Command {
                ended_at,
                first_told_start: started_at,
                started_at,
                ..command(1, kind, 1, created_at)
            }]);
        }
        plant.settle_all(&mut plant.mailer());
        assert_eq!(today_of(&plant, kind).as_deref(), wanted, "{started_at} {ended_at:?} {created_at}");
    }
}

#[test]
fn more_stops_than_are_counted_are_not_told_of() {
    for (earlier, wanted) in [(998, Some("999th stop, 16 min 48 s down in all")), (999, None)] {
        let plant = Plant::new();
        let midnight = START - 7 * HOUR;
        let second = |at: i64| stop(midnight + at * 2_000, Some(midnight + at * 2_000 + 1_000));
        show(&plant, 1, (0..earlier).map(second).chain([stop(STOPPED_AT, None)]).collect());
        plant.log(&[command(1, Down, 1, START)]);
        plant.settle_all(&mut plant.mailer());
        assert_eq!(today_of(&plant, Down).as_deref(), wanted, "{earlier} earlier ones");
    }
}

#[test]
fn a_segment_that_began_after_the_message_was_decided_is_not_in_it() {
    let plant = Plant::new();
    let mut known = stop(STOPPED_AT, None);
    let later = Segment { started_at: START, reason_code: text(Some("later")), ..known.segments[1].clone() };
    known.segments.push(later);
    show(&plant, 1, vec![known]);
    plant.log(&[command(1, Down, 1, START)]);
    plant.settle_all(&mut plant.mailer());
    let text = told(&plant, Down);
    assert!(text.contains("Course") && text.contains("still: starved, no pallet"), "{text}");
    assert!(!text.contains("later"), "{text}");
}
