//! Intervals: what stopped, when, how long and why.

use andon_domain::{Interval, IntervalId, Kind, LineId, Segment};
use andon_store::{IntervalFound, IntervalQuery, Scope, StoredInterval};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::cursor;
use crate::export;
use crate::lines::{line_of, lines_of};
use crate::openapi::words;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::{Page, json, tagged};
use crate::time::Instant;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntervalView {
    /// Its id: a function of line, kind and start.
    #[schema(value_type = words::Id)]
    id: String,
    /// The line.
    #[schema(value_type = words::LineId)]
    line_id: String,
    /// What sort of run.
    #[schema(value_type = words::KindOfRun)]
    kind: &'static str,
    /// Whether it lasts.
    #[schema(value_type = words::StateOfRun)]
    state: &'static str,
    /// When it began.
    started_at: Instant,
    /// When it ended; null while it lasts.
    ended_at: Option<Instant>,
    /// How long it was, in ms; null while it lasts.
    duration_ms: Option<i64>,
    /// What happened inside, without gaps.
    #[schema(min_items = 1, max_items = 256)]
    segments: Vec<SegmentView>,
    /// Rises with each change of the interval.
    version: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct SegmentView {
    /// When it began.
    started_at: Instant,
    /// When it ended: where the next one starts, the last one with its interval.
    ended_at: Option<Instant>,
    /// The status.
    #[schema(value_type = words::Status)]
    status: &'static str,
    /// Planned or not; null for what is no downtime.
    #[schema(value_type = Option<words::ClassOfDowntime>)]
    class: Option<&'static str>,
    /// Where the cause lies.
    #[schema(value_type = words::CauseOfDowntime)]
    cause: &'static str,
    /// The reason, once somebody named one.
    #[schema(value_type = words::Text)]
    reason_code: Option<String>,
    /// The controller's own word.
    #[schema(value_type = words::Text)]
    source_status: Option<String>,
}

impl IntervalView {
    pub(crate) fn new(stored: StoredInterval) -> Self {
        let StoredInterval { line_id, version, interval } = stored;
        let id = interval.id(&line_id).to_string();
        let Interval { kind, started_at, ended_at, segments } = interval;
        let ends: Vec<Option<i64>> =
            segments.iter().skip(1).map(|next| Some(next.started_at)).chain([ended_at]).collect();
        Self {
            id,
            line_id: line_id.to_string(),
            kind: kind.name(),
            state: if ended_at.is_some() { "closed" } else { "open" },
            started_at: Instant(started_at),
            ended_at: ended_at.map(Instant),
            duration_ms: ended_at.map(|ended_at| ended_at - started_at),
            segments: segments
                .into_iter()
                .zip(ends)
                .map(|(segment, end)| SegmentView::new(segment, end, kind))
                .collect(),
            version,
        }
    }
}

impl SegmentView {
    fn new(segment: Segment, ended_at: Option<i64>, kind: Kind) -> Self {
        let Segment { started_at, status, reason_code, source_status } = segment;
        let class = status.downtime_class().filter(|_| kind == Kind::Down);
        Self {
            started_at: Instant(started_at),
            ended_at: ended_at.map(Instant),
            status: status.name(),
            class: class.map(|class| class.name()),
            cause: status.cause().name(),
            reason_code: reason_code.map(|text| text.to_string()),
            source_status: source_status.map(|text| text.to_string()),
        }
    }
}

/// `GET /v1/downtime`
#[utoipa::path(
    get, path = "/v1/downtime", operation_id = "list_downtime", tag = "downtime",
    summary = "Downtime intervals of all lines",
    description = "",
    params(("line" = String, Query), ("area" = String, Query), ("kind" = String, Query), ("from" = String, Query), ("to" = String, Query), ("limit" = String, Query), ("cursor" = String, Query), ("format" = String, Query)),
    responses(
        (
            status = 200, content((Page<IntervalView> = "application/json"), (String = "text/csv")),
            description = "A page of intervals, ordered by start and line. As CSV (`accept: text/csv` or `format=csv`) the whole window, at most 100,000 rows or `limit`: where there are more, \
                           `link` names the rest.",
        ),
        (status = 422, description = "The node has more than 5,000 lines."),
    )
)]
pub(crate) async fn list(State(api): State<Api>, uri: Uri, headers: HeaderMap, params: Params) -> Answer {
    params.only(&["line", "area", "kind", "from", "to", "limit", "cursor", "format"])?;
    let scope = match (params.get("line"), params.get("area")) {
        (Some(_), Some(_)) => return Err(Problem::bad_request("`line` and `area` exclude each other")),
        (Some(line), None) => {
            let line = LineId::new(line).map_err(|why| Problem::bad_request(format!("`line`: {why}")))?;
            Scope::Lines(vec![line])
        }
        (None, Some(area)) => Scope::Lines(lines_of(&api, area).await?),
        (None, None) => Scope::All,
    };
    page(&api, &params, "/v1/downtime", scope, (&uri, &headers)).await
}

