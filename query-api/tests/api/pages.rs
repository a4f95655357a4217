//! Lists over rows that are written into the views directly: pages, windows, `as_of`, tags.

use std::sync::Arc;

use andon_domain::{
    DirectoryChange, Interval, IntervalChange, Kind, LineClass, LineEntry, LineId, LineRow, LineSettings,
    LineStatus, Segment,
};
use andon_query_api::ApiConfig;
use andon_store::{IntervalWrite, LineWrite, ViewBatch};
use serde_json::{Value, json};

use crate::support::Fixture;

/// 2026-01-05T06:00:00Z, the minute 0 of these tests.
const BEGIN: i64 = 1_767_592_800_000;

fn minute(minute: i64) -> i64 {
    BEGIN + minute * 60_000
}

fn line_row(line: &str, version: i64) -> LineWrite {
    let row = LineRow {
        status: LineStatus::Faulted,
        class: LineClass::Down,
        since: minute(5),
        first_event_at: minute(0),
        last_event_at: minute(6),
        last_seen_at: minute(7),
        open_downtime_at: Some(minute(5)),
        reason_code: Some(Arc::from("E-1")),
        source_status: None,
    };
    LineWrite { line_id: LineId::new(line).unwrap(), version, row }
}

fn interval(line: &str, kind: Kind, from: i64, to: Option<i64>) -> IntervalWrite {
    let status = match kind {
        Kind::Down => LineStatus::Blocked,
        Kind::Idle => LineStatus::Idle,
        Kind::Unknown => LineStatus::Unknown,
    };
    let segment = Segment { started_at: minute(from), status, reason_code: None, source_status: None };
    let interval =
        Interval { kind, started_at: minute(from), ended_at: to.map(minute), segments: vec![segment] };
    IntervalWrite {
        line_id: LineId::new(line).unwrap(),
        version: 1,
        change: IntervalChange::Upsert(interval),
    }
}

fn entry(line: &str, area: &[&str]) -> DirectoryChange {
    let path = area.iter().chain([&line]).map(|&name| name.to_owned()).collect();
    let entry = LineEntry { path, settings: LineSettings::default(), is_retired: false };
    DirectoryChange::Line(LineId::new(line).unwrap(), entry)
}

fn plant(batch: &ViewBatch) -> Fixture {
    let plant = Fixture::with(false, ApiConfig::default());
    plant.apply(batch);
    plant
}

fn starts(items: &[Value]) -> Vec<String> {
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    items
        .iter()
        .map(|item| format!("{} {}", text(item, "line_id"), &text(item, "started_at")[11..16]))
        .collect()
}

#[test]
fn all_pages_together_are_the_whole_list_whatever_their_size() {
    let lines: Vec<String> = (0..7).map(|number| format!("line-{number}")).collect();
    let intervals = lines.iter().flat_map(|line| {
        // All lines stop at the same minutes: the start alone does not say where a page ends.
        (0..9).map(|number| interval(line, Kind::Down, number * 10, Some(number * 10 + 5)))
    });
    let plant = plant(&ViewBatch {
        lines: lines.iter().map(|line| line_row(line, 1)).collect(),
        intervals: intervals.collect(),
        directory: (1..).zip(lines.iter().map(|line| entry(line, &["site"]))).collect(),
        ..ViewBatch::default()
    });
    for path in ["/v1/downtime", "/v1/downtime?area=site", "/v1/downtime?kind=all&area=site"] {
        let whole = plant.walk(path, 1_000);
        assert_eq!(whole.len(), 63);
        let keys: Vec<(&str, &str)> = whole
            .iter()
            .map(|item| (item["started_at"].as_str().unwrap(), item["line_id"].as_str().unwrap()))
            .collect();
        assert!(keys.is_sorted(), "by start, then line");
        for limit in [1, 2, 7, 8, 62, 63, 64] {
            assert_eq!(plant.walk(path, limit), whole, "{path} by {limit}");
        }
    }
    assert_eq!(plant.get("/v1/downtime").json()["items"].as_array().unwrap().len(), 63);
    let short = plant.walk("/v1/lines/line-3/downtime", 2);
    assert_eq!(short.len(), 9);
    assert!(short.iter().all(|item| item["line_id"] == "line-3"));
}

