//! The rows as token ids, and how the page shows them: padded as in their batches.

use super::baselines::Embeddings;
use super::protocol::{Part, SessionEvent, TokenRow, TokenRows, TokensView, WorkEvent, page};
use super::token_warnings::unknown_tokens;
use super::{Listener, STOPPED, Session, check_stop};
use crate::data::{Row, Split};
use crate::hub::Environment;
use crate::settings::{RunSettings, Values};
use crate::tokens::{EncodedSplit, Encoding, Example, TokenCount, Tokenizer};
use crate::train::{MemoryProbe, epoch_order};
use crate::{Error, Result, Warning};
use std::ops::Deref;
use std::rc::Rc;

/// Rows that are tokenized before the worker reads its messages.
const ROWS_PER_PIECE: usize = 200;

/// The rows of both parts as token ids, and the width of each row's batch in the first epoch.
pub(super) struct Tokenized {
    rows: EncodedSplit,
    /// Tokens of each row without a limit: the training part, then the test part.
    counts: Vec<TokenCount>,
    train_widths: Vec<usize>,
    test_widths: Vec<usize>,
    /// The embeddings of the rows, once they are computed.
    embeddings: Option<Rc<Embeddings>>,
    warnings: Vec<Warning>,
}

impl Tokenized {
    fn new(
        rows: EncodedSplit,
        counts: Vec<TokenCount>,
        settings: &RunSettings,
        warnings: Vec<Warning>,
    ) -> Self {
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
            counts,
            embeddings: None,
            warnings,
        }
    }

    /// Tokens of each training row without a limit.
    pub(super) fn train_lengths(&self) -> Vec<usize> {
        let train = self.counts.iter().take(self.train.len());
        train.map(|count| count.length).collect()
    }

    /// Tokens of each row of the dataset, and those of them that are `[UNK]`; 0 for a row that is in no part of the
    /// split.
    pub(super) fn counts_by_row(&self, split: &Split, num_rows: usize) -> (Vec<usize>, Vec<usize>) {
        let (mut lengths, mut unknown) = (vec![0; num_rows], vec![0; num_rows]);
        for (&row, count) in split.train.iter().chain(&split.test).zip(&self.counts) {
            (lengths[row], unknown[row]) = (count.length, count.unknown);
        }
        (lengths, unknown)
    }

    pub(super) fn embeddings(&self) -> Option<Rc<Embeddings>> {
        self.embeddings.clone()
    }

    pub(super) fn set_embeddings(&mut self, embeddings: Rc<Embeddings>) {
        self.embeddings = Some(embeddings);
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
            warnings: self.warnings.clone(),
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
    /// model, [`Error::Stopped`].
    pub(super) async fn tokenize(
        &mut self,
        values: &Values,
        fetch: &E::Fetch,
        listener: &dyn Listener,
    ) -> Result<TokensView> {
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
        let rows = split.train.iter().chain(&split.test);
        let total = split.train.len() + split.test.len();
        let mut examples = Vec::with_capacity(total);
        let mut counts = Vec::with_capacity(total);
        for &row in rows {
            let Row { text, label } = &dataset.rows[row];
            let (encoding, count) = model
                .tokenizer
                .encode_and_count(text, settings.max_length)?;
            let label = *label;
            examples.push(Example { encoding, label });
            counts.push(count);
            let done = counts.len();
            if done.is_multiple_of(ROWS_PER_PIECE) && done < total {
                let event = WorkEvent::Tokenizing { done, total };
                listener.event(SessionEvent::Work(event));
                check_stop(&self.clock, fetch, STOPPED).await?;
            }
        }
        let test = examples.split_off(split.train.len());
        let rows = EncodedSplit {
            train: examples.into(),
            test: test.into(),
            padding: settings.padding,
            max_length: settings.max_length,
        };
        let texts = || {
            split
                .train
                .iter()
                .chain(&split.test)
                .map(|&row| dataset.rows[row].text.as_str())
        };
        let warning = unknown_tokens(&model.tokenizer, texts, &counts)?;
        let warnings = warning.into_iter().collect();
        let tokens = Tokenized::new(rows, counts, &settings, warnings);
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
