//! Who was told of an incident, and why not.

use andon_domain::{
    Command, CommandKind, IncidentId, LineId, LineStatus, NotificationId, SubscriberId, SubscriptionId,
};
use andon_query_api::ApiConfig;
use andon_schemas::encode_command;
use andon_store::{DeliveryState, NewDelivery};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Fixture;

const INCIDENT: IncidentId = IncidentId(Uuid::from_u128(7));

fn delivery(subscriber: u128, kind: CommandKind, state: DeliveryState) -> NewDelivery {
    let subscriber_id = SubscriberId(Uuid::from_u128(subscriber));
    NewDelivery {
        id: NotificationId::derive(INCIDENT, kind, subscriber_id),
        incident_id: INCIDENT,
        subscriber_id,
        line_id: LineId::new("press-1").unwrap(),
        kind,
        command: Vec::new(),
        created_at: 1_767_592_800_000 + i64::from(kind != CommandKind::Down),
        state,
        due_at: 1_767_592_860_000,
        rule: "at_once".to_owned(),
    }
}

#[test]
fn every_delivery_of_an_incident_is_listed_by_subscriber_and_time_whatever_the_page() {
    let plant = Fixture::with(false, ApiConfig::default());
    let deliveries = [
        delivery(3, CommandKind::Down, DeliveryState::Queued),
        delivery(1, CommandKind::Restored, DeliveryState::Queued),
        delivery(1, CommandKind::Down, DeliveryState::Queued),
        delivery(2, CommandKind::Down, DeliveryState::Expired),
        delivery(2, CommandKind::Restored, DeliveryState::Dropped),
    ];
    plant.runtime.block_on(plant.accounts.accept(&deliveries, &[])).unwrap();
    let path = format!("/v1/incidents/{}/deliveries", INCIDENT.0);
    let found = |limit| -> Vec<(String, String, String)> {
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let rows = plant.walk(&path, limit);
        rows.iter()
            .map(|row| (text(row, "subscriber_id")[35..].to_owned(), text(row, "kind"), text(row, "state")))
            .collect()
    };
    let down = CommandKind::Down.name();
    let restored = CommandKind::Restored.name();
    let wanted: Vec<_> = [
        ("1", down, "queued"),
        ("1", restored, "queued"),
        ("2", down, "expired"),
        ("2", restored, "dropped"),
        ("3", down, "queued"),
    ]
    .map(|(subscriber, kind, state)| (subscriber.to_owned(), kind.to_owned(), state.to_owned()))
    .into();
    for limit in [1, 2, 3, 100] {
        assert_eq!(found(limit), wanted, "pages of {limit}");
    }
    let page = plant.get(&format!("{path}?limit=1")).json();
    assert_eq!(page["as_of"], json!(null), "nobody says how far the ledger is");
    let first = &page["items"][0];
    assert_eq!(first["decided_at"], "2026-01-05T06:00:00.000Z");
    assert_eq!(first["due_at"], "2026-01-05T06:01:00.000Z");
    assert_eq!(
        (&first["attempts"], &first["smtp_code"], &first["rule"]),
        (&json!(0), &json!(null), &json!("at_once"))
    );
    // A cursor of one incident is none of another.
    let cursor = page["next_cursor"].as_str().unwrap();
    let other = format!("/v1/incidents/{}/deliveries?cursor={cursor}", Uuid::from_u128(8));
    assert_eq!(plant.get(&other).status, 400);
}

#[test]
fn every_delivery_about_a_line_is_listed_newest_first_with_its_stop() {
    let plant = Fixture::with(false, ApiConfig::default());
    let at = |minute: i64| 1_767_592_800_000 + minute * 60_000;
    let about = |line: &str, incident: u128, kind: CommandKind, minute: i64| {
        let line_id = LineId::new(line).unwrap();
        let incident_id = IncidentId(Uuid::from_u128(incident));
        let delivery = delivery(1, kind, DeliveryState::Queued);
        let id = NotificationId::derive(incident_id, kind, delivery.subscriber_id);
        let mut command = Vec::new();
        let said = Command {
            notification_id: id,
            incident_id,
            kind,
            subscriber_id: delivery.subscriber_id,
            subscription_id: SubscriptionId(Uuid::from_u128(9)),
            line_id: line_id.clone(),
            version: 1,
            created_at: at(minute),
            first_told_start: at(minute - 5),
            started_at: at(minute - 5),
            ended_at: None,
            status: LineStatus::Faulted,
            reason_code: None,
            source_status: None,
        };
        encode_command(&said, &mut command);
        NewDelivery { id, incident_id, line_id, command, created_at: at(minute), ..delivery }
    };
    let deliveries = [
        about("press-1", 1, CommandKind::Down, 0),
        about("press-1", 1, CommandKind::Restored, 10),
        about("press-1", 2, CommandKind::Down, 20),
        about("weld 2", 3, CommandKind::Down, 20),
    ];
    plant.runtime.block_on(plant.accounts.accept(&deliveries, &[])).unwrap();
    let found = |path: &str, limit| -> Vec<String> {
        let rows = plant.walk(path, limit);
        rows.iter().map(|row| row["decided_at"].as_str().unwrap()[11..16].to_owned()).collect()
    };
    for limit in [1, 2, 3, 100] {
        assert_eq!(found("/v1/lines/press-1/deliveries", limit), ["06:20", "06:10", "06:00"]);
        let window = "from=2026-01-05T06:10:00Z&to=2026-01-05T06:20:00Z";
        assert_eq!(found(&format!("/v1/lines/press-1/deliveries?{window}"), limit), ["06:10"]);
    }
    let newest = plant.get("/v1/lines/weld%202/deliveries").json()["items"][0].clone();
    assert_eq!(newest["line_id"], "weld 2");
    assert_eq!(newest["started_at"], "2026-01-05T06:15:00.000Z");
    assert_eq!(newest["incident_id"], Uuid::from_u128(3).to_string());
    assert_eq!((&newest["kind"], &newest["state"]), (&json!("DOWN"), &json!("queued")));
    assert_eq!(plant.get("/v1/lines/nobody/deliveries").status, 404);
    for query in ["from=2026-01-05T06:20:00Z&to=2026-01-05T06:20:00Z", "cursor=00", "state=sent"] {
        assert_eq!(plant.get(&format!("/v1/lines/press-1/deliveries?{query}")).status, 400, "{query}");
    }
    let cursor = plant.get("/v1/lines/press-1/deliveries?limit=1").json()["next_cursor"].clone();
    let other = format!("/v1/lines/weld%202/deliveries?cursor={}", cursor.as_str().unwrap());
    assert_eq!(plant.get(&other).status, 400);
}
