//! The toy reviews of the article: two sentences, each repeated for half of the rows, shuffled.

use super::{Dataset, ReviewOptions, Row, review_dataset};
use crate::random::RandomState;

/// The sentence of label 1, positive.
pub const POSITIVE_SENTENCE: &str = "This product has been an amazing addition to my kitchen.";
/// The sentence of label 0, negative.
pub const NEGATIVE_SENTENCE: &str = "I'm very disappointed with the purchase. Would not recommend.";

/// Which toy dataset to generate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ToyDataset {
    /// The article's two sentences, see [`toy_dataset`].
    Article {
        /// Number of rows.
        num_rows: usize,
        /// Seed of the shuffle.
        seed: u32,
    },
    /// Varied reviews.
    Reviews(ReviewOptions),
}

impl ToyDataset {
    /// Generates the rows.
    pub fn generate(&self) -> Dataset {
        match self {
            ToyDataset::Article { num_rows, seed } => toy_dataset(*num_rows, *seed),
            ToyDataset::Reviews(options) => review_dataset(options),
        }
    }
}

/// Returns `num_rows` rows, the first half (rounded up) positive and the rest negative, shuffled as pandas'
/// `df.sample(frac=1, random_state=seed)` does.
pub fn toy_dataset(num_rows: usize, seed: u32) -> Dataset {
    let positive = num_rows.div_ceil(2);
    let rows = RandomState::new(seed)
        .permutation(num_rows)
        .into_iter()
        .map(|at| {
            let (text, label) = if at < positive {
                (POSITIVE_SENTENCE, 1)
            } else {
                (NEGATIVE_SENTENCE, 0)
            };
            Row {
                text: text.into(),
                label,
            }
        })
        .collect();
    Dataset {
        rows,
        labels: vec!["negative".into(), "positive".into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_both_sentences_in_shuffled_halves() {
        let dataset = toy_dataset(100, 42);
        assert_eq!(dataset.label_counts(), [50, 50]);
        assert!(
            dataset
                .rows
                .iter()
                .all(|row| row.text == [NEGATIVE_SENTENCE, POSITIVE_SENTENCE][row.label])
        );
        assert_ne!(dataset, toy_dataset(100, 43));
        assert_eq!(dataset, toy_dataset(100, 42));
        assert_eq!(toy_dataset(7, 1).label_counts(), [3, 4]);
    }
}
