//! What happens, as it happens: server-sent events at `GET /v1/events`, read from the committed log. A client reads
//! from a ring that all share; nothing is kept for one that is slow.
//!
//! ```text
//! event: hello      {"build", "now", "as_of"}        first on each connection
//! event: line       as GET /v1/lines/{line}
//! event: interval   as GET /v1/downtime/{id}         downtime alone
//! event: retracted  {"id", "line_id", "version"}     such an interval never was
//! event: directory  {"line_id"}                      its entry changed: read the line again
//! event: progress   {"now", "as_of"}                 at least each second
//! event: reset      {}                               read everything again; the stream goes on from there
//! ```
//!
//! An `id` is where to go on, by `Last-Event-ID` or `?after=`. The client keeps the higher version of a row: an event
//! may come twice, and before or after the same row can be read.

mod client;
mod frame;
mod metrics;
mod ring;
mod tail;
mod token;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use andon_domain::{LineId, Millis};
use andon_log::{Offset, Partition, Topic};
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::IntoResponse;
use http_body::Frame;
use prometheus::Registry;
use tokio::sync::{mpsc, watch};

pub use tail::EventTail;

use crate::Api;
use crate::openapi::words;
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::settings::check_node;
use client::{After, Client, Filter};
use metrics::Metrics;
use ring::{Bounds, Content, Ring, Step};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Limits of the events kept for streams.
#[derive(Debug, Clone)]
pub struct EventsConfig {
    /// Most line changes that are kept for clients that are behind or come back. Default 50,000.
    pub records_max: usize,
    /// Most bytes that these take. Default 32 MiB.
    pub bytes_max: usize,
    /// The longest wait for records, in ms: how soon a stop is noticed. Default 250.
    pub wait_ms_max: u64,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self { records_max: 50_000, bytes_max: 32 << 20, wait_ms_max: 250 }
    }
}

/// The newest events of this process, filled by an [`EventTail`]. Clones share them.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

struct Shared {
    ring: Mutex<Ring>,
    pushed: watch::Sender<()>,
    partitions: usize,
    clients: AtomicUsize,
    metrics: Metrics,
}

impl Events {
    fn new(
        starts: &[(Topic, Partition, Offset)],
        now: Millis,
        config: &EventsConfig,
        registry: &Registry,
    ) -> Self {
        let of = |wanted| {
            let mut found: Vec<(Partition, Offset)> = starts
                .iter()
                .filter(|(topic, ..)| *topic == wanted)
                .map(|(_, partition, offset)| (*partition, *offset))
                .collect();
            found.sort_unstable();
            found.into_iter().map(|(_, offset)| offset).collect::<Vec<_>>()
        };
        let mut positions = of(Topic::LineChanges);
        let partitions = positions.len();
        positions.push(of(Topic::Directory).first().copied().unwrap_or_default());
        let bounds = Bounds { records_max: config.records_max, bytes_max: config.bytes_max };
        let shared = Shared {
            ring: Mutex::new(Ring::new(positions, now, bounds)),
            pushed: watch::Sender::new(()),
            partitions,
            clients: AtomicUsize::new(0),
            metrics: Metrics::new(registry),
        };
        Self { shared: Arc::new(shared) }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // A ring is whole between two calls, also after a panic elsewhere.
        self.shared.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, step: &Step, content: Option<Content>) {
        let is_news = content.is_some();
        self.ring().push(step, content);
        if is_news {
            self.shared.pushed.send_replace(());
        }
    }

    fn pushed(&self) -> watch::Receiver<()> {
        self.shared.pushed.subscribe()
    }

    /// Partitions of `line-changes`; also the slot of the directory.
    fn partitions(&self) -> usize {
        self.shared.partitions
    }

    fn has_clients(&self) -> bool {
        self.shared.clients.load(Ordering::Relaxed) > 0
    }

    fn lags_ms(&self, ms: i64) {
        self.shared.metrics.lag_seconds.set(ms.max(0) as f64 / 1_000.0);
    }

