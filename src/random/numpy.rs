//! NumPy's legacy [`RandomState`][numpy], for the shuffles of pandas and scikit-learn.
//!
//! [numpy]: https://numpy.org/doc/stable/reference/random/legacy.html

use rand_mt::Mt;

/// The Mersenne Twister of `numpy.random.RandomState(seed)`.
pub struct RandomState {
    mt: Mt,
}

impl RandomState {
    /// Seeds the generator as `RandomState(seed)` does.
    pub fn new(seed: u32) -> Self {
        Self { mt: Mt::new(seed) }
    }

    /// Draws a uniform integer in `0..=max` by masked rejection: `random_interval` in NumPy's `distributions.c`.
    pub(crate) fn interval(&mut self, max: u32) -> u32 {
        if max == 0 {
            return 0;
        }
        let mask = u32::MAX >> max.leading_zeros();
        loop {
            let value = self.mt.next_u32() & mask;
            if value <= max {
                return value;
            }
        }
    }

    /// Returns the numbers `0..n` in random order: `RandomState.permutation(n)`.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.interval(i as u32) as usize);
        }
        order
    }

    /// Draws a uniform integer in `0..high`: `RandomState.randint(high)`.
    ///
    /// # Panics
    /// If `high` is 0.
    pub fn randint(&mut self, high: u32) -> u32 {
        assert!(high > 0, "an integer below 0 does not exist");
        self.interval(high - 1)
    }

    /// Draws `size` of `items` without replacement: `RandomState.choice(items, size, replace=False)`.
    ///
    /// # Panics
    /// If `size` exceeds the number of items.
    pub fn choice(&mut self, items: &[usize], size: usize) -> Vec<usize> {
        let order = self.permutation(items.len());
        order[..size].iter().map(|&at| items[at]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutation_matches_numpy() {
        // numpy.random.RandomState(42).permutation(10), recorded with NumPy 2.
        assert_eq!(
            RandomState::new(42).permutation(10),
            [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]
        );
        assert!(RandomState::new(0).permutation(0).is_empty());
    }

    #[test]
    fn integers_match_numpy() {
        let mut random = RandomState::new(42);
        // [numpy.random.RandomState(42).randint(high) for high in …] of one generator, recorded with NumPy 2.
        let drawn = [10, 3, 1000, 1, 7, 48, 2, 100_000].map(|high| random.randint(high));
        assert_eq!(drawn, [6, 0, 270, 0, 2, 7, 0, 76_820]);
    }
}
