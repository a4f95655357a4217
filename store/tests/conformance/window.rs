//! Intervals of a window, held against a search through everything.

use std::collections::BTreeMap;

use andon_domain::{Interval, IntervalChange, Kind, LineId, Millis};
use andon_store::{Error, IntervalQuery, IntervalWrite, Scope, StoredInterval, ViewBatch, Views};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Fixture, interval, line, retract, run, upsert};

fn query(from: Millis, to: Millis) -> IntervalQuery {
    IntervalQuery { scope: Scope::All, kind: None, from, to, after: None, limit: 1_000 }
}

fn write(views: &dyn Views, intervals: Vec<IntervalWrite>) {
    run(views.apply(&ViewBatch { intervals, ..ViewBatch::default() })).unwrap();
}

/// Reads page by page until one is not full.
fn all_pages(views: &dyn Views, query: &IntervalQuery) -> Vec<StoredInterval> {
    let mut query = query.clone();
    let mut found = Vec::new();
    loop {
        let page = run(views.intervals(&query)).unwrap();
        assert!(page.len() <= query.limit, "{} rows came, the limit is {}", page.len(), query.limit);
        let is_full = page.len() == query.limit;
        found.extend(page);
        assert!(found.len() <= 10_000, "the pages do not end");
        if !is_full {
            return found;
        }
        let last: &StoredInterval = found.last().unwrap();
        query.after = Some((last.interval.started_at, last.line_id.clone()));
    }
}

/// Starts and lines, in short.
fn keys(found: &[StoredInterval]) -> Vec<(Millis, &str)> {
    found.iter().map(|stored| (stored.interval.started_at, stored.line_id.as_str())).collect()
}

/// Both ways to name every line of a test: as all, and one by one.
fn scopes(names: &[&str]) -> [Scope; 2] {
    [Scope::All, Scope::Lines(names.iter().map(|name| line(name)).collect())]
}

/// The history of a line: disjoint intervals and what was retracted in between.
#[derive(Debug, Clone)]
struct Stretch {
    gap: i64,
    length: i64,
    kind: u8,
    is_retracted: bool,
}

fn any_stretch() -> impl Strategy<Value = Stretch> {
    (0..3_i64, 1..4_i64, 0..3_u8, prop::bool::weighted(0.3))
        .prop_map(|(gap, length, kind, is_retracted)| Stretch { gap, length, kind, is_retracted })
}

fn history(name: &str, stretches: &[Stretch], is_open: bool) -> Vec<IntervalWrite> {
    let mut at = 0;
    let mut writes = Vec::new();
    for (number, stretch) in stretches.iter().enumerate() {
        at += stretch.gap;
        let kind = Kind::from_index(stretch.kind).unwrap();
        let ended_at = (number + 1 < stretches.len() || !is_open).then_some(at + stretch.length);
        writes.push(upsert(name, 1, interval(kind, at, ended_at)));
        if stretch.is_retracted {
            writes.push(retract(name, 2, kind, at));
            // What is gone may have lain anywhere, so the next one may begin inside of it.
            at += stretch.length / 2;
        } else {
            at += stretch.length;
        }
    }
    writes
}

/// What the query should find: every write replayed, then everything looked at.
fn model(writes: &[IntervalWrite], query: &IntervalQuery) -> Vec<StoredInterval> {
    let mut rows: BTreeMap<(Millis, LineId, Kind), (i64, Option<Interval>)> = BTreeMap::new();
    for write in writes {
        let (started_at, kind) = write.change.key();
        let row = rows.entry((started_at, write.line_id.clone(), kind)).or_insert((0, None));
        if write.version > row.0 {
            let current = match &write.change {
                IntervalChange::Upsert(interval) => Some(interval.clone()),
                IntervalChange::Retract { .. } => None,
            };
            *row = (write.version, current);
        }
    }
    rows.into_iter()
        .filter_map(|((_, line_id, _), (version, interval))| {
            Some(StoredInterval { line_id, version, interval: interval? })
        })
        .filter(|stored| match &query.scope {
            Scope::All => true,
            Scope::Lines(lines) => lines.contains(&stored.line_id),
        })
        .filter(|stored| query.kind.is_none_or(|kind| kind == stored.interval.kind))
        .filter(|stored| stored.interval.started_at < query.to && query.from < query.to)
        .filter(|stored| stored.interval.ended_at.is_none_or(|ended_at| ended_at > query.from))
        .collect()
}

