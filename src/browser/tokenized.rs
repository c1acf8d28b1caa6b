//! Both parts of the dataset as token ids, and how the page is shown them: as they stand in their batches.

use super::views::{TokenRow, TokensView};
use crate::Result;
use crate::data::{Dataset, Split};
use crate::settings::RunSettings;
use crate::tokens::{DataCollator, Encoding, Example, Padding, Tokenizer};
use crate::train::epoch_order;

/// The rows of both parts, encoded.
pub(super) struct Tokenized {
    pub train: Vec<Example>,
    pub test: Vec<Example>,
    pub padding: Padding,
    pub max_length: usize,
}

impl Tokenized {
    pub(super) fn new(
        dataset: &Dataset,
        split: &Split,
        tokenizer: &Tokenizer,
        settings: &RunSettings,
    ) -> Result<Self> {
        let encode = |part: &[usize]| -> Result<Vec<Example>> {
            part.iter()
                .map(|&row| {
                    let row = &dataset.rows[row];
                    Ok(Example {
                        encoding: tokenizer.encode(&row.text, settings.max_length)?,
                        label: row.label,
                    })
                })
                .collect()
        };
        Ok(Self {
            train: encode(&split.train)?,
            test: encode(&split.test)?,
            padding: settings.padding,
            max_length: settings.max_length,
        })
    }

    /// Pads its batches.
    pub(super) fn collator(&self, pad_token_id: u32) -> DataCollator {
        DataCollator {
            padding: self.padding,
            max_length: self.max_length,
            pad_token_id,
        }
    }

    /// Every row with the padding that it gets in the first epoch's batches, in the order of the split.
    pub(super) fn view(
        &self,
        split: &Split,
        tokenizer: &Tokenizer,
        settings: &RunSettings,
    ) -> TokensView {
        let arguments = &settings.arguments;
        let order = epoch_order(arguments.seed, 0, self.train.len());
        let train = self.widths(&self.train, &order, arguments.per_device_train_batch_size);
        let in_order: Vec<usize> = (0..self.test.len()).collect();
        let test = self.widths(&self.test, &in_order, arguments.per_device_eval_batch_size);

        let show = |part, rows: &[usize], examples: &[Example], widths: &[usize]| {
            let rows = rows.iter().zip(examples).zip(widths);
            rows.map(|((&row, example), &width)| {
                token_row(row, part, &example.encoding, width, tokenizer)
            })
            .collect::<Vec<_>>()
        };
        let mut rows = show("train", &split.train, &self.train, &train);
        rows.extend(show("test", &split.test, &self.test, &test));

        let lengths = |examples: &[Example]| -> Vec<usize> {
            examples
                .iter()
                .map(|row| row.encoding.input_ids.len())
                .collect()
        };
        let real: usize = lengths(&self.train).iter().sum();
        TokensView {
            rows,
            real_tokens: real,
            padding_tokens: train.iter().sum::<usize>() - real,
            longest: [lengths(&self.train), lengths(&self.test)]
                .concat()
                .into_iter()
                .max()
                .unwrap_or(0),
            max_length: self.max_length,
        }
    }

    /// Columns of the batch that each example stands in, when batches are taken in `order`.
    fn widths(&self, examples: &[Example], order: &[usize], batch_size: usize) -> Vec<usize> {
        let mut widths = vec![self.max_length; examples.len()];
        for batch in order.chunks(batch_size) {
            let rows = batch.iter().map(|&at| &examples[at].encoding);
            let width = self.collator(0).width(rows);
            for &at in batch {
                widths[at] = width;
            }
        }
        widths
    }
}

fn token_row(
    row: usize,
    part: &'static str,
    encoding: &Encoding,
    width: usize,
    tokenizer: &Tokenizer,
) -> TokenRow {
    let real = encoding.input_ids.len();
    let mut input_ids = encoding.input_ids.clone();
    input_ids.resize(width, tokenizer.pad_token_id());
    TokenRow {
        row,
        part,
        tokens: tokenizer.tokens(&input_ids),
        attention_mask: (0..width).map(|at| u8::from(at < real)).collect(),
        input_ids,
        truncated: encoding.truncated,
    }
}
