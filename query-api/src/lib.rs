//! Andon over HTTP: status changes in, answers out. JSON, RFC 9457 problems, RFC 3339 times in UTC, opaque cursors.
//!
//! A handler reads a store or appends to the log, and decides nothing about a line. No address stands in a URL, a log
//! line or an answer, but in the answer to whoever asked by that address.

mod address;
pub mod board;
mod body;
mod cache;
mod compress;
mod cursor;
mod dead_letters;
mod deadline;
mod deliveries;
mod directory;
mod downtime;
mod events;
mod export;
mod guard;
mod ingest;
mod lines;
mod metrics;
mod openapi;
mod params;
mod problem;
mod respond;
mod server;
mod settings;
mod statuses;
mod subscriptions;
mod time;
mod timeline;
mod unsubscribe;

use std::sync::Arc;
use std::time::Duration;

use andon_domain::{Millis, SubscriberId};
use andon_log::Appender;
use andon_store::{Accounts, Views};
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::http::Uri;
use axum::middleware;
use axum::{Extension, Router};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use tokio::sync::watch;

pub use events::{EventTail, Events, EventsConfig};
pub use guard::{Access, IssuedToken, ROUTES, Route};
pub use metrics::ApiMetrics;
pub use server::{Server, ServerConfig, ServerMetrics, Tls, TlsError, TlsFiles};

/// Limits of the API.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// The largest request body, in bytes. Default 8 MiB.
    pub body_bytes_max: usize,
    /// How long a request's body may take to arrive, in ms; then it is refused with 408. Default 30,000.
    pub body_ms_max: u64,
    /// How long an answer may take, in ms, the arrival of the body included; then it is 503. More than `body_ms_max`
    /// and `settle_ms_max` together. Default 60,000.
    pub answer_ms_max: u64,
    /// Most status changes of one request. Default 10,000.
    pub rows_max: usize,
    /// Most items of a page. Default 1,000.
    pub page_max: usize,
    /// Items of a page when the request does not say. Default 100.
    pub page_default: usize,
    /// How long an answer waits until the views show what it did, in ms; then it is 202. Default 2,000.
    pub settle_ms_max: u64,
    /// Whether lines, downtime and statuses are free to read although there are tokens. Default true.
    pub is_read_public: bool,
    /// Requests that are answered at once; one more is refused with 503. Default 512.
    pub requests_max: usize,
    /// How many requests a second one client may make, by its token, else by its address; 0: as many as it likes. On
    /// this machine without a token there is no limit. Beyond it 429. Default 200.
    pub rate_per_s: u32,
    /// How many requests a client that has been quiet may make at once. Default 1,000.
    pub rate_burst: u32,
    /// Where people reach the API, if that is not a loopback address. Default none.
    pub public_url: Option<Uri>,
    /// Most streams of events at once; one more is refused with 503. Default 500.
    pub streams_max: usize,
    /// How long a stream may wait for a client that takes nothing, in ms; then it ends. Default 20,000.
    pub stream_stall_ms_max: u64,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            body_bytes_max: 8 << 20,
            body_ms_max: 30_000,
            answer_ms_max: 60_000,
            rows_max: 10_000,
            page_max: 1_000,
            page_default: 100,
            settle_ms_max: 2_000,
            is_read_public: true,
            requests_max: 512,
            rate_per_s: 200,
            rate_burst: 1_000,
            public_url: None,
            streams_max: 500,
            stream_stall_ms_max: 20_000,
        }
    }
}

/// What the handlers work with.
#[derive(Clone)]
pub struct Api {
    /// The views.
    pub views: Arc<dyn Views>,
    /// The accounts.
    pub accounts: Arc<dyn Accounts>,
    /// Writes to the log.
    pub appender: Arc<dyn Appender>,
    /// The number of partitions of the input.
    pub partitions: u32,
    /// Limits.
    pub config: ApiConfig,
    /// Metrics.
    pub metrics: ApiMetrics,
    /// The wall clock, in ms.
    pub clock: Arc<dyn Fn() -> Millis + Send + Sync>,
    /// Deletes what lies about a subscriber outside the accounts, such as mails in an outbox.
    pub erase: Arc<dyn Fn(SubscriberId) -> std::io::Result<()> + Send + Sync>,
    /// What happens, for the streams.
    pub events: Events,
    /// Turns true when the server drains: an answer that would go on for ever ends then.
    pub draining: watch::Receiver<bool>,
}

/// The routes.
pub fn router(api: Api) -> Router {
    let body_bytes_max = api.config.body_bytes_max;
    let answer_max = Duration::from_millis(api.config.answer_ms_max);
    let repeated = OpenApiRouter::default()
        .routes(routes!(lines::list))
        .routes(routes!(lines::show, lines::put, lines::remove))
        .routes(routes!(downtime::of_line))
        .routes(routes!(downtime::list))
        .routes(routes!(downtime::show))
        .routes(routes!(statuses::list))
        .route_layer(middleware::from_fn_with_state(cache::Cache::new(&api), cache::repeat));
    let (routes, documented) = OpenApiRouter::default()
        .merge(repeated)
        .routes(routes!(timeline::of_line))
        .routes(routes!(deliveries::of_line))
        .routes(routes!(events::stream))
        .routes(routes!(ingest::post))
        .routes(routes!(subscriptions::create))
        .routes(routes!(subscriptions::search))
        .routes(routes!(subscriptions::show, subscriptions::edit, subscriptions::end))
        .routes(routes!(subscriptions::erase))
        .routes(routes!(deliveries::list))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::show))
        .routes(routes!(dead_letters::redrive))
        .routes(routes!(dead_letters::discard))
        .routes(routes!(openapi::show))
        .split_for_parts();
    routes
        .merge(board::routes())
        .merge(unsubscribe::routes())
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .layer(Extension(openapi::Document::new(&documented, &api.config)))
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .layer(middleware::from_fn_with_state(guard::InFlight::new(&api), guard::bound))
        .layer(middleware::from_fn_with_state(guard::Guard::new(api.clone()), guard::keep))
        .layer(middleware::from_fn_with_state(answer_max, deadline::keep))
        .layer(compress::layer())
        .layer(middleware::map_response(compress::weaken_tag))
        .layer(middleware::from_fn_with_state(Arc::new(api.metrics.clone()), metrics::observe))
        .with_state(Arc::new(api))
}

/// A route is cloned for each request, and with it its state: that may cost no more than a counter.
impl FromRef<Arc<Api>> for Api {
    fn from_ref(api: &Arc<Api>) -> Self {
        api.as_ref().clone()
    }
}
