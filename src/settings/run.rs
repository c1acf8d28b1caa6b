//! Converts the values of a form, a URL or `training_args.json` to the options of a run.

use super::{Kind, SETTINGS, Setting, Values};
use crate::bert::{ClassifierPooling, LoraConfig, TargetModules};
use crate::data::{ReviewLanguage, ReviewOptions, SplitOptions, ToyDataset};
use crate::tokens::{DataCollator, Padding};
use crate::train::{
    ClassWeight, LrSchedulerType, MetricForBestModel, SaveStrategy, TrainerOptions,
    TrainingArguments, Tuning, TuningMethod, rows_after_hold_out,
};
use crate::{Error, Result};
use serde_json::Value;

const UNKNOWN: &str = "there is no setting of this name";

/// The settings of a run, checked by the table's types and bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSettings {
    /// The generator of the toy dataset.
    pub toy_dataset: ToyDataset,
    /// Options of the split into training and test rows.
    pub split: SplitOptions,
    /// Share of the training rows that is held out to choose the best epoch; with 0 it is chosen on the test part.
    pub validation_size: f64,
    /// Maximum tokens of a row, special tokens included.
    pub max_length: usize,
    /// How batches are padded.
    pub padding: Padding,
    /// Whether each epoch takes the training rows in a new random order.
    pub shuffle: bool,
    /// What the classifier gets of a text.
    pub classifier_pooling: ClassifierPooling,
    /// Which parameters are trained.
    pub tuning: Tuning,
    /// Seconds between two saves of the run's state; 0 saves none.
    pub state_save_seconds: f64,
    /// Batches, schedule, optimizer and precision.
    pub arguments: TrainingArguments,
}

impl RunSettings {
    /// Checks `values` against [`SETTINGS`]; a setting that is not given has its default.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value of another type, out of bounds or not finite, and for a name that is no setting.
    pub fn from_values(values: &Values) -> Result<Self> {
        let is_setting = |name: &str| SETTINGS.iter().any(|setting| setting.name == name);
        if let Some((name, value)) = values.iter().find(|(name, _)| !is_setting(name)) {
            return Err(refused(name, value, UNKNOWN));
        }
        let table = Checked(values);
        Ok(Self {
            toy_dataset: toy_dataset(&table)?,
            split: SplitOptions {
                test_size: table.number("test_size")?,
                random_state: table.integer("random_state")?,
                stratify: table.boolean("stratify")?,
                group_duplicates: table.boolean("group_duplicates")?,
            },
            validation_size: table.number("validation_size")?,
            max_length: table.size("max_length")?,
            shuffle: table.boolean("shuffle")?,
            padding: match table.choice("padding")? {
                "max_length" => Padding::MaxLength,
                _ => Padding::Longest,
            },
            classifier_pooling: match table.choice("classifier_pooling")? {
                "mean" => ClassifierPooling::Mean,
                _ => ClassifierPooling::Cls,
            },
            tuning: tuning(&table)?,
            state_save_seconds: f64::from(table.integer("state_save_seconds")?),
            arguments: training_arguments(&table)?,
        }
        .with_the_rate_of_a_lone_head())
    }

    /// Where the classifier alone is trained, its learning rate is the only one: the Trainer would log it.
    fn with_the_rate_of_a_lone_head(mut self) -> Self {
        let head = self.arguments.head_learning_rate;
        if self.tuning.method == TuningMethod::Head && head > 0.0 {
            self.arguments.learning_rate = head;
        }
        self
    }

    /// The rows that are trained on, of `rows` in the training part.
    pub fn training_rows(&self, rows: usize) -> usize {
        rows_after_hold_out(rows, self.validation_size)
    }

    /// The options of a [`Trainer`](crate::train::Trainer) for rows of a tokenizer with this padding token.
    pub fn trainer_options(&self, pad_token_id: u32) -> TrainerOptions {
        TrainerOptions {
            arguments: self.arguments.clone(),
            collator: DataCollator {
                padding: self.padding,
                max_length: self.max_length,
                pad_token_id,
            },
            shuffle: self.shuffle,
        }
    }
}

