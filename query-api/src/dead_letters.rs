//! What could not be folded: to be looked at, sent again, or set aside.

use andon_log::{Outputs, Topic, decode_headers, encode_headers, partition_of};
use andon_schemas::{
    DeadLetterReason, DeadLetterResolved, REDRIVE_HEADER, Resolution, decode_line_status_changed,
    encode_dead_letter_resolved,
};
use andon_store::{DeadLetterQuery, DeadLetterRow};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::cursor;
use crate::directory::settled;
use crate::downtime::uuid_of;
use crate::openapi::words;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::{self, Page};
use crate::time::Instant;

/// Headers that a dead letter adds to the original record's.
const ADDED: [&str; 2] = ["x-dlq-", "__connect.errors."];

#[derive(Debug, Serialize, ToSchema)]
struct DeadLetterView {
    /// Its id: a function of reason, key and bytes.
    #[schema(value_type = words::Id)]
    id: String,
    /// Why it could not be used.
    #[schema(value_type = words::ReasonOfDeadLetter)]
    reason: String,
    /// The same in words, with the value got and the limit.
    error: String,
    /// Key of the original record: the line it claims to be of.
    key: String,
    /// When it came first.
    first_at: Instant,
    /// When it came last.
    last_at: Instant,
    /// How often it came.
    count: u64,
    /// Whether it says what the views say anyway.
    redundant: bool,
    /// How it was dealt with; coming again opens it again.
    resolved: Option<Resolved>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Resolved {
    /// How.
    #[schema(value_type = words::Resolution)]
    how: &'static str,
    /// When.
    at: Instant,
}

/// One dead letter with all that there is of it.
#[derive(Debug, Serialize, ToSchema)]
struct DeadLetterDetail {
    #[serde(flatten)]
    view: DeadLetterView,
    /// The original bytes.
    value_base64: Option<String>,
    /// The headers of the original record.
    headers: Vec<Header>,
    /// What the bytes say, where they can be read.
    decoded: Option<Decoded>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Header {
    /// Its name.
    name: String,
    /// Its value.
    value: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Decoded {
    /// Identity of the report.
    #[schema(value_type = words::Id)]
    event_id: String,
    /// The line.
    line_id: String,
    /// When it happened.
    event_time: Instant,
    /// The status.
    status: &'static str,
    /// The controller's own counter.
    sequence: Option<i64>,
    /// The reason.
    #[schema(value_type = words::Text)]
    reason_code: Option<String>,
    /// Who says so.
    #[schema(value_type = words::Text)]
    source: Option<String>,
    /// The controller's own word.
    #[schema(value_type = words::Text)]
    source_status: Option<String>,
}

impl DeadLetterView {
    fn new(row: &DeadLetterRow) -> Self {
        Self {
            id: row.id.to_string(),
            reason: row.reason.clone(),
            error: row.error.clone(),
            key: String::from_utf8_lossy(&row.key).into_owned(),
            first_at: Instant(row.first_at),
            last_at: Instant(row.last_at),
            count: row.count,
            redundant: row.is_redundant,
            resolved: row.resolved.map(|(how, at)| Resolved { how: how.name(), at: Instant(at) }),
        }
    }
}

/// `GET /v1/dead-letters`. It has no `as_of`: a dead letter may come into the views a while after the line changes.
#[utoipa::path(
    get, path = "/v1/dead-letters", operation_id = "list_dead_letters", tag = "dead letters",
    summary = "Reports that could not be used",
    description = "",
    params(("reason" = String, Query), ("redundant" = String, Query), ("resolved" = String, Query), ("limit" = String, Query), ("cursor" = String, Query)),
    responses(
        (status = 200, description = "A page of dead letters, newest first.", body = Page<DeadLetterView>),
    )
)]
pub(crate) async fn list(State(api): State<Api>, params: Params) -> Answer {
    params.only(&["reason", "redundant", "resolved", "limit", "cursor"])?;
    let limit = params.limit(&api)?;
    let identity = params.identity("/v1/dead-letters");
    let reason = match params.get("reason") {
        None => None,
        Some(name) if DeadLetterReason::from_name(name).is_some() => Some(name.to_owned()),
        Some(_) => {
            let names: Vec<_> = DeadLetterReason::ALL.iter().map(|reason| reason.name()).collect();
            return Err(Problem::bad_request(format!("`reason` is one of `{}`", names.join("`, `"))));
        }
    };
    let after = match params.cursor(&identity)? {
        None => None,
        Some(key) => Some(
            cursor::split_key(&key)
                .and_then(|(at, id)| Some((at, Uuid::try_parse(id).ok()?)))
                .ok_or_else(|| Problem::bad_request("`cursor` is none of this query"))?,
        ),
    };
    let query = DeadLetterQuery {
        reason,
        with_redundant: params.switch("redundant")?,
        with_resolved: params.switch("resolved")?,
        after,
        limit: limit + 1,
    };
    let mut page = api.views.dead_letters(&query).await?;
    let has_more = page.rows.len() > limit;
    page.rows.truncate(limit);
    let next_cursor = page
        .rows
        .last()
        .filter(|_| has_more)
        .map(|last| cursor::write(&identity, &cursor::key(last.last_at, &last.id.to_string())));
    let items: Vec<DeadLetterView> = page.rows.iter().map(DeadLetterView::new).collect();
    respond::json(StatusCode::OK, &Page { items, next_cursor, as_of: None })
}

/// `GET /v1/dead-letters/{id}`
#[utoipa::path(
    get, path = "/v1/dead-letters/{id}", operation_id = "show_dead_letter", tag = "dead letters",
    summary = "One dead letter, with the original bytes",
    description = "",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The dead letter.", body = DeadLetterDetail),
        (status = 404, description = "There is no such dead letter."),
    )
)]
pub(crate) async fn show(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let row = find(&api, uuid_of(path)?).await?;
    let headers = decode_headers(&row.headers)
        .iter()
        .map(|(name, value)| Header {
            name: (*name).to_owned(),
            value: String::from_utf8_lossy(value).into_owned(),
        })
        .collect();
    let value = row.value.as_deref();
    let decoded = value.and_then(|value| decode_line_status_changed(value).ok()).map(|change| Decoded {
        event_id: change.event_id.to_string(),
        line_id: change.line_id.to_owned(),
        event_time: Instant(change.event_time),
        status: change.status.name(),
        sequence: change.sequence,
        reason_code: change.reason_code.map(str::to_owned),
        source: change.source.map(str::to_owned),
        source_status: change.source_status.map(str::to_owned),
    });
    let view = DeadLetterView::new(&row);
    respond::json(
        StatusCode::OK,
        &DeadLetterDetail {
            view,
            value_base64: value.map(|bytes| BASE64_STANDARD.encode(bytes)),
            headers,
            decoded,
        },
    )
}

