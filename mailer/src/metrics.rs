//! The metrics of the mailer. Labels come from enums alone: no address, no line, no subscriber.

use andon_store::DeliveryState;
use prometheus::core::Collector;
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Counters, gauges and histograms of one mailer.
#[derive(Debug, Clone)]
pub struct Metrics {
    deliveries: IntCounterVec,
    commands: IntCounterVec,
    histories: IntCounterVec,
    pub(crate) event_to_send_seconds: Histogram,
    pub(crate) unsettled: IntGauge,
    pub(crate) oldest_due_seconds: Gauge,
    pub(crate) lag_seconds: Gauge,
}

/// What the views knew of a stop when its message was first made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HistoryRead {
    Known,
    Unknown,
    Failed,
}

/// What became of a record of the command topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intake {
    Accepted,
    Undecodable,
}

impl Metrics {
    /// Makes them, in a registry that has none of them yet.
    ///
    /// # Panics
    /// If the registry has a mailer's metrics already: a mistake of the program.
    pub fn new(registry: &Registry) -> Self {
        let seconds = vec![0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3600.0];
        let metrics = Self {
            deliveries: registered(
                registry,
                IntCounterVec::new(
                    Opts::new(
                        "mailer_deliveries_total",
                        "Deliveries by what became of a claim; `queued` is to be tried again",
                    ),
                    &["result"],
                ),
            ),
            commands: registered(
                registry,
                IntCounterVec::new(
                    Opts::new("mailer_commands_total", "Notification commands read, by what became of them"),
                    &["result"],
                ),
            ),
            histories: registered(
                registry,
                IntCounterVec::new(
                    Opts::new(
                        "mailer_histories_total",
                        "Stops that the views were asked for; other than `known` the message goes without them",
                    ),
                    &["result"],
                ),
            ),
            event_to_send_seconds: registered(
                registry,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "mailer_event_to_send_seconds",
                        "From the decision of the core to the hand-over of the message",
                    )
                    .buckets(seconds),
                ),
            ),
            unsettled: registered(
                registry,
                IntGauge::new(
                    "mailer_unsettled",
                    "Deliveries not in a final state, counted every few seconds",
                ),
            ),
            oldest_due_seconds: registered(
                registry,
                Gauge::new(
                    "mailer_oldest_due_seconds",
                    "For how long the oldest unsettled delivery has been due",
                ),
            ),
            lag_seconds: registered(
                registry,
                Gauge::new(
                    "mailer_lag_seconds",
                    "Age of the last command read; 0 when caught up with the log",
                ),
            ),
        };
        // A series that exists from the start can be alarmed on from the start.
        for state in DeliveryState::ALL.into_iter().filter(|state| *state != DeliveryState::Sending) {
            metrics.deliveries.with_label_values(&[state.name()]).inc_by(0);
        }
        for result in [Intake::Accepted, Intake::Undecodable] {
            metrics.commands(result, 0);
        }
        for read in [HistoryRead::Known, HistoryRead::Unknown, HistoryRead::Failed] {
            metrics.histories_of(read).inc_by(0);
        }
        metrics
    }

    pub(crate) fn settled(&self, state: DeliveryState) {
        self.deliveries.with_label_values(&[state.name()]).inc();
    }

    pub(crate) fn history(&self, read: HistoryRead) {
        self.histories_of(read).inc();
    }

    fn histories_of(&self, read: HistoryRead) -> IntCounter {
        self.histories.with_label_values(&[match read {
            HistoryRead::Known => "known",
            HistoryRead::Unknown => "unknown",
            HistoryRead::Failed => "failed",
        }])
    }

    pub(crate) fn commands(&self, result: Intake, count: u64) {
        let name = match result {
            Intake::Accepted => "accepted",
            Intake::Undecodable => "undecodable",
        };
        self.commands.with_label_values(&[name]).inc_by(count);
    }
}

/// Makes and registers one metric.
pub(crate) fn registered<M: Collector + Clone + 'static>(
    registry: &Registry,
    metric: prometheus::Result<M>,
) -> M {
    let metric = metric.expect("the names and labels are valid");
    registry.register(Box::new(metric.clone())).expect("each metric is registered once");
    metric
}
