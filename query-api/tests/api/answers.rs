//! What good requests get.

use serde_json::json;

use crate::support::Fixture;

fn plant() -> Fixture {
    let plant = Fixture::new();
    plant.register(&["press-1", "weld-2", "silent-9"], &["site", "hall-1"]);
    plant.register(&["paint%203", "fa%C3%A7ade"], &["site", "hall-12"]);
    plant.report(&[
        ("press-1", 0, "RUNNING"),
        ("press-1", 10, "STOPPED"),
        ("press-1", 20, "FAULTED"),
        ("press-1", 30, "RUNNING"),
        ("press-1", 40, "IDLE"),
        ("press-1", 50, "BLOCKED"),
        ("weld-2", 0, "RUNNING"),
        ("weld-2", 15, "CHANGEOVER"),
        ("weld-2", 25, "RUNNING"),
        ("paint 3", 10, "STARVED"),
        ("façade", 5, "RUNNING"),
    ]);
    plant
}

#[test]
fn lines_are_listed_shown_and_tagged() {
    let plant = plant();
    let ids = |path: &str, limit| -> Vec<String> {
        plant.walk(path, limit).iter().map(|line| line["line_id"].as_str().unwrap().to_owned()).collect()
    };
    for limit in [1, 2, 3, 100] {
        let all = ["façade", "paint 3", "press-1", "silent-9", "weld-2"];
        assert_eq!(ids("/v1/lines", limit), all, "a line that has said nothing yet is there too");
        assert_eq!(ids("/v1/lines?area=site%2Fhall-1", limit), ["press-1", "silent-9", "weld-2"]);
    }
    let press = plant.get("/v1/lines/press-1");
    assert_eq!(press.status, 200);
    let json = press.json();
    assert_eq!(json["path"], json!(["site", "hall-1", "press-1"]));
    assert_eq!(json["status"], "BLOCKED");
    assert_eq!(json["class"], "down");
    assert_eq!(json["since"], "2026-01-05T06:50:00.000Z");
    assert_eq!(json["open_downtime"]["started_at"], "2026-01-05T06:50:00.000Z");
    let tag = press.header("etag");
    let again = plant.call_with("GET", "/v1/lines/press-1", &[("if-none-match", tag)], "");
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let other = plant.call_with("GET", "/v1/lines/weld-2", &[("if-none-match", tag)], "");
    assert_eq!(other.status, 200);
    assert_eq!(plant.get("/v1/lines/paint%203").json()["status"], "STARVED");
    assert_eq!(plant.get("/v1/lines/fa%C3%A7ade").json()["class"], "up");
    assert_eq!(plant.get("/v1/lines/silent-9").json()["status"], "UNKNOWN");
    assert_eq!(plant.get("/v1/lines/nobody").status, 404);
    assert_eq!(plant.call("DELETE", "/v1/lines/silent-9", "", "").status, 204);
    assert_eq!(plant.get("/v1/lines/silent-9").status, 404);
    assert_eq!(plant.call("DELETE", "/v1/lines/silent-9", "", "").status, 404);
}

