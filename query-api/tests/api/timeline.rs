//! What a line did over a window.

use serde_json::{Value, json};

use crate::support::Fixture;

fn plant() -> Fixture {
    let plant = Fixture::new();
    plant.register(&["press-1", "silent-9"], &["site", "hall-1"]);
    plant.report(&[
        ("press-1", -5, "IDLE"),
        ("press-1", 0, "RUNNING"),
        ("press-1", 10, "STOPPED"),
        ("press-1", 20, "CHANGEOVER"),
        ("press-1", 30, "RUNNING"),
        ("press-1", 40, "IDLE"),
        ("press-1", 50, "UNKNOWN"),
        ("press-1", 55, "RUNNING"),
        ("press-1", 60, "BLOCKED"),
    ]);
    plant
}

fn at(minute: i64) -> String {
    jiff::Timestamp::from_second(1_767_592_800 + minute * 60).unwrap().to_string()
}

/// Minutes of (production, planned, unplanned, idle, unknown, before the first event).
fn totals(answer: &Value) -> [i64; 6] {
    ["production_ms", "planned_ms", "unplanned_ms", "idle_ms", "unknown_ms", "before_first_event_ms"]
        .map(|name| answer["totals"][name].as_i64().unwrap() / 60_000)
}

#[test]
fn runs_are_whole_and_the_totals_add_up_to_the_window() {
    let plant = plant();
    for (from, to, kinds, wanted) in [
        (0, 70, vec!["down", "idle", "unknown", "down"], [25, 10, 20, 10, 5, 0]),
        (15, 45, vec!["down", "idle"], [10, 10, 5, 5, 0, 0]),
        (-30, 15, vec!["idle", "down"], [10, 0, 5, 5, 0, 25]),
        (52, 61, vec!["unknown", "down"], [5, 0, 1, 0, 3, 0]),
        (30, 40, vec![], [10, 0, 0, 0, 0, 0]),
        (-20, -10, vec![], [0, 0, 0, 0, 0, 10]),
    ] {
        let path = format!("/v1/lines/press-1/timeline?from={}&to={}", at(from), at(to));
        let answer = plant.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let answer = answer.json();
        let found: Vec<&str> =
            answer["items"].as_array().unwrap().iter().map(|run| run["kind"].as_str().unwrap()).collect();
        assert_eq!(found, kinds, "{path}");
        assert_eq!(totals(&answer), wanted, "{path}");
        assert_eq!(wanted.iter().sum::<i64>(), to - from);
        assert!(answer["as_of"].is_string());
    }
    let path = format!("/v1/lines/press-1/timeline?from={}&to={}", at(15), at(16));
    let answer = plant.get(&path).json();
    let stop = plant.get("/v1/lines/press-1/downtime").json()["items"][0].clone();
    assert_eq!(answer["items"], json!([stop]), "a run is shown whole, as everywhere");
}

/// A past that arrives as one batch is published once: the start of its production is not in any run.
#[test]
fn production_before_the_first_stop_counts_however_the_past_arrived() {
    let plant = Fixture::new();
    plant.register(&["press-1"], &["site"]);
    plant.report(&[("press-1", 0, "RUNNING"), ("press-1", 10, "STOPPED"), ("press-1", 20, "RUNNING")]);
    let answer = plant.get(&format!("/v1/lines/press-1/timeline?from={}&to={}", at(-5), at(30))).json();
    assert_eq!(totals(&answer), [20, 0, 10, 0, 0, 5]);
    assert_eq!(plant.get("/v1/lines/press-1").json()["first_event_at"], "2026-01-05T06:00:00.000Z");
}

#[test]
fn a_window_ends_now_and_is_a_day_long_unless_the_request_says_otherwise() {
    let plant = plant();
    let day = 86_400_000;
    let instant = |answer: &Value, name: &str| {
        answer[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
    };
    for query in ["", "?to=2999-01-01T00:00:00Z"] {
        let before = jiff::Timestamp::now().as_millisecond();
        let answer = plant.get(&format!("/v1/lines/press-1/timeline{query}")).json();
        let (from, to) = (instant(&answer, "from"), instant(&answer, "to"));
        assert_eq!(to - from, day);
        assert!((before..=jiff::Timestamp::now().as_millisecond()).contains(&to));
        assert_eq!(answer["items"][0]["state"], "open");
        assert_eq!(answer["totals"]["unplanned_ms"], day);
    }
    let answer = plant.get("/v1/lines/silent-9/timeline").json();
    assert_eq!(answer["totals"]["before_first_event_ms"], day, "it has said nothing yet");
    assert_eq!(plant.get("/v1/lines/nobody/timeline").status, 404);
    for query in ["from=2999-01-01T00:00:00Z", "to=1970-01-01T00:00:00Z", "from=soon", "limit=5"] {
        assert_eq!(plant.get(&format!("/v1/lines/press-1/timeline?{query}")).status, 400, "{query}");
    }
}
