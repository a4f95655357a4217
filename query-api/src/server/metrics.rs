//! The metrics of a server.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use crate::metrics::registered;

/// Why a connection was ended from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The head of a request did not arrive in time.
    Header,
    /// Nothing was asked for a while.
    Idle,
    /// The client took none of its answer.
    Stall,
    /// The handshake failed, or took too long.
    Tls,
    /// What arrived is no HTTP, or too much of it.
    Malformed,
}

impl Ended {
    const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Idle => "idle",
            Self::Stall => "stall",
            Self::Tls => "tls",
            Self::Malformed => "malformed",
        }
    }
}

/// Of the server of the API.
#[derive(Debug, Clone)]
pub struct ServerMetrics {
    pub(super) connections: IntGauge,
    pub(super) full: IntCounter,
    ended: IntCounterVec,
}

impl ServerMetrics {
    /// Makes them, in a registry that has none of them yet.
    pub fn new(registry: &Registry) -> Self {
        Self {
            connections: registered(registry, IntGauge::new("api_connections", "Connections that are open")),
            full: registered(
                registry,
                IntCounter::new(
                    "api_connections_full_total",
                    "Times that `http.max_connections` was reached, and whoever came next had to wait",
                ),
            ),
            ended: registered(
                registry,
                IntCounterVec::new(
                    Opts::new("api_connections_ended_total", "Connections ended by the server, by reason"),
                    &["reason"],
                ),
            ),
        }
    }

    pub(super) fn ended(&self, why: Ended) {
        self.ended.with_label_values(&[why.name()]).inc();
    }
}
