//! The circuit breaker before the way out: while the way itself is broken, nothing is claimed and no message uses up
//! its patience. Pure: it is given the time, and it never waits.

use andon_domain::Millis;

/// First pause after a failure of the way, in ms; each further one is twice as long.
const PAUSE_MS_MIN: i64 = 1_000;

/// Longest pause, in ms.
const PAUSE_MS_MAX: i64 = 60_000;

/// ```text
///          broken                      pause over
/// closed ─────────▶ open (a pause) ──────────────▶ half open: one message at a time
///   ▲                  ▲       broken: longer pause   │
///   │                  ╰──────────────────────────────┤
///   ╰─────────────────────────────────────────────────╯ works
/// ```
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
    open_until: Option<Millis>,
}

impl Breaker {
    /// The way is broken; until when nothing is tried.
    pub(crate) fn broken(&mut self, now: Millis) -> Millis {
        let pause = PAUSE_MS_MIN.saturating_mul(1_i64 << self.failures.min(16)).min(PAUSE_MS_MAX);
        self.failures = self.failures.saturating_add(1);
        let until = now.saturating_add(pause);
        self.open_until = Some(until);
        until
    }

    /// The other side answered, whatever it said.
    pub(crate) fn works(&mut self) {
        *self = Self::default();
    }

    /// Until when nothing is tried, if the pause is not over. A clock that was put back does not prolong it for long.
    pub(crate) fn paused_until(&self, now: Millis) -> Option<Millis> {
        self.open_until.filter(|until| now < *until && until.saturating_sub(now) <= PAUSE_MS_MAX)
    }

    /// How many messages may be claimed, out of `limit`.
    pub(crate) fn allows(&self, limit: usize) -> usize {
        if self.failures > 0 { limit.min(1) } else { limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_an_answer_ends_them() {
        let mut breaker = Breaker::default();
        let pauses: Vec<i64> = (0..9).map(|_| breaker.broken(0)).collect();
        assert_eq!(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        assert_eq!(breaker.paused_until(59_999), Some(60_000));
        assert_eq!(
            (breaker.paused_until(60_000), breaker.allows(64)),
            (None, 1),
            "one message tries the way"
        );
        breaker.works();
        assert_eq!((breaker.paused_until(0), breaker.allows(64)), (None, 64));
        assert_eq!(breaker.broken(5), 1_005, "it begins anew");
    }

    #[test]
    fn a_clock_put_back_does_not_keep_the_breaker_open() {
        let mut breaker = Breaker::default();
        breaker.broken(10_000_000);
        assert_eq!(breaker.paused_until(0), None);
    }

    #[test]
    fn a_breaker_that_failed_forever_does_not_overflow() {
        let mut breaker = Breaker { failures: u32::MAX, open_until: None };
        assert_eq!(breaker.broken(i64::MAX), i64::MAX);
    }
}
