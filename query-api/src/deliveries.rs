//! Who was told of an incident or about a line, and why not. No address.

use andon_domain::{IncidentId, NotificationId, SubscriberId};
use andon_schemas::decode_command;
use andon_store::{Delivery, LineDeliveryQuery};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::cursor;
use crate::downtime::uuid_of;
use crate::lines::line_of;
use crate::openapi::words;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::{Page, json};
use crate::time::Instant;

#[derive(Debug, Serialize, ToSchema)]
struct DeliveryView {
    /// Its id; the `Message-ID` of the mail derives from it.
    #[schema(value_type = words::Id)]
    id: String,
    /// The incident.
    #[schema(value_type = words::Id)]
    incident_id: String,
    /// Who was to be told.
    #[schema(value_type = words::Id)]
    subscriber_id: String,
    /// The line; null if the entry cannot be read.
    #[schema(value_type = Option<words::LineId>)]
    line_id: Option<String>,
    /// Start of the stop, as known when it was decided.
    started_at: Option<Instant>,
    /// What was to be said.
    #[schema(value_type = words::KindOfMessage)]
    kind: &'static str,
    /// What became of it.
    #[schema(value_type = words::StateOfDelivery)]
    state: &'static str,
    /// The rule that decided the state.
    rule: String,
    /// When it was decided that this is to be said.
    decided_at: Instant,
    /// When to try, or to try again.
    due_at: Instant,
    /// When it reached its final state.
    settled_at: Option<Instant>,
    /// How often a sender began.
    attempts: u32,
    /// The mail server's last reply code.
    smtp_code: Option<u16>,
}

impl DeliveryView {
    fn new(row: Delivery) -> Self {
        let command = decode_command(&row.command).ok();
        Self {
            id: row.id.to_string(),
            incident_id: row.incident_id.to_string(),
            subscriber_id: row.subscriber_id.to_string(),
            line_id: command.as_ref().map(|command| command.line_id.to_string()),
            started_at: command.map(|command| Instant(command.started_at)),
            kind: row.kind.name(),
            state: row.state.name(),
            rule: row.rule,
            decided_at: Instant(row.created_at),
            due_at: Instant(row.due_at),
            settled_at: row.settled_at.map(Instant),
            attempts: row.attempts,
            smtp_code: row.smtp_code,
        }
    }
}

/// `GET /v1/incidents/{incident}/deliveries`
#[utoipa::path(
    get, path = "/v1/incidents/{incident}/deliveries", operation_id = "list_deliveries", tag = "deliveries",
    summary = "Who was told of an incident",
    description = "",
    params(("incident" = String, Path), ("limit" = String, Query), ("cursor" = String, Query)),
    responses(
        (status = 200, description = "A page of deliveries, ordered by subscriber and time. Empty if nobody was to be told.", body = Page<DeliveryView>),
    )
)]
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
    let items: Vec<DeliveryView> = rows.into_iter().map(DeliveryView::new).collect();
    json(StatusCode::OK, &Page { items, next_cursor, as_of: None })
}

/// `GET /v1/lines/{line}/deliveries`, newest first. The ledger outlives the views: a line of which nothing is known any
/// more may have been told of.
#[utoipa::path(
    get, path = "/v1/lines/{line}/deliveries", operation_id = "list_deliveries_of_line", tag = "deliveries",
    summary = "Who was told about a line",
    description = "The window is about when it was decided to tell.",
    params(("line" = String, Path), ("from" = String, Query), ("to" = String, Query), ("limit" = String, Query), ("cursor" = String, Query)),
    responses(
        (status = 200, description = "A page of deliveries, newest first.", body = Page<DeliveryView>),
        (status = 404, description = "Nothing is known of this line."),
    )
)]
pub(crate) async fn of_line(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&["from", "to", "limit", "cursor"])?;
    let line_id = line_of(path)?;
    let (from, to) = params.window()?;
    let limit = params.limit(&api)?;
    let identity = params.identity(&format!("/v1/lines/{line_id}/deliveries"));
    let after = match params.cursor(&identity)? {
        None => None,
        Some(key) => Some(
            cursor::split_key(&key)
                .and_then(|(at, id)| Some((at, NotificationId(Uuid::try_parse(id).ok()?))))
                .ok_or_else(|| Problem::bad_request("`cursor` is none of this query"))?,
        ),
    };
    let query = LineDeliveryQuery { line_id, from, to, after, limit: limit + 1 };
    let mut rows = api.accounts.deliveries_of_line(&query).await?;
    if rows.is_empty()
        && api.views.line(&query.line_id).await?.is_none()
        && api.views.line_entry(&query.line_id).await?.is_none()
    {
        return Err(Problem::not_found(format!("nothing is known of line `{}`", query.line_id)));
    }
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| has_more);
    let next_cursor =
        last.map(|last| cursor::write(&identity, &cursor::key(last.created_at, &last.id.to_string())));
    let items: Vec<DeliveryView> = rows.into_iter().map(DeliveryView::new).collect();
    json(StatusCode::OK, &Page { items, next_cursor, as_of: None })
}
