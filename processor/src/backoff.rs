//! Waiting before the same again: doubling, bounded, and cut short when the role is to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);

/// Who watches a loop that tries the same again: whoever may stop it, and whoever wants to know that it lives.
pub(crate) struct Watch<'a> {
    pub(crate) stop: &'a AtomicBool,
    /// Told before each wait: waiting for storage is no reason to be taken for dead.
    pub(crate) alive: &'a dyn Fn(),
}

impl Watch<'_> {
    pub(crate) fn must_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

/// How long to wait next.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self(FIRST)
    }

    /// The first wait is this long.
    pub(crate) const fn beginning_with(first: Duration) -> Self {
        Self(first)
    }

    /// Waits, or returns early when `stop` is set.
    pub(crate) fn wait(&mut self, watch: &Watch<'_>) {
        (watch.alive)();
        let until = Instant::now() + self.0;
        self.0 = (self.0 * 2).min(LONGEST);
        while !watch.must_stop() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left.min(LOOK));
        }
    }
}
