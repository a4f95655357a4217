//! Every kind of bad input of `POST /v1/line-status`, and what it gets. The first table of `docs/bad-input.md` is this
//! one.

use andon_log::Topic;
use axum::body::Body;

use crate::support::Fixture;

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// What is sent, how, and what it gets: the status, and the field that the answer names.
pub(crate) type Row = (&'static str, &'static str, Vec<u8>, u16, &'static str);

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

pub(crate) fn rows() -> Vec<Row> {
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
        ("another charset", "application/json; charset=iso-8859-1", object(""), 415, ""),
        ("another charset", "text/csv;header=present;charset=\"utf-16\"", b"line_id".to_vec(), 415, ""),
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
        ("a byte order mark", JSON, [b"\xef\xbb\xbf", object("").as_slice()].concat(), 400, ""),
        ("a NUL in the JSON", JSON, b"{\"line_id\":\"a\0\"}".to_vec(), 400, ""),
        ("half of a surrogate pair", JSON, with("line_id", "\"\\ud800\""), 400, ""),
        ("1,000 arrays in each other", JSON, b"[".repeat(1_000), 400, ""),
        ("a value of 1,000 arrays in each other", JSON, with("source", &"[".repeat(1_000)), 400, ""),
        ("a form", "application/x-www-form-urlencoded", b"line_id=a&status=IDLE".to_vec(), 415, ""),
        ("a field whose name has 1 MB", JSON, object(&format!(",{}:1", long(1 << 20))), 422, "row"),
        ("a field twice, first null", JSON, object(",\"source\":null,\"source\":\"x\""), 422, "source"),
        ("a sequence twice", JSON, object(",\"sequence\":1,\"sequence\":2"), 422, "sequence"),
        ("a line with a DEL", JSON, with("line_id", "\"a\\u007f\""), 422, "line_id"),
        ("a line with a C1 control character", JSON, with("line_id", "\"a\\u0085\""), 422, "line_id"),
        ("a line of 1 MB", JSON, with("line_id", &long(1 << 20)), 422, "line_id"),
        ("a time of 1 MB", JSON, with("event_time", &long(1 << 20)), 422, "event_time"),
        ("an empty time", JSON, with("event_time", "\"\""), 422, "event_time"),
        (
            "an hour that there is not",
            JSON,
            with("event_time", "\"2026-01-05T25:00:00Z\""),
            422,
            "event_time",
        ),
        (
            "an offset of 27 hours",
            JSON,
            with("event_time", "\"2026-01-05T06:00:00+27:00\""),
            422,
            "event_time",
        ),
        ("a time zone by name", JSON, with("event_time", "\"2026-01-05T06:00:00 CET\""), 422, "event_time"),
        ("a negative number as time", JSON, with("event_time", "-1"), 422, "event_time"),
        ("the last day of 9999", JSON, with("event_time", "\"9999-12-31T23:59:59Z\""), 422, "event_time"),
        ("an empty status", JSON, with("status", "\"\""), 422, "status"),
        ("a status of 1 MB", JSON, with("status", &long(1 << 20)), 422, "status"),
        (
            "an event id in braces",
            JSON,
            object(",\"event_id\":\"{79aba591-320e-5dae-9dbe-a818c78124e6}\""),
            422,
            "event_id",
        ),
        ("an event id of 1 MB", JSON, object(&format!(",\"event_id\":{}", long(1 << 20))), 422, "event_id"),
        ("a sequence of 400 digits", JSON, object(&format!(",\"sequence\":{}", "9".repeat(400))), 400, ""),
        ("a sequence below 64 bits", JSON, object(",\"sequence\":-9223372036854775809"), 422, "sequence"),
        ("a sequence that is true", JSON, object(",\"sequence\":true"), 422, "sequence"),
        ("a source of 4,097 bytes", JSON, object(&format!(",\"source\":{}", long(4_097))), 422, "source"),
        (
            "a source_status of 4,097 bytes",
            JSON,
            object(&format!(",\"source_status\":{}", long(4_097))),
            422,
            "source_status",
        ),
        ("an array in an array", JSON, [b"[[", object("").as_slice(), b"]]"].concat(), 400, ""),
        (
            "10,001 rows",
            JSON,
            [b"[".as_slice(), &object("").repeat(10_001).replace_all(b"}{", b"},{"), b"]"].concat(),
            413,
            "",
        ),
        ("10,001 rows", LINES, [object(""), b"\n".to_vec()].concat().repeat(10_001), 413, ""),
        ("a line that is no UTF-8", LINES, b"{\"line_id\":\"\xff\"}".to_vec(), 422, "row"),
        ("two objects in a line", LINES, object("").repeat(2), 422, "row"),
        (
            "an object over two lines",
            LINES,
            object("").replace_all(b",\"status\"", b"\n,\"status\""),
            422,
            "row",
        ),
        ("JSON where CSV should be", CSV, object(""), 400, ""),
        ("column names that are not UTF-8", CSV, b"line_id,\xff\na,b\n".to_vec(), 400, ""),
        ("a column without a name", CSV, b"line_id,,status\na,b,c\n".to_vec(), 400, ""),
        (
            "another separator",
            CSV,
            b"line_id;event_time;status\na;2026-01-05T06:00:00Z;IDLE\n".to_vec(),
            400,
            "",
        ),
        (
            "no column of lines",
            CSV,
            b"event_time,status\n2026-01-05T06:00:00Z,IDLE\n".to_vec(),
            422,
            "line_id",
        ),
        ("an empty field", CSV, b"line_id,event_time,status\na,,IDLE\n".to_vec(), 422, "event_time"),
        (
            "a quote that is not closed",
            CSV,
            b"line_id,event_time,status\n\"a,2026-01-05T06:00:00Z,IDLE\n".to_vec(),
            422,
            "row",
        ),
        (
            "a line with a line feed",
            CSV,
            b"line_id,event_time,status\n\"a\nb\",2026-01-05T06:00:00Z,IDLE\n".to_vec(),
            422,
            "line_id",
        ),
        (
            "a line with a NUL",
            CSV,
            b"line_id,event_time,status\na\0,2026-01-05T06:00:00Z,IDLE\n".to_vec(),
            422,
            "line_id",
        ),
    ]
}

/// Replaces every occurrence of some bytes.
trait ReplaceAll {
    fn replace_all(&self, from: &[u8], to: &[u8]) -> Vec<u8>;
}

impl ReplaceAll for Vec<u8> {
    fn replace_all(&self, from: &[u8], to: &[u8]) -> Vec<u8> {
        String::from_utf8(self.clone())
            .unwrap()
            .replace(std::str::from_utf8(from).unwrap(), std::str::from_utf8(to).unwrap())
            .into_bytes()
    }
}

#[test]
fn each_kind_of_bad_input_gets_its_answer_and_stores_nothing() {
    let plant = Fixture::with(false, andon_query_api::ApiConfig::default());
    let rows = rows();
    for (what, content_type, body, status, field) in rows {
        let answer = plant.call("POST", "/v1/line-status", content_type, Body::from(body));
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
        let fields = answer.fields();
        assert_eq!(fields.first().map_or("", String::as_str), field, "{what}: {}", answer.body);
        assert_eq!(answer.json()["status"], status, "{what}");
        assert!(
            answer.body.len() < 2_000,
            "{what}: a refusal repeats no more than it takes: {}",
            answer.body
        );
    }
    assert_eq!(plant.log.end_offset(Topic::LineStatus, 0).unwrap(), 0, "nothing was stored");
    assert!(plant.appends.batches.lock().unwrap().is_empty(), "and nothing was tried");
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
