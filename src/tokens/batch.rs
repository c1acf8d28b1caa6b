//! Padding: rows of ids → batches `[batch, seq]` with an attention mask.

use super::Encoding;

/// The length that the rows of a batch are padded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// The longest row of the batch (transformers' `DataCollatorWithPadding`).
    Longest,
    /// `max_length` (`padding="max_length"`).
    MaxLength,
}

/// Padded token ids and their mask, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Number of rows.
    pub batch: usize,
    /// Number of columns.
    pub seq: usize,
    /// Token ids, `[batch, seq]`.
    pub input_ids: Vec<i32>,
    /// 1 for a token, 0 for padding, `[batch, seq]`.
    pub attention_mask: Vec<u8>,
}

impl Batch {
    /// Returns the number of tokens that are not padding.
    pub fn real_tokens(&self) -> usize {
        self.attention_mask.iter().map(|&mask| mask as usize).sum()
    }
}

/// An encoded text with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The unpadded ids.
    pub encoding: Encoding,
    /// Label id.
    pub label: usize,
}

/// Pads encoded texts to batches.
///
/// Mirrors transformers' [`DataCollatorWithPadding`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/data/data_collator.py
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataCollator {
    /// The length that rows are padded to.
    pub padding: Padding,
    /// Maximum number of tokens of a row, and the number of each row with [`Padding::MaxLength`].
    pub max_length: usize,
    /// Id of the padding token.
    pub pad_token_id: u32,
}

impl DataCollator {
    /// Creates a collator that pads each batch to its longest row.
    pub fn longest(max_length: usize, pad_token_id: u32) -> Self {
        Self {
            padding: Padding::Longest,
            max_length,
            pad_token_id,
        }
    }

    /// Returns the number of columns of the batch of `rows`.
    pub fn width<'a>(&self, rows: impl Iterator<Item = &'a Encoding>) -> usize {
        match self.padding {
            Padding::Longest => rows.map(|row| row.input_ids.len()).max().unwrap_or(0),
            Padding::MaxLength => self.max_length,
        }
    }

    /// Returns rows and columns of the widest batch of at most `batch_size` of `rows`, in any order of the rows.
    pub fn widest_batch<'a>(
        &self,
        rows: impl ExactSizeIterator<Item = &'a Encoding>,
        batch_size: usize,
    ) -> [usize; 2] {
        let count = batch_size.min(rows.len());
        [count, self.width(rows)]
    }

    /// Pads `rows`, each of at most `max_length` tokens, to one length.
    ///
    /// # Shapes
    /// `rows.len()` encodings → `[batch, seq]`.
    pub fn collate(&self, rows: &[&Encoding]) -> Batch {
        let seq = self.width(rows.iter().copied());
        let mut input_ids = Vec::with_capacity(rows.len() * seq);
        let mut attention_mask = Vec::with_capacity(rows.len() * seq);
        for row in rows {
            let padding = seq - row.input_ids.len();
            input_ids.extend(row.input_ids.iter().map(|&id| id as i32));
            input_ids.extend(std::iter::repeat_n(self.pad_token_id as i32, padding));
            attention_mask.extend(std::iter::repeat_n(1, row.input_ids.len()));
            attention_mask.extend(std::iter::repeat_n(0, padding));
        }
        Batch {
            batch: rows.len(),
            seq,
            input_ids,
            attention_mask,
        }
    }

    /// Returns the number of padding tokens in an epoch over `rows` in this order, in batches of `batch_size`.
    pub fn padding_tokens(&self, rows: &[&Encoding], batch_size: usize) -> usize {
        let padding = |batch: &[&Encoding]| {
            let seq = self.width(batch.iter().copied());
            batch
                .iter()
                .map(|row| seq - row.input_ids.len())
                .sum::<usize>()
        };
        rows.chunks(batch_size).map(padding).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ids: &[u32]) -> Encoding {
        Encoding {
            input_ids: ids.to_vec(),
            truncated: false,
        }
    }

    #[test]
    fn pads_to_the_longest_row_or_to_max_length() {
        let (short, long) = (row(&[101, 102]), row(&[101, 7, 8, 102]));
        let rows = [&short, &long];
        let longest = DataCollator::longest(6, 0);
        let batch = longest.collate(&rows);
        assert_eq!((batch.batch, batch.seq, batch.real_tokens()), (2, 4, 6));
        assert_eq!(batch.input_ids, [101, 102, 0, 0, 101, 7, 8, 102]);
        assert_eq!(batch.attention_mask, [1, 1, 0, 0, 1, 1, 1, 1]);
        let max_length = DataCollator {
            padding: Padding::MaxLength,
            ..longest
        };
        assert_eq!(max_length.collate(&rows).seq, 6);
        assert_eq!(longest.padding_tokens(&rows, 8), 2);
        assert_eq!(longest.padding_tokens(&rows, 1), 0);
        assert_eq!(max_length.padding_tokens(&rows, 2), 6);
    }
}
