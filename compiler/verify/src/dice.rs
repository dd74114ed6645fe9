//! Seeded randomness.
//!
//! In: a seed. Out: choices that depend on the seed and on the order of the calls only, on every machine: the
//! generator is ChaCha, whose stream is fixed, unlike that of `StdRng`.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of choices.
#[derive(Debug, Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The same seed gives the same choices.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `limit`; 0 when there is none. Drawn as u64, so that it is the same on 32-bit machines.
    pub fn below(&mut self, limit: usize) -> usize {
        if limit == 0 {
            return 0;
        }
        usize::try_from(self.0.random_range(0..limit as u64)).unwrap_or(0)
    }

    /// A number from `from` to `to`, both included.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        self.0.random_range(from..=to.max(from))
    }

    /// True in `n` of 100 cases.
    pub fn percent(&mut self, n: u32) -> bool {
        self.0.random_range(0..100) < n
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// One of the words; they are never none.
    pub fn word(&mut self, words: &[&'static str]) -> &'static str {
        self.pick(words).copied().unwrap_or_default()
    }

    /// An index, with the chance of each in proportion to its weight.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u32 = weights.iter().sum();
        let mut left = u32::try_from(self.below(total as usize)).unwrap_or(0);
        for (at, &weight) in weights.iter().enumerate() {
            if left < weight {
                return at;
            }
            left -= weight;
        }
        0
    }

    /// Puts the items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_choices() {
        let mut one = Dice::new(7);
        let mut two = Dice::new(7);
        let first: Vec<usize> = (0..20).map(|_| one.below(100)).collect();
        let second: Vec<usize> = (0..20).map(|_| two.below(100)).collect();
        assert_eq!(first, second);
        assert_eq!(one.weighted(&[0, 5, 0]), 1);
    }
}
