//! The table: name, type, default, bounds and help of each hyper-parameter.

use crate::train::MAX_RUN_STEPS;
use serde::Serialize;

/// The section of the page that has a setting in its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// The dataset.
    Data,
    /// Training and test part.
    Split,
    /// Truncation and padding.
    Tokens,
    /// `TrainingArguments`.
    Training,
    /// Trainable parameters and device memory.
    Memory,
}

/// Type, default and bounds of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Kind {
    /// A whole number in `min..=max`.
    Integer {
        /// Default.
        default: u32,
        /// Smallest value.
        min: u32,
        /// Largest value.
        max: u32,
        /// Increment of an arrow key in the form.
        step: u32,
    },
    /// A finite number in `min..=max`.
    Number {
        /// Default.
        default: f64,
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// Increment of an arrow key in the form.
        step: f64,
    },
    /// On or off.
    Boolean {
        /// Default.
        default: bool,
    },
    /// One of `choices`.
    Choice {
        /// Default.
        default: &'static str,
        /// The allowed values.
        choices: &'static [&'static str],
    },
}

/// A hyper-parameter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Setting {
    /// Its name; that of transformers, PEFT or scikit-learn if it exists there.
    pub name: &'static str,
    /// The section of the form.
    pub group: Group,
    /// Whether the form shows it only under "more settings".
    pub advanced: bool,
    /// The explanation, one English sentence.
    pub help: &'static str,
    /// Type, default and bounds.
    #[serde(flatten)]
    pub kind: Kind,
}

const fn integer(
    name: &'static str,
    group: Group,
    advanced: bool,
    (default, min, max, step): (u32, u32, u32, u32),
    help: &'static str,
) -> Setting {
    let kind = Kind::Integer {
        default,
        min,
        max,
        step,
    };
    Setting {
        name,
        group,
        advanced,
        help,
        kind,
    }
}

const fn number(
    name: &'static str,
    group: Group,
    advanced: bool,
    (default, min, max, step): (f64, f64, f64, f64),
    help: &'static str,
) -> Setting {
    let kind = Kind::Number {
        default,
        min,
        max,
        step,
    };
    Setting {
        name,
        group,
        advanced,
        help,
        kind,
    }
}

const fn boolean(
    name: &'static str,
    group: Group,
    advanced: bool,
    default: bool,
    help: &'static str,
) -> Setting {
    Setting {
        name,
        group,
        advanced,
        help,
        kind: Kind::Boolean { default },
    }
}

const fn choice(
    name: &'static str,
    group: Group,
    advanced: bool,
    default: &'static str,
    choices: &'static [&'static str],
    help: &'static str,
) -> Setting {
    Setting {
        name,
        group,
        advanced,
        help,
        kind: Kind::Choice { default, choices },
    }
}