#[test]
fn downtime_is_what_overlaps_the_window_ordered_by_start_and_line() {
    let plant = plant();
    let starts = |path: &str, limit| -> Vec<String> {
        plant
            .walk(path, limit)
            .iter()
            .map(|item| {
                format!(
                    "{} {}",
                    item["line_id"].as_str().unwrap(),
                    &item["started_at"].as_str().unwrap()[11..16]
                )
            })
            .collect()
    };
    let all = ["paint 3 06:10", "press-1 06:10", "weld-2 06:15", "press-1 06:50"];
    for limit in [1, 2, 3, 100] {
        assert_eq!(starts("/v1/downtime", limit), all);
        assert_eq!(starts("/v1/downtime?line=press-1", limit), ["press-1 06:10", "press-1 06:50"]);
        assert_eq!(
            starts("/v1/lines/press-1/downtime?kind=all", limit),
            ["press-1 06:10", "press-1 06:40", "press-1 06:50"]
        );
        assert_eq!(starts("/v1/downtime?area=site/hall-12", limit), ["paint 3 06:10"]);
        assert_eq!(starts("/v1/downtime?area=site", limit), all);
        // An interval belongs to [from, to) if it overlaps it, wherever it began.
        let window = "from=2026-01-05T06:25:00Z&to=2026-01-05T06:50:00Z";
        assert_eq!(starts(&format!("/v1/downtime?{window}"), limit), ["paint 3 06:10", "press-1 06:10"]);
        let window = "from=2026-01-05T07:30:00%2B01:00&to=2026-01-05T07:51:00%2B01:00";
        assert_eq!(starts(&format!("/v1/downtime?{window}"), limit), ["paint 3 06:10", "press-1 06:50"]);
    }
    let first = plant.walk("/v1/lines/press-1/downtime", 1).remove(0);
    assert_eq!(first["state"], "closed");
    assert_eq!(first["duration_ms"], 20 * 60_000);
    assert_eq!(first["segments"].as_array().unwrap().len(), 2);
    assert_eq!(first["segments"][0]["ended_at"], "2026-01-05T06:20:00.000Z");
    assert_eq!(first["segments"][1]["status"], "FAULTED");
    assert_eq!(first["segments"][1]["class"], "unplanned");
    assert_eq!(first["segments"][1]["cause"], "internal");
    let id = first["id"].as_str().unwrap();
    assert_eq!(plant.get(&format!("/v1/downtime/{id}")).json(), first);
    assert_eq!(plant.get("/v1/downtime/00000000-0000-0000-0000-000000000000").status, 404);
    assert_eq!(plant.get(&format!("/v1/downtime/{}", id.to_uppercase())).status, 400);

    // A late event shows that the stop of weld-2 began earlier: the old interval is gone, and says so.
    let weld = plant.walk("/v1/downtime?line=weld-2", 9).remove(0)["id"].as_str().unwrap().to_owned();
    plant.report(&[("weld-2", 17, "CHANGEOVER"), ("weld-2", 16, "RUNNING")]);
    assert_eq!(plant.get(&format!("/v1/downtime/{weld}")).status, 200, "it is split, its start stays");
    assert_eq!(starts("/v1/downtime?line=weld-2", 9), ["weld-2 06:15", "weld-2 06:17"]);
    // The second part never was, as still later events show: its id answers that it is gone.
    let second = plant.walk("/v1/downtime?line=weld-2", 9).remove(1)["id"].as_str().unwrap().to_owned();
    plant.report(&[("weld-2", 16, "CHANGEOVER")]);
    assert_eq!(starts("/v1/downtime?line=weld-2", 9).first().map(String::as_str), Some("weld-2 06:15"));
    let answer = plant.get(&format!("/v1/downtime/{second}"));
    assert_eq!((answer.status, answer.json()["status"].clone()), (410, json!(410)), "{}", answer.body);
}

#[test]
fn a_cursor_belongs_to_its_query() {
    let plant = plant();
    let page = plant.get("/v1/downtime?limit=1").json();
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(plant.get(&format!("/v1/downtime?limit=5&cursor={cursor}")).status, 200);
    for other in [
        "/v1/downtime?line=press-1",
        "/v1/downtime?kind=idle",
        "/v1/lines?limit=1",
        "/v1/lines/press-1/downtime?kind=down",
    ] {
        let answer = plant.get(&format!("{other}&cursor={cursor}"));
        assert_eq!(answer.status, 400, "{other}");
    }
    assert_eq!(plant.get("/v1/downtime?cursor=00").status, 400);
}

