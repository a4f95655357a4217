//! Versioned rows of lines and intervals, and the positions that come with them.

use std::sync::Arc;

use andon_domain::{Interval, IntervalId, Kind, LineStatus, Segment};
use andon_store::{IntervalFound, IntervalQuery, Scope, StoredInterval, StoredLine, ViewBatch, Views};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Fixture, interval, line, line_row, line_write, position, retract, run, upsert};

fn lines(writes: Vec<andon_store::LineWrite>) -> ViewBatch {
    ViewBatch { lines: writes, ..ViewBatch::default() }
}

fn intervals(writes: Vec<andon_store::IntervalWrite>) -> ViewBatch {
    ViewBatch { intervals: writes, ..ViewBatch::default() }
}

/// Everything that is current.
fn everything(views: &dyn Views) -> (Vec<StoredLine>, Vec<StoredInterval>) {
    let query = IntervalQuery {
        scope: Scope::All,
        kind: None,
        from: i64::MIN,
        to: i64::MAX,
        after: None,
        limit: 10_000,
    };
    run(async { (views.lines(None, 10_000).await.unwrap(), views.intervals(&query).await.unwrap()) })
}

pub(crate) fn the_newest_version_of_a_line_and_of_an_interval_wins_also_inside_one_batch<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let row = |since| line_row(LineStatus::Faulted, since);
    let down = |ended_at| interval(Kind::Down, 100, ended_at);
    // (versions of the batch, which of them stands afterwards)
    for (versions, stands) in [
        (vec![5], 5),
        (vec![4], 5),
        (vec![5], 5),
        (vec![7, 9, 8], 9),
        (vec![9, 1], 9),
        (vec![12, 11, 10], 12),
    ] {
        let batch = ViewBatch {
            lines: versions.iter().map(|v| line_write("a", *v, row(v * 10))).collect(),
            intervals: versions.iter().map(|v| upsert("a", *v, down(Some(v * 1_000)))).collect(),
            ..ViewBatch::default()
        };
        run(views.apply(&batch)).unwrap();
        let (lines, intervals) = everything(&*views);
        let wanted = StoredLine { line_id: line("a"), version: stands, row: row(stands * 10) };
        assert_eq!(lines, [wanted], "after {versions:?}");
        let wanted =
            StoredInterval { line_id: line("a"), version: stands, interval: down(Some(stands * 1_000)) };
        assert_eq!(intervals, [wanted], "after {versions:?}");
    }
    // An equal version changes nothing either: the first one stands.
    run(views.apply(&lines(vec![line_write("a", 12, row(999))]))).unwrap();
    run(views.apply(&intervals(vec![upsert("a", 12, down(None))]))).unwrap();
    let (lines, intervals) = everything(&*views);
    assert_eq!((&lines[0].row, &intervals[0].interval), (&row(120), &down(Some(12_000))));
}

pub(crate) fn a_whole_line_row_comes_back_as_it_was_written<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    for (number, status) in LineStatus::ALL.into_iter().enumerate() {
        let mut row = line_row(status, -5 + number as i64);
        row.source_status = (number % 2 == 0).then(|| "Störung \u{0}'".into());
        row.reason_code = (number % 3 == 0).then(|| "".into());
        let name = format!("line {number} ü");
        run(views.apply(&lines(vec![line_write(&name, 1, row.clone())]))).unwrap();
        let stored = run(views.line(&line(&name))).unwrap();
        assert_eq!(stored, Some(StoredLine { line_id: line(&name), version: 1, row }));
    }
    assert_eq!(run(views.line(&line("nobody"))).unwrap(), None);
}

pub(crate) fn a_long_interval_comes_back_as_it_was_written<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let segments: Vec<Segment> = (0..Interval::SEGMENTS_MAX as i64)
        .map(|n| Segment {
            started_at: 1_000 + n * n,
            status: LineStatus::ALL[(n % 10) as usize],
            reason_code: (n % 3 > 0).then(|| format!("reason {}", n / 2).into()),
            source_status: (n % 5 > 0).then(|| "the controller's own word".into()),
        })
        .collect();
    let long = Interval { kind: Kind::Down, started_at: 1_000, ended_at: None, segments };
    run(views.apply(&intervals(vec![upsert("a", 1, long.clone())]))).unwrap();
    let found = run(views.interval(long.id(&line("a")))).unwrap();
    let wanted = StoredInterval { line_id: line("a"), version: 1, interval: long };
    assert_eq!(found, IntervalFound::Current(wanted));
}

/// Line, start, kind, and whether the interval is there.
type Write = (usize, i64, u8, bool);