pub(crate) fn pages_of_any_window_are_what_a_search_through_everything_finds<F: Fixture>() {
    const NAMES: [&str; 4] = ["c", "a", "b b", "ü"];
    let histories =
        proptest::collection::vec((proptest::collection::vec(any_stretch(), 0..12), any::<bool>()), 4);
    let scope = prop_oneof![Just(None), proptest::sample::subsequence(NAMES.to_vec(), 0..=4).prop_map(Some),];
    let windows = proptest::collection::vec(
        (scope, proptest::option::of(0..3_u8), -2..40_i64, 0..20_i64, 1..8_usize),
        1..12,
    );
    let mut runner = TestRunner::new(Config { cases: 120, failure_persistence: None, ..Config::default() });
    runner
        .run(&(histories, windows), |(histories, windows)| {
            let fixture = F::new();
            let views = fixture.views();
            let writes: Vec<IntervalWrite> = NAMES
                .iter()
                .zip(&histories)
                .flat_map(|(name, (stretches, is_open))| history(name, stretches, *is_open))
                .collect();
            write(&*views, writes.clone());
            for (scope, kind, from, length, limit) in windows {
                let scope =
                    scope.map_or(Scope::All, |names| Scope::Lines(names.into_iter().map(line).collect()));
                let kind = kind.and_then(Kind::from_index);
                let query = IntervalQuery { scope, kind, from, to: from + length, after: None, limit };
                let wanted = model(&writes, &query);
                prop_assert_eq!(all_pages(&*views, &query), wanted, "{:?}", query);
            }
            Ok(())
        })
        .unwrap();
}

pub(crate) fn many_intervals_that_share_one_start_are_paged_by_line<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let names: Vec<String> = (0..50).map(|n| format!("line {n:02}")).collect();
    // Written backwards, so that no order of arrival can pass for the order of names.
    write(
        &*views,
        names.iter().rev().map(|name| upsert(name, 1, interval(Kind::Down, 100, Some(200)))).collect(),
    );
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for scope in scopes(&names) {
        for (from, limit) in [(100, 7), (150, 7), (0, 1), (150, 50), (100, 49)] {
            let query = IntervalQuery { scope: scope.clone(), limit, ..query(from, 500) };
            let found = all_pages(&*views, &query);
            let wanted: Vec<(Millis, &str)> = names.iter().map(|name| (100, *name)).collect();
            assert_eq!(keys(&found), wanted, "{query:?}");
        }
    }
}

pub(crate) fn a_page_may_end_and_a_cursor_may_point_before_the_window<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    write(
        &*views,
        vec![
            upsert("a", 1, interval(Kind::Down, 10, None)),
            upsert("b", 1, interval(Kind::Down, 5, Some(101))),
            upsert("b", 1, interval(Kind::Down, 150, Some(160))),
            upsert("c", 1, interval(Kind::Down, 5, Some(100))),
            upsert("c", 1, interval(Kind::Down, 100, Some(120))),
            upsert("d", 1, interval(Kind::Down, 10, Some(130))),
        ],
    );
    for scope in scopes(&["a", "b", "c", "d"]) {
        let page = |after: Option<(Millis, &str)>, limit| {
            let after = after.map(|(at, name)| (at, line(name)));
            let query = IntervalQuery { scope: scope.clone(), after, limit, ..query(100, 200) };
            let found = run(views.intervals(&query)).unwrap();
            keys(&found).into_iter().map(|(at, name)| (at, name.to_owned())).collect::<Vec<_>>()
        };
        let row = |at: Millis, name: &str| (at, name.to_owned());
        assert_eq!(page(None, 2), [row(5, "b"), row(10, "a")]);
        assert_eq!(page(Some((10, "a")), 2), [row(10, "d"), row(100, "c")]);
        assert_eq!(page(Some((10, "d")), 2), [row(100, "c"), row(150, "b")]);
        assert_eq!(page(Some((7, "z")), 1), [row(10, "a")], "a cursor need not name a row");
        assert_eq!(page(Some((150, "b")), 2), []);
        assert_eq!(page(Some((Millis::MAX, "b")), 2), []);
    }
}

