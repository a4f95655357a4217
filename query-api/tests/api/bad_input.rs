//! Every kind of bad input, and what it gets. The table of `docs/bad-input.md` is this one.

use andon_log::Topic;
use axum::body::Body;

use crate::support::Fixture;

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// What is sent, how, and what it gets: the status, and the field that the answer names.
type Row = (&'static str, &'static str, Vec<u8>, u16, &'static str);

fn object(fields: &str) -> Vec<u8> {
    format!("{{\"line_id\":\"a\",\"event_time\":\"2026-01-05T06:00:00Z\",\"status\":\"STOPPED\"{fields}}}")
        .into_bytes()
}

fn with(field: &str, value: &str) -> Vec<u8> {
    let known = [("line_id", "\"a\""), ("event_time", "\"2026-01-05T06:00:00Z\""), ("status", "\"STOPPED\"")];
    let mut fields: Vec<String> = known
        .iter()
        .filter(|(name, _)| *name != field)
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    if !value.is_empty() {
        fields.push(format!("\"{field}\":{value}"));
    }
    format!("{{{}}}", fields.join(",")).into_bytes()
}

fn rows() -> Vec<Row> {
    let long = |n: usize| format!("\"{}\"", "x".repeat(n));
    vec![
        ("no body", JSON, vec![], 400, ""),
        ("no JSON", JSON, b"stopped".to_vec(), 400, ""),
        ("JSON cut short", JSON, b"[{\"line_id\":\"a\"".to_vec(), 400, ""),
        ("something behind the JSON", JSON, [object(""), b" x".to_vec()].concat(), 400, ""),
        ("a number", JSON, b"5".to_vec(), 400, ""),
        ("an array of numbers", JSON, b"[5]".to_vec(), 400, ""),
        ("no UTF-8", JSON, [b"{\"line_id\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat(), 400, ""),
        ("another content type", "text/plain", object(""), 415, ""),
        ("no content type", "", object(""), 415, ""),
        ("an unknown field", JSON, object(",\"colour\":\"red\""), 422, "row"),
        ("a field twice", JSON, object(",\"status\":\"IDLE\""), 422, "status"),
        ("no line", JSON, with("line_id", ""), 422, "line_id"),
        ("an empty line", JSON, with("line_id", "\"\""), 422, "line_id"),
        ("a line that is null", JSON, with("line_id", "null"), 422, "line_id"),
        ("a line that is a number", JSON, with("line_id", "7"), 422, "line_id"),
        ("a line that is an object", JSON, with("line_id", "{\"a\":[1]}"), 422, "line_id"),
        ("a line with a slash", JSON, with("line_id", "\"a/b\""), 422, "line_id"),
        ("a line with a NUL", JSON, with("line_id", "\"a\\u0000\""), 422, "line_id"),
        ("a line with a line feed", JSON, with("line_id", "\"a\\n\""), 422, "line_id"),
        ("a line not in NFC", JSON, with("line_id", "\"e\\u0301\""), 422, "line_id"),
        ("a line of 201 bytes", JSON, with("line_id", &long(201)), 422, "line_id"),
        ("a line of 10 MB", JSON, with("line_id", &long(10 << 20)), 413, ""),
        ("no time", JSON, with("event_time", ""), 422, "event_time"),
        ("a time in words", JSON, with("event_time", "\"yesterday\""), 422, "event_time"),
        ("a time without an offset", JSON, with("event_time", "\"2026-01-05T06:00:00\""), 422, "event_time"),
        ("a day alone", JSON, with("event_time", "\"2026-01-05\""), 422, "event_time"),
        ("a 32nd of January", JSON, with("event_time", "\"2026-01-32T06:00:00Z\""), 422, "event_time"),
        ("a time as a number", JSON, with("event_time", "1767592800000"), 422, "event_time"),
        ("a negative time", JSON, with("event_time", "\"1969-12-31T23:59:59Z\""), 422, "event_time"),
        ("a year before Christ", JSON, with("event_time", "\"-002026-01-05T06:00:00Z\""), 422, "event_time"),
        ("the year 10000", JSON, with("event_time", "\"+010000-01-05T06:00:00Z\""), 422, "event_time"),
        ("no status", JSON, with("status", ""), 422, "status"),
        ("an unknown status", JSON, with("status", "\"BROKEN\""), 422, "status"),
        ("a status by number", JSON, with("status", "4"), 422, "status"),
        ("a word of another vocabulary", JSON, with("status", "\"operational\""), 422, "status"),
        ("an event id that is none", JSON, object(",\"event_id\":\"7\""), 422, "event_id"),
        (
            "an event id in upper case",
            JSON,
            object(",\"event_id\":\"79ABA591-320E-5DAE-9DBE-A818C78124E6\""),
            422,
            "event_id",
        ),
        (
            "an event id without hyphens",
            JSON,
            object(",\"event_id\":\"79aba591320e5dae9dbea818c78124e6\""),
            422,
            "event_id",
        ),
        ("a sequence in words", JSON, object(",\"sequence\":\"first\""), 422, "sequence"),
        ("a sequence with a fraction", JSON, object(",\"sequence\":1.5"), 422, "sequence"),
        ("a sequence of 65 bits", JSON, object(",\"sequence\":9223372036854775808"), 422, "sequence"),
        (
            "a reason of 4,097 bytes",
            JSON,
            object(&format!(",\"reason_code\":{}", long(4_097))),
            422,
            "reason_code",
        ),
        ("a source that is a list", JSON, object(",\"source\":[]"), 422, "source"),
        ("a source_status that is true", JSON, object(",\"source_status\":true"), 422, "source_status"),
        (
            "one bad row among good ones",
            JSON,
            [b"[", object("").as_slice(), b",", &with("status", "\"X\""), b"]"].concat(),
            422,
            "status",
        ),
        (
            "a bad line among good ones",
            LINES,
            [object("").as_slice(), b"\n{\n", &object("")].concat(),
            422,
            "row",
        ),
        ("an array in a line", LINES, b"[]".to_vec(), 422, "row"),
        (
            "an unknown column",
            CSV,
            b"line_id,event_time,status,colour\na,2026-01-05T06:00:00Z,STOPPED,red\n".to_vec(),
            400,
            "",
        ),
        ("a column twice", CSV, b"line_id,line_id\na,b\n".to_vec(), 400, ""),
        (
            "a row that is too short",
            CSV,
            b"line_id,event_time,status\na,2026-01-05T06:00:00Z\n".to_vec(),
            422,
            "row",
        ),
        (
            "a row that is too long",
            CSV,
            b"line_id,event_time,status\na,2026-01-05T06:00:00Z,IDLE,x\n".to_vec(),
            422,
            "row",
        ),
        (
            "a field that is not UTF-8",
            CSV,
            b"line_id,event_time,status\n\xff,2026-01-05T06:00:00Z,IDLE\n".to_vec(),
            422,
            "line_id",
        ),
        (
            "10,001 rows",
            CSV,
            format!("line_id,event_time,status\n{}", "a,2026-01-05T06:00:00Z,IDLE\n".repeat(10_001))
                .into_bytes(),
            413,
            "",
        ),
    ]
}

#[test]
fn each_kind_of_bad_input_gets_its_answer_and_stores_nothing() {
    let plant = Fixture::with(false, andon_query_api::ApiConfig::default());
    let rows = rows();
    assert!(rows.len() >= 40);
    for (what, content_type, body, status, field) in rows {
        let answer = plant.call("POST", "/v1/line-status", content_type, Body::from(body));
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
        let fields = answer.fields();
        assert_eq!(fields.first().map_or("", String::as_str), field, "{what}: {}", answer.body);
        assert_eq!(answer.json()["status"], status, "{what}");
    }
    assert_eq!(plant.log.end_offset(Topic::LineStatus, 0).unwrap(), 0, "nothing was stored");
}

#[test]
fn a_refusal_numbers_its_rows_and_tells_at_most_a_thousand() {
    let plant = Fixture::with(false, andon_query_api::ApiConfig::default());
    let body = format!("line_id,event_time,status\n{}", "a,never,IDLE\n".repeat(1_500));
    let errors =
        plant.call("POST", "/v1/line-status", CSV, body).json()["errors"].as_array().unwrap().clone();
    assert_eq!(errors.len(), 1_000);
    assert_eq!((errors[0]["row"].as_u64(), errors[999]["row"].as_u64()), (Some(1), Some(1_000)));
}

#[test]
fn the_table_of_the_docs_is_this_one() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/bad-input.md");
    let mut wanted = String::from(
        "# Bad input\n\nWhat `POST /v1/line-status` answers to each kind of bad input. Nothing of a refused request is stored. The table is\n\
         held by a test. Whether a time is late or in the future is not a matter of form: such an event is accepted, and becomes\n\
         a dead letter with its reason (`TOO_LATE`, `FUTURE_TIMESTAMP`) that `GET /v1/dead-letters` lists.\n\n\
         | input | as | answer | names |\n|---|---|---|---|\n",
    );
    for (what, content_type, _, status, field) in rows() {
        let names = if field.is_empty() { String::new() } else { format!("`{field}`") };
        let content_type = if content_type.is_empty() { String::new() } else { format!("`{content_type}`") };
        wanted.push_str(&format!("| {what} | {content_type} | {status} | {names} |\n"));
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    if std::env::var("ANDON_TEST_UPDATE").is_ok() {
        std::fs::write(&path, &wanted).unwrap();
    } else {
        assert_eq!(found, wanted, "ANDON_TEST_UPDATE=1 writes it anew");
    }
}

#[test]
fn wrong_paths_methods_and_parameters_are_problems_too() {
    let plant = Fixture::with(false, andon_query_api::ApiConfig::default());
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/v2/lines", 404),
        ("GET", "/v1/lines/a%2Fb", 400),
        ("GET", "/v1/lines/%FF", 400),
        ("GET", "/v1/lines/%00", 400),
        ("GET", "/v1/lines?colour=red", 400),
        ("GET", "/v1/lines?limit=0", 400),
        ("GET", "/v1/lines?limit=1001", 400),
        ("GET", "/v1/lines?limit=1&limit=2", 400),
        ("GET", "/v1/lines?cursor=x", 400),
        ("GET", "/v1/lines?area=%FF", 400),
        ("GET", "/v1/downtime?from=now", 400),
        ("GET", "/v1/downtime?from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z", 400),
        ("GET", "/v1/downtime?line=a&area=b", 400),
        ("GET", "/v1/downtime?kind=up", 400),
        ("GET", "/v1/downtime/7", 400),
        ("GET", "/v1/lines/a/downtime", 404),
        ("GET", "/v1/statuses?x=1", 400),
        ("GET", "/v1/incidents/7/deliveries", 400),
        ("GET", "/v1/dead-letters?reason=BORED", 400),
        ("GET", "/v1/dead-letters?resolved=maybe", 400),
        ("GET", "/v1/dead-letters/7", 400),
        ("POST", "/v1/line-status?vocabulary=klingon", 400),
        ("DELETE", "/v1/lines", 405),
        ("PUT", "/v1/line-status", 405),
        ("TRACE", "/v1/lines", 405),
    ] {
        let answer = plant.call(method, path, JSON, "");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
        assert_eq!(answer.json()["status"], status);
        if status == 405 {
            assert!(!answer.header("allow").is_empty(), "{method} {path}");
        }
    }
    let incident = "00000000-0000-0000-0000-000000000000";
    let none = plant.get(&format!("/v1/incidents/{incident}/deliveries"));
    assert_eq!((none.status, none.json()["items"].clone()), (200, serde_json::json!([])));
}
