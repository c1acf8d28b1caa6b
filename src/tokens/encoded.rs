//! Both parts of a dataset as token ids.

use super::{DataCollator, Example, Padding, Tokenizer};
use crate::Result;
use crate::data::{Dataset, Split};
use std::rc::Rc;

/// The rows of both parts, encoded with one `max_length` and padded in one manner. Runs share them.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedSplit {
    /// Rows of the training part, in the order of the split.
    pub train: Rc<[Example]>,
    /// Rows of the test part.
    pub test: Rc<[Example]>,
    /// How batches are padded.
    pub padding: Padding,
    /// Tokens of a row at most.
    pub max_length: usize,
}

impl EncodedSplit {
    /// Encodes every row.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn new(
        dataset: &Dataset,
        split: &Split,
        tokenizer: &Tokenizer,
        max_length: usize,
        padding: Padding,
    ) -> Result<Self> {
        Ok(Self {
            train: tokenizer
                .examples(dataset, &split.train, max_length)?
                .into(),
            test: tokenizer.examples(dataset, &split.test, max_length)?.into(),
            padding,
            max_length,
        })
    }

    /// The collator that pads batches of these rows.
    pub fn collator(&self, pad_token_id: u32) -> DataCollator {
        DataCollator {
            padding: self.padding,
            max_length: self.max_length,
            pad_token_id,
        }
    }

    /// The padded width of each example, when batches of `batch_size` examples are taken in `order`.
    pub fn widths(&self, examples: &[Example], order: &[usize], batch_size: usize) -> Vec<usize> {
        let mut widths = vec![self.max_length; examples.len()];
        for batch in order.chunks(batch_size) {
            let rows = batch.iter().map(|&index| &examples[index].encoding);
            let width = self.collator(0).width(rows);
            for &index in batch {
                widths[index] = width;
            }
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Encoding;

    fn example(tokens: usize) -> Example {
        Example {
            encoding: Encoding {
                input_ids: vec![7; tokens],
                truncated: false,
            },
            label: 0,
        }
    }

    #[test]
    fn a_row_has_the_width_of_its_batch() {
        let mut rows = EncodedSplit {
            train: [3, 5, 2].map(example).into(),
            test: [].into(),
            padding: Padding::Longest,
            max_length: 8,
        };
        assert_eq!(rows.widths(&rows.train, &[2, 0, 1], 2), [3, 5, 3]);
        assert_eq!(rows.widths(&rows.train, &[0, 1, 2], 3), [5, 5, 5]);
        rows.padding = Padding::MaxLength;
        assert_eq!(rows.widths(&rows.train, &[0, 1, 2], 2), [8, 8, 8]);
    }
}
