//! Dead letters: counted once, resolved and opened again by offset, redundant where the views say the same.

use andon_domain::{Interval, Kind, LineStatus, Millis, Segment};
use andon_store::{
    DeadLetterQuery, DeadLetterRow, DeadLetterWrite, LateStatus, Resolution, ViewBatch, Views,
};
use uuid::Uuid;

use super::{Fixture, interval, line, line_row, line_write, retract, run, upsert, uuid};

fn letter(id: u128, offset: i64, late: Option<LateStatus>) -> DeadLetterWrite {
    DeadLetterWrite {
        id: uuid(id),
        reason: "TOO_LATE".to_owned(),
        error: format!("as of offset {offset}"),
        key: b"a".to_vec(),
        value: Some(vec![0, 255, 7]),
        headers: vec![1, 2],
        partition: 3,
        offset,
        appended_at: offset * 100,
        late,
    }
}

fn late(at: Millis, status: LineStatus, reason: Option<&str>) -> LateStatus {
    LateStatus { line_id: line("a"), event_time: at, status, reason_code: reason.map(str::to_owned) }
}

fn write(views: &dyn Views, dead_letters: Vec<DeadLetterWrite>) {
    run(views.apply(&ViewBatch { dead_letters, ..ViewBatch::default() })).unwrap();
}

fn stored(views: &dyn Views, id: u128) -> DeadLetterRow {
    run(views.dead_letter(uuid(id))).unwrap().unwrap()
}

pub(crate) fn a_dead_letter_is_counted_once_an_offset<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    // (offsets of the batch, count, last arrival)
    for (offsets, count, last_at) in [
        (vec![5], 1, 500),
        (vec![5], 1, 500),
        (vec![4], 1, 500),
        (vec![7, 6], 3, 700),
        (vec![5, 6, 7], 3, 700),
        (vec![8, 8], 4, 800),
    ] {
        write(&*views, offsets.iter().map(|offset| letter(1, *offset, None)).collect());
        let row = stored(&*views, 1);
        assert_eq!((row.count, row.first_at, row.last_at), (count, 500, last_at), "after {offsets:?}");
    }
    let wanted = DeadLetterRow {
        id: uuid(1),
        reason: "TOO_LATE".to_owned(),
        error: "as of offset 8".to_owned(),
        key: b"a".to_vec(),
        value: Some(vec![0, 255, 7]),
        headers: vec![1, 2],
        partition: 3,
        first_at: 500,
        last_at: 800,
        count: 4,
        is_redundant: false,
        resolved: None,
    };
    assert_eq!(stored(&*views, 1), wanted);
    let without_value = DeadLetterWrite { value: None, key: vec![], headers: vec![], ..letter(2, 1, None) };
    write(&*views, vec![without_value]);
    assert_eq!(stored(&*views, 2).value, None);
    assert_eq!(run(views.dead_letter(uuid(3))).unwrap(), None);
}

/// Offsets that arrive, resolutions and their offsets, and what stands afterwards.
type Step = (&'static [i64], &'static [(Resolution, i64)], Option<(Resolution, Millis)>);

pub(crate) fn a_dead_letter_is_open_if_its_last_arrival_is_behind_its_last_resolution<F: Fixture>() {
    use Resolution::{Discarded, Redriven};
    let fixture = F::new();
    let views = fixture.views();
    for (arrivals, resolutions, wanted) in [
        (&[5], &[], None),
        (&[], &[(Redriven, 6)], Some((Redriven, 6))),
        (&[], &[(Redriven, 6)], Some((Redriven, 6))),
        (&[5], &[], Some((Redriven, 6))),
        (&[], &[(Discarded, 8)], Some((Discarded, 8))),
        (&[], &[(Redriven, 6)], Some((Discarded, 8))),
        (&[9], &[], None),
        (&[], &[(Discarded, 8)], None),
        (&[12], &[(Discarded, 11)], None),
        (&[13], &[(Redriven, 15), (Discarded, 14)], Some((Redriven, 15))),
    ] as [Step; 10]
    {
        run(views.apply(&ViewBatch {
            dead_letters: arrivals.iter().map(|offset| letter(1, *offset, None)).collect(),
            resolved: resolutions.iter().map(|(how, offset)| (uuid(1), *how, *offset, *offset)).collect(),
            ..ViewBatch::default()
        }))
        .unwrap();
        assert_eq!(stored(&*views, 1).resolved, wanted, "after {arrivals:?} and {resolutions:?}");
    }
    let unknown = ViewBatch { resolved: vec![(uuid(9), Redriven, 1, 1)], ..ViewBatch::default() };
    run(views.apply(&unknown)).unwrap();
    assert_eq!(run(views.dead_letter(uuid(9))).unwrap(), None, "a resolution alone makes no row");
}

