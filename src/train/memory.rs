//! The device memory of a run, before it starts: parameters, gradients, optimizer state and activations, in bytes.
//!
//! The page reuses a buffer only for tensors of the same size (`src/browser/device.rs`). The peak of a run is
//! therefore, for each size, the largest number of tensors of that size that are alive at one time. `memory/count.rs`
//! counts them. A browser test compares the sum with the buffers that WebGPU allocates.
//!
//! Saving a checkpoint, like an export, reads the weights back in chunks of 8 MiB. It is not counted: the session frees
//! the buffers of the last step before it, and those of the read-back after it.

mod count;

use super::{TrainingArguments, Tuning};
use crate::bert::{BertConfig, ClassifierPooling, LoadLimits};
use crate::tokens::{DataCollator, Example};
use count::{Alive, Count};
use serde::Serialize;

/// Bytes of an f32.
const VALUE: u64 = 4;

/// Bytes that do not depend on the run: the kernels' scalars, of which cubecl keeps up to 512 sets, and the buffers
/// of read-backs.
const RUNTIME: u64 = 3 << 20;

/// The shapes of the widest batches of a run, `[batch, seq]`, padding included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchShapes {
    /// Of the forward and backward pass.
    pub train: [usize; 2],
    /// Of the forward pass of an evaluation.
    pub eval: [usize; 2],
}

impl BatchShapes {
    /// The shapes for tokenized rows.
    pub fn of(
        collator: &DataCollator,
        train: &[Example],
        eval: &[Example],
        arguments: &TrainingArguments,
    ) -> Self {
        let widest = |examples: &[Example], batch_size| {
            let rows = examples.iter().map(|row| &row.encoding);
            collator.widest_batch(rows, batch_size)
        };
        Self {
            train: widest(train, arguments.per_device_train_batch_size),
            eval: widest(eval, arguments.per_device_eval_batch_size),
        }
    }

    /// The shapes if the epochs are evaluated on a validation part of the training rows `train`, whichever rows it has.
    pub fn with_validation(
        self,
        collator: &DataCollator,
        train: &[Example],
        arguments: &TrainingArguments,
    ) -> Self {
        let rows = train.iter().map(|row| &row.encoding);
        let [batch, seq] = collator.widest_batch(rows, arguments.per_device_eval_batch_size);
        Self {
            eval: [self.eval[0].max(batch), self.eval[1].max(seq)],
            ..self
        }
    }

    /// The shapes for this many training and evaluation rows of at most `longest` tokens.
    pub fn upper_bound(rows: [usize; 2], longest: usize, arguments: &TrainingArguments) -> Self {
        let [train, eval] = rows;
        Self {
            train: [arguments.per_device_train_batch_size.min(train), longest],
            eval: [arguments.per_device_eval_batch_size.min(eval), longest],
        }
    }
}

/// What the memory of a run depends on.
#[derive(Debug, Clone, Copy)]
pub struct MemoryDemand<'a> {
    /// The network.
    pub config: &'a BertConfig,
    /// Classes of its head.
    pub num_labels: usize,
    /// Rows of the widest batch in training.
    pub batch: usize,
    /// Columns of the widest batch in training, padding included.
    pub seq: usize,
    /// `[batch, seq]` of the widest batch in an evaluation.
    pub evaluation: [usize; 2],
    /// Whether the gradients of several batches are added before an update.
    pub accumulates: bool,
    /// Whether the backward pass recomputes activations instead of storing them.
    pub gradient_checkpointing: bool,
    /// Which parameters are trained.
    pub tuning: Tuning,
    /// Whether the loaded network is kept beside the one that is trained, to compare them.
    pub keeps_original: bool,
    /// Whether the weights of the best epoch are kept beside those in training.
    pub keeps_best: bool,
    /// What the classifier gets of a text: with the mean, the pooler is not trained.
    pub classifier_pooling: ClassifierPooling,
    /// Bytes of the trained model that is kept beside the run, as far as the run does not share them.
    pub kept: u64,
    /// The limits that the network was loaded with, which set the blocks of its word embeddings.
    pub limits: LoadLimits,
    /// The rows of the word embeddings that a run trains, if not all of them (`trained_word_rows`).
    pub word_rows: Option<usize>,
}

impl<'a> MemoryDemand<'a> {
    /// The demand of a run that keeps the loaded network.
    pub fn new(
        config: &'a BertConfig,
        num_labels: usize,
        shapes: BatchShapes,
        arguments: &TrainingArguments,
        tuning: Tuning,
        limits: LoadLimits,
    ) -> Self {
        let [batch, seq] = shapes.train;
        Self {
            config,
            num_labels,
            batch,
            seq,
            evaluation: shapes.eval,
            accumulates: arguments.gradient_accumulation_steps > 1,
            gradient_checkpointing: arguments.gradient_checkpointing,
            tuning,
            keeps_original: true,
            keeps_best: arguments.load_best_model_at_end,
            classifier_pooling: config.classifier_pooling,
            kept: 0,
            limits,
            word_rows: None,
        }
    }
}

