//! How many requests are answered at once: beyond that it is better to refuse one than to answer all too late.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use crate::metrics::ApiMetrics;
use crate::problem::Problem;
use crate::{Api, ApiConfig};

/// The places of requests.
pub(crate) struct InFlight {
    places: Arc<Semaphore>,
    max: usize,
    metrics: ApiMetrics,
}

impl InFlight {
    pub(crate) fn new(api: &Api) -> Arc<Self> {
        let ApiConfig { requests_max, .. } = api.config;
        let places = Arc::new(Semaphore::new(requests_max));
        Arc::new(Self { places, max: requests_max, metrics: api.metrics.clone() })
    }
}

/// Lets a request have a place until its answer begins, or refuses it. An answer that goes on, as events do, holds none:
/// the limit of connections bounds those.
pub(crate) async fn bound(State(in_flight): State<Arc<InFlight>>, request: Request, next: Next) -> Response {
    let Ok(_place) = in_flight.places.try_acquire() else {
        in_flight.metrics.limited.with_label_values(&["requests"]).inc();
        return Problem::unavailable()
            .detail(format!("{} requests are being answered, the limit", in_flight.max))
            .into_response();
    };
    next.run(request).await
}