    /// A place for one more client, if there is one.
    fn enter(&self, max: usize) -> Option<Slot> {
        let enter = |clients: usize| (clients < max).then_some(clients + 1);
        match self.shared.clients.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enter) {
            Ok(_) => {
                self.shared.metrics.clients.inc();
                Some(Slot { shared: self.shared.clone() })
            }
            Err(_) => {
                self.shared.metrics.refused.inc();
                None
            }
        }
    }
}

/// A client's place, given up when dropped.
struct Slot {
    shared: Arc<Shared>,
}

impl Slot {
    fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shared.clients.fetch_sub(1, Ordering::Relaxed);
        self.shared.metrics.clients.dec();
    }
}

/// A stream that was opened with a token ends after so long, and goes on where it was if the token still holds.
const TOKEN_LOOKED_AT_EVERY: Duration = Duration::from_secs(60);

/// `GET /v1/events`
#[utoipa::path(
    get, path = "/v1/events", operation_id = "stream_events", tag = "events",
    summary = "What happens, as it happens",
    description = "Server-sent events. `hello` comes first on each connection: `build`, `now`, `as_of`. `line` and \
        `interval` have the JSON of `GET /v1/lines/{line}` and `GET /v1/downtime/{id}`; they may come twice, and before or \
        after the same can be read: the higher `version` is the newer. `retracted` (`id`, `line_id`, `version`) says that a \
        downtime interval never was, `directory` (`line_id`) that a line's entry changed: read the line again. `progress` \
        (`now`, `as_of`) comes at least each second. `reset` says that events are missing: read everything again, the \
        stream goes on from there. A stream that was opened with a token ends after a minute: connect again with its last id.",
    params(("line" = String, Query), ("area" = String, Query), ("after" = String, Query), ("last-event-id" = String, Header)),
    responses(
        (status = 200, description = "The events, without end.", body = words::StreamedEvent, content_type = "text/event-stream"),
    )
)]
pub(crate) async fn stream(State(api): State<Api>, params: Params, headers: HeaderMap) -> Answer {
    params.only(&["line", "area", "after"])?;
    let filter = filter(&params)?;
    let after = after(&params, &headers)?;
    if *api.draining.borrow() {
        return Err(Problem::unavailable());
    }
    let max = api.config.streams_max;
    let slot = api.events.enter(max).ok_or_else(|| {
        Problem::unavailable().detail(format!("there are {max} streams, which is the limit"))
    })?;
    let mut client = Client::begin(api, filter, slot, after).await?;
    if headers.contains_key(header::AUTHORIZATION) {
        client.end_after(TOKEN_LOOKED_AT_EVERY);
    }
    // One text in flight and no more: a client that does not take it holds up nobody else.
    let (sender, texts) = mpsc::channel(1);
    tokio::spawn(client.run(sender));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx would keep events back until it has a buffer full of them.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::new(Texts(texts))).into_response())
}

fn filter(params: &Params) -> Result<Filter, Problem> {
    match (params.get("line"), params.get("area")) {
        (Some(_), Some(_)) => Err(Problem::bad_request("`line` and `area` exclude each other")),
        (Some(line), None) => {
            LineId::new(line).map(Filter::Line).map_err(|why| Problem::bad_request(format!("`line`: {why}")))
        }
        (None, Some(area)) => {
            check_node(area).map_err(|why| Problem::bad_request(format!("`area`: {why}")))?;
            Ok(Filter::Area(area.to_owned()))
        }
        (None, None) => Ok(Filter::All),
    }
}

/// Where the client says it stopped: a browser that connects again in a header, others in the query.
fn after(params: &Params, headers: &HeaderMap) -> Result<Option<After>, Problem> {
    if let Some(id) = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) {
        let token = id.to_str().ok().and_then(token::read);
        return Ok(Some(token.map_or(After::Nonsense, After::Token)));
    }
    match params.get("after") {
        None => Ok(None),
        Some(text) => token::read(text).map(|token| Some(After::Token(token))).ok_or_else(|| {
            Problem::bad_request("`after` is no `id` of an event; take one as it is, or leave it out")
        }),
    }
}

/// The body of a stream.
struct Texts(mpsc::Receiver<Bytes>);

impl HttpBody for Texts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|text| text.map(|text| Ok(Frame::data(text))))
    }
}