/// `POST /v1/dead-letters/{id}/redrive`: the original bytes again, and that they were sent, as one.
#[utoipa::path(
    post, path = "/v1/dead-letters/{id}/redrive", operation_id = "redrive_dead_letter", tag = "dead letters",
    summary = "Send a dead letter again",
    description = "",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "It was sent, by this request or before.", body = DeadLetterView),
        (status = 202, description = "It is stored for good and not yet to be seen in answers.", body = DeadLetterView),
        (status = 404, description = "There is no such dead letter."),
        (status = 409, description = "It would be too late again."),
    )
)]
pub(crate) async fn redrive(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let row = find(&api, uuid_of(path)?).await?;
    if row.reason == DeadLetterReason::TooLate.name() {
        return Err(Problem::conflict(
            "a TOO_LATE would be too late again; it waits for amendments, or is discarded",
        ));
    }
    if row.resolved.is_some() {
        return respond::json(StatusCode::OK, &DeadLetterView::new(&row)); // dealt with: nothing is sent twice
    }
    let headers = decode_headers(&row.headers);
    let sent_before = headers
        .iter()
        .rev()
        .find(|(name, _)| *name == REDRIVE_HEADER)
        .and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse::<u32>().ok())
        .unwrap_or(0);
    let count = sent_before.saturating_add(1).to_string();
    let kept = headers
        .into_iter()
        .filter(|(name, _)| *name != REDRIVE_HEADER && !ADDED.iter().any(|added| name.starts_with(added)));
    let headers: Vec<(&str, &[u8])> = kept.chain([(REDRIVE_HEADER, count.as_bytes())]).collect();
    let partition = match std::str::from_utf8(&row.key) {
        Ok(key) => partition_of(key, api.partitions),
        Err(_) => row.partition,
    };
    let mut records = Outputs::default();
    records.push_with_headers(
        Topic::LineStatus,
        partition,
        &row.key,
        row.value.as_deref(),
        &encode_headers(&headers),
    );
    resolve(&api, &row, Resolution::Redriven, records).await
}

/// `POST /v1/dead-letters/{id}/discard`
#[utoipa::path(
    post, path = "/v1/dead-letters/{id}/discard", operation_id = "discard_dead_letter", tag = "dead letters",
    summary = "Set a dead letter aside",
    description = "",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "It is dealt with, by this request or before.", body = DeadLetterView),
        (status = 202, description = "It is stored for good and not yet to be seen in answers.", body = DeadLetterView),
        (status = 404, description = "There is no such dead letter."),
    )
)]
pub(crate) async fn discard(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let row = find(&api, uuid_of(path)?).await?;
    if row.resolved.is_some() {
        return respond::json(StatusCode::OK, &DeadLetterView::new(&row));
    }
    resolve(&api, &row, Resolution::Discarded, Outputs::default()).await
}

async fn find(api: &Api, id: Uuid) -> Result<DeadLetterRow, Problem> {
    let row = api.views.dead_letter(id).await?;
    row.ok_or_else(|| Problem::not_found(format!("there is no dead letter `{id}`")))
}

/// Appends what was decided as the last of `records`, and waits for the views: asked again, they say that it is done.
async fn resolve(api: &Api, row: &DeadLetterRow, how: Resolution, mut records: Outputs) -> Answer {
    let at = (api.clock)();
    records.push_written(Topic::DeadLetters, row.partition, &row.key, |out| {
        encode_dead_letter_resolved(&DeadLetterResolved { dead_letter_id: row.id, how, at }, out);
    });
    let offsets = api.append(records).await?;
    let is_settled = match offsets.last() {
        Some(offset) => api.wait_for_views(Topic::DeadLetters, row.partition, *offset).await?,
        None => true,
    };
    let how = match how {
        Resolution::Redriven => andon_store::Resolution::Redriven,
        Resolution::Discarded => andon_store::Resolution::Discarded,
    };
    let row = DeadLetterRow { resolved: Some((how, at)), ..row.clone() };
    respond::json(settled(is_settled, StatusCode::OK), &DeadLetterView::new(&row))
}
