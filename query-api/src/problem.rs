//! Every refusal is a problem document (RFC 9457). What went wrong on our side goes to the log, and not to the reader.

use andon_log::chain;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// The longest detail, in characters: it may hold what the request said.
const DETAIL_CHARS_MAX: usize = 500;

/// The longest piece of a request that a detail shows, in characters.
const SHOWN_CHARS_MAX: usize = 40;

/// A piece of a request, as a detail shows it: escaped, and no longer than it takes to recognise it.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect()
}

/// A text cut to what a detail may have.
pub(crate) fn cut(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(DETAIL_CHARS_MAX) {
        text.truncate(at);
        text.push('…');
    }
    text
}

/// A refusal.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: Option<String>,
    more: Map<String, Value>,
    retry_after_s: Option<u32>,
    challenge: Option<String>,
}

/// What handlers return.
pub(crate) type Answer = Result<Response, Problem>;

impl Problem {
    pub(crate) fn new(status: StatusCode, title: &'static str) -> Self {
        Self { status, title, detail: None, more: Map::new(), retry_after_s: None, challenge: None }
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(cut(detail.into()));
        self
    }

    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// Says in `WWW-Authenticate` what would be let through.
    pub(crate) fn challenge(mut self, challenge: String) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// 400: the request makes no sense as it is.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "the request makes no sense").detail(detail)
    }

    /// 404.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such thing").detail(detail)
    }

    /// 409.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "the request does not fit what is there").detail(detail)
    }

    /// 413.
    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large").detail(detail)
    }

    /// 415.
    pub(crate) fn media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the request has another format").detail(detail)
    }

    /// 422: one field is wrong.
    pub(crate) fn field(field: &str, detail: impl Into<String>) -> Self {
        let detail = cut(detail.into());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "the request has values that make no sense")
            .with("errors", json!([{ "field": field, "detail": detail }]))
            .detail(detail)
    }

    /// 503: the same again, a little later.
    pub(crate) fn unavailable() -> Self {
        let mut problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "andon cannot do this just now; send the same again");
        problem.retry_after_s = Some(1);
        problem
    }

    /// 429: the same again, once the client may ask again.
    pub(crate) fn too_often(wait: std::time::Duration) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "the client asks too often");
        problem.retry_after_s =
            Some(u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1));
        problem
    }

    /// 500: our fault.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "andon failed; the cause is in its log")
    }
}

impl Problem {
    /// The status, for an answer that is no document.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The document.
    pub(crate) fn into_json(self) -> String {
        self.json().to_string()
    }

    fn json(&self) -> Value {
        let mut body = Map::new();
        body.insert("type".to_owned(), json!("about:blank"));
        body.insert("title".to_owned(), json!(self.title));
        body.insert("status".to_owned(), json!(self.status.as_u16()));
        if let Some(detail) = &self.detail {
            body.insert("detail".to_owned(), json!(detail));
        }
        body.extend(self.more.clone());
        Value::Object(body)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content_type = HeaderValue::from_static("application/problem+json");
        let mut response =
            (self.status, [(header::CONTENT_TYPE, content_type)], self.json().to_string()).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<andon_store::Error> for Problem {
    fn from(error: andon_store::Error) -> Self {
        tracing::error!("could not answer a request: {}", chain(&error));
        match error.disposition() {
            andon_store::Disposition::Retry => Self::unavailable(),
            andon_store::Disposition::Stop => Self::internal(),
        }
    }
}

impl From<andon_log::Error> for Problem {
    fn from(error: andon_log::Error) -> Self {
        match &error {
            andon_log::Error::TooLarge { .. } => Self::too_large(error.to_string()),
            andon_log::Error::Full | andon_log::Error::Closed | andon_log::Error::Storage { .. } => {
                tracing::error!("could not append to the log: {}", chain(&error));
                Self::unavailable()
            }
            andon_log::Error::Owned { .. }
            | andon_log::Error::NoPartition { .. }
            | andon_log::Error::NotOwned { .. }
            | andon_log::Error::Version { .. } => {
                tracing::error!("could not append to the log: {}", chain(&error));
                Self::internal()
            }
        }
    }
}

/// 404 for every path without a route.
pub(crate) async fn no_route(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at `{}`", uri.path()))
}

/// 405 for every other method of a route.
pub(crate) async fn no_method(method: Method, uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the method is not allowed here")
        .detail(format!("`{}` does not take {method}", uri.path()))
}
