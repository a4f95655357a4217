//! Who was told of an incident, and why not.

use andon_domain::{CommandKind, IncidentId, NotificationId, SubscriberId};
use andon_query_api::ApiConfig;
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
