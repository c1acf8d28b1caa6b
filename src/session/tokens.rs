//! The rows as token ids, and how the page shows them: padded as in their batches.

use super::Session;
use super::protocol::{Part, TokenRow, TokenRows, TokensView, page};
use crate::hub::Environment;
use crate::settings::{RunSettings, Values};
use crate::tokens::{EncodedSplit, Encoding, Example, Tokenizer};
use crate::train::{MemoryProbe, epoch_order};
use crate::{Error, Result};
use std::ops::Deref;

/// The rows of both parts as token ids, and the width of each row's batch in the first epoch.
pub(super) struct Tokenized {
    rows: EncodedSplit,
    train_widths: Vec<usize>,
    test_widths: Vec<usize>,
}

impl Tokenized {
    fn new(rows: EncodedSplit, settings: &RunSettings) -> Self {
        let arguments = &settings.arguments;
        let order = match settings.shuffle {
            true => epoch_order(arguments.seed, 0, rows.train.len()),
            false => (0..rows.train.len()).collect(),
        };
        let in_order: Vec<usize> = (0..rows.test.len()).collect();
        Self {
            train_widths: rows.widths(&rows.train, &order, arguments.per_device_train_batch_size),
            test_widths: rows.widths(&rows.test, &in_order, arguments.per_device_eval_batch_size),
            rows,
        }
    }

    fn view(&self) -> TokensView {
        let length = |row: &Example| row.encoding.input_ids.len();
        let all = || self.train.iter().chain(self.test.iter());
        let real_tokens: usize = self.train.iter().map(length).sum();
        TokensView {
            num_rows: self.train.len() + self.test.len(),
            truncated_rows: all().filter(|row| row.encoding.truncated).count(),
            real_tokens,
            padding_tokens: self.train_widths.iter().sum::<usize>() - real_tokens,
            longest: all().map(length).max().unwrap_or(0),
            max_length: self.max_length,
        }
    }

    /// The part, the position in it, the encoding and the padded width of a row.
    fn row(&self, at: usize) -> (Part, usize, &Encoding, usize) {
        match at.checked_sub(self.train.len()) {
            None => (
                Part::Train,
                at,
                &self.train[at].encoding,
                self.train_widths[at],
            ),
            Some(at) => (
                Part::Test,
                at,
                &self.test[at].encoding,
                self.test_widths[at],
            ),
        }
    }
}

impl Deref for Tokenized {
    type Target = EncodedSplit;

    fn deref(&self) -> &EncodedSplit {
        &self.rows
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Tokenizes every row of both parts.
    ///
    /// # Errors
    /// [`Error::Setting`] for a `max_length` beyond the model's positions, [`Error::NotReady`] without a split or a
    /// model.
    pub(super) fn tokenize(&mut self, values: &Values) -> Result<TokensView> {
        let settings = RunSettings::from_values(values)?;
        let (dataset, split) = self.require_split()?;
        let model = self.require_model()?;
        let positions = model.network.bert.embeddings.max_length();
        if settings.max_length > positions {
            return Err(Error::Setting {
                field: "max_length".into(),
                value: settings.max_length.to_string(),
                expected: format!("this model has positions for {positions} tokens at most"),
            });
        }
        let rows = EncodedSplit::new(
            dataset,
            split,
            &model.tokenizer,
            settings.max_length,
            settings.padding,
        )?;
        let tokens = Tokenized::new(rows, &settings);
        let view = tokens.view();
        self.tokens = Some(tokens);
        Ok(view)
    }

    /// A page of the tokenized rows, each with the padding of its batch in the first epoch: the training part in the
    /// order of the split, then the test part.
    ///
    /// # Errors
    /// [`Error::NotReady`] when the rows are not tokenized.
    pub(super) fn token_rows(&self, offset: usize, count: usize) -> Result<TokenRows> {
        let ((_, split), tokens) = (self.require_split()?, self.require_tokens()?);
        let tokenizer = &self.require_model()?.tokenizer;
        let range = page(offset, count, tokens.train.len() + tokens.test.len());
        let offset = range.start;
        let rows = range.map(|at| {
            let (part, at, encoding, width) = tokens.row(at);
            let row = match part {
                Part::Train => split.train[at],
                Part::Test => split.test[at],
            };
            token_row(row, part, encoding, width, tokenizer)
        });
        Ok(TokenRows {
            offset,
            rows: rows.collect(),
        })
    }
}

fn token_row(
    row: usize,
    part: Part,
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