/// `GET /v1/lines/{line}/downtime`
#[utoipa::path(
    get, path = "/v1/lines/{line}/downtime", operation_id = "list_downtime_of_line", tag = "downtime",
    summary = "Downtime intervals of a line",
    description = "",
    params(("line" = String, Path), ("kind" = String, Query), ("from" = String, Query), ("to" = String, Query), ("limit" = String, Query), ("cursor" = String, Query), ("format" = String, Query)),
    responses(
        (
            status = 200, content((Page<IntervalView> = "application/json"), (String = "text/csv")),
            description = "A page of intervals, ordered by start. As CSV (`accept: text/csv` or `format=csv`) the whole window, at most 100,000 rows or `limit`: where there are more, \
                           `link` names the rest.",
        ),
        (status = 404, description = "Nothing is known of this line."),
    )
)]
pub(crate) async fn of_line(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    params: Params,
) -> Answer {
    params.only(&["kind", "from", "to", "limit", "cursor", "format"])?;
    let line = line_of(path)?;
    if api.views.line(&line).await?.is_none() && api.views.line_entry(&line).await?.is_none() {
        return Err(Problem::not_found(format!("nothing is known of line `{line}`")));
    }
    let route = format!("/v1/lines/{line}/downtime");
    page(&api, &params, &route, Scope::Lines(vec![line]), (&uri, &headers)).await
}

async fn page(
    api: &Api,
    params: &Params,
    route: &str,
    scope: Scope,
    (uri, headers): (&Uri, &HeaderMap),
) -> Answer {
    let is_csv = export::is_wanted(params, headers)?;
    let limit = params.limit(api)?;
    let kind = match params.get("kind") {
        None => Some(Kind::Down),
        Some("all") => None,
        Some(name) => Some(
            Kind::from_name(name)
                .ok_or_else(|| Problem::bad_request("`kind` is `down`, `idle`, `unknown` or `all`"))?,
        ),
    };
    let (from, to) = params.window()?;
    let identity = params.identity(route);
    let after = match params.cursor(&identity)? {
        None => None,
        Some(key) => Some(
            cursor::split_key(&key)
                .and_then(|(started_at, line)| Some((started_at, LineId::new(line).ok()?)))
                .ok_or_else(|| Problem::bad_request("`cursor` is none of this query"))?,
        ),
    };
    if is_csv {
        // An export is as long as it may be, unless the request wants less.
        let limit = if params.get("limit").is_some() { limit } else { export::ROWS_MAX };
        let query = IntervalQuery { scope, kind, from, to, after, limit };
        return export::answer(api, query, &identity, uri).await;
    }
    // Before the rows, so that what is said to be in them is in them.
    let as_of = api.as_of().await?;
    let query = IntervalQuery { scope, kind, from, to, after, limit: limit + 1 };
    let mut rows = api.views.intervals(&query).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows
        .last()
        .filter(|_| has_more)
        .map(|last| cursor::write(&identity, &cursor::key(last.interval.started_at, last.line_id.as_str())));
    let items: Vec<IntervalView> = rows.into_iter().map(IntervalView::new).collect();
    json(StatusCode::OK, &Page { items, next_cursor, as_of })
}

/// The id of a path.
pub(crate) fn uuid_of(path: Result<Path<String>, PathRejection>) -> Result<Uuid, Problem> {
    let wrong = || Problem::bad_request("the id in the path is no UUID in lower case");
    let Path(text) = path.map_err(|_| wrong())?;
    match Uuid::try_parse(&text) {
        Ok(id) if id.to_string() == text => Ok(id),
        Ok(_) | Err(_) => Err(wrong()),
    }
}

/// `GET /v1/downtime/{id}`
#[utoipa::path(
    get, path = "/v1/downtime/{id}", operation_id = "show_interval", tag = "downtime",
    summary = "One interval",
    description = "",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The interval.", body = IntervalView, headers(("etag" = String, description = "Changes with the content; send it as `if-none-match`."))),
        (status = 304, description = "It is what `if-none-match` names."),
        (status = 404, description = "There is no such interval."),
        (status = 410, description = "Later reports showed that this interval never was."),
    )
)]
pub(crate) async fn show(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let id = uuid_of(path)?;
    match api.views.interval(IntervalId(id)).await? {
        IntervalFound::Current(stored) => tagged(&headers, &IntervalView::new(stored)),
        IntervalFound::Retracted => Err(Problem::new(StatusCode::GONE, "the interval is not so")
            .detail("later events showed that this interval never was")),
        IntervalFound::Never => Err(Problem::not_found(format!("there is no interval `{id}`"))),
    }
}
