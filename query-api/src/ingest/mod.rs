//! `POST /v1/line-status`: status changes, checked for their form, appended as one. Whether a time is late or in the
//! future is the fold's business.

mod csv;
mod json;
mod row;

use andon_domain::Vocabulary;
use andon_log::{Outputs, Topic, partition_of};
use andon_schemas::encode_line_status_changed;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::Api;
use crate::body::{Body, Received, media_type};
use crate::openapi::words;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond;

use row::{RawRow, RowError};

/// Most errors that one answer tells.
const ERRORS_MAX: usize = 1_000;

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Ndjson,
    Csv,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// Takes rows in, one after the other.
struct Intake<'a> {
    vocabulary: Vocabulary,
    partitions: u32,
    rows_max: usize,
    records: &'a mut Outputs,
    rows: usize,
    unmapped: u64,
    errors: Vec<Value>,
}

impl Intake<'_> {
    /// Makes room for one more row.
    fn next(&mut self) -> Result<(), Problem> {
        self.rows += 1;
        if self.rows > self.rows_max {
            return Err(Problem::too_large(format!("the request has more than {} rows", self.rows_max)));
        }
        Ok(())
    }

    /// Takes in the row that [`Intake::next`] made room for.
    fn take(&mut self, row: &RawRow<'_>) {
        match row.check(self.vocabulary) {
            Ok(checked) => {
                self.unmapped += u64::from(checked.is_unmapped);
                let change = checked.change;
                let partition = partition_of(change.line_id, self.partitions);
                self.records.push_written(Topic::LineStatus, partition, change.line_id.as_bytes(), |out| {
                    encode_line_status_changed(&change, out);
                });
            }
            Err(error) => self.refuse(&error),
        }
    }

    fn refuse(&mut self, error: &RowError) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(json!({ "row": self.rows, "field": error.field, "detail": error.detail }));
        }
    }
}

/// `POST /v1/line-status`
#[utoipa::path(
    post, path = "/v1/line-status", operation_id = "ingest", tag = "status changes",
    summary = "Report what lines do",
    description = "All rows or none. Sending the same again changes nothing. Only the form is checked: a report that comes too late, or from the future, becomes a dead letter.",
    params(("vocabulary" = String, Query)),
    request_body(description = "Rows, in one of three formats.", content((words::StatusChanges = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))),
    responses(
        (status = 202, description = "All of them are stored for good.", body = words::Accepted),
    )
)]
pub(crate) async fn post(State(api): State<Api>, params: Params, headers: HeaderMap, body: Body) -> Answer {
    params.only(&["vocabulary"])?;
    let vocabulary = match params.get("vocabulary") {
        None => Vocabulary::default(),
        Some(name) => Vocabulary::from_name(name).ok_or_else(|| {
            let names: Vec<_> = Vocabulary::ALL.iter().map(|vocabulary| vocabulary.name()).collect();
            Problem::bad_request(format!("`vocabulary` is one of `{}`", names.join("`, `")))
        })?,
    };
    let format = format_of(&headers)?;
    let Received(bytes) = body?;
    let mut records = Outputs::default();
    let mut intake = Intake {
        vocabulary,
        partitions: api.partitions,
        rows_max: api.config.rows_max,
        records: &mut records,
        rows: 0,
        unmapped: 0,
        errors: Vec::new(),
    };
    match format {
        Format::Json => json::read(&bytes, &mut intake)?,
        Format::Ndjson => json::read_lines(&bytes, &mut intake)?,
        Format::Csv => csv::read(&bytes, &mut intake)?,
    }
    let Intake { rows, unmapped, errors, .. } = intake;
    if !errors.is_empty() {
        let problem =
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "some rows make no sense; nothing was stored");
        return Err(problem.with("errors", Value::Array(errors)));
    }
    if rows > 0 {
        api.append(records).await?;
    }
    api.metrics.rows.with_label_values(&[format.name()]).inc_by(rows as u64);
    api.metrics.unmapped.inc_by(unmapped);
    respond::json(StatusCode::ACCEPTED, &json!({ "accepted": rows }))
}

fn format_of(headers: &HeaderMap) -> Result<Format, Problem> {
    let wanted = "`content-type` is `application/json`, `application/x-ndjson` or `text/csv`";
    match media_type(headers).as_str() {
        "application/json" => Ok(Format::Json),
        "application/x-ndjson" | "application/jsonl" => Ok(Format::Ndjson),
        "text/csv" => Ok(Format::Csv),
        _ => Err(Problem::media_type(wanted)),
    }
}
