//! Seeded choices: the same seed and label give the same draws, and one label moves no other.

use std::time::Duration;

use chacha20::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// A stream of choices.
#[derive(Debug)]
pub(crate) struct Draw(ChaCha12Rng);

impl Draw {
    /// The stream of `label` under `seed`.
    pub(crate) fn new(seed: u64, label: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"decnet simulate v1\0");
        hash.update(seed.to_le_bytes());
        hash.update(label.as_bytes());
        Self(ChaCha12Rng::from_seed(hash.finalize().into()))
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`; zero when there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let scaled = (u128::from(self.number()) * end as u128) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let span = u128::from(high.saturating_sub(low)) + 1;
        let scaled = (u128::from(self.number()) * span) >> 64;
        low.saturating_add(u64::try_from(scaled).unwrap_or(0))
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `options`; `None` when there are none.
    pub(crate) fn pick<'o, T>(&mut self, options: &'o [T]) -> Option<&'o T> {
        options.get(self.below(options.len()))
    }

    /// One of `words`; empty when there are none.
    pub(crate) fn word<'o>(&mut self, words: &[&'o str]) -> &'o str {
        self.pick(words).copied().unwrap_or_default()
    }

    /// Puts `items` in another order (Fisher–Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Up to `count` of `items`, no place taken twice.
    pub(crate) fn some<T: Clone>(&mut self, items: &[T], count: usize) -> Vec<T> {
        let mut items = items.to_vec();
        self.shuffle(&mut items);
        items.truncate(count);
        items
    }

    /// A time from the log-normal distribution, which human pauses follow: half of the draws lie
    /// below `median`, and `sigma` says how far they spread.
    pub(crate) fn log_normal(&mut self, median: Duration, sigma: f64) -> Duration {
        // Box and Muller; the first is kept away from zero, whose logarithm is infinite.
        let radius = (-2.0 * self.unit().max(f64::MIN_POSITIVE).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        let seconds = median.as_secs_f64() * (sigma * normal).exp();
        Duration::try_from_secs_f64(seconds).unwrap_or(median)
    }

    /// A number from zero to one.
    fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_stable_and_independent_of_others() {
        let five = |seed, label| {
            let mut draw = Draw::new(seed, label);
            (0..5).map(|_| draw.number()).collect::<Vec<_>>()
        };
        assert_eq!(five(7, "a"), five(7, "a"));
        assert_ne!(five(7, "a"), five(7, "b"));
        assert_ne!(five(7, "a"), five(8, "a"));
    }

    #[test]
    fn draws_stay_within_their_bounds_and_reach_both_ends() {
        let mut draw = Draw::new(1, "bounds");
        let drawn: Vec<_> = (0..1000).map(|_| draw.between(3, 6)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&6)));
        assert_eq!(draw.below(0), 0);
        assert_eq!(draw.pick::<u8>(&[]), None);
        let mut some = draw.some(&[1, 2, 3, 4, 5], 3);
        some.sort_unstable();
        some.dedup();
        assert_eq!(some.len(), 3);
    }

    #[test]
    fn half_of_the_log_normal_draws_lie_below_the_median() {
        let mut draw = Draw::new(1, "times");
        let median = Duration::from_millis(150);
        let below = (0..4000).filter(|_| draw.log_normal(median, 0.5) < median).count();
        assert!((1850..2150).contains(&below), "{below}");
    }
}
