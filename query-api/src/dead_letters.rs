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
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Api;
use crate::cursor;
use crate::directory::settled;
use crate::downtime::uuid_of;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::{self, Page};
use crate::time::Instant;

/// Headers that a dead letter adds to the original record's.
const ADDED: [&str; 2] = ["x-dlq-", "__connect.errors."];

#[derive(Debug, Serialize)]
struct DeadLetterView {
    id: String,
    reason: String,
    error: String,
    key: String,
    first_at: Instant,
    last_at: Instant,
    count: u64,
    redundant: bool,
    resolved: Option<Resolved>,
}

#[derive(Debug, Serialize)]
struct Resolved {
    how: &'static str,
    at: Instant,
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
pub(crate) async fn show(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let row = find(&api, uuid_of(path)?).await?;
    let mut view = serde_json::to_value(DeadLetterView::new(&row)).map_err(|_| Problem::internal())?;
    view["value_base64"] = json!(row.value.as_deref().map(base64));
    view["headers"] = decode_headers(&row.headers)
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": String::from_utf8_lossy(value) }))
        .collect();
    view["decoded"] = row.value.as_deref().and_then(|value| decode_line_status_changed(value).ok()).map_or(
        Value::Null,
        |change| {
            json!({
                "event_id": change.event_id.to_string(),
                "line_id": change.line_id,
                "event_time": Instant(change.event_time),
                "status": change.status.name(),
                "sequence": change.sequence,
                "reason_code": change.reason_code,
                "source": change.source,
                "source_status": change.source_status,
            })
        },
    );
    respond::json(StatusCode::OK, &view)
}

/// `POST /v1/dead-letters/{id}/redrive`: the original bytes again, and that they were sent, as one.
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

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let value =
            group.iter().fold(0_u32, |value, byte| value << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            if digit <= group.len() {
                text.push(char::from(DIGITS[(value >> (18 - 6 * digit) & 0x3f) as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    /// The vectors of RFC 4648, section 10.
    #[test]
    fn base64_is_what_the_standard_says() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(super::base64(plain.as_bytes()), encoded);
        }
    }
}
