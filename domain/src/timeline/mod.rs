//! The status of one line over event time, and the intervals it makes: a pure function of the accepted events.
//!
//! What lies at or before the watermark is frozen into `head`; the events after it are kept, repeats included, so
//! that any of them can still turn out to be in the middle. `tail` is `head` after all of them: an event in order
//! moves it on, any other one makes it anew. Freezing changes nothing that is published.

mod events;
mod signals;
mod track;

pub(crate) use events::{Event, EventSet, Notes, Place};
pub(crate) use signals::{Signals, Span};
pub(crate) use track::{Discard, Report, Sink, Track};

use crate::config::{NEVER, Rules};
use crate::{Interval, IntervalChange, Millis};

/// The timeline of one line.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    /// `W`: nothing at or before it changes any more. It never goes back.
    pub(crate) watermark: Millis,
    /// Newest event time among the accepted events and signs of life.
    pub(crate) newest_at: Millis,
    pub(crate) head: Track,
    pub(crate) tail: Track,
    pub(crate) events: EventSet,
    pub(crate) signals: Option<Box<Signals>>,
}

/// What became of an event that is later than the watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inserted {
    Duplicate,
    New { is_conflicting: bool, hit_size_bound: bool },
}

/// Collects what changed while signals come in order.
struct Changes<'a>(&'a mut Vec<IntervalChange>);

impl Sink for Changes<'_> {
    fn ended(&mut self, interval: Interval) {
        self.0.push(IntervalChange::Upsert(interval));
    }
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            watermark: NEVER,
            newest_at: NEVER,
            head: Track::default(),
            tail: Track::default(),
            events: EventSet::default(),
            signals: None,
        }
    }
}

impl Timeline {
    /// A timeline that nothing has been said about yet.
    pub(crate) fn new(rules: &Rules) -> Self {
        Self { signals: rules.expect_ms.map(|_| Box::default()), ..Self::default() }
    }

    /// Takes in a status change later than the watermark.
    pub(crate) fn insert(
        &mut self,
        event: Event,
        appended_at: Millis,
        rules: &Rules,
        changes: &mut Vec<IntervalChange>,
    ) -> Inserted {
        let Place::At { index, is_conflicting } = self.events.place(&event) else {
            return Inserted::Duplicate;
        };
        if self.is_next(event.at, rules) {
            let mut touched = self.close_gap_before(event.at, rules, changes);
            let report = report_of(&event);
            touched |= self.tail.report(report, rules.degraded_is_down, &mut Changes(changes));
            self.publish_tail(touched, changes);
            self.note_signal(event.at, appended_at, rules);
            self.events.insert(index, event);
        } else {
            let before = self.project(rules).0;
            self.note_signal(event.at, appended_at, rules);
            self.events.insert(index, event);
            self.reproject(&before, rules, changes);
        }
        Inserted::New { is_conflicting, hit_size_bound: self.freeze(rules) }
    }

    /// Takes in a sign of life later than the watermark.
    pub(crate) fn sign_of_life(
        &mut self,
        at: Millis,
        appended_at: Millis,
        rules: &Rules,
        changes: &mut Vec<IntervalChange>,
    ) -> Inserted {
        if self.is_next(at, rules) {
            let mut touched = self.close_gap_before(at, rules, changes);
            touched |= self.tail.resume(at, rules.degraded_is_down, &mut Changes(changes));
            self.publish_tail(touched, changes);
            self.note_signal(at, appended_at, rules);
        } else if self.signals.is_some() {
            let before = self.project(rules).0;
            self.note_signal(at, appended_at, rules);
            self.reproject(&before, rules, changes);
        }
        Inserted::New { is_conflicting: false, hit_size_bound: self.freeze(rules) }
    }

    /// When the line falls silent unless it says something before.
    pub(crate) fn silence_deadline(&self, rules: &Rules) -> Option<Millis> {
        self.signals.as_ref()?.deadline(rules.expect_ms?)
    }

    /// Asserts the silence after the last signal, at its deadline.
    pub(crate) fn fall_silent(&mut self, rules: &Rules, changes: &mut Vec<IntervalChange>) {
        let (Some(signals), Some(expect_ms)) = (&mut self.signals, rules.expect_ms) else { return };
        let Some(from) = signals.covered_until(expect_ms) else { return };
        signals.is_silent = true;
        let touched = self.tail.fall_silent(from, rules.degraded_is_down, &mut Changes(changes));
        self.publish_tail(touched, changes);
    }

