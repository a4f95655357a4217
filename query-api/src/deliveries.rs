//! Who was told of an incident, and why not. No address.

use andon_domain::{IncidentId, NotificationId, SubscriberId};
use andon_schemas::decode_command;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use crate::Api;
use crate::cursor;
use crate::downtime::uuid_of;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::{Page, json};
use crate::time::Instant;

#[derive(Debug, Serialize)]
struct DeliveryView {
    id: String,
    incident_id: String,
    subscriber_id: String,
    line_id: Option<String>,
    kind: &'static str,
    state: &'static str,
    rule: String,
    decided_at: Instant,
    due_at: Instant,
    settled_at: Option<Instant>,
    attempts: u32,
    smtp_code: Option<u16>,
}

/// `GET /v1/incidents/{incident}/deliveries`
pub(crate) async fn list(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&["limit", "cursor"])?;
    let incident = IncidentId(uuid_of(path)?);
    let limit = params.limit(&api)?;
    let identity = params.identity(&format!("/v1/incidents/{incident}/deliveries"));
    let after = match params.cursor(&identity)? {
        None => None,
        Some(key) => match key.split_at_checked(16) {
            Some((subscriber, id)) => match (Uuid::from_slice(subscriber), Uuid::from_slice(id)) {
                (Ok(subscriber), Ok(id)) => Some((SubscriberId(subscriber), NotificationId(id))),
                _ => return Err(Problem::bad_request("`cursor` is none of this query")),
            },
            None => return Err(Problem::bad_request("`cursor` is none of this query")),
        },
    };
    let mut rows = api.accounts.deliveries_of(incident, after, limit + 1).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| has_more).map(|last| {
        cursor::write(&identity, &[last.subscriber_id.0.as_bytes().as_slice(), last.id.0.as_bytes()].concat())
    });
    // The mailer does not say how far it is: nothing is claimed to be in the ledger.
    let items: Vec<DeliveryView> = rows
        .into_iter()
        .map(|row| DeliveryView {
            id: row.id.to_string(),
            incident_id: row.incident_id.to_string(),
            subscriber_id: row.subscriber_id.to_string(),
            line_id: decode_command(&row.command).ok().map(|command| command.line_id.to_string()),
            kind: row.kind.name(),
            state: row.state.name(),
            rule: row.rule,
            decided_at: Instant(row.created_at),
            due_at: Instant(row.due_at),
            settled_at: row.settled_at.map(Instant),
            attempts: row.attempts,
            smtp_code: row.smtp_code,
        })
        .collect();
    json(StatusCode::OK, &Page { items, next_cursor, as_of: None })
}
