//! An address goes in by a body and comes out nowhere: not in an answer, a log line, a metric or the event log.

use std::io::Write;
use std::sync::{Arc, Mutex, atomic::Ordering};

use andon_domain::{LineId, SubscriberId};
use andon_log::Topic;
use andon_query_api::ApiConfig;
use andon_store::{LinkKey, UnsubscribeLink};
use prometheus::{Encoder, TextEncoder};
use serde_json::json;

use crate::support::Fixture;

const ADDRESS: &str = "Anna.Unmistakable@plant.example";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn assert_clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    assert!(!text.contains("unmistakable"), "{what}: {text}");
}

#[test]
fn no_answer_no_log_line_no_metric_and_no_record_has_an_address() {
    // Of the whole test program, as it is of a real one: whether a line is logged is remembered per place, not per thread.
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let plant = Fixture::new();
    let body = json!({ "email": ADDRESS, "node": "press-1" });
    let made = plant.send("POST", "/v1/subscriptions", &body).json();
    let subscription = format!("/v1/subscriptions/{}", made["id"].as_str().unwrap());
    let subscriber = format!("/v1/subscribers/{}", made["subscriber_id"].as_str().unwrap());
    plant.register(&["press-1"], &[]);
    plant.report(&[("press-1", 0, "STOPPED"), ("ghost", 0, "STOPPED")]);
    let answers = [
        plant.send("POST", "/v1/subscriptions", &body), // 409
        plant.send("POST", "/v1/subscriptions/search", &json!({ "email": ADDRESS })),
        plant.send("POST", "/v1/subscriptions", &json!({ "email": format!("{ADDRESS}@"), "node": "a" })),
        plant.send("POST", "/v1/subscriptions", &json!({ "email": ADDRESS, "node": "a/" })),
        plant.send("POST", "/v1/subscriptions", &json!({ "email": ADDRESS, "node": "a", "zone": "x" })),
        plant.send("POST", "/v1/subscriptions", &json!({ "email": [ADDRESS], "node": "a" })),
        plant.send("PATCH", &subscription, &json!({ "email": ADDRESS })),
        plant.get(&subscription),
        plant.get("/v1/lines"),
        plant.get("/v1/lines/press-1"),
        plant.get("/v1/downtime"),
        plant.get("/v1/dead-letters"),
        plant.get("/v1/statuses"),
        plant.get("/v1/incidents/00000000-0000-0000-0000-000000000000/deliveries"),
    ];
    for answer in &answers {
        assert_clean("an answer", answer.body.as_bytes());
        assert_clean("headers", format!("{:?}", answer.headers).as_bytes());
    }
    plant.outbox.is_broken.store(true, Ordering::Release);
    assert_eq!(plant.call("DELETE", &subscriber, "", "").status, 503);
    let closed = Fixture::with(false, ApiConfig::default());
    closed.log.close();
    let answer = closed.send("POST", "/v1/subscriptions", &json!({ "email": ADDRESS, "node": "b" }));
    assert_eq!(answer.status, 503);
    assert_clean("a 503", answer.body.as_bytes());
    // Whoever reads the log must not be able to end anybody's mails.
    let secret = plant.runtime.block_on(plant.accounts.secret(LinkKey::SECRET)).unwrap();
    let link = UnsubscribeLink {
        subscriber_id: SubscriberId(made["subscriber_id"].as_str().unwrap().parse().unwrap()),
        line_id: LineId::new("press-1").unwrap(),
    };
    let token = LinkKey::new(secret).sign(&link);
    let forged = format!("{token}A");
    for (method, token, status) in [
        ("GET", &token, 200),
        ("POST", &token, 200),
        ("GET", &forged, 404),
        ("POST", &forged, 404),
        ("PUT", &token, 405),
    ] {
        let form = "application/x-www-form-urlencoded";
        let answer = plant.call(method, &format!("/unsubscribe/{token}"), form, "extent=line");
        assert_eq!(answer.status, status, "{method}");
        assert_clean("a page", answer.body.as_bytes());
    }
    let logged = lines.0.lock().unwrap();
    let text = String::from_utf8_lossy(&logged);
    assert!(text.contains("subscriptions ended by a link"), "{text}");
    assert!(!text.contains(&token[..40]), "{text}");
    assert!(text.contains("the log is closed") && text.contains("the folder is read-only"), "{text}");
    assert_clean("the log", &logged);
    let mut metrics = Vec::new();
    TextEncoder::new().encode(&plant.registry.gather(), &mut metrics).unwrap();
    assert!(String::from_utf8_lossy(&metrics).contains("route=\"/unsubscribe/{token}\""));
    assert!(!String::from_utf8_lossy(&metrics).contains(&token[..40]));
    assert_clean("metrics", &metrics);
    for batch in plant.appends.batches.lock().unwrap().iter() {
        for output in batch.iter() {
            assert_clean(
                "a record",
                &[output.key, output.value.unwrap_or_default(), output.headers].concat(),
            );
        }
    }
}

#[test]
fn an_erasure_that_failed_half_way_succeeds_when_it_is_asked_for_again() {
    let plant = Fixture::new();
    let made = plant.send("POST", "/v1/subscriptions", &json!({ "email": ADDRESS, "node": "a" })).json();
    plant.send("POST", "/v1/subscriptions", &json!({ "email": ADDRESS, "node": "b" }));
    let subscriber = made["subscriber_id"].as_str().unwrap();
    let path = format!("/v1/subscribers/{subscriber}");
    plant.outbox.is_broken.store(true, Ordering::Release);
    let answer = plant.call("DELETE", &path, "", "");
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    assert!(!answer.body.contains("read-only"), "the cause is for our log: {}", answer.body);
    plant.outbox.is_broken.store(false, Ordering::Release);
    assert_eq!(plant.call("DELETE", &path, "", "").status, 204);
    let erased = plant.outbox.erased.lock().unwrap().clone();
    assert!(erased.iter().all(|id| id.to_string() == subscriber) && !erased.is_empty(), "{erased:?}");
    let search = json!({ "email": ADDRESS });
    assert_eq!(plant.send("POST", "/v1/subscriptions/search", &search).json()["items"], json!([]));
    // Both subscriptions are ended in the log as well.
    let ended = plant.records(Topic::Directory).iter().filter(|record| record.value.is_none()).count();
    assert_eq!(ended, 2);
    assert_eq!(plant.call("DELETE", &path, "", "").status, 404);
    // The same address is somebody new.
    let again = plant.send("POST", "/v1/subscriptions", &json!({ "email": ADDRESS, "node": "a" }));
    assert_eq!(again.status, 201);
    assert_ne!(again.json()["subscriber_id"], made["subscriber_id"]);
}

#[test]
fn an_address_whose_subscription_the_log_refused_can_be_sent_again() {
    let config = ApiConfig { settle_ms_max: 1, ..ApiConfig::default() };
    let plant = Fixture::with(false, config);
    plant.log.close();
    let body = json!({ "email": ADDRESS, "node": "a" });
    for _ in 0..2 {
        assert_eq!(plant.send("POST", "/v1/subscriptions", &body).status, 503);
    }
}
