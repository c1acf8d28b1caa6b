//! The rows of the word embedding table that a run can change.
//!
//! A row that no training text selects has no gradient, and its moments stay 0: AdamW only multiplies it by the weight
//! decay. So a run trains a table with the other rows alone, and the whole table is put together where a reader asks
//! for the model. The updates are those of the whole table: half of MiniLM's values, moments and gradients are not read
//! and written in each of them.

use super::Trainer;
use crate::Result;
use crate::bert::BertForSequenceClassification;
use crate::kernels::PROCEEDS;
use crate::tokens::Example;
use burn::module::Param;
use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};

/// A table with more than this share of the rows is trained as a whole.
const WORTHWHILE: f64 = 0.75;

/// The whole table, and which of its rows are trained.
#[derive(Debug)]
pub(super) struct WordRows {
    /// The row of the trained table for each token id; those of other ids are not used.
    place: Vec<i32>,
    /// The token id of each trained row, `[rows]`.
    ids: Tensor<1, Int>,
    /// The whole table, with 0 in the trained rows, `[vocab_size, hidden_size]`.
    others: Tensor<2>,
    /// What weight decay has multiplied the other rows by, `[1]`; none without weight decay.
    decay: Option<Tensor<1>>,
}

impl WordRows {
    /// Replaces the word embeddings of `model` by the rows that `train` and padding select. None, and the same model,
    /// if the table is not trained, is split into blocks, or has few other rows.
    pub(super) fn split(
        model: BertForSequenceClassification,
        train: &[Example],
        pad_token_id: u32,
    ) -> (BertForSequenceClassification, Option<Self>) {
        let table = &model.bert.embeddings.word_embeddings;
        let [vocab_size, _] = table.first.dims();
        let ids = selected(train, pad_token_id);
        let is_inside = ids.last().is_some_and(|&id| (id as usize) < vocab_size);
        let is_one = table.rest.is_empty() && table.first.val().is_require_grad();
        if !(is_one && is_inside && is_worthwhile(ids.len(), vocab_size)) {
            return (model, None);
        }
        let whole = table.first.val().inner();
        let device = whole.device();
        let mut place = vec![0; vocab_size];
        let mut is_other = vec![1.0_f32; vocab_size];
        for (at, &id) in ids.iter().enumerate() {
            place[id as usize] = at as i32;
            is_other[id as usize] = 0.0;
        }
        let rows = ids.len();
        let ids = Tensor::from_data(TensorData::new(ids, [rows]), &device);
        let is_other = TensorData::new(is_other, [vocab_size, 1]);
        let others = whole.clone() * Tensor::<2>::from_data(is_other, &device);
        let trained = whole.select(0, ids.clone());
        let split = Self {
            place,
            ids,
            others,
            decay: None,
        };
        (with_table(model, trained), Some(split))
    }

    /// Replaces token ids by the rows of the trained table.
    pub(super) fn localize(&self, input_ids: &mut [i32]) {
        for id in input_ids {
            *id = self.place.get(*id as usize).copied().unwrap_or(0);
        }
    }

    /// Takes note of an update with weight decay: `clip` is what decided whether it proceeds, and `rate` is the
    /// learning rate times the weight decay.
    pub(super) fn updated(&mut self, clip: &Tensor<1>, rate: f64) {
        if rate == 0.0 {
            return;
        }
        let proceeds = clip.clone().narrow(0, PROCEEDS, 1);
        let factor = proceeds.mul_scalar(-rate).add_scalar(1.0);
        self.decay = Some(match self.decay.take() {
            Some(decay) => decay * factor,
            None => factor,
        });
    }

    /// What weight decay has multiplied the other rows by, `[1]`.
    pub(super) fn decay(&self) -> Option<Tensor<1>> {
        self.decay.clone()
    }

    /// Continues from a [`decay`](Self::decay).
    pub(super) fn set_decay(&mut self, decay: Option<Tensor<1>>) {
        self.decay = decay;
    }

