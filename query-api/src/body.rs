//! The body of a request: bounded in size and in the time that it takes to arrive. It knows no route.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::Api;
use crate::problem::{Problem, shown};

/// A body that arrived in whole.
pub(crate) struct Received(pub(crate) Bytes);

/// What handlers take, so that they look at the headers before they complain about the body.
pub(crate) type Body = Result<Received, Problem>;

impl FromRequest<Arc<Api>> for Received {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Problem> {
        check_encoding(request.headers())?;
        let bytes_max = api.config.body_bytes_max;
        let too_large =
            || Problem::too_large(format!("the body is larger than the limit of {bytes_max} bytes"));
        // Whoever announces too much need not send any of it.
        if request.body().size_hint().lower() > bytes_max as u64 {
            return Err(too_large());
        }
        let limit = Duration::from_millis(api.config.body_ms_max);
        match tokio::time::timeout(limit, Bytes::from_request(request, api)).await {
            Ok(Ok(bytes)) => Ok(Self(bytes)),
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
            Ok(Err(_)) => Err(Problem::bad_request("the body could not be read to its end")),
            Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time")
                .detail(format!("the body was not there after {} ms, the limit", api.config.body_ms_max))),
        }
    }
}

/// Refuses what would have to be decoded before it can be read: else its bytes would be taken for something.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let named = encodings.flat_map(|value| value.to_str().unwrap_or("?").split(','));
    for encoding in named.map(str::trim).filter(|encoding| !encoding.is_empty()) {
        if !encoding.eq_ignore_ascii_case("identity") {
            return Err(Problem::media_type(format!(
                "`content-encoding` is `{}`; a body is taken as it is, without one",
                shown(encoding)
            )));
        }
    }
    match charset(headers) {
        Some(charset) if !["utf-8", "utf8", "us-ascii"].contains(&charset.as_str()) => {
            Err(Problem::media_type(format!("the charset is `{}`; a body is UTF-8", shown(&charset))))
        }
        Some(_) | None => Ok(()),
    }
}

/// The charset that a request names for its body, in lower case.
fn charset(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
    let named = content_type.split(';').find_map(|part| part.trim().strip_prefix("charset="))?;
    Some(named.trim_matches('"').to_owned())
}

/// The media type of a request's body, in lower case and without parameters. None is empty.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A JSON body of one object. It must say that it is JSON: a page of another site can make a browser send other types
/// without asking, but not this one.
pub(crate) fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    if media_type(headers) != "application/json" {
        return Err(Problem::media_type("`content-type` is `application/json`"));
    }
    let Received(bytes) = body?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let detail = format!("the body is not the JSON that is taken here: {error}");
        match error.classify() {
            serde_json::error::Category::Data => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the request has values that make no sense")
                    .detail(detail)
            }
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => Problem::bad_request(detail),
        }
    })
}
