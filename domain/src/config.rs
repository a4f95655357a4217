//! Settings of the fold, and the rules they become for one line.

use crate::{LineSettings, Millis};

/// Settings that hold where a line has none of its own, and those of the partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldConfig {
    /// How far events may be out of order, in ms of event time. Default 10 min.
    pub allowed_lateness_ms: i64,
    /// Bound of the set of events that can still be revised. Default 512.
    pub events_max: u32,
    /// Whether `DEGRADED` counts as down. Default false.
    pub degraded_is_down: bool,
    /// The longest time between two signals of a line that is alive, in ms; none (the default): it may be silent.
    pub expect_signal_every_ms: Option<i64>,
    /// How far an event time may lie after the record's append time, in ms. Default 5 min.
    pub future_skew_ms_max: i64,
    /// How old the newest event of a line may be when an incident opens, in ms. Default 15 min.
    pub notify_age_ms_max: i64,
    /// Whether lines must be registered. Default false.
    pub is_strict: bool,
}

impl Default for FoldConfig {
    fn default() -> Self {
        Self {
            allowed_lateness_ms: 10 * 60_000,
            events_max: 512,
            degraded_is_down: false,
            expect_signal_every_ms: None,
            future_skew_ms_max: 5 * 60_000,
            notify_age_ms_max: 15 * 60_000,
            is_strict: false,
        }
    }
}

/// The settings of one line, defaults filled in. They are part of its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) allowed_lateness_ms: i64,
    pub(crate) events_max: u32,
    pub(crate) degraded_is_down: bool,
    pub(crate) expect_ms: Option<i64>,
}

impl FoldConfig {
    /// The rules of a line with these settings.
    pub(crate) fn rules(&self, settings: &LineSettings) -> Rules {
        Rules {
            allowed_lateness_ms: settings.allowed_lateness_ms.unwrap_or(self.allowed_lateness_ms).max(0),
            events_max: settings.events_max.unwrap_or(self.events_max).max(1),
            degraded_is_down: settings.degraded_is_down.unwrap_or(self.degraded_is_down),
            expect_ms: settings.expect_signal_every_ms.or(self.expect_signal_every_ms).map(|ms| ms.max(1)),
        }
    }
}

/// Before every instant: "never" for a past one.
pub(crate) const NEVER: Millis = Millis::MIN;
