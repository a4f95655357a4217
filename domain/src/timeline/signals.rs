//! Which stretches of time the signals of a line cover, for lines that must not be silent.

use crate::Millis;

/// Most spans of a line: a heartbeat that is always a little too slow makes one with each beat.
const SPANS_MAX: usize = 512;

/// A maximal run of signals, none further from the next than the line promised: first and last signal. It covers
/// `[first, last + expect)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: Millis,
    pub(crate) last: Millis,
}

/// The signals of a line, status changes and signs of life, later than the watermark (and the span that reaches it).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Signals {
    /// Ordered, each further than the promise from the next.
    pub(crate) spans: Vec<Span>,
    /// Append time of the signal that was accepted last.
    pub(crate) last_appended_at: Millis,
    /// Whether the silence after the last span is asserted.
    pub(crate) is_silent: bool,
}

/// A stretch that no signal covers. The open one after the last span ends at [`Millis::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) from: Millis,
    pub(crate) to: Millis,
}

impl Signals {
    /// Takes in a signal at `at`.
    pub(crate) fn insert(&mut self, at: Millis, expect_ms: i64) {
        let behind = self.spans.partition_point(|span| span.first <= at);
        if let Some(span) = behind.checked_sub(1).map(|index| &mut self.spans[index])
            && at <= span.last.saturating_add(expect_ms)
        {
            span.last = span.last.max(at);
            self.join(behind - 1, expect_ms);
            return;
        }
        self.spans.insert(behind, Span { first: at, last: at });
        self.join(behind, expect_ms);
    }

    /// Joins a span with the next one where no gap is between them.
    fn join(&mut self, index: usize, expect_ms: i64) {
        if let Some(next) = self.spans.get(index + 1).copied()
            && next.first <= self.spans[index].last.saturating_add(expect_ms)
        {
            self.spans[index].last = self.spans[index].last.max(next.last);
            self.spans.remove(index + 1);
        }
    }

    /// Another promise: what was covered once stays covered.
    pub(crate) fn set_expect(&mut self, expect_ms: i64) {
        for index in (0..self.spans.len().saturating_sub(1)).rev() {
            self.join(index, expect_ms);
        }
    }

    /// The end of what is covered.
    pub(crate) fn covered_until(&self, expect_ms: i64) -> Option<Millis> {
        self.spans.last().map(|span| span.last.saturating_add(expect_ms))
    }

    /// When the silence after the last signal can be asserted: not before it is covered no more, and not before the
    /// next one is overdue by the log's own clock.
    pub(crate) fn deadline(&self, expect_ms: i64) -> Option<Millis> {
        if self.is_silent {
            return None;
        }
        Some(self.covered_until(expect_ms)?.max(self.last_appended_at.saturating_add(expect_ms)))
    }

    /// The gaps, in order; the last one only if it is asserted.
    pub(crate) fn gaps(&self, expect_ms: i64) -> impl Iterator<Item = Gap> {
        let between = self
            .spans
            .windows(2)
            .map(move |pair| Gap { from: pair[0].last.saturating_add(expect_ms), to: pair[1].first });
        let open = self
            .covered_until(expect_ms)
            .filter(|_| self.is_silent)
            .map(|from| Gap { from, to: Millis::MAX });
        between.chain(open)
    }

    /// Where the watermark must at least be, so that no more than [`SPANS_MAX`] spans are kept.
    pub(crate) fn bound(&self) -> Option<Millis> {
        self.spans.len().checked_sub(SPANS_MAX).filter(|over| *over > 0).map(|over| self.spans[over].first)
    }

    /// Whether a signal covers the instant.
    pub(crate) fn covers(&self, at: Millis, expect_ms: i64) -> bool {
        self.spans.iter().any(|span| span.first <= at && at < span.last.saturating_add(expect_ms))
    }

    /// Forgets the spans that nothing after the watermark depends on.
    pub(crate) fn forget_before(&mut self, watermark: Millis) {
        let reached = self.spans.partition_point(|span| span.first <= watermark);
        if reached > 1 {
            self.spans.drain(..reached - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Gap, SPANS_MAX, Signals, Span};

    const EXPECT_MS: i64 = 10;

    fn signals(times: &[i64]) -> Signals {
        let mut signals = Signals::default();
        for at in times {
            signals.insert(*at, EXPECT_MS);
        }
        signals
    }

    #[test]
    fn spans_without_a_gap_between_them_are_joined_in_every_order() {
        for times in [[0, 10, 20], [0, 20, 10], [20, 0, 10], [10, 0, 20], [20, 10, 0], [10, 20, 0]] {
            assert_eq!(signals(&times).spans, [Span { first: 0, last: 20 }], "{times:?}");
        }
        assert_eq!(signals(&[40, 0, 51, 11]).spans, [0, 11, 40, 51].map(|at| Span { first: at, last: at }));
        assert_eq!(signals(&[0, 40, 5]).spans, [Span { first: 0, last: 5 }, Span { first: 40, last: 40 }]);
    }

    #[test]
    fn a_gap_begins_where_coverage_ends() {
        let signals = signals(&[0, 11]);
        assert_eq!(signals.gaps(EXPECT_MS).collect::<Vec<_>>(), [Gap { from: 10, to: 11 }]);
        assert!(signals.covers(0, EXPECT_MS) && signals.covers(9, EXPECT_MS));
        assert!(!signals.covers(-1, EXPECT_MS) && !signals.covers(10, EXPECT_MS));
        assert!(signals.covers(11, EXPECT_MS));
    }

    #[test]
    fn the_span_that_reaches_the_watermark_is_kept() {
        let mut signals = signals(&[0, 20, 40, 60]);
        signals.forget_before(40);
        assert_eq!(signals.spans.first(), Some(&Span { first: 40, last: 40 }));
        signals.forget_before(59);
        assert_eq!(signals.spans.len(), 2);
    }

    #[test]
    fn a_heartbeat_that_is_always_too_slow_moves_the_watermark() {
        let mut signals = Signals::default();
        let beats = i64::try_from(SPANS_MAX).unwrap();
        for beat in 0..beats {
            signals.insert(beat * 6_000, 5_000);
        }
        assert_eq!(signals.bound(), None);
        signals.insert(beats * 6_000, 5_000);
        assert_eq!(signals.bound(), Some(6_000), "the first span goes, the second reaches the watermark");
        signals.forget_before(6_000);
        assert_eq!(signals.spans.len(), SPANS_MAX);
        assert_eq!(signals.bound(), None);
    }
}
