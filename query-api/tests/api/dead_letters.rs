//! Dead letters: looked at, sent again, set aside.

use andon_log::{Appender, Outputs, Topic, encode_headers};
use serde_json::{Value, json};

use crate::support::Fixture;

fn letters(plant: &Fixture, count: usize) -> Vec<Value> {
    plant.until("the dead letters to be listed", || plant.walk("/v1/dead-letters", 100).len() == count);
    plant.walk("/v1/dead-letters", 2)
}

fn id(letter: &Value) -> &str {
    letter["id"].as_str().unwrap()
}

#[test]
fn a_dead_letter_is_sent_again_with_its_bytes_and_a_count_and_only_once() {
    let plant = Fixture::new(); // lines must be registered
    plant.report(&[("ghost", 0, "STOPPED")]);
    let found = letters(&plant, 1);
    let path = format!("/v1/dead-letters/{}", id(&found[0]));
    let shown = plant.get(&path).json();
    assert_eq!(shown["reason"], "UNKNOWN_LINE");
    assert_eq!(shown["decoded"]["status"], "STOPPED");
    assert!(shown["value_base64"].as_str().unwrap().starts_with("AAAAAAFI"), "{shown}");

    // Sent again while the line is still unknown, it comes back, counted on the same row.
    assert_eq!(plant.send("POST", &format!("{path}/redrive"), &json!({})).status, 200);
    plant.until("it to come back", || {
        let letter = plant.get(&path).json();
        letter["count"] == 2 && letter["resolved"].is_null()
    });
    let headers = plant.get(&path).json()["headers"].clone();
    let redrive = headers.as_array().unwrap().iter().find(|header| header["name"] == "x-redrive").unwrap();
    assert_eq!(redrive["value"], "1");

    plant.register(&["ghost"], &[]);
    assert_eq!(plant.send("POST", &format!("{path}/redrive"), &json!({})).status, 200);
    plant.until("it to be dealt with", || plant.get(&path).json()["resolved"]["how"] == "redriven");
    let end = plant.log.end_offset(Topic::LineStatus, 0).unwrap();
    assert_eq!(plant.send("POST", &format!("{path}/redrive"), &json!({})).status, 200);
    assert_eq!(plant.log.end_offset(Topic::LineStatus, 0).unwrap(), end, "nothing is sent twice");
    plant.until("it to be folded", || plant.walk("/v1/downtime", 9).len() == 1);
    assert_eq!(plant.walk("/v1/dead-letters", 9), Vec::<Value>::new());
    assert_eq!(plant.walk("/v1/dead-letters?resolved=true", 9).len(), 1);
}

#[test]
fn foreign_bytes_become_dead_letters_with_their_bytes_intact_and_stop_nothing() {
    let plant = Fixture::new();
    plant.register(&["a"], &[]);
    let mut outputs = Outputs::default();
    let json = b"{\"line\":\"a\",\"status\":\"STOPPED\"}";
    outputs.push_with_headers(
        Topic::LineStatus,
        0,
        b"a",
        Some(json),
        &encode_headers(&[("trace", b"\xff\x00")]),
    );
    outputs.push(Topic::LineStatus, 0, b"a", None);
    outputs.push(Topic::LineStatus, 0, b"\xff\xfe", Some(&[0, 0, 0, 0, 99, 1]));
    outputs.push(Topic::LineStatus, 0, b"", Some(&vec![0; 70_000]));
    plant.log.appender().append(&outputs).unwrap();
    plant.report(&[("a", 0, "STOPPED")]);
    let found = letters(&plant, 4);
    let mut reasons: Vec<&str> = found.iter().map(|letter| letter["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["DECODE", "DECODE", "OVERSIZE", "SCHEMA_UNKNOWN"]);
    assert_eq!(plant.walk("/v1/dead-letters?reason=OVERSIZE", 9).len(), 1);
    let of_json = found.iter().find(|letter| letter["error"].as_str().unwrap().contains("0x7b")).unwrap();
    let shown = plant.get(&format!("/v1/dead-letters/{}", id(of_json))).json();
    assert_eq!(shown["value_base64"], "eyJsaW5lIjoiYSIsInN0YXR1cyI6IlNUT1BQRUQifQ==");
    assert_eq!(shown["decoded"], Value::Null);
    assert_eq!(plant.walk("/v1/downtime", 9).len(), 1, "the honest event is folded");

    let path = format!("/v1/dead-letters/{}/discard", id(of_json));
    assert_eq!(plant.send("POST", &path, &json!({})).status, 200);
    letters(&plant, 3);
}

#[test]
fn a_late_event_cannot_be_sent_again_and_one_that_says_nothing_new_is_hidden() {
    let plant = Fixture::new();
    plant.register(&["a"], &[]);
    plant.report(&[("a", 0, "STOPPED"), ("a", 5, "RUNNING"), ("a", 60, "RUNNING")]);
    plant.report(&[("a", 0, "STOPPED"), ("a", 2, "FAULTED")]);
    let found = letters(&plant, 1);
    assert_eq!(found[0]["reason"], "TOO_LATE");
    assert_eq!(plant.walk("/v1/dead-letters?redundant=true", 1).len(), 2);
    let path = format!("/v1/dead-letters/{}/redrive", id(&found[0]));
    assert_eq!(plant.send("POST", &path, &json!({})).status, 409);
    let nobody = "/v1/dead-letters/00000000-0000-0000-0000-000000000000";
    assert_eq!(plant.get(nobody).status, 404);
    assert_eq!(plant.send("POST", &format!("{nobody}/discard"), &json!({})).status, 404);
}