pub(crate) fn pages_are_newest_first_and_filters_hold<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    // Ids 1 to 12: every third is redundant, every fourth resolved, even ones have another reason. Pairs share an
    // instant.
    let letters = (1..=12_u128).map(|id| {
        let late = (id % 3 == 0).then(|| late(0, LineStatus::NoChange, None));
        let reason = if id % 2 == 0 { "UNDECODABLE" } else { "TOO_LATE" };
        let appended_at = (id / 2) as i64;
        DeadLetterWrite { reason: reason.to_owned(), appended_at, ..letter(id, id as i64, late) }
    });
    run(views.apply(&ViewBatch {
        dead_letters: letters.collect(),
        resolved: [4, 8, 12].map(|id| (uuid(id), Resolution::Discarded, 1, 99)).to_vec(),
        ..ViewBatch::default()
    }))
    .unwrap();
    let all: Vec<u128> = (1..=12).rev().collect();
    for reason in [None, Some("UNDECODABLE"), Some("TOO_LATE"), Some("NO_SUCH")] {
        for (with_redundant, with_resolved) in [(false, false), (true, false), (false, true), (true, true)] {
            let wanted: Vec<Uuid> = all
                .iter()
                .filter(|id| match reason {
                    None => true,
                    Some("UNDECODABLE") => *id % 2 == 0,
                    Some("TOO_LATE") => *id % 2 == 1,
                    Some(_) => false,
                })
                .filter(|id| with_redundant || *id % 3 != 0)
                .filter(|id| with_resolved || *id % 4 != 0)
                .map(|id| uuid(*id))
                .collect();
            for limit in [1, 2, 5, 100] {
                let mut query = DeadLetterQuery {
                    reason: reason.map(str::to_owned),
                    with_redundant,
                    with_resolved,
                    after: None,
                    limit,
                };
                let mut found = Vec::new();
                loop {
                    let page = run(views.dead_letters(&query)).unwrap();
                    assert_eq!(page.open, 6, "over all, whatever the query");
                    assert!(page.rows.len() <= limit);
                    found.extend(page.rows.iter().map(|row| row.id));
                    let Some(last) = page.rows.last() else { break };
                    query.after = Some((last.last_at, last.id));
                }
                assert_eq!(found, wanted, "{query:?}");
            }
        }
    }
}

/// Line `a` has a row, is down from 100 to 200 (faulted, from 150 on stopped with a reason), idle from 200 to 300
/// and down again from 400; an interval from 310 to 390 was retracted. Line `b` has no row.
fn history() -> ViewBatch {
    let segment = |started_at, status, reason: Option<&str>| Segment {
        started_at,
        status,
        reason_code: reason.map(Into::into),
        source_status: None,
    };
    let down = Interval {
        segments: vec![
            segment(100, LineStatus::Faulted, None),
            segment(150, LineStatus::Stopped, Some("E7")),
        ],
        ..interval(Kind::Down, 100, Some(200))
    };
    ViewBatch {
        lines: vec![line_write("a", 1, line_row(LineStatus::Faulted, 400))],
        intervals: vec![
            upsert("a", 1, down),
            upsert("a", 1, interval(Kind::Idle, 200, Some(300))),
            upsert("a", 1, interval(Kind::Down, 310, Some(390))),
            retract("a", 2, Kind::Down, 310),
            upsert("a", 1, interval(Kind::Down, 400, None)),
        ],
        ..ViewBatch::default()
    }
}