#[test]
fn every_format_is_taken_and_a_resend_changes_nothing() {
    let plant = Fixture::new();
    plant.register(&["a"], &[]);
    let object = json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "status": "STOPPED", "sequence": 3,
        "reason_code": "E-1", "source": "plc", "source_status": "Held" });
    assert_eq!(plant.send("POST", "/v1/line-status", &object).json(), json!({ "accepted": 1 }));
    assert_eq!(
        plant.send("POST", "/v1/line-status", &json!([object, object])).json(),
        json!({ "accepted": 2 })
    );
    assert_eq!(plant.send("POST", "/v1/line-status", &json!([])).json(), json!({ "accepted": 0 }));
    let lines = format!("{object}\n\r\n{object}");
    let answer = plant.call("POST", "/v1/line-status", "application/x-ndjson; charset=utf-8", lines);
    assert_eq!(answer.json(), json!({ "accepted": 2 }));
    let csv = "status,line_id,event_time,sequence,reason_code,source,source_status\r\n\
               STOPPED,a,2026-01-05T06:00:00Z,3,E-1,plc,Held\r\n";
    assert_eq!(plant.call("POST", "/v1/line-status", "text/csv", csv).json(), json!({ "accepted": 1 }));
    plant.report(&[("a", 1, "RUNNING")]);
    let found = plant.walk("/v1/downtime", 9);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["segments"][0]["reason_code"], "E-1");
    assert_eq!(found[0]["segments"][0]["source_status"], "Held");
    assert_eq!(plant.walk("/v1/dead-letters?redundant=true", 9), Vec::<serde_json::Value>::new());
}

#[test]
fn words_of_other_vocabularies_are_mapped_and_unknown_ones_are_unknown() {
    let plant = Fixture::new();
    plant.register(&["a", "b", "c", "d"], &[]);
    for (vocabulary, row) in [
        ("packml", json!({ "line_id": "a", "source_status": "Suspended" })),
        ("packml", json!({ "line_id": "b", "status": "Aborted" })),
        ("statuspage", json!({ "line_id": "c", "status": "under_maintenance" })),
        ("packml", json!({ "line_id": "d", "source_status": "Frobnicating" })),
    ] {
        let mut row = row;
        row["event_time"] = json!("2026-01-05T06:00:00Z");
        let answer = plant.send("POST", &format!("/v1/line-status?vocabulary={vocabulary}"), &row);
        assert_eq!(answer.status, 202, "{}", answer.body);
    }
    plant.report(&[]);
    let shown = |line: &str| {
        let json = plant.get(&format!("/v1/lines/{line}")).json();
        (json["status"].as_str().unwrap().to_owned(), json["source_status"].as_str().unwrap().to_owned())
    };
    let pair = |status: &str, word: &str| (status.to_owned(), word.to_owned());
    assert_eq!(shown("a"), pair("BLOCKED", "Suspended"));
    assert_eq!(shown("b"), pair("FAULTED", "Aborted"));
    assert_eq!(shown("c"), pair("PLANNED_STOP", "under_maintenance"));
    assert_eq!(shown("d"), pair("UNKNOWN", "Frobnicating"));
    let statuses = plant.get("/v1/statuses").json();
    assert_eq!(statuses["items"].as_array().unwrap().len(), 11);
    let found =
        |status: &str| statuses["items"].as_array().unwrap().iter().find(|item| item["status"] == status);
    let degraded = json!({ "status": "DEGRADED", "class": "up", "class_where_degraded_is_down": "down",
        "downtime_class": "unplanned", "cause": "internal" });
    assert_eq!(found("DEGRADED"), Some(&degraded));
    assert_eq!(found("NO_CHANGE").unwrap()["class"], json!(null));
    assert_eq!(found("STARVED").unwrap()["cause"], "external");
    let names: Vec<&str> = statuses["vocabularies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["andon", "packml", "statuspage"]);
    let words = statuses["vocabularies"][1]["words"].as_array().unwrap();
    assert_eq!((words.len(), &words[6]), (18, &json!({ "word": "Suspended", "status": "BLOCKED" })));
}

#[test]
fn a_closed_log_answers_503_and_says_when_to_try_again() {
    let plant = Fixture::with(false, andon_query_api::ApiConfig::default());
    plant.log.close();
    let row = json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "status": "STOPPED" });
    let answer = plant.send("POST", "/v1/line-status", &row);
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(!answer.body.contains("log is closed"), "the cause is for our log: {}", answer.body);
}
