//! Bodies that nobody thought of: whatever is sent, it is accepted whole or refused whole, and never breaks anything.

use andon_log::Topic;
use andon_query_api::ApiConfig;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::support::Fixture;

const TYPES: [&str; 3] = ["application/json", "application/x-ndjson", "text/csv"];

/// Good bodies, to be broken.
const GOOD: [&str; 3] = [
    r#"[{"line_id":"a","event_time":"2026-01-05T06:00:00Z","status":"IDLE","sequence":1,"source_status":"\u00e9"}]"#,
    "{\"line_id\":\"a\",\"event_time\":\"2026-01-05T06:00:00Z\",\"status\":\"IDLE\"}\n{\"line_id\":\"b\",\
     \"event_time\":\"2026-01-05T06:00:00+01:00\",\"source_status\":\"x\",\"reason_code\":null}\n",
    "line_id,event_time,status,sequence,reason_code\na,2026-01-05T06:00:00Z,IDLE,1,\"E,\"\"1\"\"\"\nb,2026-01-05T06:00:00Z,STOPPED,,\n",
];

/// Bytes that mean something to one of the formats.
const TELLING: &[u8] = b"\"\\{}[],:\n\r\0\xff\xc3\xa9 0-+.eEnuTZ";

#[test]
fn a_body_of_any_bytes_is_accepted_whole_or_refused_whole() {
    let plant = Fixture::with(false, ApiConfig::default());
    let edit = (any::<Index>(), 0..3_u8, any::<Index>());
    let tail = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(any::<u8>(), 1..8)];
    let strategy = (0..3_usize, prop::collection::vec(edit, 0..4), tail);
    let accepted = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 3_000, failure_persistence: None, ..Config::default() });
    let result = runner.run(&strategy, |(format, edits, tail)| {
        let mut body = GOOD[format].as_bytes().to_vec();
        for (at, how, with) in edits {
            let at = at.index(body.len());
            let byte = TELLING[with.index(TELLING.len())];
            match how {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ if body.len() > 1 => drop(body.remove(at)),
                _ => {}
            }
        }
        body.extend(tail);
        let before = plant.log.end_offset(Topic::LineStatus, 0).unwrap();
        let answer = plant.call("POST", "/v1/line-status", TYPES[format], body);
        let stored = plant.log.end_offset(Topic::LineStatus, 0).unwrap() - before;
        match answer.status {
            202 => {
                accepted.set(accepted.get() + 1);
                prop_assert_eq!(answer.json()["accepted"].as_i64(), Some(stored));
            }
            400 | 422 => {
                prop_assert_eq!(stored, 0);
                prop_assert_eq!(answer.header("content-type"), "application/problem+json");
            }
            other => prop_assert!(false, "{other}: {}", answer.body),
        }
        Ok(())
    });
    result.unwrap();
    assert!(accepted.get() > 100, "not everything is broken: {}", accepted.get());
    // Whatever was accepted can be read.
    for record in plant.records(Topic::LineStatus).iter() {
        let change = andon_schemas::decode_line_status_changed(record.value.unwrap()).unwrap();
        assert_eq!(change.line_id.as_bytes(), record.key);
    }
}