/// The device memory that a run needs, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemoryPlan {
    /// Parameters of the checkpoint and of adapters.
    pub parameters: u64,
    /// Copies of the trainable ones: of the loaded network if it is kept, and of the best epoch if it is restored.
    pub original: u64,
    /// The parameters of the model that was trained before and is kept.
    pub kept: u64,
    /// One gradient of each trainable parameter, and the accumulated gradients if there are several batches an update.
    pub gradients: u64,
    /// AdamW's two moments of each trainable parameter.
    pub optimizer: u64,
    /// What the forward pass stores for the backward pass, and the temporaries of both, at the widest batch.
    pub activations: u64,
    /// What does not depend on the run: the kernels' scalars and the buffers of read-backs.
    pub runtime: u64,
    /// The bytes of all buffers at the peak; less than the sum where gradients reuse buffers of activations.
    pub total: u64,
    /// The largest tensor that depends on the batch. A kernel binds at most `maxStorageBufferBindingSize` bytes at
    /// once.
    pub largest: u64,
}

impl MemoryPlan {
    /// Counts the memory of a run.
    pub fn new(demand: &MemoryDemand) -> Self {
        let mut count = Count::new(demand);
        count.parameters();
        count.activations();
        let sum = |of: fn(&Alive) -> u64| -> u64 {
            let sizes = count.sizes.iter();
            sizes.map(|(size, alive)| VALUE * size * of(alive)).sum()
        };
        Self {
            parameters: sum(|alive| alive.parameters),
            original: sum(|alive| alive.original),
            kept: demand.kept,
            gradients: sum(|alive| alive.gradients),
            optimizer: sum(|alive| alive.moments),
            activations: sum(|alive| alive.activations),
            runtime: RUNTIME,
            total: RUNTIME
                + demand.kept
                + sum(|alive| {
                    let lasting = alive.parameters + alive.original + alive.moments;
                    lasting + alive.gradients.max(alive.activations)
                }),
            largest: VALUE * count.largest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::{LoraConfig, TargetModules};
    use crate::tokens::Encoding;
    use crate::train::TuningMethod;

    const TUNING: Tuning = Tuning {
        method: TuningMethod::Full,
        lora: LoraConfig {
            r: 8,
            lora_alpha: 8,
            target_modules: TargetModules::QueryValue,
        },
        freeze_embeddings: false,
        freeze_layers: 0,
    };

    fn bert_base(tuning: Tuning, batch: usize, gradient_checkpointing: bool) -> MemoryPlan {
        MemoryPlan::new(&MemoryDemand {
            config: &BertConfig::default(),
            num_labels: 2,
            batch,
            seq: 128,
            evaluation: [batch, 128],
            accumulates: false,
            gradient_checkpointing,
            tuning,
            keeps_original: true,
            keeps_best: false,
            classifier_pooling: ClassifierPooling::Cls,
            kept: 0,
            limits: LoadLimits::default(),
            word_rows: None,
        })
    }

    /// `bert-base-uncased` has 109,483,778 parameters with two labels (`num_parameters` of transformers).
    #[test]
    fn parameters_are_counted_as_transformers_does() {
        let plan = bert_base(TUNING, 8, false);
        assert_eq!(plan.parameters, 4 * 109_483_778);
        assert_eq!(plan.gradients, plan.parameters);
        assert_eq!(plan.original, plan.parameters);
        assert_eq!(plan.optimizer, 2 * plan.parameters);
        let lora = Tuning {
            method: TuningMethod::Lora,
            ..TUNING
        };
        // `print_trainable_parameters` of PEFT: 296,450, the classifier's 1,538 among them.
        assert_eq!(bert_base(lora, 8, false).gradients, 4 * 296_450);
        let head = Tuning {
            method: TuningMethod::Head,
            ..TUNING
        };
        assert_eq!(bert_base(head, 8, false).gradients, 4 * 1538);
        let frozen = Tuning {
            freeze_layers: 11,
            ..TUNING
        };
        let (layer, pooler) = (7_087_872, 590_592);
        assert_eq!(
            bert_base(frozen, 8, false).gradients,
            4 * (layer + pooler + 1538)
        );
    }

    #[test]
    fn blocks_of_the_word_embeddings_need_the_memory_of_one_table() {
        let plan = |limits| {
            MemoryPlan::new(&MemoryDemand {
                config: &BertConfig::default(),
                num_labels: 2,
                batch: 8,
                seq: 128,
                evaluation: [8, 128],
                accumulates: false,
                gradient_checkpointing: false,
                tuning: TUNING,
                keeps_original: true,
                keeps_best: false,
                classifier_pooling: ClassifierPooling::Cls,
                kept: 0,
                limits,
                word_rows: None,
            })
        };
        // 30,522 rows of 768 values are 93.8 MB: two blocks.
        let (whole, blocks) = (
            plan(LoadLimits::default()),
            plan(LoadLimits::for_binding_size(128 << 20)),
        );
        assert_eq!(blocks, whole);
    }

    #[test]
    fn every_suggestion_needs_less_memory() {
        let whole = bert_base(TUNING, 8, false);
        let lora = Tuning {
            method: TuningMethod::Lora,
            ..TUNING
        };
        let head = Tuning {
            method: TuningMethod::Head,
            ..TUNING
        };
        let totals = [
            whole.total,
            bert_base(TUNING, 4, false).total,
            bert_base(TUNING, 8, true).total,
            bert_base(lora, 8, false).total,
            bert_base(lora, 8, true).total,
            bert_base(head, 8, false).total,
        ];
        assert!(totals.is_sorted_by(|a, b| a > b), "{totals:?}");
        assert!(bert_base(TUNING, 4, false).largest < whole.largest);
    }

    #[test]
    fn rows_of_the_word_embeddings_that_no_text_has_need_no_gradient_and_no_moments() {
        let config = BertConfig::default();
        let plan = |word_rows| {
            let shapes = BatchShapes {
                train: [8, 16],
                eval: [8, 16],
            };
            let arguments = TrainingArguments::default();
            let limits = LoadLimits::default();
            MemoryPlan::new(&MemoryDemand {
                word_rows,
                ..MemoryDemand::new(&config, 2, shapes, &arguments, TUNING, limits)
            })
        };
        let (all, some) = (plan(None), plan(Some(200)));
        let row = 4 * config.hidden_size as u64;
        let others = row * (config.vocab_size as u64 - 200);
        assert_eq!(all.optimizer - some.optimizer, 2 * others);
        assert_eq!(some.parameters - all.parameters, 200 * row);
        assert_eq!(some.original, all.original);
        // The whole table, for an evaluation.
        assert_eq!(some.gradients, all.gradients + 200 * row);
        assert_eq!(some.total, all.total - 2 * others + 2 * 200 * row);
    }

    #[test]
    fn the_best_epoch_is_a_further_copy_of_the_trainable_parameters() {
        let config = BertConfig::default();
        let shapes = BatchShapes {
            train: [8, 128],
            eval: [8, 128],
        };
        let plan = |load_best_model_at_end, method| {
            let arguments = TrainingArguments {
                load_best_model_at_end,
                ..Default::default()
            };
            let tuning = Tuning { method, ..TUNING };
            let limits = LoadLimits::default();
            let demand = MemoryDemand::new(&config, 2, shapes, &arguments, tuning, limits);
            MemoryPlan::new(&demand)
        };
        for (method, trainable) in [
            (TuningMethod::Full, 109_483_778),
            (TuningMethod::Lora, 296_450),
            (TuningMethod::Head, 1538),
        ] {
            let (without, with) = (plan(false, method), plan(true, method));
            assert_eq!(with.original - without.original, 4 * trainable);
            assert_eq!(with.total - without.total, 4 * trainable);
        }
    }

    #[test]
    fn shapes_are_bounded_by_the_rows() {
        let arguments = TrainingArguments {
            gradient_accumulation_steps: 2,
            ..Default::default()
        };
        let row = |tokens: usize| Example {
            encoding: Encoding {
                input_ids: vec![0; tokens],
                truncated: false,
            },
            label: 0,
        };
        let (train, eval) = (vec![row(5); 20], [row(3), row(9)]);
        let collator = DataCollator::longest(64, 0);
        let shapes = BatchShapes::of(&collator, &train, &eval, &arguments);
        assert_eq!((shapes.train, shapes.eval), ([8, 5], [2, 9]));
        let bound = BatchShapes::upper_bound([20, 2], 64, &arguments);
        assert_eq!((bound.train, bound.eval), ([8, 64], [2, 64]));

        let (config, limits) = (BertConfig::default(), LoadLimits::default());
        let demand = MemoryDemand::new(&config, 2, shapes, &arguments, TUNING, limits);
        assert_eq!((demand.batch, demand.seq), (8, 5));
        assert!(demand.accumulates && demand.keeps_original && !demand.gradient_checkpointing);
    }
}
