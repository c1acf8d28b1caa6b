//! The table: each hyper-parameter's name, type, default, bounds and help.

use serde::Serialize;

/// The section of the page whose form shows a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Where the rows come from.
    Data,
    /// Training and test part.
    Split,
    /// Truncation and padding.
    Tokens,
    /// `TrainingArguments`.
    Training,
    /// What learns, and what it takes of the device's memory.
    Memory,
}

/// What values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
        /// What one press of an arrow key adds.
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
        /// What one press of an arrow key adds.
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
        /// What can be chosen.
        choices: &'static [&'static str],
    },
}

/// A hyper-parameter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Setting {
    /// Its name, transformers' or scikit-learn's own where they have one.
    pub name: &'static str,
    /// Where the form shows it.
    pub group: Group,
    /// Whether it stands under "more settings".
    pub advanced: bool,
    /// One English sentence.
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
    integer("num_rows", Group::Data, false, (100, 0, 10_000, 10),
        "Rows of the toy dataset, half of each class."),
    integer("dataset_seed", Group::Data, true, (42, 0, u32::MAX, 1),
        "Seed of the shuffle of the rows (pandas' random_state)."),
    number("test_size", Group::Split, false, (0.2, 0.0, 1.0, 0.05),
        "Share of the rows that is kept for evaluation; the number of rows is rounded up."),
    Setting { name: "stratify", group: Group::Split, advanced: false, kind: Kind::Boolean { default: true },
        help: "Keep the proportions of the classes on both sides of the split." },
    integer("random_state", Group::Split, true, (42, 0, u32::MAX, 1),
        "Seed of the split: the same seed gives scikit-learn's own choice of rows."),
    choice("padding", Group::Tokens, false, "longest", &["longest", "max_length"],
        "Fill each batch up to its longest row, or every row up to max_length: the results are the same, the work is not."),
    integer("max_length", Group::Tokens, false, (128, 2, 512, 8),
        "Tokens a row at most; longer rows are truncated."),
    number("num_train_epochs", Group::Training, false, (3.0, 0.0, 1000.0, 1.0),
        "Passes over the training rows."),
    integer("per_device_train_batch_size", Group::Training, false, (8, 1, 256, 1),
        "Rows in one forward and backward pass."),
    integer("per_device_eval_batch_size", Group::Training, true, (8, 1, 256, 1),
        "Rows in one forward pass of the evaluation."),
    integer("gradient_accumulation_steps", Group::Training, true, (1, 1, 256, 1),
        "Batches whose gradients are added up before one update."),
    number("learning_rate", Group::Training, false, (5e-5, 0.0, 1.0, 1e-5),
        "The highest learning rate of the schedule."),
    choice("lr_scheduler_type", Group::Training, true, "linear", &["linear", "cosine", "constant", "constant_with_warmup"],
        "How the learning rate changes over the steps."),
    integer("warmup_steps", Group::Training, false, (0, 0, 100_000, 1),
        "Steps over which the learning rate rises from 0."),
    number("warmup_ratio", Group::Training, true, (0.1, 0.0, 1.0, 0.05),
        "Share of all steps over which the learning rate rises, used when warmup_steps is 0."),
    number("weight_decay", Group::Training, true, (0.01, 0.0, 1.0, 0.01),
        "Decoupled weight decay on every weight but biases and LayerNorm."),
    number("max_grad_norm", Group::Training, true, (1.0, 0.0, 1000.0, 0.1),
        "Gradients are scaled down to this norm over all parameters together; 0 turns it off."),
    number("label_smoothing_factor", Group::Training, true, (0.0, 0.0, 0.99, 0.05),
        "Share of the target that is spread over all classes."),
    integer("max_steps", Group::Training, true, (0, 0, 1_000_000, 1),
        "Number of updates in all; 0 lets num_train_epochs decide."),
    number("adam_beta1", Group::Training, true, (0.9, 0.0, 0.9999, 0.01),
        "AdamW: decay of the mean of the gradient."),
    number("adam_beta2", Group::Training, true, (0.999, 0.0, 0.999_999, 0.001),
        "AdamW: decay of the mean of the squared gradient."),
    number("adam_epsilon", Group::Training, true, (1e-8, 0.0, 1.0, 1e-8),
        "AdamW: added to the denominator."),
    choice("tuning", Group::Memory, false, "full", &["full", "lora", "head"],
        "What learns: every parameter, LoRA's adapters beside the frozen network (with the classifier), or the classifier alone."),
    integer("lora_r", Group::Memory, false, (8, 1, 256, 1),
        "LoRA: rank of the adapters."),
    integer("lora_alpha", Group::Memory, false, (8, 1, 1024, 1),
        "LoRA: the adapters' update is scaled by lora_alpha / lora_r."),
    choice("lora_target_modules", Group::Memory, true, "query,value", &["query,value", "query,key,value", "all-linear"],
        "LoRA: the layers that get an adapter."),
    Setting { name: "gradient_checkpointing", group: Group::Memory, advanced: false, kind: Kind::Boolean { default: false },
        help: "Compute each layer's activations again on the way back instead of keeping them: the same result in less memory and about a third more time." },
    Setting { name: "fp16", group: Group::Memory, advanced: false, kind: Kind::Boolean { default: false },
        help: "Mixed precision: matrix products in 16 bits with loss scaling, everything else and the parameters in 32. It needs a GPU with shader-f16." },
    Setting { name: "freeze_embeddings", group: Group::Memory, advanced: true, kind: Kind::Boolean { default: false },
        help: "Full tuning: leave the embeddings as the checkpoint has them." },
    integer("freeze_layers", Group::Memory, true, (0, 0, 48, 1),
        "Full tuning: leave the embeddings and this many of the first encoder layers as the checkpoint has them."),
    Setting { name: "shuffle", group: Group::Training, advanced: true, kind: Kind::Boolean { default: true },
        help: "Take the training rows in a new random order in each epoch." },
    integer("seed", Group::Training, true, (42, 0, u32::MAX, 1),
        "Seed of the new head, the order of the batches and the dropouts."),
];
