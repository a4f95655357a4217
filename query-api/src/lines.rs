//! Lines: what each does now, and its entry in the directory.

use std::collections::BTreeMap;

use andon_domain::{Cause, DirectoryChange, IntervalId, Kind, LineEntry, LineId};
use andon_store::StoredLine;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Api;
use crate::body::{self, Body};
use crate::cursor;
use crate::directory::settled;
use crate::openapi::words;
use crate::params::Params;
use crate::problem::{Answer, Problem, shown};
use crate::respond::{Page, json, tagged};
use crate::settings::{EntryBody, EntryView, check_node};
use crate::time::Instant;

/// Most lines of a node.
pub(crate) const NODE_LINES_MAX: usize = 5_000;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineView {
    /// The line.
    #[schema(value_type = words::LineId)]
    line_id: String,
    /// The nodes above the line, from the top; the line itself is the last one.
    path: Vec<String>,
    /// What it does now.
    #[schema(value_type = words::Status)]
    status: &'static str,
    /// What that means for this line.
    #[schema(value_type = words::Class)]
    class: &'static str,
    /// Where the cause of the stop lies, while it is down.
    #[schema(value_type = words::CauseOfDowntime)]
    cause: &'static str,
    /// Start of the run of this status.
    since: Option<Instant>,
    /// When it said something first.
    first_event_at: Option<Instant>,
    /// Newest event time among its reports.
    last_event_at: Option<Instant>,
    /// When the last report was taken, to 10 s.
    last_seen_at: Option<Instant>,
    /// The downtime interval that lasts, if one does.
    open_downtime: Option<OpenDowntime>,
    /// The reason of the current run.
    #[schema(value_type = words::Text)]
    reason_code: Option<String>,
    /// The controller's own word for the status.
    #[schema(value_type = words::Text)]
    source_status: Option<String>,
    /// Rises with each change of the line.
    version: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct OpenDowntime {
    /// Its id, see `GET /v1/downtime/{id}`.
    #[schema(value_type = words::Id)]
    id: String,
    /// When it began.
    started_at: Instant,
}

impl LineView {
    pub(crate) fn new(line: StoredLine, entry: Option<LineEntry>) -> Self {
        let StoredLine { line_id, version, row } = line;
        let open_downtime = row.open_downtime_at.map(|started_at| OpenDowntime {
            id: IntervalId::derive(&line_id, Kind::Down, started_at).to_string(),
            started_at: Instant(started_at),
        });
        Self {
            path: entry.map_or_else(|| vec![line_id.to_string()], |entry| entry.path),
            line_id: line_id.to_string(),
            status: row.status.name(),
            class: row.class.name(),
            cause: row.open_downtime_at.map_or(Cause::None, |_| row.status.cause()).name(),
            since: Some(Instant(row.since)),
            first_event_at: Some(Instant(row.first_event_at)),
            last_event_at: Some(Instant(row.last_event_at)),
            last_seen_at: Some(Instant(row.last_seen_at)),
            open_downtime,
            reason_code: row.reason_code.map(|text| text.to_string()),
            source_status: row.source_status.map(|text| text.to_string()),
            version,
        }
    }

    /// A line that is registered and has not said anything.
    fn silent(line: &LineId, entry: LineEntry) -> Self {
        Self {
            line_id: line.to_string(),
            path: entry.path,
            status: "UNKNOWN",
            class: "unknown",
            cause: Cause::None.name(),
            since: None,
            first_event_at: None,
            last_event_at: None,
            last_seen_at: None,
            open_downtime: None,
            reason_code: None,
            source_status: None,
            version: 0,
        }
    }
}

/// The line of a path.
pub(crate) fn line_of(path: Result<Path<String>, PathRejection>) -> Result<LineId, Problem> {
    let Path(text) =
        path.map_err(|_| Problem::bad_request("the line in the path is not percent-encoded UTF-8"))?;
    LineId::new(&text).map_err(|why| Problem::bad_request(why.to_string()))
}

/// `GET /v1/lines`
#[utoipa::path(
    get, path = "/v1/lines", operation_id = "list_lines", tag = "lines",
    summary = "Every line and what it does now",
    description = "",
    params(("area" = String, Query), ("limit" = String, Query), ("cursor" = String, Query)),
    responses(
        (status = 200, description = "A page of lines, ordered by id. A registered line that has said nothing yet is there too.", body = Page<LineView>),
        (status = 422, description = "The node has more than 5,000 lines."),
    )
)]
pub(crate) async fn list(State(api): State<Api>, params: Params) -> Answer {
    params.only(&["area", "limit", "cursor"])?;
    let limit = params.limit(&api)?;
    let identity = params.identity("/v1/lines");
    let after = match params.cursor(&identity)? {
        None => None,
        Some(key) => Some(
            std::str::from_utf8(&key)
                .ok()
                .and_then(|text| LineId::new(text).ok())
                .ok_or_else(|| Problem::bad_request("`cursor` is none of this query"))?,
        ),
    };
    let as_of = api.as_of().await?;
    let mut items = match params.get("area") {
        None => all_lines(&api, after.as_ref(), limit + 1).await?,
        Some(area) => {
            let lines = lines_of(&api, area).await?;
            let behind = lines.into_iter().filter(|line| after.as_ref().is_none_or(|after| line > after));
            these_lines(&api, behind.take(limit + 1).collect()).await?
        }
    };
    let has_more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| has_more);
    let next_cursor = last.map(|last| cursor::write(&identity, last.line_id.as_bytes()));
    json(StatusCode::OK, &Page { items, next_cursor, as_of })
}

