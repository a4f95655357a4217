//! What one line did over a window: every run that is not production, whole, and how long each sort of time lasted.

use andon_domain::{DowntimeClass, Interval, Kind, LineId, Millis};
use andon_store::{IntervalQuery, Scope, StoredInterval};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Api;
use crate::downtime::IntervalView;
use crate::lines::line_of;
use crate::openapi::words;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::json;
use crate::time::Instant;

/// Most runs of one answer.
pub(crate) const RUNS_MAX: usize = 10_000;

/// How long the window is when the request does not say where it begins.
const WINDOW_MS_DEFAULT: Millis = 86_400_000;

#[derive(Debug, Serialize, ToSchema)]
struct TimelineView {
    /// The line.
    #[schema(value_type = words::LineId)]
    line_id: String,
    /// Start of the window.
    from: Instant,
    /// End of the window, excluded.
    to: Instant,
    /// The runs that are not production, ordered by start, each whole. What no run covers is production.
    #[schema(max_items = 10000)]
    items: Vec<IntervalView>,
    /// How the window was spent. The fields add up to it.
    totals: Totals,
    /// Every status change that Andon took before this instant is in the answer. Null: not known.
    as_of: Option<Instant>,
}

/// How the window was spent, in ms. The fields add up to the window.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
struct Totals {
    /// Producing.
    production_ms: i64,
    /// Down as planned: planned stops and changeovers.
    planned_ms: i64,
    /// Down otherwise.
    unplanned_ms: i64,
    /// Available, without an order.
    idle_ms: i64,
    /// Nobody knows.
    unknown_ms: i64,
    /// Before the line said anything.
    before_first_event_ms: i64,
}

impl Totals {
    /// Of the window `[from, to)` of a line that says nothing before `first_at`.
    fn new(runs: &[StoredInterval], first_at: Option<Millis>, from: Millis, to: Millis) -> Self {
        let mut totals = Self::default();
        for StoredInterval { interval, .. } in runs {
            totals.add(interval, from, to);
        }
        totals.before_first_event_ms = first_at.unwrap_or(to).clamp(from, to) - from;
        let Self { planned_ms, unplanned_ms, idle_ms, unknown_ms, before_first_event_ms, .. } = totals;
        totals.production_ms =
            to - from - planned_ms - unplanned_ms - idle_ms - unknown_ms - before_first_event_ms;
        totals
    }

    fn add(&mut self, run: &Interval, from: Millis, to: Millis) {
        let ends = run.segments.iter().skip(1).map(|next| next.started_at);
        for (segment, ended_at) in run.segments.iter().zip(ends.chain([run.ended_at.unwrap_or(to)])) {
            let ms = ended_at.clamp(from, to) - segment.started_at.clamp(from, to);
            match run.kind {
                Kind::Idle => self.idle_ms += ms,
                Kind::Unknown => self.unknown_ms += ms,
                Kind::Down => match segment.status.downtime_class() {
                    Some(DowntimeClass::Planned) => self.planned_ms += ms,
                    Some(DowntimeClass::Unplanned) | None => self.unplanned_ms += ms,
                },
            }
        }
    }
}

/// `GET /v1/lines/{line}/timeline`
#[utoipa::path(
    get, path = "/v1/lines/{line}/timeline", operation_id = "show_timeline", tag = "lines",
    summary = "What a line did over a window",
    description = "Without `to` the window ends now, and so does one that would end later; without `from` it is 24 h long. The totals add up to the window.",
    params(("line" = String, Path), ("from" = String, Query), ("to" = String, Query)),
    responses(
        (status = 200, description = "Every run that is not production, whole, and how long each sort of time lasted.", body = TimelineView),
        (status = 404, description = "Nothing is known of this line."),
        (status = 422, description = "The window has more than 10,000 runs."),
    )
)]
pub(crate) async fn of_line(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&["from", "to"])?;
    let line = line_of(path)?;
    // What is to come is no part of a timeline: an open window ends now.
    let now = (api.clock)();
    let to = params.instant("to")?.unwrap_or(now).min(now);
    let from = params.instant("from")?.unwrap_or(to.saturating_sub(WINDOW_MS_DEFAULT).max(0));
    if from >= to {
        return Err(Problem::bad_request("`from` must lie before `to`, and before now"));
    }
    if api.views.line(&line).await?.is_none() && api.views.line_entry(&line).await?.is_none() {
        return Err(Problem::not_found(format!("nothing is known of line `{line}`")));
    }
    // Before the rows, so that what is said to be in them is in them.
    let as_of = api.as_of().await?;
    let runs = runs(&api, &line, from, to).await?;
    if runs.len() > RUNS_MAX {
        return Err(Problem::field(
            "from",
            format!("the window has more than {RUNS_MAX} runs; ask for a shorter one"),
        ));
    }
    // After the runs: no run is older than the first event of a later row.
    let first_at = api.views.line(&line).await?.map(|row| row.row.first_event_at);
    let totals = Totals::new(&runs, first_at, from, to);
    let items = runs.into_iter().map(IntervalView::new).collect();
    let (from, to) = (Instant(from), Instant(to));
    json(StatusCode::OK, &TimelineView { line_id: line.to_string(), from, to, items, totals, as_of })
}

/// The runs of a line that overlap a window, of every kind; one more than an answer may have says that there are more.
async fn runs(api: &Api, line: &LineId, from: Millis, to: Millis) -> Result<Vec<StoredInterval>, Problem> {
    let scope = Scope::Lines(vec![line.clone()]);
    let query = IntervalQuery { scope, kind: None, from, to, after: None, limit: RUNS_MAX + 1 };
    Ok(api.views.intervals(&query).await?)
}