#[test]
fn lines_with_a_row_or_an_entry_or_both_are_each_listed_once_whatever_the_page() {
    let name = |number: i64| format!("line-{number:02}");
    let plant = plant(&ViewBatch {
        lines: (0..20).filter(|number| number % 3 != 0).map(|number| line_row(&name(number), 1)).collect(),
        directory: (0..20)
            .filter(|number| !(6..12).contains(number) && number % 5 != 1)
            .map(|number| (number, entry(&name(number), &["site"])))
            .collect(),
        ..ViewBatch::default()
    });
    // 6 and 9 have neither.
    let wanted: Vec<(String, Value, &str)> = (0..20)
        .filter(|number| !matches!(number, 6 | 9))
        .map(|number| {
            let is_registered = !(6..12).contains(&number) && number % 5 != 1;
            let path = if is_registered { json!(["site", name(number)]) } else { json!([name(number)]) };
            (name(number), path, if number % 3 == 0 { "UNKNOWN" } else { "FAULTED" })
        })
        .collect();
    for limit in [1, 2, 3, 7, 17, 18, 19, 100] {
        let items = plant.walk("/v1/lines", limit);
        let found: Vec<(String, Value, &str)> = items
            .iter()
            .map(|item| {
                let text = |name: &str| item[name].as_str().unwrap();
                (text("line_id").to_owned(), item["path"].clone(), text("status"))
            })
            .collect();
        assert_eq!(found, wanted, "by {limit}");
    }
}

#[test]
fn a_window_has_its_start_and_not_its_end() {
    let plant = plant(&ViewBatch {
        intervals: vec![
            interval("a", Kind::Down, 10, Some(20)),
            interval("a", Kind::Idle, 20, Some(30)),
            interval("a", Kind::Unknown, 30, Some(40)),
            interval("b", Kind::Down, 15, None),
        ],
        lines: vec![line_row("a", 1), line_row("b", 1)],
        ..ViewBatch::default()
    });
    for (window, down, all) in [
        ("", vec!["a 06:10", "b 06:15"], 4),
        ("from=2026-01-05T06:20:00Z", vec!["b 06:15"], 3),
        ("from=2026-01-05T06:19:59.999Z", vec!["a 06:10", "b 06:15"], 4),
        ("to=2026-01-05T06:10:00Z", vec![], 0),
        ("to=2026-01-05T06:10:00.001Z", vec!["a 06:10"], 1),
        ("to=2026-01-05T06:15:00Z", vec!["a 06:10"], 1),
        ("from=2026-01-05T07:40:00%2B01:00", vec!["b 06:15"], 1),
        ("from=2030-01-01T00:00:00Z", vec!["b 06:15"], 1),
        ("from=2026-01-05T06:12:00Z&to=2026-01-05T06:13:00Z", vec!["a 06:10"], 1),
    ] {
        for limit in [1, 100] {
            assert_eq!(starts(&plant.walk(&format!("/v1/downtime?{window}"), limit)), down, "{window}");
            assert_eq!(plant.walk(&format!("/v1/downtime?kind=all&{window}"), limit).len(), all, "{window}");
        }
    }
    let open = plant.walk("/v1/downtime?line=b", 9).remove(0);
    assert_eq!(
        (&open["state"], &open["ended_at"], &open["duration_ms"]),
        (&json!("open"), &json!(null), &json!(null))
    );
    assert_eq!(open["segments"][0]["cause"], "external");
    let idle = plant.walk("/v1/downtime?kind=idle", 9).remove(0);
    assert_eq!((&idle["kind"], &idle["segments"][0]["class"]), (&json!("idle"), &json!(null)));
}