pub(crate) fn the_look_back_steps_over_retracted_intervals<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let mut writes = vec![upsert("a", 1, interval(Kind::Down, 10, Some(1_000)))];
    for start in 20..60 {
        writes.push(upsert("a", 1, interval(Kind::Idle, start, Some(start + 1))));
        writes.push(retract("a", 2, Kind::Idle, start));
    }
    write(&*views, writes);
    for scope in scopes(&["a"]) {
        let found = run(views.intervals(&IntervalQuery { scope, ..query(500, 600) })).unwrap();
        assert_eq!(keys(&found), [(10, "a")]);
    }
}

pub(crate) fn the_look_back_takes_no_interval_of_another_kind_for_one_that_overlaps<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    write(
        &*views,
        vec![
            upsert("a", 1, interval(Kind::Down, 10, Some(20))),
            upsert("a", 1, interval(Kind::Idle, 20, None)),
        ],
    );
    for scope in scopes(&["a"]) {
        for (kind, wanted) in [
            (Some(Kind::Down), &[][..]),
            (Some(Kind::Idle), &[(20, "a")][..]),
            (Some(Kind::Unknown), &[][..]),
            (None, &[(20, "a")][..]),
        ] {
            let query = IntervalQuery { scope: scope.clone(), kind, ..query(30, 40) };
            assert_eq!(keys(&run(views.intervals(&query)).unwrap()), wanted, "{query:?}");
        }
    }
}

pub(crate) fn a_window_ends_before_its_end_and_an_interval_before_its_own<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    write(&*views, vec![upsert("a", 1, interval(Kind::Down, 100, Some(200)))]);
    for scope in scopes(&["a"]) {
        for (from, to, is_in) in
            [(0, 100, false), (0, 101, true), (199, 300, true), (200, 300, false), (120, 130, true)]
        {
            let query = IntervalQuery { scope: scope.clone(), ..query(from, to) };
            assert_eq!(run(views.intervals(&query)).unwrap().len(), usize::from(is_in), "{query:?}");
        }
    }
}

pub(crate) fn an_empty_window_and_an_empty_page_hold_nothing<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    write(&*views, vec![upsert("a", 1, interval(Kind::Down, 100, None))]);
    for scope in scopes(&["a"]) {
        let of = |query| run(views.intervals(&query)).unwrap().len();
        assert_eq!(of(IntervalQuery { scope: scope.clone(), ..query(150, 150) }), 0);
        assert_eq!(of(IntervalQuery { scope: scope.clone(), ..query(150, 140) }), 0);
        assert_eq!(of(IntervalQuery { scope: scope.clone(), limit: 0, ..query(0, 900) }), 0);
        assert_eq!(of(IntervalQuery { scope: scope.clone(), limit: usize::MAX, ..query(0, 900) }), 1);
    }
    assert_eq!(
        run(views.intervals(&IntervalQuery { scope: Scope::Lines(vec![]), ..query(0, 900) })).unwrap(),
        []
    );
}

pub(crate) fn a_scope_may_name_a_line_twice_and_lines_nobody_knows<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    write(&*views, vec![upsert("a", 1, interval(Kind::Down, 100, None))]);
    let scope = Scope::Lines(vec![line("x"), line("a"), line("a")]);
    let found = run(views.intervals(&IntervalQuery { scope, ..query(0, 900) })).unwrap();
    assert_eq!(keys(&found), [(100, "a")]);
}

pub(crate) fn a_scope_of_more_lines_than_the_limit_is_refused<F: Fixture>() {
    let fixture = F::new();
    let views = fixture.views();
    let scope = |lines| Scope::Lines((0..lines).map(|n| line(&format!("line {n}"))).collect());
    assert_eq!(run(views.intervals(&IntervalQuery { scope: scope(5_000), ..query(0, 9) })).unwrap(), []);
    match run(views.intervals(&IntervalQuery { scope: scope(5_001), ..query(0, 9) })) {
        Err(Error::TooMany { got: 5_001, limit: 5_000, .. }) => {}
        other => panic!("5,001 lines gave {other:?}"),
    }
}
