//! Writing to the log, and waiting until the views show it.

use std::time::Duration;

use andon_domain::DirectoryChange;
use andon_log::{Offset, Outputs, Partition, Topic};
use andon_schemas::{directory_key, encode_directory};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::Api;
use crate::problem::Problem;

/// How often the views are looked at while an answer waits for them.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Api {
    /// Appends to the log, off the threads that serve requests.
    pub(crate) async fn append(&self, records: Outputs) -> Result<Vec<Offset>, Problem> {
        let appender = self.appender.clone();
        match tokio::task::spawn_blocking(move || appender.append(&records)).await {
            Ok(result) => Ok(result?),
            Err(error) => {
                tracing::error!("an append ended by a panic: {error}");
                Err(Problem::internal())
            }
        }
    }

    /// Appends changes of the directory and waits until the views have them. Whether they have.
    pub(crate) async fn change_directory(&self, changes: &[DirectoryChange]) -> Result<bool, Problem> {
        let mut records = Outputs::default();
        for change in changes {
            let mut value = Vec::new();
            let value = encode_directory(change, &mut value).then_some(value);
            records.push(Topic::Directory, 0, &directory_key(change), value.as_deref());
        }
        let offsets = self.append(records).await?;
        match offsets.last() {
            Some(last) => self.wait_for_views(Topic::Directory, 0, *last).await,
            None => Ok(true),
        }
    }

    /// Waits until the views have a record. Whether they have.
    pub(crate) async fn wait_for_views(
        &self,
        topic: Topic,
        partition: Partition,
        offset: Offset,
    ) -> Result<bool, Problem> {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(self.config.settle_ms_max);
        let is_behind = |p: &andon_store::Position| {
            p.stream == topic.name() && p.partition == partition && p.offset > offset
        };
        loop {
            let positions = self.views.positions().await?;
            if positions.iter().any(is_behind) {
                return Ok(true);
            }
            if tokio::time::Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The status of an answer whose change the views show already, or do not yet.
pub(crate) fn settled(is_settled: bool, status: StatusCode) -> StatusCode {
    if is_settled { status } else { StatusCode::ACCEPTED }
}

/// The media type of a request's body, in lower case and without parameters. None is empty.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The body of a request.
pub(crate) fn body(bytes: Result<Bytes, BytesRejection>, api: &Api) -> Result<Bytes, Problem> {
    bytes.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(format!(
            "the body is larger than the limit of {} bytes",
            api.config.body_bytes_max
        )),
        _ => Problem::bad_request("the body could not be read to its end"),
    })
}

/// A JSON body of one object. It must say that it is JSON: a page of another site can make a browser send other types
/// without asking, but not this one.
pub(crate) fn json_body<T: DeserializeOwned>(
    headers: &HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
    api: &Api,
) -> Result<T, Problem> {
    if media_type(headers) != "application/json" {
        return Err(Problem::media_type("`content-type` is `application/json`"));
    }
    let bytes = body(bytes, api)?;
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
