//! The metrics of the processor's roles. Labels come from enums alone; everything is counted once a batch.

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry,
};

/// Of the worker.
#[derive(Debug, Clone)]
pub struct WorkerMetrics {
    pub(crate) events: IntCounterVec,
    pub(crate) conflicts: IntCounter,
    pub(crate) size_bound: IntCounter,
    pub(crate) dead_letters: IntCounterVec,
    pub(crate) commands: IntCounterVec,
    pub(crate) batch_records: Histogram,
    pub(crate) batch_seconds: HistogramVec,
    pub(crate) commits: IntCounterVec,
    pub(crate) lag_seconds: GaugeVec,
    pub(crate) event_time_lag_seconds: Gauge,
    pub(crate) lines: IntGauge,
    pub(crate) restored_lines: IntCounter,
    pub(crate) torn: IntCounter,
}

/// Of the projector.
#[derive(Debug, Clone)]
pub struct ProjectorMetrics {
    pub(crate) rows: IntCounterVec,
    pub(crate) apply_seconds: Histogram,
    pub(crate) undecodable: IntCounter,
    pub(crate) retries: IntCounter,
    pub(crate) lag_seconds: Gauge,
}

/// Registers a metric; the registry is fresh, so a refusal is a name used twice in this program.
fn registered<M: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    metric: prometheus::Result<M>,
) -> M {
    let metric = metric.expect("the names and labels are valid");
    registry.register(Box::new(metric.clone())).expect("each metric is registered once");
    metric
}

fn seconds(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help)
        .buckets(vec![0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0])
}

impl WorkerMetrics {
    /// Makes them, in a registry that has none of them yet.
    pub fn new(registry: &Registry) -> Self {
        let counters =
            |name: &str, help: &str, label: &str| IntCounterVec::new(Opts::new(name, help), &[label]);
        Self {
            events: registered(
                registry,
                counters("processor_events_total", "Records taken in, by what became of them", "outcome"),
            ),
            conflicts: registered(
                registry,
                IntCounter::new(
                    "processor_conflicting_ids_total",
                    "Events whose id stands for other content already",
                ),
            ),
            size_bound: registered(
                registry,
                IntCounter::new(
                    "processor_event_bound_total",
                    "Events that moved a watermark because the line's set was full",
                ),
            ),
            dead_letters: registered(
                registry,
                counters("processor_dead_letters_total", "Records that were not folded, by reason", "reason"),
            ),
            commands: registered(
                registry,
                counters("processor_commands_total", "Notification commands, by kind", "kind"),
            ),
            batch_records: registered(
                registry,
                Histogram::with_opts(
                    HistogramOpts::new("processor_batch_records", "Records of a committed batch")
                        .buckets(vec![1.0, 10.0, 100.0, 1_000.0, 5_000.0, 10_000.0, 50_000.0]),
                ),
            ),
            batch_seconds: registered(
                registry,
                HistogramVec::new(seconds("processor_batch_seconds", "Time of a batch, by part"), &["part"]),
            ),
            commits: registered(
                registry,
                counters("processor_commits_total", "Commits, by how they ended", "result"),
            ),
            lag_seconds: registered(
                registry,
                GaugeVec::new(
                    Opts::new(
                        "processor_lag_seconds",
                        "The clock less the append time of the last record folded; 0 when caught up",
                    ),
                    &["partition"],
                ),
            ),
            event_time_lag_seconds: registered(
                registry,
                Gauge::new(
                    "processor_event_time_lag_seconds",
                    "Append time less event time of the last event of the last batch",
                ),
            ),
            lines: registered(registry, IntGauge::new("processor_lines", "Lines in the state")),
            restored_lines: registered(
                registry,
                IntCounter::new("processor_restored_lines_total", "Lines restored from the changelog"),
            ),
            torn: registered(
                registry,
                IntCounter::new(
                    "processor_torn_positions_total",
                    "Restores whose state and position did not agree: some input may be missing",
                ),
            ),
        }
    }
}

impl ProjectorMetrics {
    /// Makes them, in a registry that has none of them yet.
    pub fn new(registry: &Registry) -> Self {
        Self {
            rows: registered(
                registry,
                IntCounterVec::new(Opts::new("projector_rows_total", "Rows written, by table"), &["table"]),
            ),
            apply_seconds: registered(
                registry,
                Histogram::with_opts(seconds("projector_apply_seconds", "Time of writing a batch")),
            ),
            undecodable: registered(
                registry,
                IntCounter::new(
                    "projector_undecodable_total",
                    "Committed records that this program cannot read: rows may be missing",
                ),
            ),
            retries: registered(
                registry,
                IntCounter::new("projector_retries_total", "Batches written again after an error"),
            ),
            lag_seconds: registered(
                registry,
                Gauge::new(
                    "projector_lag_seconds",
                    "The clock less the append time of the last record written",
                ),
            ),
        }
    }
}
