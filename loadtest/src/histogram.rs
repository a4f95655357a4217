//! Times in buckets that grow with them: every one is known to 1.6 %, and a million cost as much as one.

use std::time::Duration;

/// Buckets of a power of two.
const STEPS: u64 = 64;

/// Times.
#[derive(Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    max: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; index(u64::MAX) + 1], max: 0 }
    }

    pub(crate) fn record(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.counts[index(nanos)] += 1;
        self.max = self.max.max(nanos);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.max = self.max.max(other.max);
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time that this share of all, from 0 to 1, did not exceed; in ms.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && *count > 0 {
                return bound(index).min(self.max) as f64 / 1e6;
            }
        }
        0.0
    }

    pub(crate) fn max_ms(&self) -> f64 {
        self.max as f64 / 1e6
    }
}

/// The bucket of a value: its leading bits, and how far they are shifted.
fn index(value: u64) -> usize {
    let bits = 64 - value.leading_zeros();
    let shift = bits.saturating_sub(7);
    (u64::from(shift) * STEPS + (value >> shift)) as usize
}

/// The largest value of a bucket.
fn bound(index: usize) -> u64 {
    let index = index as u64;
    let shift = (index / STEPS).saturating_sub(1);
    let leading = index - shift * STEPS;
    // The last one ends where the numbers do.
    (((u128::from(leading) + 1) << shift) - 1).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_values_that_differ_by_less_than_two_percent() {
        for value in (0..300)
            .chain((8..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]))
            .chain([u64::MAX])
        {
            let bound = bound(index(value));
            assert!(bound >= value && (bound - value) as f64 <= value as f64 * 0.016, "{value} {bound}");
        }
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut histogram = Histogram::new();
        for ms in 1..=1_000 {
            histogram.record(Duration::from_millis(ms));
        }
        for (share, ms) in [(0.5, 500.0), (0.9, 900.0), (0.99, 990.0), (1.0, 1_000.0)] {
            let found = histogram.quantile_ms(share);
            assert!((found - ms).abs() <= ms * 0.016, "{share}: {found}");
        }
        assert_eq!((histogram.count(), histogram.max_ms()), (1_000, 1_000.0));
    }
}
