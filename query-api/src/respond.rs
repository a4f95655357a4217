//! Answers in JSON.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Api;
use crate::cursor;
use crate::problem::{Answer, Problem};
use crate::time::Instant;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A list, everywhere.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items of this page.
    pub(crate) items: Vec<T>,
    /// Send it as `cursor` with the same query for the next page. Null: this was the last one.
    pub(crate) next_cursor: Option<String>,
    /// Every status change that Andon took before this instant is in the answer. Null: not known.
    pub(crate) as_of: Option<Instant>,
}

fn bytes(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|error| {
        tracing::error!("could not write an answer: {error}");
        Problem::internal()
    })
}

/// An answer with a status of its own.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    Ok((status, [(header::CONTENT_TYPE, JSON)], bytes(value)?).into_response())
}

/// 200, or 304 if the reader has the same already.
pub(crate) fn tagged(headers: &HeaderMap, value: &impl Serialize) -> Answer {
    let body = bytes(value)?;
    let tag = format!("\"{:016x}\"", cursor::hash(&body));
    let tag = HeaderValue::from_str(&tag).map_err(|_| Problem::internal())?;
    let mut response = if is_known(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, JSON)], Body::from(body)).into_response()
    };
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// Whether the reader says that they have what `tag` stands for.
pub(crate) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == "*" || known.as_bytes() == tag.as_bytes())
}

impl Api {
    /// Every status change that the log took before this is in the views; none while a partition has said nothing.
    pub(crate) async fn as_of(&self) -> Result<Option<Instant>, Problem> {
        let progress = self.views.progress().await?;
        let is_whole = progress.len() >= self.partitions as usize;
        Ok(progress.iter().map(|(_, log_time)| *log_time).min().filter(|_| is_whole).map(Instant))
    }
}
