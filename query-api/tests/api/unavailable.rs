//! What cannot be done just now: a 503 that says when to try again, and never why.

use andon_domain::{
    DirectoryChange, LineEntry, LineId, LineSettings, SubscriberId, Subscription, SubscriptionId,
};
use andon_query_api::ApiConfig;
use andon_store::{DeadLetterWrite, ViewBatch};
use serde_json::json;
use uuid::Uuid;

use crate::support::Fixture;

#[test]
fn everything_that_writes_answers_503_while_the_log_is_closed_and_everything_that_reads_goes_on() {
    let plant = Fixture::with(false, ApiConfig::default());
    let subscriber_id = SubscriberId(Uuid::from_u128(1));
    let subscription = Subscription {
        id: SubscriptionId::derive(subscriber_id, "a"),
        subscriber_id,
        node: "a".to_owned(),
        notify_after_ms: 0,
        class: None,
        created_at: 0,
    };
    let entry =
        LineEntry { path: vec!["a".to_owned()], settings: LineSettings::default(), is_retired: false };
    let letter = DeadLetterWrite {
        id: Uuid::from_u128(2),
        reason: "DECODE".to_owned(),
        error: String::new(),
        key: Vec::new(),
        value: None,
        headers: Vec::new(),
        partition: 0,
        offset: 1,
        appended_at: 0,
        late: None,
    };
    plant.apply(&ViewBatch {
        directory: vec![
            (1, DirectoryChange::Line(LineId::new("a").unwrap(), entry)),
            (2, DirectoryChange::Subscription(subscription.clone())),
        ],
        dead_letters: vec![letter.clone()],
        ..ViewBatch::default()
    });
    plant.log.close();
    let row = json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "status": "IDLE" });
    let subscription = format!("/v1/subscriptions/{}", subscription.id);
    let letter = format!("/v1/dead-letters/{}", letter.id);
    let mut bodies = Vec::new();
    for (method, path, body) in [
        ("POST", "/v1/line-status".to_owned(), row),
        ("PUT", "/v1/lines/a".to_owned(), json!({})),
        ("DELETE", "/v1/lines/a".to_owned(), json!({})),
        ("POST", "/v1/subscriptions".to_owned(), json!({ "email": "anna@plant.example", "node": "b" })),
        ("PATCH", subscription.clone(), json!({})),
        ("DELETE", subscription.clone(), json!({})),
        ("DELETE", format!("/v1/subscribers/{subscriber_id}"), json!({})),
        ("POST", format!("{letter}/redrive"), json!({})),
        ("POST", format!("{letter}/discard"), json!({})),
    ] {
        let answer = plant.send(method, &path, &body);
        assert_eq!(answer.status, 503, "{method} {path}: {}", answer.body);
        assert_eq!(answer.header("retry-after"), "1", "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "the cause is for our log, not for the reader: {bodies:?}");
    for path in ["/v1/lines", "/v1/lines/a", "/v1/downtime", &subscription, &letter] {
        assert_eq!(plant.get(path).status, 200, "{path}");
    }
}
