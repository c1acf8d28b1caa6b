//! Rows of a dataset as training examples.

use super::{Example, Tokenizer};
use crate::Result;
use crate::data::Dataset;

impl Tokenizer {
    /// Encodes the rows of `dataset` at the indices `rows`, each truncated to `max_length` tokens: the `map` with a
    /// tokenizer of a [transformers
    /// script](https://github.com/huggingface/transformers/blob/main/examples/pytorch/text-classification/run_glue.py).
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    ///
    /// # Panics
    /// For an index that the dataset does not have.
    pub fn examples(
        &self,
        dataset: &Dataset,
        rows: &[usize],
        max_length: usize,
    ) -> Result<Vec<Example>> {
        rows.iter()
            .map(|&row| {
                let row = &dataset.rows[row];
                Ok(Example {
                    encoding: self.encode(&row.text, max_length)?,
                    label: row.label,
                })
            })
            .collect()
    }
}