/// Every setting, in the order of the form. Defaults are the recommended preset.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    choice("toy_dataset", Group::Data, false, "reviews", &["reviews", "article"],
        "Varied reviews from a generator, or the two sentences of the article, each repeated."),
    integer("num_rows", Group::Data, false, (160, 0, 100_000, 10),
        "Rows of the toy dataset, equally many of each class."),
    choice("toy_language", Group::Data, true, "en", &["en", "ko"],
        "Language of the generated reviews: English or Korean."),
    choice("toy_classes", Group::Data, true, "2", &["2", "5"],
        "Classes of the generated reviews: negative and positive, or one to five stars."),
    number("label_noise", Group::Data, true, (0.0, 0.0, 0.5, 0.05),
        "Share of the generated reviews that get a wrong label."),
    integer("dataset_seed", Group::Data, true, (42, 0, u32::MAX, 1),
        "Seed of the shuffle of the rows (pandas' random_state)."),
    number("test_size", Group::Split, false, (0.2, 0.0, 1.0, 0.05),
        "Share of the rows that is kept for evaluation, rounded up to whole rows."),
    boolean("stratify", Group::Split, false, true,
        "Keep the proportions of the classes in both parts of the split."),
    boolean("group_duplicates", Group::Split, false, true,
        "Keep rows of the same or nearly the same text in one part of the split. Off, the parts are scikit-learn's."),
    integer("random_state", Group::Split, true, (42, 0, u32::MAX, 1),
        "Seed of the split: the same seed chooses the same rows as in scikit-learn."),
    choice("padding", Group::Tokens, false, "longest", &["longest", "max_length"],
        "Pad each batch to its longest row, or every row to max_length: the same results, with more work."),
    integer("max_length", Group::Tokens, false, (128, 2, 512, 8),
        "Maximum tokens of a row; longer rows are truncated."),
    number("num_train_epochs", Group::Training, false, (2.0, 0.0, 1000.0, 1.0),
        "Passes over the training rows."),
    integer("per_device_train_batch_size", Group::Training, false, (8, 1, 256, 1),
        "Rows in one forward and backward pass."),
    integer("per_device_eval_batch_size", Group::Training, true, (8, 1, 256, 1),
        "Rows in one forward pass of the evaluation."),
    integer("gradient_accumulation_steps", Group::Training, true, (1, 1, 256, 1),
        "Batches whose gradients are accumulated before one update."),
    number("learning_rate", Group::Training, false, (3e-4, 0.0, 1.0, 1e-5),
        "The peak learning rate of the schedule."),
    number("head_learning_rate", Group::Training, true, (1e-3, 0.0, 1.0, 1e-4),
        "The peak learning rate of pooler and classifier, on the same schedule; 0 uses learning_rate."),
    choice("lr_scheduler_type", Group::Training, true, "linear",
        &["linear", "cosine", "constant", "constant_with_warmup"],
        "How the learning rate changes over the steps."),
    integer("warmup_steps", Group::Training, false, (0, 0, 100_000, 1),
        "Steps in which the learning rate rises from 0."),
    number("warmup_ratio", Group::Training, true, (0.1, 0.0, 1.0, 0.05),
        "Share of all steps in which the learning rate rises, used if warmup_steps is 0."),
    number("weight_decay", Group::Training, true, (0.01, 0.0, 1.0, 0.01),
        "Decoupled weight decay on every parameter except biases and LayerNorm."),
    number("max_grad_norm", Group::Training, true, (1.0, 0.0, 1000.0, 0.1),
        "Maximum norm of all gradients together; larger gradients are scaled down to it. 0 disables it."),
    number("label_smoothing_factor", Group::Training, true, (0.0, 0.0, 0.99, 0.05),
        "Share of the target distribution that is spread over all classes."),
    choice("classifier_pooling", Group::Training, true, "cls", &["cls", "mean"],
        "What the classifier gets of a text: the output of the pooler (cls), or the mean of the last hidden states \
         (mean). After export, a model with mean needs a few lines of code to load."),
    choice("class_weight", Group::Training, true, "none", &["none", "balanced"],
        "Weights of the classes in the loss: none, or balanced as in scikit-learn, so that each class counts the same \
         however many training rows it has."),
    integer("max_steps", Group::Training, true, (0, 0, MAX_RUN_STEPS as u32, 1),
        "Number of updates of the run; 0 uses num_train_epochs."),
    boolean("load_best_model_at_end", Group::Training, true, false,
        "At the end of the run, restore the weights of the epoch with the best evaluation."),
    choice("metric_for_best_model", Group::Training, true, "eval_loss",
        &["eval_loss", "eval_accuracy", "eval_macro_f1"],
        "The metric that decides which epoch is the best: the lowest loss, or the highest accuracy or macro F1."),
    integer("early_stopping_patience", Group::Training, true, (0, 0, 1000, 1),
        "Stop after this many evaluations in a row that are no better than the best one; 0 turns it off."),
    number("validation_size", Group::Training, true, (0.0, 0.0, 0.5, 0.05),
        "Share of the training rows that is held out to choose the best epoch; 0 uses the test part, which makes its \
         results look better than they are."),
    choice("save_strategy", Group::Training, true, "no", &["no", "epoch", "steps", "best"],
        "When the model is saved during training: never, at the end of each epoch, every save_steps updates, or after \
         each evaluation that is better than all before it. The export has these checkpoints in results/."),
    integer("save_steps", Group::Training, true, (500, 1, MAX_RUN_STEPS as u32, 10),
        "Updates from one saved checkpoint to the next, with save_strategy = steps."),
    integer("save_total_limit", Group::Training, true, (0, 0, 1000, 1),
        "The most saved checkpoints that are kept: the oldest are removed, but not the best one; 0 keeps all."),
    integer("state_save_seconds", Group::Training, true, (10, 0, 3600, 5),
        "Seconds from one save of the run's state to the next, from which it continues after a crash; more where \
         saving would take over 3 % of the time. 0 saves no state."),
    number("adam_beta1", Group::Training, true, (0.9, 0.0, 0.9999, 0.01),
        "AdamW: decay of the mean of the gradient."),
    number("adam_beta2", Group::Training, true, (0.999, 0.0, 0.999_999, 0.001),
        "AdamW: decay of the mean of the squared gradient."),
    number("adam_epsilon", Group::Training, true, (1e-8, 1e-12, 1.0, 1e-8),
        "AdamW: added to the denominator."),
    choice("tuning", Group::Memory, false, "full", &["full", "lora", "head"],
        "Trainable parameters: all, LoRA's adapters beside the frozen network and the classifier, or the classifier."),
    integer("lora_r", Group::Memory, false, (8, 1, 256, 1),
        "LoRA: rank of the adapters."),
    integer("lora_alpha", Group::Memory, false, (8, 1, 1024, 1),
        "LoRA: the output of the adapters is scaled by lora_alpha / lora_r."),
    choice("lora_target_modules", Group::Memory, true, "query,value",
        &["query,value", "query,key,value", "all-linear"],
        "LoRA: the layers that get an adapter."),
    boolean("gradient_checkpointing", Group::Memory, false, false,
        "Recompute each layer's activations in the backward pass instead of storing them: \
         the same result in less memory and about a third more time."),
    boolean("fp16", Group::Memory, false, false,
        "Mixed precision: matrix products of 16-bit operands with loss scaling, everything else and the parameters in \
         32 bits. It needs a GPU with shader-f16. It saves no memory, and its speed has not been measured on a GPU."),
    boolean("freeze_embeddings", Group::Memory, true, false,
        "Full tuning: do not train the embeddings."),
    integer("freeze_layers", Group::Memory, true, (0, 0, 48, 1),
        "Full tuning: if above 0, do not train the embeddings and this many of the first encoder layers."),
    boolean("shuffle", Group::Training, true, true,
        "Take the training rows in a new random order in each epoch."),
    integer("seed", Group::Training, true, (42, 0, u32::MAX, 1),
        "Seed of the new head, the order of the batches and the dropout masks."),
];
