//! Intervals: what stopped, when, how long and why.

use andon_domain::{Interval, IntervalId, Kind, LineId, Segment};
use andon_store::{IntervalFound, IntervalQuery, Scope, StoredInterval};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use crate::Api;
use crate::cursor;
use crate::lines::{line_of, lines_of};
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::{Page, json, tagged};
use crate::time::Instant;

#[derive(Debug, Serialize)]
pub(crate) struct IntervalView {
    id: String,
    line_id: String,
    kind: &'static str,
    state: &'static str,
    started_at: Instant,
    ended_at: Option<Instant>,
    duration_ms: Option<i64>,
    segments: Vec<SegmentView>,
    version: i64,
}

#[derive(Debug, Serialize)]
struct SegmentView {
    started_at: Instant,
    ended_at: Option<Instant>,
    status: &'static str,
    class: Option<&'static str>,
    cause: &'static str,
    reason_code: Option<String>,
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
pub(crate) async fn list(State(api): State<Api>, params: Params) -> Answer {
    params.only(&["line", "area", "kind", "from", "to", "limit", "cursor"])?;
    let scope = match (params.get("line"), params.get("area")) {
        (Some(_), Some(_)) => return Err(Problem::bad_request("`line` and `area` exclude each other")),
        (Some(line), None) => {
            let line = LineId::new(line).map_err(|why| Problem::bad_request(format!("`line`: {why}")))?;
            Scope::Lines(vec![line])
        }
        (None, Some(area)) => Scope::Lines(lines_of(&api, area).await?),
        (None, None) => Scope::All,
    };
    page(&api, &params, "/v1/downtime", scope).await
}

/// `GET /v1/lines/{line}/downtime`
pub(crate) async fn of_line(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&["kind", "from", "to", "limit", "cursor"])?;
    let line = line_of(path)?;
    if api.views.line(&line).await?.is_none() && api.views.line_entry(&line).await?.is_none() {
        return Err(Problem::not_found(format!("nothing is known of line `{line}`")));
    }
    let route = format!("/v1/lines/{line}/downtime");
    page(&api, &params, &route, Scope::Lines(vec![line])).await
}

async fn page(api: &Api, params: &Params, route: &str, scope: Scope) -> Answer {
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
