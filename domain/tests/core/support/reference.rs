//! The fold again, in the plainest way there is: from all accepted signals at once, without a watermark, without
//! state, in quadratic time. Slow and obviously right; the core must say the same.

use andon_domain::{Interval, LineStatus, Millis, Segment, Text};
use std::collections::BTreeSet;

/// One accepted record of a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Signal {
    // The order of the fields is the order that rules.
    pub(crate) at: Millis,
    pub(crate) sequence: Option<i64>,
    pub(crate) id: u128,
    pub(crate) status: LineStatus,
    pub(crate) reason: Text,
    pub(crate) source: Text,
    pub(crate) word: Text,
}

/// The settings that the projection depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) lateness: i64,
    pub(crate) events_max: usize,
    pub(crate) degraded_is_down: bool,
    pub(crate) expect: Option<i64>,
}

/// The watermark that these accepted signals make.
pub(crate) fn watermark(accepted: &[Signal], settings: Settings) -> Option<Millis> {
    let newest = accepted.iter().map(|signal| signal.at).max()?;
    // A set: what is equal in everything is one event.
    let events: BTreeSet<&Signal> =
        accepted.iter().filter(|signal| signal.status != LineStatus::NoChange).collect();
    let by_size = events.iter().rev().nth(settings.events_max - 1).map(|event| event.at);
    Some((newest - settings.lateness).max(by_size.unwrap_or(Millis::MIN)))
}

/// A maximal stretch of one status.
struct Run {
    started_at: Millis,
    status: LineStatus,
    /// Everything said about it, in order: when, reason, word.
    said: Vec<(Millis, Text, Text)>,
}

/// A stretch of a run in which the reason stays the same.
struct Stretch {
    segment: Segment,
    as_first_said: Segment,
}

/// Every interval that the accepted signals make. Silence after the last one is asserted.
pub(crate) fn project(accepted: &[Signal], settings: Settings) -> Vec<Interval> {
    let runs = runs(accepted, settings.expect);
    let mut intervals: Vec<(Interval, Vec<Stretch>)> = Vec::new();
    for run in &runs {
        if let Some((last, _)) = intervals.last_mut()
            && last.ended_at.is_none()
            && run.status.kind(settings.degraded_is_down) != Some(last.kind)
        {
            last.ended_at = Some(run.started_at);
        }
        let Some(kind) = run.status.kind(settings.degraded_is_down) else { continue };
        if intervals.last().is_none_or(|(last, _)| last.ended_at.is_some()) {
            let interval =
                Interval { kind, started_at: run.started_at, ended_at: None, segments: Vec::new() };
            intervals.push((interval, Vec::new()));
        }
        intervals.last_mut().expect("it was made just now").1.extend(stretches(run));
    }
    intervals
        .into_iter()
        .map(|(interval, stretches)| Interval { segments: bounded(stretches), ..interval })
        .collect()
}

/// The last segment that an interval has room for stays as it was first said.
fn bounded(stretches: Vec<Stretch>) -> Vec<Segment> {
    let last = Interval::SEGMENTS_MAX - 1;
    let take = |(index, stretch): (usize, Stretch)| {
        if index == last { stretch.as_first_said } else { stretch.segment }
    };
    stretches.into_iter().enumerate().take(last + 1).map(take).collect()
}

/// The first reason named fills back to the start, a different one starts a stretch; so does the first word.
fn stretches(run: &Run) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = Vec::new();
    for (at, reason, word) in &run.said {
        let known = all.last().and_then(|stretch| stretch.segment.reason_code.clone());
        let is_another = known.is_some() && reason.is_some() && known != *reason;
        if all.is_empty() || is_another {
            let started_at = if all.is_empty() { run.started_at } else { *at };
            let segment = Segment {
                started_at,
                status: run.status,
                reason_code: reason.clone(),
                source_status: word.clone(),
            };
            all.push(Stretch { as_first_said: segment.clone(), segment });
        } else {
            let segment = &mut all.last_mut().expect("it is not empty").segment;
            segment.reason_code = segment.reason_code.take().or_else(|| reason.clone());
            segment.source_status = segment.source_status.take().or_else(|| word.clone());
        }
    }
    all
}

/// What the line did, over time.
fn runs(accepted: &[Signal], expect: Option<i64>) -> Vec<Run> {
    let instants: BTreeSet<Millis> = accepted.iter().map(|signal| signal.at).collect();
    let instants: Vec<Millis> = instants.into_iter().collect();
    let mut runs: Vec<Run> = Vec::new();
    let mut reported: Option<(LineStatus, Text, Text)> = None;
    let mut was_silent = false;
    for (index, at) in instants.iter().enumerate() {
        let ruling =
            accepted.iter().filter(|s| s.at == *at && s.status != LineStatus::NoChange).max().cloned();
        if let Some(event) = ruling {
            say(&mut runs, *at, event.status, event.reason.clone(), event.word.clone());
            reported = Some((event.status, None, None));
        } else if let (true, Some((status, reason, word))) = (was_silent, &reported) {
            say(&mut runs, *at, *status, reason.clone(), word.clone());
        }
        was_silent = false;
        if let (Some((status, reason, word)), Some(run)) = (&mut reported, runs.last()) {
            // What the next silence interrupts, for a sign of life to take up again.
            let now = stretches(run).pop().expect("a run says something").segment;
            debug_assert_eq!(now.status, *status);
            (*reason, *word) = (now.reason_code, now.source_status);
        }
        let covered_until = expect.map_or(Millis::MAX, |expect| at + expect);
        let next = instants.get(index + 1).copied().unwrap_or(Millis::MAX);
        if covered_until < next && reported.is_some() {
            was_silent = true;
            say(&mut runs, covered_until, LineStatus::Unknown, None, None);
        }
    }
    runs
}

fn say(runs: &mut Vec<Run>, at: Millis, status: LineStatus, reason: Text, word: Text) {
    match runs.last_mut() {
        Some(run) if run.status == status => run.said.push((at, reason, word)),
        Some(_) | None => runs.push(Run { started_at: at, status, said: vec![(at, reason, word)] }),
    }
}
