//! Line names that a URL, a query or a file could trip over, through every route that takes one.

use serde_json::json;

use crate::support::Fixture;

/// Percent-encodes every byte: a reader must not care.
fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

const NAMES: [&str; 18] = [
    " ",
    ".",
    "..",
    "%",
    "%2F",
    "%zz",
    "a b+c",
    "a?b=c&d",
    "a#b",
    "\"'`<b>",
    "\\..\\",
    "línea ñ",
    "ライン１",
    "🏭",
    "{line}",
    "*",
    ":id",
    "-- ; DROP TABLE lines",
];

#[test]
fn a_line_of_any_name_is_registered_reports_and_is_found() {
    let plant = Fixture::new();
    let mut rows = Vec::new();
    for name in NAMES {
        let path = format!("/v1/lines/{}", encode(name));
        let answer = plant.send("PUT", &path, &json!({ "path": ["a?b", "#"] }));
        assert_eq!((answer.status, answer.json()["line_id"].clone()), (200, json!(name)), "{}", answer.body);
        for (minute, status) in [(0, "STOPPED"), (1, "RUNNING"), (2, "FAULTED")] {
            let at = format!("2026-01-05T06:0{minute}:00Z");
            rows.push(json!({ "line_id": name, "event_time": at, "status": status }));
        }
    }
    assert_eq!(plant.send("POST", "/v1/line-status", &json!(rows)).status, 202);
    plant.report(&[]);
    let mut sorted = NAMES;
    sorted.sort_unstable();
    for path in ["/v1/lines", "/v1/lines?area=a%3Fb", "/v1/lines?area=a%3Fb%2F%23"] {
        let found = plant.walk(path, 5);
        let ids: Vec<&str> = found.iter().map(|line| line["line_id"].as_str().unwrap()).collect();
        assert_eq!(ids, sorted, "{path}");
    }
    for name in NAMES {
        let encoded = encode(name);
        let shown = plant.get(&format!("/v1/lines/{encoded}"));
        assert_eq!((shown.status, shown.json()["line_id"].clone()), (200, json!(name)));
        assert_eq!(shown.json()["path"], json!(["a?b", "#", name]));
        let lists = [format!("/v1/lines/{encoded}/downtime"), format!("/v1/downtime?line={encoded}")];
        let [of_line, filtered] = lists.map(|path| plant.walk(&path, 1));
        assert_eq!(of_line, filtered, "{name}");
        let starts: Vec<&str> = of_line.iter().map(|item| item["started_at"].as_str().unwrap()).collect();
        assert_eq!(starts, ["2026-01-05T06:00:00.000Z", "2026-01-05T06:02:00.000Z"], "{name}");
        let id = of_line[0]["id"].as_str().unwrap();
        assert_eq!(plant.get(&format!("/v1/downtime/{id}")).json(), of_line[0]);
        assert_eq!(plant.call("DELETE", &format!("/v1/lines/{encoded}"), "", "").status, 204);
    }
    // What they did stays: only the entry is gone.
    assert_eq!(plant.walk("/v1/lines", 7).len(), NAMES.len());
    assert_eq!(plant.walk("/v1/lines?area=a%3Fb", 7).len(), 0);
}

#[test]
fn a_name_that_is_none_is_refused_wherever_it_stands() {
    let plant = Fixture::with(false, andon_query_api::ApiConfig::default());
    let long = "x".repeat(201);
    for (name, why) in [
        ("a%2Fb", "`/`"),
        ("%00", "\\u{0}"),
        ("a%0Ab", "\\n"),
        ("e%CC%81", "normalisation form C"),
        (long.as_str(), "201 bytes"),
    ] {
        let node = if name == "a%2Fb" { "a%2F%2Fb" } else { name };
        for (method, path) in [
            ("GET", format!("/v1/lines/{name}")),
            ("PUT", format!("/v1/lines/{name}")),
            ("DELETE", format!("/v1/lines/{name}")),
            ("GET", format!("/v1/lines/{name}/downtime")),
            ("GET", format!("/v1/downtime?line={name}")),
            ("GET", format!("/v1/downtime?area={node}")),
            ("GET", format!("/v1/lines?area={node}")),
        ] {
            let answer = plant.call(method, &path, "application/json", "{}");
            assert_eq!(answer.status, 400, "{method} {path}: {}", answer.body);
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            let is_empty_name = path.contains("area=a%2F%2Fb") && detail.contains("empty");
            assert!(detail.contains(why) || is_empty_name, "{method} {path}: {detail}");
        }
    }
    assert!(plant.appends.batches.lock().unwrap().is_empty());
}