pub(crate) fn a_late_status_is_redundant_exactly_if_the_views_say_the_same<F: Fixture>() {
    use LineStatus::*;
    let fixture = F::new();
    let views = fixture.views();
    run(views.apply(&history())).unwrap();
    let rows = [
        // instant, status, reason, redundant
        (100, Faulted, None, true),
        (149, Faulted, None, true),
        (99, Faulted, None, false),
        (100, Faulted, Some("E7"), false), // the views name no reason
        (100, Stopped, None, false),
        (150, Stopped, None, true), // the event names no reason, so it contradicts none
        (150, Stopped, Some("E7"), true),
        (150, Stopped, Some("E8"), false),
        (150, Faulted, None, false),
        (199, Stopped, Some("E7"), true),
        (200, Stopped, None, false), // an interval does not contain its end
        (200, Idle, None, true),
        (299, Idle, None, true),
        (299, Running, None, false),
        (300, Running, None, true),
        (300, Degraded, None, true),
        (300, Idle, None, false),
        (300, Unknown, None, false),
        (350, Faulted, None, false), // that interval is gone
        (350, Running, Some("E7"), true),
        (0, Running, None, true),
        (9_000, Faulted, None, true), // the open interval has no end
        (9_000, Running, None, false),
        (150, NoChange, None, true), // contradicts nothing
        (350, NoChange, Some("E8"), true),
    ];
    for (number, (at, status, reason, wanted)) in rows.into_iter().enumerate() {
        let id = number as u128;
        write(&*views, vec![letter(id, 1, Some(late(at, status, reason)))]);
        assert_eq!(stored(&*views, id).is_redundant, wanted, "{status:?} at {at} for {reason:?}");
    }
    let of_b = |status| Some(LateStatus { line_id: line("b"), ..late(300, status, None) });
    write(&*views, vec![letter(900, 1, of_b(Running)), letter(901, 1, of_b(NoChange)), letter(902, 1, None)]);
    assert!(!stored(&*views, 900).is_redundant, "a line without a row says nothing");
    assert!(stored(&*views, 901).is_redundant);
    assert!(!stored(&*views, 902).is_redundant, "what is not a late status is never redundant");
}

pub(crate) fn redundancy_sees_the_rows_of_its_own_batch<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let dead_letters = vec![
        letter(1, 1, Some(late(120, LineStatus::Faulted, None))),
        letter(2, 2, Some(late(350, LineStatus::Running, None))),
    ];
    run(views.apply(&ViewBatch { dead_letters, ..history() })).unwrap();
    assert!(stored(&*views, 1).is_redundant);
    assert!(stored(&*views, 2).is_redundant);
}

pub(crate) fn the_last_arrival_decides_whether_a_dead_letter_is_redundant<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let faulted = || Some(late(120, LineStatus::Faulted, None));
    let open =
        || run(views.dead_letters(&DeadLetterQuery { limit: 9, ..DeadLetterQuery::default() })).unwrap();
    write(&*views, vec![letter(1, 1, faulted())]);
    assert!(!stored(&*views, 1).is_redundant, "nothing is known of the line");
    assert_eq!((open().open, open().rows.len()), (1, 1));
    run(views.apply(&history())).unwrap();
    assert!(!stored(&*views, 1).is_redundant, "it is judged when it arrives");
    write(&*views, vec![letter(1, 1, faulted())]);
    assert!(!stored(&*views, 1).is_redundant, "the same arrival again changes nothing");
    write(&*views, vec![letter(1, 2, faulted())]);
    assert!(stored(&*views, 1).is_redundant);
    assert_eq!((open().open, open().rows.len()), (0, 0));
    let gone = ViewBatch { intervals: vec![retract("a", 9, Kind::Down, 100)], ..ViewBatch::default() };
    run(views.apply(&gone)).unwrap();
    write(&*views, vec![letter(1, 3, faulted())]);
    assert!(!stored(&*views, 1).is_redundant);
    assert_eq!((open().open, open().rows.len()), (1, 1));
}