    /// The model with the whole table.
    pub(super) fn whole(
        &self,
        model: &BertForSequenceClassification,
    ) -> BertForSequenceClassification {
        let trained = model.bert.embeddings.word_embeddings.first.val().inner();
        let others = match &self.decay {
            Some(decay) => self.others.clone() * decay.clone().unsqueeze::<2>(),
            None => self.others.clone(),
        };
        // Added to 0, so the values are those of the trained table.
        let whole = others.select_assign(0, self.ids.clone(), trained, IndexingUpdateOp::Add);
        with_table(model.clone(), whole)
    }
}

/// The token ids of the rows and of padding, each once, in ascending order.
fn selected(train: &[Example], pad_token_id: u32) -> Vec<i32> {
    let mut is_selected = Vec::new();
    let ids = train.iter().flat_map(|row| &row.encoding.input_ids);
    for &id in ids.chain([&pad_token_id]) {
        let id = id as usize;
        if is_selected.len() <= id {
            is_selected.resize(id + 1, false);
        }
        is_selected[id] = true;
    }
    let ids = (0..).zip(is_selected);
    ids.filter_map(|(id, is_selected)| is_selected.then_some(id))
        .collect()
}

/// The number of rows of the word embedding table that a run on `train` changes, if it trains those rows alone; none if
/// it trains the whole table. The table is one block, and trainable.
pub fn trained_word_rows(train: &[Example], pad_token_id: u32, vocab_size: usize) -> Option<usize> {
    let rows = selected(train, pad_token_id).len();
    is_worthwhile(rows, vocab_size).then_some(rows)
}

fn is_worthwhile(rows: usize, vocab_size: usize) -> bool {
    (rows as f64) < WORTHWHILE * vocab_size as f64
}

/// The model with another word embedding table, which is trainable under the id of the former one.
fn with_table(
    mut model: BertForSequenceClassification,
    table: Tensor<2>,
) -> BertForSequenceClassification {
    let first = &mut model.bert.embeddings.word_embeddings.first;
    *first = Param::initialized(first.id, Tensor::from_inner(table).require_grad());
    model
}

impl Trainer {
    /// The model after the last update; at the end of a run with `load_best_model_at_end`, that of the best evaluation.
    /// Its tensors are shared with the trainer, except for the word embeddings, which are put together.
    ///
    /// # Errors
    /// [`crate::Error::NotReady`] after an update that was interrupted.
    pub fn model(&self) -> Result<BertForSequenceClassification> {
        let model = self.trained_model()?;
        Ok(match &self.word_rows {
            Some(rows) => self.whole.get_or_init(|| rows.whole(model)).clone(),
            None => model.clone(),
        })
    }

