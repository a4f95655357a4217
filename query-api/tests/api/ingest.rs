//! What an accepted status change becomes in the log, and that sending it twice makes the same record.

use andon_domain::{EventId, LineStatus};
use andon_log::Topic;
use andon_schemas::decode_line_status_changed;
use serde_json::json;

use crate::support::Fixture;

fn closed_in() -> Fixture {
    Fixture::with(false, andon_query_api::ApiConfig::default())
}

#[test]
fn an_event_without_an_id_gets_the_same_one_in_every_format_and_every_time() {
    let plant = closed_in();
    let row = json!({ "line_id": "façade 1", "event_time": "2026-01-05T06:00:00.250Z", "status": "STOPPED",
        "sequence": -7, "source": "plc" });
    let csv =
        "line_id,event_time,status,sequence,source\nfaçade 1,2026-01-05T07:00:00.250+01:00,stopped,-7,plc";
    for (content_type, body) in [
        ("application/json", row.to_string()),
        ("application/json", json!([row]).to_string()),
        ("Application/JSON; charset=utf-8", row.to_string()),
        ("application/x-ndjson", row.to_string()),
        ("application/x-ndjson", format!("\n{row}\r\n\n")),
        ("text/csv", csv.to_owned()),
        ("text/csv", format!("\u{feff}{csv}\r\n")),
    ] {
        let answer = plant.call("POST", "/v1/line-status", content_type, body);
        assert_eq!((answer.status, answer.json()), (202, json!({ "accepted": 1 })), "{content_type}");
    }
    let records = plant.records(Topic::LineStatus);
    assert_eq!(records.len(), 7);
    let wanted = EventId::derive("façade 1", 1_767_592_800_250, LineStatus::Stopped, Some("plc"), Some(-7));
    for record in records.iter() {
        assert_eq!(record.key, "façade 1".as_bytes());
        let change = decode_line_status_changed(record.value.unwrap()).unwrap();
        assert_eq!((change.event_id, change.line_id), (wanted, "façade 1"));
        assert_eq!((change.event_time, change.sequence), (1_767_592_800_250, Some(-7)));
    }
}

#[test]
fn whatever_tells_two_events_apart_gives_them_two_ids() {
    let plant = closed_in();
    let mut body = String::from("line_id,event_time,status,sequence,source,reason_code\n");
    for row in [
        "a,2026-01-05T06:00:00Z,STOPPED,,,",
        "b,2026-01-05T06:00:00Z,STOPPED,,,",
        "a,2026-01-05T06:00:01Z,STOPPED,,,",
        "a,2026-01-05T06:00:00Z,FAULTED,,,",
        "a,2026-01-05T06:00:00Z,STOPPED,1,,",
        "a,2026-01-05T06:00:00Z,STOPPED,,1,",
        "a,2026-01-05T06:00:00Z,STOPPED,,,E-1", // a reason is told later: it is the same event as the first
    ] {
        body.push_str(row);
        body.push('\n');
    }
    assert_eq!(plant.call("POST", "/v1/line-status", "text/csv", body).status, 202);
    let records = plant.records(Topic::LineStatus);
    let ids: Vec<EventId> = records
        .iter()
        .map(|record| decode_line_status_changed(record.value.unwrap()).unwrap().event_id)
        .collect();
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (7, 6));
    assert_eq!(ids[0], ids[6]);
}

#[test]
fn an_id_that_is_sent_is_kept() {
    let plant = closed_in();
    let id = "79aba591-320e-5dae-9dbe-a818c78124e6";
    let row =
        json!({ "event_id": id, "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "status": "IDLE" });
    assert_eq!(plant.send("POST", "/v1/line-status", &row).status, 202);
    let records = plant.records(Topic::LineStatus);
    let record = records.iter().next().unwrap();
    let change = decode_line_status_changed(record.value.unwrap()).unwrap();
    assert_eq!(change.event_id.to_string(), id);
}

#[test]
fn form_alone_is_checked_and_bounds_are_inside() {
    let plant = closed_in();
    let line = "x".repeat(200);
    let text = "r".repeat(4_096);
    for row in [
        json!({ "line_id": line, "event_time": "1970-01-01T00:00:00Z", "status": "RUNNING" }),
        json!({ "line_id": "a", "event_time": "9999-12-30T21:59:59.999Z", "status": "RUNNING" }),
        json!({ "line_id": "a", "event_time": "2026-01-05t06:00:00.123456789z", "status": "no_change" }),
        json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "status": "IDLE", "sequence": i64::MIN }),
        json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "status": "IDLE", "sequence": i64::MAX }),
        json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "status": "IDLE", "sequence": null }),
        json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "status": "IDLE", "reason_code": text }),
        json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "source_status": "\u{0}\r\n\"" }),
    ] {
        let answer = plant.send("POST", "/v1/line-status", &row);
        assert_eq!(answer.status, 202, "{row}: {}", answer.body);
    }
    let rows = "a,2026-01-05T06:00:00Z,IDLE\n".repeat(10_000);
    let answer =
        plant.call("POST", "/v1/line-status", "text/csv", format!("line_id,event_time,status\n{rows}"));
    assert_eq!(answer.json(), json!({ "accepted": 10_000 }));
}

#[test]
fn a_request_is_one_append_and_is_counted_by_its_format() {
    let plant = closed_in();
    let row = |status: &str| json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "source_status": status });
    let rows = json!([row("Execute"), row("Frobnicating"), row("Held")]);
    assert_eq!(plant.send("POST", "/v1/line-status?vocabulary=packml", &rows).status, 202);
    assert_eq!(plant.send("POST", "/v1/line-status", &json!([])).status, 202);
    let batches: Vec<usize> = plant.appends.batches.lock().unwrap().iter().map(|batch| batch.len()).collect();
    assert_eq!(batches, [3], "nothing is appended where there is nothing");
    let value = |name: &str| {
        let family = plant.registry.gather().into_iter().find(|family| family.name() == name).unwrap();
        family.get_metric().iter().map(|metric| metric.get_counter().get_value()).sum::<f64>()
    };
    assert_eq!(value("api_ingested_rows_total"), 3.0);
    assert_eq!(value("api_unmapped_words_total"), 1.0);
    assert_eq!(value("api_requests_total"), 2.0);
}
