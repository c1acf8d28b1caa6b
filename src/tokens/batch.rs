//! Rows of ids become rectangles `[batch, seq]`: padding and its mask.

use super::Encoding;

/// How a batch's rows are brought to one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// To the longest row of the batch (transformers' `DataCollatorWithPadding`).
    Longest,
    /// To `max_length`, whatever the rows are (`padding="max_length"`).
    MaxLength,
}

/// A rectangle of ids and its mask, row after row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Rows.
    pub batch: usize,
    /// Columns.
    pub seq: usize,
    /// Token ids, `[batch, seq]`.
    pub input_ids: Vec<i32>,
    /// 1 for a token, 0 for padding, `[batch, seq]`.
    pub attention_mask: Vec<u8>,
}

impl Batch {
    /// Tokens that are not padding.
    pub fn real_tokens(&self) -> usize {
        self.attention_mask.iter().map(|&mask| mask as usize).sum()
    }
}

/// Columns that `rows`, one batch, take with this padding.
pub fn batch_width<'a>(
    rows: impl Iterator<Item = &'a Encoding>,
    padding: Padding,
    max_length: usize,
) -> usize {
    match padding {
        Padding::Longest => rows.map(|row| row.input_ids.len()).max().unwrap_or(0),
        Padding::MaxLength => max_length,
    }
}

/// Rows and columns of the widest batch of up to `batch_size` of `rows`.
pub fn widest_batch<'a>(
    rows: impl ExactSizeIterator<Item = &'a Encoding>,
    batch_size: usize,
    padding: Padding,
    max_length: usize,
) -> [usize; 2] {
    let count = batch_size.min(rows.len());
    [count, batch_width(rows, padding, max_length)]
}

/// Pads `rows`, each at most `max_length` long, to one length.
pub fn pad_batch(
    rows: &[&Encoding],
    padding: Padding,
    max_length: usize,
    pad_token_id: u32,
) -> Batch {
    let seq = batch_width(rows.iter().copied(), padding, max_length);
    let mut input_ids = Vec::with_capacity(rows.len() * seq);
    let mut attention_mask = Vec::with_capacity(rows.len() * seq);
    for row in rows {
        input_ids.extend(row.input_ids.iter().map(|&id| id as i32));
        input_ids.extend(std::iter::repeat_n(
            pad_token_id as i32,
            seq - row.input_ids.len(),
        ));
        attention_mask.extend(std::iter::repeat_n(1, row.input_ids.len()));
        attention_mask.extend(std::iter::repeat_n(0, seq - row.input_ids.len()));
    }
    Batch {
        batch: rows.len(),
        seq,
        input_ids,
        attention_mask,
    }
}

/// Padding tokens of one pass over `rows` in batches of `batch_size`, in the order given.
pub fn padding_tokens(
    rows: &[&Encoding],
    batch_size: usize,
    padding: Padding,
    max_length: usize,
) -> usize {
    rows.chunks(batch_size)
        .map(|batch| {
            let seq = batch_width(batch.iter().copied(), padding, max_length);
            batch
                .iter()
                .map(|row| seq - row.input_ids.len())
                .sum::<usize>()
        })
        .sum()
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
        let batch = pad_batch(&rows, Padding::Longest, 6, 0);
        assert_eq!((batch.batch, batch.seq, batch.real_tokens()), (2, 4, 6));
        assert_eq!(batch.input_ids, [101, 102, 0, 0, 101, 7, 8, 102]);
        assert_eq!(batch.attention_mask, [1, 1, 0, 0, 1, 1, 1, 1]);
        assert_eq!(pad_batch(&rows, Padding::MaxLength, 6, 0).seq, 6);
        assert_eq!(padding_tokens(&rows, 8, Padding::Longest, 6), 2);
        assert_eq!(padding_tokens(&rows, 1, Padding::Longest, 6), 0);
        assert_eq!(padding_tokens(&rows, 2, Padding::MaxLength, 6), 6);
    }
}
