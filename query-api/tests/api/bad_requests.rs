//! Bad paths, methods, parameters and bodies of every other route. The second table of `docs/bad-input.md` is this one.

use serde_json::json;

use crate::support::Fixture;

const JSON: &str = "application/json";
const ID: &str = "79aba591-320e-5dae-9dbe-a818c78124e6";

/// What is sent, and what it gets: the status, and the field that the answer names. `{id}` in the path is [`ID`].
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    content_type: &'static str,
    encoding: &'static str,
    body: String,
    pub(crate) status: u16,
    pub(crate) field: &'static str,
}

fn row(what: &'static str, method: &'static str, path: &str, status: u16) -> Row {
    Row {
        what,
        method,
        path: path.to_owned(),
        content_type: JSON,
        encoding: "",
        body: String::new(),
        status,
        field: "",
    }
}

impl Row {
    fn body(self, body: impl Into<String>) -> Self {
        Self { body: body.into(), ..self }
    }

    fn of_type(self, content_type: &'static str) -> Self {
        Self { content_type, ..self }
    }

    fn encoded(self, encoding: &'static str) -> Self {
        Self { encoding, ..self }
    }

    fn names(self, field: &'static str) -> Self {
        Self { field, ..self }
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = paths();
    rows.extend(parameters());
    rows.extend(lines());
    rows.extend(subscriptions());
    rows
}

fn paths() -> Vec<Row> {
    vec![
        row("no route", "GET", "/nowhere", 404),
        row("no route", "GET", "/v2/lines", 404),
        row("a path of 20,000 characters", "GET", &"/a".repeat(10_000), 404),
        row("no line", "GET", "/v1/lines/", 404),
        row("a slash at the end", "GET", "/v1/lines/a/", 404),
        row("an unknown line", "GET", "/v1/lines/a", 404),
        row("an unknown line", "GET", "/v1/lines/a/downtime", 404),
        row("an unknown line", "DELETE", "/v1/lines/a", 404),
        row("an unknown interval", "GET", "/v1/downtime/{id}", 404),
        row("an unknown subscription", "GET", "/v1/subscriptions/{id}", 404),
        row("an unknown subscription", "PATCH", "/v1/subscriptions/{id}", 404).body("{}"),
        row("an unknown subscription", "DELETE", "/v1/subscriptions/{id}", 404),
        row("an unknown subscriber", "DELETE", "/v1/subscribers/{id}", 404),
        row("an unknown dead letter", "GET", "/v1/dead-letters/{id}", 404),
        row("an unknown dead letter", "POST", "/v1/dead-letters/{id}/redrive", 404),
        row("an unknown dead letter", "POST", "/v1/dead-letters/{id}/discard", 404),
        row("a slash in a line", "GET", "/v1/lines/a%2Fb", 400),
        row("a line that is not UTF-8", "GET", "/v1/lines/%FF", 400),
        row("a NUL in a line", "GET", "/v1/lines/%00", 400),
        row("a line not in NFC", "PUT", "/v1/lines/e%CC%81", 400).body("{}"),
        row("an id that is no UUID", "GET", "/v1/downtime/7", 400),
        row("an id in upper case", "GET", "/v1/downtime/79ABA591-320E-5DAE-9DBE-A818C78124E6", 400),
        row("an id that is no UUID", "GET", "/v1/subscriptions/7", 400),
        row("an id that is no UUID", "DELETE", "/v1/subscribers/anna", 400),
        row("an id that is no UUID", "GET", "/v1/incidents/7/deliveries", 400),
        row("an id that is no UUID", "POST", "/v1/dead-letters/7/redrive", 400),
        row("another method", "DELETE", "/v1/lines", 405),
        row("another method", "PUT", "/v1/line-status", 405),
        row("another method", "GET", "/v1/line-status", 405),
        row("another method", "GET", "/v1/subscriptions/search", 405),
        row("another method", "GET", "/v1/dead-letters/{id}/redrive", 405),
        row("another method", "POST", "/v1/downtime/{id}", 405),
        row("another method", "TRACE", "/v1/statuses", 405),
    ]
}

fn parameters() -> Vec<Row> {
    let day = "2026-01-02T00:00:00Z";
    vec![
        row("an unknown parameter", "GET", "/v1/lines?colour=red", 400),
        row("an unknown parameter", "GET", "/v1/statuses?x", 400),
        row("an unknown parameter", "PUT", "/v1/lines/a?x=1", 400).body("{}"),
        row("a parameter twice", "GET", "/v1/lines?limit=1&limit=2", 400),
        row("a parameter that is not UTF-8", "GET", "/v1/lines?area=%FF", 400),
        row("a percent sign alone", "GET", "/v1/lines?area=%", 400),
        row("an empty area", "GET", "/v1/lines?area=", 400),
        row("an area with an empty name", "GET", "/v1/downtime?area=a//b", 400),
        row("an area of 33 names", "GET", &format!("/v1/lines?area=a{}", "/a".repeat(32)), 400),
        row("a page of none", "GET", "/v1/lines?limit=0", 400),
        row("a page of 1,001", "GET", "/v1/lines?limit=1001", 400),
        row("a page of -1", "GET", "/v1/downtime?limit=-1", 400),
        row("a page of 65 bits", "GET", "/v1/downtime?limit=36893488147419103232", 400),
        row("a cursor that is none", "GET", "/v1/lines?cursor=x", 400),
        row("an empty cursor", "GET", "/v1/downtime?cursor=", 400),
        row("a cursor of 3,000 characters", "GET", &format!("/v1/lines?cursor={}", "00".repeat(1_500)), 400),
        row("a time in words", "GET", "/v1/downtime?from=now", 400),
        row("a time without an offset", "GET", "/v1/downtime?to=2026-01-02T00:00:00", 400),
        row("a plus sign that was not encoded", "GET", "/v1/downtime?to=2026-01-02T00:00:00+01:00", 400),
        row("an empty window", "GET", &format!("/v1/downtime?from={day}&to={day}"), 400),
        row("a window backwards", "GET", &format!("/v1/downtime?from={day}&to=2026-01-01T00:00:00Z"), 400),
        row("a line and an area", "GET", "/v1/downtime?line=a&area=b", 400),
        row("a line that is none", "GET", "/v1/downtime?line=", 400),
        row("an unknown kind", "GET", "/v1/downtime?kind=up", 400),
        row("an unknown reason", "GET", "/v1/dead-letters?reason=BORED", 400),
        row("neither true nor false", "GET", "/v1/dead-letters?resolved=maybe", 400),
        row("a body in gzip", "POST", "/v1/line-status", 415).body("\u{1f}").encoded("gzip"),
        row("a body in an encoding that is none", "PUT", "/v1/lines/a", 415).body("{}").encoded("rot13"),
        row("a body in two encodings", "POST", "/v1/subscriptions", 415).body("{}").encoded("identity, br"),
        row("an unknown format", "GET", "/v1/downtime?format=xml", 400),
        row(
            "a window of the timeline that begins in the future",
            "GET",
            "/v1/lines/a/timeline?from=2999-01-01T00:00:00Z",
            400,
        ),
        row("an unknown vocabulary", "POST", "/v1/line-status?vocabulary=klingon", 400).body("[]"),
    ]
}

fn lines() -> Vec<Row> {
    let put = |what, status| row(what, "PUT", "/v1/lines/a", status);
    let names = |count: usize| json!({ "path": vec!["n"; count] }).to_string();
    vec![
        put("no body", 400),
        put("no JSON", 400).body("{"),
        put("another content type", 415).body("{}").of_type("text/plain"),
        put("no content type", 415).body("{}").of_type(""),
        put("a body of 9 MiB", 413).body(" ".repeat(9 << 20)),
        put("an array", 422).body("[5]"),
        put("an unknown field", 422).body(r#"{"colour":"red"}"#),
        put("a field whose name has 1 MB", 422).body(format!("{{\"{}\":1}}", "x".repeat(1 << 20))),
        put("a field twice", 422).body(r#"{"retired":true,"retired":false}"#),
        put("a text for a switch", 422).body(r#"{"retired":"yes"}"#),
        put("a path that is a text", 422).body(r#"{"path":"site/hall"}"#),
        put("an empty name in the path", 422).body(r#"{"path":[""]}"#).names("path"),
        put("a slash in the path", 422).body(r#"{"path":["a/b"]}"#).names("path"),
        put("a path not in NFC", 422).body("{\"path\":[\"e\u{301}\"]}").names("path"),
        put("a path of 33 names", 422).body(names(32)).names("path"),
        put("a name of 1 MB in the path", 422)
            .body(json!({ "path": ["n".repeat(1 << 20)] }).to_string())
            .names("path"),
        put("a duration in words", 422).body(r#"{"allowed_lateness":"5 minutes"}"#).names("allowed_lateness"),
        put("a duration as a number", 422).body(r#"{"allowed_lateness":300}"#),
        put("a negative duration", 422).body(r#"{"allowed_lateness":"-PT1S"}"#).names("allowed_lateness"),
        put("a month", 422).body(r#"{"allowed_lateness":"P1M"}"#).names("allowed_lateness"),
        put("101 years", 422).body(r#"{"allowed_lateness":"P36900D"}"#).names("allowed_lateness"),
        put("a signal every 999 ms", 422)
            .body(r#"{"expect_signal_every":"PT0.999S"}"#)
            .names("expect_signal_every"),
        put("no events at all", 422).body(r#"{"events_max":0}"#).names("events_max"),
        put("100,001 events", 422).body(r#"{"events_max":100001}"#).names("events_max"),
        put("less than no events", 422).body(r#"{"events_max":-1}"#),
    ]
}

fn subscriptions() -> Vec<Row> {
    let post = |what, status| row(what, "POST", "/v1/subscriptions", status);
    let with = |field: &str, value: serde_json::Value| {
        let mut body = json!({ "email": "anna@plant.example", "node": "a" });
        body[field] = value;
        body.to_string()
    };
    vec![
        post("no body", 400),
        post("another content type", 415).body("{}").of_type("text/plain"),
        post("no address", 422).body(r#"{"node":"a"}"#),
        post("no node", 422).body(r#"{"email":"anna@plant.example"}"#),
        post("an unknown field", 422).body(with("phone", json!("1"))),
        post("an address that is a list", 422).body(with("email", json!(["a@b.example"]))),
        post("no `@`", 422).body(with("email", json!("anna"))).names("email"),
        post("a line feed in the address", 422)
            .body(with("email", json!("a@b.example\r\nBcc: c@d.example")))
            .names("email"),
        post("a NUL in the address", 422).body(with("email", json!("a@b.example\0"))).names("email"),
        post("an address of 255 bytes", 422)
            .body(with("email", json!(format!("a@{}.e", "b".repeat(251)))))
            .names("email"),
        post("an address of 1 MB", 422).body(with("email", json!("a".repeat(1 << 20)))).names("email"),
        post("an empty node", 422).body(with("node", json!(""))).names("node"),
        post("an empty name in the node", 422).body(with("node", json!("a//b"))).names("node"),
        post("a node of 33 names", 422).body(with("node", json!("a/".repeat(32) + "a"))).names("node"),
        post("a node of 1 MB", 422).body(with("node", json!("a".repeat(1 << 20)))).names("node"),
        post("a duration in words", 422).body(with("notify_after", json!("soon"))).names("notify_after"),
        post("a negative duration", 422).body(with("notify_after", json!("-PT5M"))).names("notify_after"),
        post("an unknown class", 422).body(with("class", json!("sudden"))).names("class"),
        post("an unknown language", 422).body(with("locale", json!("tlh"))).names("locale"),
        post("an unknown time zone", 422).body(with("zone", json!("Mars/Olympus"))).names("zone"),
        row("no address", "POST", "/v1/subscriptions/search", 422).body("{}"),
        row("no address", "POST", "/v1/subscriptions/search", 422).body(r#"{"email":"anna"}"#).names("email"),
        row("another content type", "POST", "/v1/subscriptions/search", 415).body("{}").of_type("text/plain"),
    ]
}

#[test]
fn each_bad_request_gets_its_problem_and_stores_nothing() {
    let plant = Fixture::with(false, andon_query_api::ApiConfig::default());
    for Row { what, method, path, content_type, encoding, body, status, field } in rows() {
        let path = path.replace("{id}", ID);
        let headers = [("content-type", content_type), ("content-encoding", encoding)];
        let answer = plant.call_with(method, &path, &headers, body);
        let case = format!("{what}: {method} {path}: {}", answer.body);
        assert_eq!(answer.status, status, "{case}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{case}");
        let problem = answer.json();
        assert_eq!((&problem["type"], &problem["status"]), (&json!("about:blank"), &json!(status)), "{case}");
        assert!(!problem["title"].as_str().unwrap().is_empty(), "{case}");
        assert_eq!(answer.fields().first().map_or("", String::as_str), field, "{case}");
        assert!(answer.body.len() < 2_000, "a refusal repeats no more than it takes: {case}");
        assert_eq!(status == 405, !answer.header("allow").is_empty(), "{case}");
    }
    assert!(plant.appends.batches.lock().unwrap().is_empty(), "nothing was appended");
    let found = plant.send("POST", "/v1/subscriptions/search", &json!({ "email": "anna@plant.example" }));
    assert_eq!(found.json()["items"], json!([]));
}

#[test]
fn a_method_that_a_route_does_not_take_gets_those_that_it_takes() {
    let plant = Fixture::with(false, andon_query_api::ApiConfig::default());
    for (path, methods) in [
        ("/v1/lines", "GET,HEAD"),
        ("/v1/lines/a", "GET,HEAD,PUT,DELETE"),
        ("/v1/line-status", "POST"),
        ("/v1/subscriptions/79aba591-320e-5dae-9dbe-a818c78124e6", "GET,HEAD,PATCH,DELETE"),
        ("/v1/subscribers/79aba591-320e-5dae-9dbe-a818c78124e6", "DELETE"),
    ] {
        let answer = plant.call("OPTIONS", path, "", "");
        assert_eq!((answer.status, answer.header("allow")), (405, methods), "{path}");
        let answer = plant.call("BREW", path, "", "");
        assert_eq!((answer.status, answer.header("allow")), (405, methods), "{path}");
    }
}
