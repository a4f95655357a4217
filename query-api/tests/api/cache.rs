//! Answers that are given again: they are what would be made anew.

use std::sync::atomic::{AtomicI64, Ordering};

use andon_domain::{LineClass, LineId, LineRow, LineStatus};
use andon_query_api::ApiConfig;
use andon_store::{LineWrite, Position, ViewBatch};

use crate::support::Fixture;

/// Versions that are written while others read.
const LAST: i64 = 2_000;

const REPEATED: &str = "api_answers_repeated_total";

/// The line as of a version; the progress of its partition is as far.
fn batch(version: i64) -> ViewBatch {
    let row = LineRow {
        status: LineStatus::Running,
        class: LineClass::Up,
        since: version,
        first_event_at: 0,
        last_event_at: version,
        last_seen_at: version,
        open_downtime_at: None,
        reason_code: None,
        source_status: None,
    };
    ViewBatch {
        lines: vec![LineWrite { line_id: LineId::new("press-1").unwrap(), version, row }],
        progress: vec![(0, version)],
        positions: vec![Position { stream: "andon.line-changes".to_owned(), partition: 0, offset: version }],
        ..ViewBatch::default()
    }
}

#[test]
fn what_was_written_is_read_at_once() {
    let plant = Fixture::with(false, ApiConfig::default());
    for version in 1..=300 {
        plant.apply(&batch(version));
        for _ in 0..3 {
            assert_eq!(plant.get("/v1/lines/press-1").json()["version"], version);
            assert_eq!(plant.get("/v1/lines").json()["items"][0]["version"], version);
        }
    }
    assert_eq!(plant.metric(REPEATED), 1_200.0, "of three that ask the same, two get it again");
}

#[test]
fn no_reader_sees_less_than_was_written_before_it_asked() {
    let plant = Fixture::with(false, ApiConfig::default());
    plant.apply(&batch(1));
    let written = AtomicI64::new(1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for version in 2..=LAST {
                plant.apply(&batch(version));
                written.store(version, Ordering::SeqCst);
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let before = written.load(Ordering::SeqCst);
                    let found = plant.get("/v1/lines/press-1").json()["version"].as_i64().unwrap();
                    assert!(found >= before, "{found} after {before}");
                    if before == LAST {
                        break;
                    }
                }
            });
        }
    });
    assert_eq!(plant.get("/v1/lines/press-1").json()["version"], LAST);
}

#[test]
fn what_the_reader_has_and_takes_is_minded_each_time() {
    let plant = Fixture::with(false, ApiConfig::default());
    plant.apply(&batch(1));
    let get = |path: &str, headers: &[(&str, &str)]| plant.call_with("GET", path, headers, "");
    let tag = plant.get("/v1/lines/press-1").header("etag").to_owned();
    plant.apply(&batch(2));
    // Made for somebody who has another one, then for one who has this one, then for one who has none.
    let made = get("/v1/lines/press-1", &[("if-none-match", &tag)]);
    let new = made.header("etag").to_owned();
    assert_eq!(made.status, 200);
    assert_ne!(new, tag);
    let known = get("/v1/lines/press-1", &[("if-none-match", &new)]);
    assert_eq!((known.status, known.header("etag"), known.body.as_str()), (304, new.as_str(), ""));
    assert_eq!(plant.get("/v1/lines/press-1").body, made.body);
    plant.apply(&batch(3));
    let third = get("/v1/lines/press-1", &[("if-none-match", "*")]);
    assert_eq!((third.status, third.body.as_str()), (304, ""));
    assert_eq!(plant.get("/v1/lines/press-1").json()["version"], 3);

    for accept in ["application/json", "text/csv", "*/*", "text/csv"] {
        let answer = get("/v1/downtime", &[("accept", accept)]);
        assert_eq!(answer.header("content-type").contains("csv"), accept == "text/csv", "{accept}");
    }
    for status in [404, 400] {
        let path = if status == 404 { "/v1/lines/other" } else { "/v1/lines?limit=0" };
        let before = plant.metric(REPEATED);
        assert_eq!((plant.get(path).status, plant.get(path).status), (status, status));
        assert_eq!(plant.metric(REPEATED), before, "refusals are made each time");
    }
}
