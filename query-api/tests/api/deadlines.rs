//! What takes too long: a body that does not arrive, and an append that does not end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use andon_log::Topic;
use andon_query_api::ApiConfig;
use serde_json::{Value, json};

use crate::support::Fixture;

#[test]
fn a_body_that_stops_arriving_gets_a_408_and_the_connection_is_closed() {
    let plant = Fixture::with(false, ApiConfig { body_ms_max: 50, ..ApiConfig::default() });
    let address = plant.listen();
    for (method, path) in
        [("POST", "/v1/line-status"), ("PUT", "/v1/lines/a"), ("POST", "/v1/subscriptions/search")]
    {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
        socket.write_all(format!("{head}content-length: 100\r\n\r\n{{\"line").as_bytes()).unwrap();
        let mut answer = String::new();
        // To the end: the rest of a body that is late after all must not be read as the next request.
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 408 "), "{path}: {head}");
        assert!(head.contains("content-type: application/problem+json"), "{path}: {head}");
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"], 408, "{path}");
        assert_eq!(problem["detail"], "the body was not there after 50 ms, the limit", "{path}");
    }
    assert!(plant.appends.batches.lock().unwrap().is_empty());
}

#[test]
fn a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent() {
    let plant = Fixture::with(false, ApiConfig { body_ms_max: 50_000, ..ApiConfig::default() });
    let mut socket = TcpStream::connect(plant.listen()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = "POST /v1/line-status HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    socket.write_all(format!("{head}content-length: 99999999999\r\n\r\n").as_bytes()).unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[test]
fn an_append_that_does_not_end_gets_a_503_and_is_no_harm_when_it_ends_after_all() {
    let plant = Fixture::with(false, ApiConfig { answer_ms_max: 100, ..ApiConfig::default() });
    let row = json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "status": "IDLE" });
    {
        // The appender waits for this lock.
        let _stuck = plant.appends.batches.lock().unwrap();
        let answer = plant.send("POST", "/v1/line-status", &row);
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        plant.until("what does not append to go on", || plant.get("/v1/lines").status == 200);
    }
    plant.until("the append to end", || plant.records(Topic::LineStatus).iter().count() == 1);
    plant.until("the same to be taken", || plant.send("POST", "/v1/line-status", &row).status == 202);
    let records = plant.records(Topic::LineStatus);
    let mut values: Vec<_> = records.iter().map(|record| record.value.map(<[u8]>::to_vec)).collect();
    assert!(values.len() > 1);
    values.dedup();
    assert_eq!(values.len(), 1, "the same event, by its id");
}