    /// Puts the word embeddings together for good. No update follows.
    pub(super) fn end_word_rows(&mut self) {
        if let Some(rows) = self.word_rows.take() {
            let whole = self.whole.take();
            let model = self.model.take();
            self.model = model.map(|model| whole.unwrap_or_else(|| rows.whole(&model)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::random::tiny_config;
    use crate::bert::{LoadLimits, random_network};
    use crate::tokens::{DataCollator, Encoding};
    use crate::train::{Event, TrainerOptions, TrainingArguments};
    use burn::tensor::Device;
    use pollster::block_on;

    fn rows(texts: &[&[u32]]) -> Vec<Example> {
        let row = |(at, ids): (usize, &&[u32])| Example {
            encoding: Encoding {
                input_ids: ids.to_vec(),
                truncated: false,
            },
            label: at % 2,
        };
        texts.iter().enumerate().map(row).collect()
    }

    /// A trainer whose evaluation has words that no training row has.
    fn trainer(arguments: TrainingArguments) -> Trainer {
        let device = Device::flex().autodiff();
        let config = tiny_config();
        let model = random_network(&config, 2, 1, &device, LoadLimits::default());
        let train = rows(&[&[1, 7, 5], &[1, 5], &[1, 9, 9, 2], &[1, 3]]);
        let eval = rows(&[&[1, 4, 6, 8], &[1, 9, 10]]);
        let options = TrainerOptions {
            arguments,
            collator: DataCollator::longest(4, 0),
            shuffle: true,
        };
        Trainer::new(block_on(model).unwrap(), train.into(), eval.into(), options).unwrap()
    }

    /// The same with the whole table trained.
    fn dense(arguments: TrainingArguments) -> Trainer {
        let mut trainer = trainer(arguments);
        trainer.model = Some(trainer.model().unwrap());
        trainer.word_rows = None;
        trainer
    }

    fn parameters(trainer: &Trainer) -> Vec<f32> {
        let parameters = trainer.model().unwrap().named_parameters().into_iter();
        parameters
            .flat_map(|parameter| block_on(parameter.read()).unwrap())
            .collect()
    }

    fn assert_equal(one: &[f32], other: &[f32]) {
        assert_eq!(one.len(), other.len());
        for (at, (a, b)) in one.iter().zip(other).enumerate() {
            assert!(
                (a - b).abs() <= 1e-6 * b.abs().max(1e-2),
                "{at}: {a} and {b}"
            );
        }
    }

    /// Runs both to their end and compares losses, evaluations and weights after each event.
    fn compare(arguments: TrainingArguments) {
        let (mut split, mut whole) = (trainer(arguments.clone()), dense(arguments));
        assert!(split.word_rows.is_some());
        loop {
            let events = [&mut split, &mut whole].map(|trainer| block_on(trainer.step()).unwrap());
            assert_equal(&parameters(&split), &parameters(&whole));
            match events {
                [Event::Step { logs: a, .. }, Event::Step { logs: b, .. }] => {
                    let of = |logs: &[crate::train::StepLog]| -> Vec<f32> {
                        logs.iter()
                            .flat_map(|log| [log.loss, log.grad_norm])
                            .map(|x| x as f32)
                            .collect()
                    };
                    assert_equal(&of(&a), &of(&b));
                }
                [Event::Evaluated(a), Event::Evaluated(b)] => {
                    assert_equal(&[a.loss as f32], &[b.loss as f32]);
                }
                [Event::Finished, Event::Finished] => break,
                _ => {}
            }
        }
        assert!(split.word_rows.is_none());
        assert_equal(&parameters(&split), &parameters(&whole));
    }

    fn arguments() -> TrainingArguments {
        TrainingArguments {
            num_train_epochs: 3.0,
            per_device_train_batch_size: 2,
            learning_rate: 1e-2,
            ..TrainingArguments::default()
        }
    }

    #[test]
    fn a_run_on_some_rows_is_the_run_on_the_whole_table() {
        compare(arguments());
        compare(TrainingArguments {
            gradient_accumulation_steps: 2,
            per_device_train_batch_size: 1,
            ..arguments()
        });
    }

    #[test]
    fn weight_decay_reaches_rows_that_no_text_selects() {
        let arguments = TrainingArguments {
            weight_decay: 0.1,
            ..arguments()
        };
        let before = parameters(&trainer(arguments.clone()));
        compare(arguments.clone());
        let mut trainer = trainer(arguments);
        trainer.update().unwrap();
        // Row 4 of the first parameter, which only the evaluation has.
        let at = 4 * tiny_config().hidden_size;
        assert!(parameters(&trainer)[at].abs() < before[at].abs());
    }

    #[test]
    fn the_best_weights_are_restored_with_their_words() {
        compare(TrainingArguments {
            weight_decay: 0.1,
            load_best_model_at_end: true,
            learning_rate: 0.5,
            ..arguments()
        });
    }

    #[test]
    fn a_table_with_few_other_rows_or_without_gradient_is_not_split() {
        let trainer = trainer(arguments());
        let model = trainer.model().unwrap();
        let all: Vec<u32> = (0..tiny_config().vocab_size as u32).collect();
        assert!(
            WordRows::split(model.clone(), &rows(&[&all]), 0)
                .1
                .is_none()
        );
        let frozen = burn::module::Module::no_grad(model);
        assert!(WordRows::split(frozen, &trainer.train, 0).1.is_none());
    }
}