pub(crate) fn any_order_and_any_duplication_of_batches_give_the_same_rows<F: Fixture>() {
    // The number of a write is its version, so versions tell all writes of one key apart.
    let write = (0..3_usize, 0..4_i64, 0..3_u8, any::<bool>());
    let writes = proptest::collection::vec(write, 1..40);
    let strategy = writes.prop_flat_map(|writes| {
        let numbered: Vec<_> = writes.into_iter().enumerate().collect();
        let twice = [numbered.clone(), numbered.clone()].concat();
        (Just(numbered), Just(twice).prop_shuffle(), 1..10_usize)
    });
    let apply = |views: &Arc<dyn Views>, writes: &[(usize, Write)], batch: usize| {
        for chunk in writes.chunks(batch) {
            let mut batch = ViewBatch::default();
            for (version, (line, start, kind, is_there)) in chunk {
                let (name, version) = (["a", "b", "c"][*line], *version as i64);
                let kind = Kind::from_index(*kind).unwrap();
                batch.lines.push(line_write(name, version, line_row(LineStatus::Running, version)));
                batch.intervals.push(if *is_there {
                    upsert(name, version, interval(kind, start * 100, Some(start * 100 + 1 + version)))
                } else {
                    retract(name, version, kind, start * 100)
                });
            }
            run(views.apply(&batch)).unwrap();
        }
    };
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    runner
        .run(&strategy, |(in_order, shuffled, batch)| {
            let (one, other) = (F::new(), F::new());
            let (one, other) = (one.views(), other.views());
            apply(&one, &in_order, 1);
            apply(&other, &shuffled, batch);
            // The window would hide one of two kinds with one start, which no timeline has; ids hide nothing.
            prop_assert_eq!(everything(&*one).0, everything(&*other).0);
            for name in ["a", "b", "c"] {
                for (start, kind) in (0..4).flat_map(|start| (0..3).map(move |kind| (start * 100, kind))) {
                    let id = IntervalId::derive(&line(name), Kind::from_index(kind).unwrap(), start);
                    prop_assert_eq!(run(one.interval(id)).unwrap(), run(other.interval(id)).unwrap());
                }
            }
            Ok(())
        })
        .unwrap();
}

pub(crate) fn positions_and_progress_come_with_the_rows_and_never_go_back<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    assert_eq!(run(views.positions()).unwrap(), []);
    assert_eq!(run(views.progress()).unwrap(), []);
    let batch = |offset, log_time| ViewBatch {
        positions: vec![position("changes", 0, offset), position("directory", 0, 2 * offset)],
        progress: vec![(0, log_time), (1, -log_time)],
        ..ViewBatch::default()
    };
    run(views.apply(&batch(10, 1_000))).unwrap();
    run(views.apply(&batch(9, 900))).unwrap();
    let wanted = [position("changes", 0, 10), position("directory", 0, 20)];
    assert_eq!(run(views.positions()).unwrap(), wanted);
    assert_eq!(run(views.progress()).unwrap(), [(0, 1_000), (1, -900)]);
    let other = ViewBatch { positions: vec![position("changes", 1, 3)], ..ViewBatch::default() };
    run(views.apply(&other)).unwrap();
    let wanted = [position("changes", 0, 10), position("changes", 1, 3), position("directory", 0, 20)];
    assert_eq!(run(fixture.views().positions()).unwrap(), wanted, "another handle reads the same");
}

pub(crate) fn lines_are_listed_in_order_page_by_page_without_those_that_have_no_row<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let names = ["b", "ab", "Z", "a", "ü", "a b"];
    run(views.apply(&ViewBatch {
        lines: names.iter().map(|name| line_write(name, 1, line_row(LineStatus::Idle, 0))).collect(),
        intervals: vec![upsert("aa", 1, interval(Kind::Down, 0, None))],
        ..ViewBatch::default()
    }))
    .unwrap();
    let mut listed = Vec::new();
    loop {
        let page = run(views.lines(listed.last(), 2)).unwrap();
        assert!(page.len() <= 2);
        listed.extend(page.iter().map(|stored| stored.line_id.clone()));
        if page.len() < 2 {
            break;
        }
    }
    let listed: Vec<&str> = listed.iter().map(|line| line.as_str()).collect();
    assert_eq!(listed, ["Z", "a", "a b", "ab", "b", "ü"], "ordered by the bytes of the name");
    assert_eq!(run(views.line(&line("aa"))).unwrap(), None, "intervals alone make no row");
}

pub(crate) fn an_id_finds_its_interval_a_retracted_one_and_never_anything_else<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let down = interval(Kind::Down, 100, Some(200));
    let writes = vec![upsert("a", 1, down.clone()), retract("a", 1, Kind::Down, 300)];
    run(views.apply(&intervals(writes))).unwrap();
    let find = |name, kind, start| run(views.interval(IntervalId::derive(&line(name), kind, start))).unwrap();
    let wanted = StoredInterval { line_id: line("a"), version: 1, interval: down };
    assert_eq!(find("a", Kind::Down, 100), IntervalFound::Current(wanted));
    assert_eq!(find("a", Kind::Down, 300), IntervalFound::Retracted, "also if it was never there before");
    assert_eq!(find("a", Kind::Down, 101), IntervalFound::Never);
    assert_eq!(find("a", Kind::Idle, 100), IntervalFound::Never);
    assert_eq!(find("b", Kind::Down, 100), IntervalFound::Never);
}

pub(crate) fn an_interval_that_comes_back_after_its_retraction_is_current_again<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let down = interval(Kind::Down, 100, None);
    let id = down.id(&line("a"));
    for (version, write, is_current) in [
        (1, upsert("a", 1, down.clone()), true),
        (2, retract("a", 2, Kind::Down, 100), false),
        (1, upsert("a", 1, down.clone()), false),
        (3, upsert("a", 3, down.clone()), true),
        (2, retract("a", 2, Kind::Down, 100), true),
    ] {
        run(views.apply(&intervals(vec![write]))).unwrap();
        let found = run(views.interval(id)).unwrap();
        assert_eq!(matches!(found, IntervalFound::Current(_)), is_current, "after version {version}");
        assert_eq!(everything(&*views).1.len(), usize::from(is_current), "after version {version}");
    }
}