fn toy_dataset(table: &Checked) -> Result<ToyDataset> {
    let (num_rows, seed) = (table.size("num_rows")?, table.integer("dataset_seed")?);
    let reviews = ReviewOptions {
        num_rows,
        seed,
        language: match table.choice("toy_language")? {
            "ko" => ReviewLanguage::Ko,
            _ => ReviewLanguage::En,
        },
        num_classes: match table.choice("toy_classes")? {
            "5" => 5,
            _ => 2,
        },
        label_noise: table.number("label_noise")?,
    };
    Ok(match table.choice("toy_dataset")? {
        "article" => ToyDataset::Article { num_rows, seed },
        _ => ToyDataset::Reviews(reviews),
    })
}

fn training_arguments(table: &Checked) -> Result<TrainingArguments> {
    Ok(TrainingArguments {
        num_train_epochs: table.number("num_train_epochs")?,
        per_device_train_batch_size: table.size("per_device_train_batch_size")?,
        per_device_eval_batch_size: table.size("per_device_eval_batch_size")?,
        gradient_accumulation_steps: table.size("gradient_accumulation_steps")?,
        learning_rate: table.number("learning_rate")?,
        head_learning_rate: table.number("head_learning_rate")?,
        lr_scheduler_type: match table.choice("lr_scheduler_type")? {
            "cosine" => LrSchedulerType::Cosine,
            "constant" => LrSchedulerType::Constant,
            "constant_with_warmup" => LrSchedulerType::ConstantWithWarmup,
            _ => LrSchedulerType::Linear,
        },
        warmup_steps: table.size("warmup_steps")?,
        warmup_ratio: table.number("warmup_ratio")?,
        weight_decay: table.number("weight_decay")?,
        max_grad_norm: table.number("max_grad_norm")?,
        label_smoothing_factor: table.number("label_smoothing_factor")?,
        class_weight: match table.choice("class_weight")? {
            "balanced" => ClassWeight::Balanced,
            _ => ClassWeight::None,
        },
        max_steps: table.size("max_steps")?,
        load_best_model_at_end: table.boolean("load_best_model_at_end")?,
        metric_for_best_model: match table.choice("metric_for_best_model")? {
            "eval_accuracy" => MetricForBestModel::EvalAccuracy,
            "eval_macro_f1" => MetricForBestModel::EvalMacroF1,
            _ => MetricForBestModel::EvalLoss,
        },
        early_stopping_patience: table.size("early_stopping_patience")?,
        save_strategy: save_strategy(table)?,
        save_steps: table.size("save_steps")?,
        save_total_limit: table.size("save_total_limit")?,
        adam_beta1: table.number("adam_beta1")?,
        adam_beta2: table.number("adam_beta2")?,
        adam_epsilon: table.number("adam_epsilon")?,
        gradient_checkpointing: table.boolean("gradient_checkpointing")?,
        fp16: table.boolean("fp16")?,
        seed: table.integer("seed")?,
    })
}

/// With `load_best_model_at_end` the Trainer refuses a strategy that does not save the evaluated weights. To save
/// nothing is allowed: the best weights are kept on the device.
fn save_strategy(table: &Checked) -> Result<SaveStrategy> {
    let strategy = match table.choice("save_strategy")? {
        "epoch" => SaveStrategy::Epoch,
        "steps" => SaveStrategy::Steps,
        "best" => SaveStrategy::Best,
        _ => SaveStrategy::No,
    };
    if strategy == SaveStrategy::Steps && table.boolean("load_best_model_at_end")? {
        let expected = "with load_best_model_at_end it must be epoch, best or no, because the weights are evaluated at \
                        the end of each epoch";
        return Err(refused("save_strategy", "steps", expected));
    }
    Ok(strategy)
}

