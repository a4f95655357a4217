//! The statuses and what they mean, and the vocabularies that are mapped to them.

use andon_domain::{LineStatus, Vocabulary};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::openapi::words;
use crate::params::Params;
use crate::problem::Answer;
use crate::respond;

/// `GET /v1/statuses`
#[utoipa::path(
    get, path = "/v1/statuses", operation_id = "list_statuses", tag = "status changes",
    summary = "The statuses and the words that mean them",
    description = "",
    responses(
        (status = 200, description = "All of them.", body = words::Statuses),
    )
)]
pub(crate) async fn list(params: Params) -> Answer {
    params.only(&[])?;
    let items: Vec<Value> = LineStatus::ALL
        .into_iter()
        .map(|status| {
            let class = match status {
                LineStatus::NoChange => None,
                other => Some(other.line_class(false).name()),
            };
            json!({
                "status": status.name(),
                "class": class,
                "class_where_degraded_is_down": class.map(|_| status.line_class(true).name()),
                "downtime_class": status.downtime_class().map(|class| class.name()),
                "cause": status.cause().name(),
            })
        })
        .collect();
    let vocabularies: Vec<Value> = Vocabulary::ALL
        .into_iter()
        .map(|vocabulary| {
            let words: Vec<Value> = vocabulary
                .words()
                .iter()
                .map(|(word, status)| json!({ "word": word, "status": status.name() }))
                .collect();
            json!({ "name": vocabulary.name(), "words": words })
        })
        .collect();
    respond::json(
        StatusCode::OK,
        &json!({ "items": items, "next_cursor": null, "as_of": null, "vocabularies": vocabularies }),
    )
}
