//! The metrics of the API.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};

/// Of the API.
#[derive(Debug, Clone)]
pub struct ApiMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    pub(crate) rows: IntCounterVec,
    pub(crate) repeated: IntCounter,
    pub(crate) unmapped: IntCounter,
    pub(crate) limited: IntCounterVec,
}

impl ApiMetrics {
    /// Makes them, in a registry that has none of them yet.
    pub fn new(registry: &Registry) -> Self {
        let seconds = HistogramOpts::new("api_request_seconds", "Time of a request, by route")
            .buckets(vec![0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]);
        Self {
            requests: registered(
                registry,
                IntCounterVec::new(
                    Opts::new("api_requests_total", "Requests, by route, method and status"),
                    &["route", "method", "status"],
                ),
            ),
            seconds: registered(registry, HistogramVec::new(seconds, &["route"])),
            rows: registered(
                registry,
                IntCounterVec::new(
                    Opts::new("api_ingested_rows_total", "Status changes accepted, by format"),
                    &["format"],
                ),
            ),
            limited: registered(
                registry,
                IntCounterVec::new(
                    Opts::new("api_limited_requests_total", "Requests refused at a limit, by limit"),
                    &["limit"],
                ),
            ),
            repeated: registered(
                registry,
                IntCounter::new(
                    "api_answers_repeated_total",
                    "Answers given again because nothing had changed since they were made",
                ),
            ),
            unmapped: registered(
                registry,
                IntCounter::new(
                    "api_unmapped_words_total",
                    "Controllers' words that no vocabulary maps, taken as UNKNOWN",
                ),
            ),
        }
    }
}

/// A metric, in the registry.
pub(crate) fn registered<M: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    metric: prometheus::Result<M>,
) -> M {
    let metric = metric.expect("the names and labels are valid");
    registry.register(Box::new(metric.clone())).expect("each metric is registered once");
    metric
}

/// Observes a request. Routes are named by their pattern, methods by the few there are: no label is free text.
pub(crate) async fn observe(
    State(metrics): State<Arc<ApiMetrics>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        .into_iter()
        .find(|known| *known == request.method().as_str())
        .unwrap_or("other");
    let began = Instant::now();
    let response = next.run(request).await;
    metrics.seconds.with_label_values(&[route]).observe(began.elapsed().as_secs_f64());
    metrics.requests.with_label_values(&[route, method, response.status().as_str()]).inc();
    response
}
