//! The rows as token ids, and how the page shows them: padded as in their batches.

use super::Session;
use super::protocol::{Part, TokenRow, TokensView};
use crate::data::Split;
use crate::hub::Environment;
use crate::settings::{RunSettings, Values};
use crate::tokens::{EncodedSplit, Encoding, Example, Tokenizer};
use crate::train::{MemoryProbe, epoch_order};
use crate::{Error, Result};

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
        let tokens = EncodedSplit::new(
            dataset,
            split,
            &model.tokenizer,
            settings.max_length,
            settings.padding,
        )?;
        let view = view(&tokens, split, &model.tokenizer, &settings);
        self.tokens = Some(tokens);
        Ok(view)
    }
}

/// Every row with the padding of its batch in the first epoch, in the order of the split.
fn view(
    tokens: &EncodedSplit,
    split: &Split,
    tokenizer: &Tokenizer,
    settings: &RunSettings,
) -> TokensView {
    let arguments = &settings.arguments;
    let order = epoch_order(arguments.seed, 0, tokens.train.len());
    let train = tokens.widths(&tokens.train, &order, arguments.per_device_train_batch_size);
    let in_order: Vec<usize> = (0..tokens.test.len()).collect();
    let test = tokens.widths(
        &tokens.test,
        &in_order,
        arguments.per_device_eval_batch_size,
    );

    let show = |part, rows: &[usize], examples: &[Example], widths: &[usize]| {
        let rows = rows.iter().zip(examples).zip(widths);
        rows.map(|((&row, example), &width)| {
            token_row(row, part, &example.encoding, width, tokenizer)
        })
        .collect::<Vec<_>>()
    };
    let mut rows = show(Part::Train, &split.train, &tokens.train, &train);
    rows.extend(show(Part::Test, &split.test, &tokens.test, &test));

    let length = |row: &Example| row.encoding.input_ids.len();
    let real_tokens: usize = tokens.train.iter().map(length).sum();
    TokensView {
        rows,
        real_tokens,
        padding_tokens: train.iter().sum::<usize>() - real_tokens,
        longest: tokens
            .train
            .iter()
            .chain(&tokens.test)
            .map(length)
            .max()
            .unwrap_or(0),
        max_length: tokens.max_length,
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