/// The first lines behind one: those that said something, and those that are registered and did not.
async fn all_lines(api: &Api, after: Option<&LineId>, limit: usize) -> Result<Vec<LineView>, Problem> {
    // The first of either are enough: what stands behind them stands behind the first of both.
    let mut entries: BTreeMap<LineId, LineEntry> =
        api.views.registered(after, limit).await?.into_iter().collect();
    let mut views = BTreeMap::new();
    for stored in api.views.lines(after, limit).await? {
        let line = stored.line_id.clone();
        let entry = entries.remove(&line);
        views.insert(line, LineView::new(stored, entry));
    }
    for (line, entry) in entries {
        let view = LineView::silent(&line, entry);
        views.insert(line, view);
    }
    Ok(views.into_values().take(limit).collect())
}

/// These lines, but those of which nothing is known any more.
async fn these_lines(api: &Api, lines: Vec<LineId>) -> Result<Vec<LineView>, Problem> {
    let mut entries: BTreeMap<LineId, LineEntry> =
        api.views.line_entries(&lines).await?.into_iter().collect();
    let mut views = Vec::with_capacity(lines.len());
    for line in lines {
        match (api.views.line(&line).await?, entries.remove(&line)) {
            (Some(stored), entry) => views.push(LineView::new(stored, entry)),
            (None, Some(entry)) => views.push(LineView::silent(&line, entry)),
            // Its entry went after the node was resolved.
            (None, None) => {}
        }
    }
    Ok(views)
}

/// The lines at or under a node, ordered.
pub(crate) async fn lines_of(api: &Api, node: &str) -> Result<Vec<LineId>, Problem> {
    check_node(node).map_err(|why| Problem::bad_request(format!("`area`: {why}")))?;
    let lines = api.views.lines_under(node, NODE_LINES_MAX + 1).await?;
    if lines.len() > NODE_LINES_MAX {
        return Err(Problem::field(
            "area",
            format!("`{}` has more than {NODE_LINES_MAX} lines; ask for a node below it", shown(node)),
        ));
    }
    // A line that nobody registered is a node of its own.
    match LineId::new(node) {
        Ok(line) if lines.is_empty() => Ok(vec![line]),
        Ok(_) | Err(_) => Ok(lines),
    }
}

/// `GET /v1/lines/{line}`
#[utoipa::path(
    get, path = "/v1/lines/{line}", operation_id = "show_line", tag = "lines",
    summary = "What a line does now",
    description = "",
    params(("line" = String, Path)),
    responses(
        (status = 200, description = "The line.", body = LineView, headers(("etag" = String, description = "Changes with the content; send it as `if-none-match`."))),
        (status = 304, description = "It is what `if-none-match` names."),
        (status = 404, description = "Nothing is known of this line."),
    )
)]
pub(crate) async fn show(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let line = line_of(path)?;
    let entry = api.views.line_entry(&line).await?;
    let view = match (api.views.line(&line).await?, entry) {
        (Some(stored), entry) => LineView::new(stored, entry),
        (None, Some(entry)) => LineView::silent(&line, entry),
        (None, None) => return Err(Problem::not_found(format!("nothing is known of line `{line}`"))),
    };
    tagged(&headers, &view)
}

/// `PUT /v1/lines/{line}`
#[utoipa::path(
    put, path = "/v1/lines/{line}", operation_id = "put_line", tag = "lines",
    summary = "Register a line, or change its settings",
    description = "The settings hold for what comes later, and for what may still be revised.",
    params(("line" = String, Path)),
    request_body(content = EntryBody, description = "The whole entry: what is absent takes the default."),
    responses(
        (status = 200, description = "It is registered, and to be seen in answers.", body = EntryView),
        (status = 202, description = "It is stored for good and not yet to be seen in answers.", body = EntryView),
    )
)]
pub(crate) async fn put(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    params.only(&[])?;
    let line = line_of(path)?;
    let entry = body::json::<EntryBody>(&headers, body)?.into_entry(&line)?;
    let is_settled = api.change_directory(&[DirectoryChange::Line(line.clone(), entry.clone())]).await?;
    json(settled(is_settled, StatusCode::OK), &EntryView::new(&line, entry))
}

/// `DELETE /v1/lines/{line}`: its entry alone; what it did stays.
#[utoipa::path(
    delete, path = "/v1/lines/{line}", operation_id = "remove_line", tag = "lines",
    summary = "Remove the entry of a line",
    description = "",
    params(("line" = String, Path)),
    responses(
        (status = 204, description = "The entry is gone; what the line did stays."),
        (status = 202, description = "It is stored for good and not yet to be seen in answers."),
        (status = 404, description = "The line is not registered."),
    )
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let line = line_of(path)?;
    if api.views.line_entry(&line).await?.is_none() {
        return Err(Problem::not_found(format!("line `{line}` is not registered")));
    }
    let is_settled = api.change_directory(&[DirectoryChange::LineRemoved(line)]).await?;
    Ok(settled(is_settled, StatusCode::NO_CONTENT).into_response())
}