fn tuning(table: &Checked) -> Result<Tuning> {
    Ok(Tuning {
        method: match table.choice("tuning")? {
            "lora" => TuningMethod::Lora,
            "head" => TuningMethod::Head,
            _ => TuningMethod::Full,
        },
        lora: LoraConfig {
            r: table.size("lora_r")?,
            lora_alpha: table.size("lora_alpha")?,
            target_modules: match table.choice("lora_target_modules")? {
                "query,key,value" => TargetModules::QueryKeyValue,
                "all-linear" => TargetModules::AllLinear,
                _ => TargetModules::QueryValue,
            },
        },
        freeze_embeddings: table.boolean("freeze_embeddings")?,
        freeze_layers: table.size("freeze_layers")?,
    })
}

/// Reads values, checked by the table's types and bounds.
struct Checked<'a>(&'a Values);

impl Checked<'_> {
    fn find(&self, name: &'static str) -> Result<(&'static Setting, Option<&Value>)> {
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        let setting = setting.ok_or_else(|| refused(name, "", UNKNOWN))?;
        Ok((setting, self.0.get(name)))
    }

    /// An integer that counts something.
    fn size(&self, name: &'static str) -> Result<usize> {
        self.integer(name).map(|value| value as usize)
    }

    fn integer(&self, name: &'static str) -> Result<u32> {
        let (setting, value) = self.find(name)?;
        let Kind::Integer {
            default, min, max, ..
        } = setting.kind
        else {
            return Err(refused(name, "", "is not an integer in the table"));
        };
        let Some(value) = value else {
            return Ok(default);
        };
        // A number from JavaScript is an f64 even if it is an integer.
        let whole = value
            .as_f64()
            .filter(|number| number.fract() == 0.0 && (min as f64..=max as f64).contains(number));
        whole.map(|number| number as u32).ok_or_else(|| {
            refused(
                name,
                value,
                format!("it must be a whole number from {min} to {max}"),
            )
        })
    }

    fn number(&self, name: &'static str) -> Result<f64> {
        let (setting, value) = self.find(name)?;
        let Kind::Number {
            default, min, max, ..
        } = setting.kind
        else {
            return Err(refused(name, "", "is not a number in the table"));
        };
        let Some(value) = value else {
            return Ok(default);
        };
        let number = value.as_f64().filter(|number| (min..=max).contains(number));
        number.ok_or_else(|| {
            // JSON has no NaN: a NaN of the page arrives as null.
            let shown = if value.is_null() {
                "NaN".to_string()
            } else {
                value.to_string()
            };
            refused(
                name,
                shown,
                format!("it must be a number from {min} to {max}"),
            )
        })
    }

    fn boolean(&self, name: &'static str) -> Result<bool> {
        let (setting, value) = self.find(name)?;
        let Kind::Boolean { default } = setting.kind else {
            return Err(refused(name, "", "is not a switch in the table"));
        };
        let Some(value) = value else {
            return Ok(default);
        };
        value
            .as_bool()
            .ok_or_else(|| refused(name, value, "it must be true or false"))
    }

    fn choice(&self, name: &'static str) -> Result<&'static str> {
        let (setting, value) = self.find(name)?;
        let Kind::Choice { default, choices } = setting.kind else {
            return Err(refused(name, "", "is not a choice in the table"));
        };
        let Some(value) = value else {
            return Ok(default);
        };
        choices
            .iter()
            .copied()
            .find(|choice| value.as_str() == Some(choice))
            .ok_or_else(|| {
                refused(
                    name,
                    value,
                    format!("it must be one of {}", choices.join(", ")),
                )
            })
    }
}

fn refused(field: &str, value: impl ToString, expected: impl Into<String>) -> Error {
    Error::Setting {
        field: field.into(),
        value: value.to_string(),
        expected: expected.into(),
    }
}