    /// Other rules from now on, for what is later than the watermark.
    pub(crate) fn change_rules(
        &mut self,
        old: &Rules,
        new: &Rules,
        log_time: Millis,
        changes: &mut Vec<IntervalChange>,
    ) {
        let before = self.project(old).0;
        match (new.expect_ms, &mut self.signals) {
            (None, signals) => *signals = None,
            (Some(_), signals @ None) => {
                let spans = if self.newest_at == NEVER {
                    Vec::new()
                } else {
                    vec![Span { first: self.watermark, last: self.newest_at }]
                };
                *signals = Some(Box::new(Signals { spans, last_appended_at: log_time, is_silent: false }));
            }
            (Some(expect_ms), Some(signals)) if old.expect_ms != new.expect_ms => {
                signals.set_expect(expect_ms);
                signals.is_silent = false;
            }
            (Some(_), Some(_)) => {}
        }
        let mut after: Vec<Interval> = Vec::new();
        self.turn_head(new, &mut after);
        let (projected, tail) = self.project(new);
        self.tail = tail;
        after.extend(projected);
        diff(&before, &after, changes);
        self.freeze(new);
    }

    /// What the new rules mean for the status that the head stands in. It counts from the instant after the
    /// watermark, and that instant is decided by it: the watermark moves there, so that no late event can land on
    /// the seam and make a run of no length.
    fn turn_head(&mut self, rules: &Rules, ended: &mut Vec<Interval>) {
        let at = self.watermark.saturating_add(1);
        let is_covered = match (rules.expect_ms, &self.signals) {
            (Some(expect_ms), Some(signals)) => signals.covers(at, expect_ms),
            (Some(_) | None, _) => true,
        };
        let speaks_again = is_covered && self.head.is_silent;
        if !speaks_again && !self.head.is_misclassified(rules.degraded_is_down) {
            return;
        }
        let mut head = std::mem::take(&mut self.head);
        let has_event = self.events.front().is_some_and(|event| event.at == at);
        if is_covered && !has_event {
            head.resume(at, rules.degraded_is_down, ended);
            head.reclassify(at, rules.degraded_is_down, ended);
        }
        self.replay(&mut head, at, rules, ended);
        self.head = head;
        self.forget_through(at);
    }

    /// The end of the last downtime interval that ended.
    pub(crate) fn last_down_ended_at(&self) -> Millis {
        self.tail.last_down_ended_at
    }

    /// The intervals that end after the watermark, and where they leave the timeline.
    fn project(&self, rules: &Rules) -> (Vec<Interval>, Track) {
        let mut track = self.head.clone();
        let mut intervals = Vec::new();
        self.replay(&mut track, Millis::MAX, rules, &mut intervals);
        intervals.extend(track.open.as_deref().cloned());
        (intervals, track)
    }

    /// Makes the tail anew and tells what became different from `before`.
    fn reproject(&mut self, before: &[Interval], rules: &Rules, changes: &mut Vec<IntervalChange>) {
        let (after, tail) = self.project(rules);
        self.tail = tail;
        diff(before, &after, changes);
    }

    /// Makes the tail anew from head and events, after they were restored.
    pub(crate) fn restore_tail(&mut self, rules: &Rules) {
        self.tail = self.project(rules).1;
    }

    /// Moves `track`, which stands at the watermark, over the events and gaps up to `until`, included.
    fn replay(&self, track: &mut Track, until: Millis, rules: &Rules, sink: &mut impl Sink) {
        let degraded_is_down = rules.degraded_is_down;
        let signals = self.signals.as_deref().zip(rules.expect_ms);
        let mut gaps =
            signals.into_iter().flat_map(|(signals, expect_ms)| signals.gaps(expect_ms)).peekable();
        let mut pass_gaps = |track: &mut Track, before: Millis, sink: &mut _| {
            while let Some(gap) = gaps.next_if(|gap| gap.from < before && gap.from <= until) {
                // What is frozen stays, also where a shorter promise would now have a gap in it.
                let from = gap.from.max(self.watermark.saturating_add(1));
                if gap.to > from {
                    track.fall_silent(from, degraded_is_down, sink);
                }
                // An event at the very end of the gap says more than a sign of life.
                if gap.to <= until && gap.to < before {
                    track.resume(gap.to, degraded_is_down, sink);
                }
            }
        };
        let mut events = self.events.iter().take_while(|event| event.at <= until).peekable();
        while let Some(event) = events.next() {
            if events.peek().is_some_and(|next| next.at == event.at) {
                continue; // the last event of an instant rules it
            }
            pass_gaps(track, event.at, sink);
            track.report(report_of(event), degraded_is_down, sink);
        }
        pass_gaps(track, Millis::MAX, sink);
    }

