//! Random histories of one line: small times, few ids, few words, so that every sort of meeting happens often.

use andon_domain::{EventId, LineStatus, Millis, StatusChange, text};
use proptest::prelude::*;
use uuid::Uuid;

use super::reference::{Settings, Signal};

/// The instant that small times count from.
pub(crate) const ORIGIN: Millis = 1_700_000_000_000;

pub(crate) fn change<'a>(line_id: &'a str, signal: &'a Signal) -> StatusChange<'a> {
    StatusChange {
        event_id: EventId(Uuid::from_u128(signal.id)),
        line_id,
        event_time: signal.at,
        status: signal.status,
        sequence: signal.sequence,
        reason_code: signal.reason.as_deref(),
        source: signal.source.as_deref(),
        source_status: signal.word.as_deref(),
    }
}

/// A status: mostly the common ones, so that runs are long enough to be interesting.
pub(crate) fn status() -> impl Strategy<Value = LineStatus> {
    prop_oneof![
        3 => Just(LineStatus::Running),
        3 => Just(LineStatus::Stopped),
        2 => Just(LineStatus::NoChange),
        4 => (0..LineStatus::ALL.len()).prop_map(|index| LineStatus::ALL[index]),
    ]
}

fn word(of: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![3 => Just(None), 2 => proptest::sample::select(of).prop_map(Some)]
}

/// A signal up to `span` units after the origin, a unit being `unit_ms`.
pub(crate) fn signal(span: i64, unit_ms: i64) -> impl Strategy<Value = Signal> {
    (
        (0..=span).prop_map(move |units| ORIGIN + units * unit_ms),
        proptest::option::weighted(0.3, 0..3_i64),
        0..12_u128,
        status(),
        word(&["jam", "film"]),
        word(&["plc", "panel"]),
        word(&["AUS", "an"]),
    )
        .prop_map(|(at, sequence, id, status, reason, source, word)| {
            let (reason, source, word) = (text(reason), text(source), text(word));
            Signal { at, sequence, id, status, reason, source, word }
        })
}

/// Settings in the same small units, of 1 ms.
pub(crate) fn settings() -> impl Strategy<Value = Settings> {
    (0..40_i64, prop_oneof![1 => 1..12_usize, 1 => Just(512)], any::<bool>(), proptest::option::of(1..15_i64))
        .prop_map(|(lateness, events_max, degraded_is_down, expect)| Settings {
            lateness,
            events_max,
            degraded_is_down,
            expect,
        })
}
