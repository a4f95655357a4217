//! Intervals as CSV (RFC 4180), for spreadsheets: a whole window, streamed, so that its length costs no memory.
//!
//! How far an answer goes is found out before it begins: what is left out is then told in its head, where a reader of CSV
//! cannot miss it and a spreadsheet does not stumble over it.

use std::pin::Pin;
use std::task::{Context, Poll};

use andon_domain::{Kind, LineId, Millis};
use andon_store::{IntervalQuery, StoredInterval};
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::IntoResponse;
use http_body::Frame;
use tokio::sync::mpsc;

use crate::Api;
use crate::cursor;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::time::Instant;

/// Most rows of one export.
pub(crate) const ROWS_MAX: usize = 100_000;

/// Rows that are read at once.
const CHUNK_ROWS: usize = 500;

/// Chunks that wait for a slow reader.
const CHUNKS_MAX: usize = 2;

const COLUMNS: [&str; 11] = [
    "id",
    "line_id",
    "state",
    "started_at",
    "ended_at",
    "duration_ms",
    "statuses",
    "class",
    "cause",
    "reasons",
    "kind",
];

/// Whether a request asks for CSV: by `format`, else by what it accepts.
pub(crate) fn is_wanted(params: &Params, headers: &HeaderMap) -> Result<bool, Problem> {
    match params.get("format") {
        Some("csv") => Ok(true),
        Some("json") => Ok(false),
        Some(_) => Err(Problem::bad_request("`format` is `json` or `csv`")),
        None => Ok(prefers_csv(headers)),
    }
}

/// CSV is what an `accept` names it for, and not what it merely allows.
fn prefers_csv(headers: &HeaderMap) -> bool {
    let (mut csv, mut json) = (0.0_f32, 0.0_f32);
    let all = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in all.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        let weight: f32 = weight.map_or(1.0, |text| text.parse().unwrap_or(0.0));
        match name.as_str() {
            "text/csv" => csv = csv.max(weight),
            "application/json" | "application/*" | "*/*" => json = json.max(weight),
            _ => {}
        }
    }
    csv > json
}

/// Answers the rows of a query, at most `query.limit`; what is left is linked.
pub(crate) async fn answer(api: &Api, query: IntervalQuery, identity: &str, uri: &Uri) -> Answer {
    let as_of = api.as_of().await?;
    let (last, has_more) = last_of(api, &query).await?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    headers.insert(header::CONTENT_DISPOSITION, file_name(&query)?);
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    if let Some(as_of) = as_of {
        headers.insert(HeaderName::from_static("andon-as-of"), value(&as_of.to_string())?);
    }
    if let Some((at, line)) = last.as_ref().filter(|_| has_more) {
        let cursor = cursor::write(identity, &cursor::key(*at, line.as_str()));
        headers.insert(header::LINK, value(&format!("<{}>; rel=\"next\"", next(uri, &cursor)))?);
    }
    let (sender, receiver) = mpsc::channel(CHUNKS_MAX);
    let api = api.clone();
    tokio::spawn(async move { write(&api, query, last, &sender).await });
    Ok((StatusCode::OK, headers, Body::new(Rows(receiver))).into_response())
}

fn value(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(|_| Problem::internal())
}

/// The last row of an answer, and whether more follow.
async fn last_of(
    api: &Api,
    query: &IntervalQuery,
) -> Result<(Option<(Millis, LineId)>, bool), andon_store::Error> {
    let mut ahead = IntervalQuery { limit: 0, ..query.clone() };
    let (mut last, mut left) = (None, query.limit);
    loop {
        // One more than is taken: whether it is there says whether more follow.
        ahead.limit = left.min(CHUNK_ROWS) + 1;
        // A store that answers at once would keep this thread for the whole export.
        tokio::task::yield_now().await;
        let rows = api.views.intervals(&ahead).await?;
        let taken = rows.len().min(ahead.limit - 1);
        if let Some(row) = taken.checked_sub(1).and_then(|index| rows.get(index)) {
            last = Some((row.interval.started_at, row.line_id.clone()));
        }
        left -= taken;
        let has_more = rows.len() > taken;
        if left == 0 || !has_more {
            return Ok((last, has_more));
        }
        ahead.after.clone_from(&last);
    }
}

/// The address of the rest.
fn next(uri: &Uri, cursor: &str) -> String {
    let pairs = uri.query().unwrap_or_default().split('&');
    let kept = pairs.filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("cursor"));
    let query = kept.fold(String::new(), |text, pair| format!("{text}{pair}&"));
    format!("{}?{query}cursor={cursor}", uri.path())
}