    /// Whether a signal at `at` comes after everything said so far, silence included.
    fn is_next(&self, at: Millis, rules: &Rules) -> bool {
        at > self.newest_at
            && match (&self.signals, rules.expect_ms) {
                (Some(signals), Some(expect_ms)) if signals.is_silent => {
                    signals.covered_until(expect_ms).is_none_or(|until| at > until)
                }
                (Some(_) | None, _) => true,
            }
    }

    fn close_gap_before(&mut self, at: Millis, rules: &Rules, changes: &mut Vec<IntervalChange>) -> bool {
        let (Some(signals), Some(expect_ms)) = (&self.signals, rules.expect_ms) else { return false };
        match signals.covered_until(expect_ms) {
            Some(until) if until < at => {
                self.tail.fall_silent(until, rules.degraded_is_down, &mut Changes(changes))
            }
            Some(_) | None => false,
        }
    }

    /// Publishes the run that lasts, if it is new or changed. What opened and ended within the same step was told
    /// when it ended.
    fn publish_tail(&self, touched: bool, changes: &mut Vec<IntervalChange>) {
        if touched && let Some(open) = &self.tail.open {
            changes.push(IntervalChange::Upsert(open.as_ref().clone()));
        }
    }

    fn note_signal(&mut self, at: Millis, appended_at: Millis, rules: &Rules) {
        self.newest_at = self.newest_at.max(at);
        if let (Some(signals), Some(expect_ms)) = (&mut self.signals, rules.expect_ms) {
            signals.insert(at, expect_ms);
            signals.last_appended_at = signals.last_appended_at.max(appended_at);
            signals.is_silent = false;
        }
    }

    /// Moves the watermark and freezes what it passed. Whether the bound of the set moved it further than lateness.
    fn freeze(&mut self, rules: &Rules) -> bool {
        let by_time = self.newest_at.saturating_sub(rules.allowed_lateness_ms);
        let by_size = self.events.nth_newest_at(rules.events_max as usize).unwrap_or(NEVER);
        // Signs of life are no events, and the gaps between them have a bound of their own.
        let by_size = by_size.max(self.signals.as_ref().and_then(|signals| signals.bound()).unwrap_or(NEVER));
        let hit_size_bound = by_size > by_time.max(self.watermark);
        let watermark = self.watermark.max(by_time).max(by_size);
        if watermark > self.watermark {
            let has_gaps = self.signals.as_ref().is_some_and(|signals| signals.spans.len() > 1);
            if has_gaps || self.events.front().is_some_and(|event| event.at <= watermark) {
                let mut head = std::mem::take(&mut self.head);
                self.replay(&mut head, watermark, rules, &mut Discard);
                self.head = head;
            }
            self.forget_through(watermark);
        }
        hit_size_bound
    }

    /// Moves the watermark to where the head stands, and forgets what it contains.
    fn forget_through(&mut self, watermark: Millis) {
        while self.events.front().is_some_and(|event| event.at <= watermark) {
            self.events.pop_front();
        }
        self.watermark = watermark;
        if let Some(signals) = &mut self.signals {
            signals.forget_before(watermark);
        }
    }
}

fn report_of(event: &Event) -> Report<'_> {
    Report {
        at: event.at,
        status: event.status,
        reason_code: event.reason_code(),
        source_status: event.source_status(),
    }
}

/// What turns `before` into `after`; both are ordered by start, and starts are unique within each.
fn diff(before: &[Interval], after: &[Interval], changes: &mut Vec<IntervalChange>) {
    let key = |interval: &Interval| (interval.started_at, interval.kind);
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let (old_key, new_key) = (old.peek().map(|i| key(i)), new.peek().map(|i| key(i)));
        match (old_key, new_key) {
            (None, None) => return,
            (Some(o), n) if n.is_none_or(|n| o < n) => {
                old.next();
                changes.push(IntervalChange::Retract { kind: o.1, started_at: o.0 });
            }
            (o, Some(n)) if o.is_none_or(|o| n < o) => {
                changes.extend(new.next().cloned().map(IntervalChange::Upsert));
            }
            (Some(_) | None, _) => {
                let (was, is) = (old.next(), new.next());
                if was != is {
                    changes.extend(is.cloned().map(IntervalChange::Upsert));
                }
            }
        }
    }
}
