//! The metrics of streams.

use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use crate::metrics::registered;

/// Of all streams of a process.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    pub(super) clients: IntGauge,
    pub(super) refused: IntCounter,
    pub(super) stalled: IntCounter,
    pub(super) events: IntCounterVec,
    pub(super) resets: IntCounterVec,
    pub(super) lag_seconds: Gauge,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            clients: registered(registry, IntGauge::new("api_stream_clients", "Streams that are open")),
            refused: registered(
                registry,
                IntCounter::new("api_streams_refused_total", "Streams refused because there were too many"),
            ),
            stalled: registered(
                registry,
                IntCounter::new("api_streams_stalled_total", "Streams ended because the client took nothing"),
            ),
            events: registered(
                registry,
                IntCounterVec::new(
                    Opts::new("api_stream_events_total", "Events sent, over all streams, by name"),
                    &["event"],
                ),
            ),
            resets: registered(
                registry,
                IntCounterVec::new(
                    Opts::new(
                        "api_stream_resets_total",
                        "Clients told to read everything again: `behind`, `token`, or `views` that were behind",
                    ),
                    &["reason"],
                ),
            ),
            lag_seconds: registered(
                registry,
                Gauge::new("api_stream_lag_seconds", "Age of the newest line change when it was taken in"),
            ),
        }
    }
}