/// `attachment`, so that a browser keeps it as a file; the name carries the days of the window.
fn file_name(query: &IntervalQuery) -> Result<HeaderValue, Problem> {
    let day = |at: Millis| Instant(at).to_string().get(..10).unwrap_or_default().to_owned();
    let from = Some(query.from).filter(|at| *at > Millis::MIN).map(|at| format!("-from-{}", day(at)));
    let to = Some(query.to).filter(|at| *at < Millis::MAX).map(|at| format!("-to-{}", day(at)));
    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
    value(&format!("attachment; filename=\"andon-downtime{from}{to}.csv\""))
}

type Chunk = Result<Bytes, andon_store::Error>;

/// Writes the rows up to `last`, as fast as they are read.
async fn write(
    api: &Api,
    mut query: IntervalQuery,
    last: Option<(Millis, LineId)>,
    sender: &mpsc::Sender<Chunk>,
) {
    let mut text = COLUMNS.join(",");
    text.push_str("\r\n");
    query.limit = CHUNK_ROWS;
    while let Some(end) = &last {
        tokio::task::yield_now().await;
        let rows = match api.views.intervals(&query).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!("gave up on an export: {error}");
                // The reader must not take what is there for the whole.
                drop(sender.send(Err(error)).await);
                return;
            }
        };
        let is_last = rows.len() < CHUNK_ROWS;
        query.after = rows.last().map(|row| (row.interval.started_at, row.line_id.clone()));
        let key = |row: &StoredInterval| (row.interval.started_at, row.line_id.clone());
        let is_over = is_last || query.after.as_ref().is_some_and(|after| after >= end);
        rows.iter().filter(|row| key(row) <= *end).for_each(|row| put_row(&mut text, row));
        if is_over {
            break;
        }
        if sender.send(Ok(Bytes::from(std::mem::take(&mut text)))).await.is_err() {
            return; // the reader left
        }
    }
    // Nobody else is told if the reader left.
    drop(sender.send(Ok(Bytes::from(text))).await);
}

fn put_row(text: &mut String, row: &StoredInterval) {
    let StoredInterval { line_id, interval, .. } = row;
    let segments = || interval.segments.iter();
    let classes = segments().filter_map(|segment| segment.status.downtime_class());
    let classes = classes.filter(|_| interval.kind == Kind::Down).map(|class| class.name());
    let ended_at = interval.ended_at;
    let cells = [
        interval.id(line_id).to_string(),
        line_id.to_string(),
        if ended_at.is_some() { "closed" } else { "open" }.to_owned(),
        Instant(interval.started_at).to_string(),
        ended_at.map(|at| Instant(at).to_string()).unwrap_or_default(),
        ended_at.map(|at| (at - interval.started_at).to_string()).unwrap_or_default(),
        list(segments().map(|segment| segment.status.name())),
        list(classes),
        list(segments().map(|segment| segment.status.cause().name())),
        list(segments().filter_map(|segment| segment.reason_code.as_deref())),
        interval.kind.name().to_owned(),
    ];
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        put_cell(text, cell);
    }
    text.push_str("\r\n");
}

/// Each name once, in the order of their first.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen.join("; ")
}

/// A cell that a spreadsheet takes as a text, whatever it begins with, and that every reader takes as one.
fn put_cell(text: &mut String, cell: &str) {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    if cell.contains([',', '"', '\r', '\n']) {
        text.extend(["\"", guard, &cell.replace('"', "\"\""), "\""]);
    } else {
        text.extend([guard, cell]);
    }
}

/// The body: the chunks as they come.
struct Rows(mpsc::Receiver<Chunk>);

impl HttpBody for Rows {
    type Data = Bytes;
    type Error = andon_store::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_are_never_formulas() {
        for (cell, written) in [
            ("", ""),
            ("press 1", "press 1"),
            ("a,b", "\"a,b\""),
            ("6\" pipe", "\"6\"\" pipe\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("a=b", "a=b"),
        ] {
            let mut text = String::new();
            put_cell(&mut text, cell);
            assert_eq!(text, written);
        }
    }

    #[test]
    fn csv_is_what_is_asked_for_by_name_and_not_less_than_json() {
        for (accept, is_csv) in [
            ("", false),
            ("*/*", false),
            ("text/csv", true),
            ("Text/CSV; charset=utf-8", true),
            ("text/csv, */*;q=0.1", true),
            ("application/json, text/csv;q=0.5", false),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            ("text/csv;q=0", false),
            ("text/csv;q=much", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(prefers_csv(&headers), is_csv, "{accept}");
        }
    }

    #[test]
    fn the_rest_is_at_the_same_address_behind_another_cursor() {
        for (uri, rest) in [
            ("/v1/downtime", "/v1/downtime?cursor=01"),
            ("/v1/downtime?format=csv&from=x", "/v1/downtime?format=csv&from=x&cursor=01"),
            ("/v1/lines/a%20b/downtime?cursor=00&limit=5", "/v1/lines/a%20b/downtime?limit=5&cursor=01"),
        ] {
            assert_eq!(next(&uri.parse().unwrap(), "01"), rest);
        }
    }
}
