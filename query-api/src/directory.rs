//! Writing to the directory, and waiting until the views show it.

use std::time::Duration;

use andon_domain::DirectoryChange;
use andon_log::{Outputs, Topic};
use andon_schemas::{directory_key, encode_directory};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use crate::Api;
use crate::problem::Problem;

/// How often the views are looked at while an answer waits for them.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Api {
    /// Appends to the log, off the threads that serve requests.
    pub(crate) async fn append(&self, records: Outputs) -> Result<Vec<i64>, Problem> {
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
        let Some(last) = offsets.last() else { return Ok(true) };
        let deadline = tokio::time::Instant::now() + Duration::from_millis(self.config.settle_ms_max);
        loop {
            let positions = self.views.positions().await?;
            if positions.iter().any(|p| p.stream == Topic::Directory.name() && p.offset > *last) {
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

/// A JSON body of one object.
pub(crate) fn json_body<T: DeserializeOwned>(
    bytes: Result<Bytes, BytesRejection>,
    api: &Api,
) -> Result<T, Problem> {
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