#[test]
fn a_tag_stands_for_one_state_and_a_change_makes_another() {
    let plant = plant(&ViewBatch {
        lines: vec![line_row("a", 1)],
        intervals: vec![interval("a", Kind::Down, 5, None)],
        ..ViewBatch::default()
    });
    let id = plant.walk("/v1/downtime", 1)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(plant.get("/v1/lines/a").json()["open_downtime"]["id"], json!(id));
    for path in ["/v1/lines/a".to_owned(), format!("/v1/downtime/{id}")] {
        let answer = plant.get(&path);
        let tag = answer.header("etag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = plant.call_with("GET", &path, &[("if-none-match", &known)], "");
            assert_eq!(
                (again.status, again.body.as_str(), again.header("etag")),
                (304, "", tag.as_str()),
                "{known}"
            );
        }
        for other in ["\"other\"", "garbage", &tag.replace('"', "")] {
            let again = plant.call_with("GET", &path, &[("if-none-match", other)], "");
            assert_eq!((again.status, &again.body), (200, &answer.body), "{other}");
        }
        let head = plant.call("HEAD", &path, "", "");
        assert_eq!((head.status, head.body.as_str(), head.header("etag")), (200, "", tag.as_str()));
    }
    let tag = plant.get("/v1/lines/a").header("etag").to_owned();
    plant.apply(&ViewBatch { directory: vec![(1, entry("a", &["site"]))], ..ViewBatch::default() });
    let moved = plant.call_with("GET", "/v1/lines/a", &[("if-none-match", &tag)], "");
    assert_eq!((moved.status, &moved.json()["path"]), (200, &json!(["site", "a"])));
}

#[test]
fn a_list_says_up_to_when_it_is_complete_once_every_partition_has_said_so() {
    let plant = plant(&ViewBatch::default());
    for path in ["/v1/lines", "/v1/downtime", "/v1/dead-letters"] {
        assert_eq!(
            plant.get(path).json(),
            json!({ "items": [], "next_cursor": null, "as_of": null }),
            "{path}"
        );
    }
    plant.apply(&ViewBatch { progress: vec![(0, minute(3))], ..ViewBatch::default() });
    for path in ["/v1/lines", "/v1/lines?area=a", "/v1/downtime"] {
        assert_eq!(plant.get(path).json()["as_of"], "2026-01-05T06:03:00.000Z", "{path}");
    }
    assert_eq!(plant.get("/v1/dead-letters").json()["as_of"], json!(null), "they may come a while later");

    let plant = Fixture::partitioned(false, ApiConfig::default(), 3);
    for (progress, as_of) in [
        (vec![(0, minute(9)), (2, minute(5))], json!(null)),
        (vec![(1, minute(7))], json!("2026-01-05T06:05:00.000Z")),
        (vec![(2, minute(8))], json!("2026-01-05T06:07:00.000Z")),
    ] {
        plant.apply(&ViewBatch { progress, ..ViewBatch::default() });
        assert_eq!(plant.get("/v1/lines").json()["as_of"], as_of);
    }
}

#[test]
fn a_node_of_more_than_5_000_lines_is_refused_and_the_nodes_below_it_are_not() {
    let directory = (0..5_001).map(|number| {
        let hall = if number < 5_000 { "hall-1" } else { "hall-2" };
        (number, entry(&format!("line-{number:04}"), &["site", hall]))
    });
    let plant = plant(&ViewBatch { directory: directory.collect(), ..ViewBatch::default() });
    for path in ["/v1/lines?area=site", "/v1/downtime?area=site"] {
        let answer = plant.get(path);
        assert_eq!((answer.status, answer.fields()), (422, vec!["area".to_owned()]), "{}", answer.body);
    }
    for (path, count) in [
        ("/v1/lines?area=site/hall-1", 5_000),
        ("/v1/lines?area=site/hall-2", 1),
        ("/v1/lines?area=hall-1", 0),
    ] {
        assert_eq!(plant.walk(path, 1_000).len(), count, "{path}");
    }
    assert_eq!(plant.get("/v1/downtime?area=site/hall-1").json()["items"], json!([]));
}

#[test]
fn a_line_shows_all_of_its_row() {
    let plant = plant(&ViewBatch { lines: vec![line_row("a", 41)], ..ViewBatch::default() });
    let id = "open_downtime";
    let mut shown = plant.get("/v1/lines/a").json();
    assert_eq!(shown[id]["started_at"], "2026-01-05T06:05:00.000Z");
    shown[id] = json!(null);
    let wanted = json!({
        "line_id": "a", "path": ["a"], "status": "FAULTED", "class": "down", "cause": "internal",
        "since": "2026-01-05T06:05:00.000Z", "first_event_at": "2026-01-05T06:00:00.000Z",
        "last_event_at": "2026-01-05T06:06:00.000Z",
        "last_seen_at": "2026-01-05T06:07:00.000Z", "open_downtime": null, "reason_code": "E-1",
        "source_status": null, "version": 41,
    });
    assert_eq!(shown, wanted);
    let listed = plant.get("/v1/lines").json()["items"][0].clone();
    assert_eq!(listed["version"], 41);
}
