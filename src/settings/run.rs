//! Values become what a run needs, checked by the table's types and bounds.

use super::{Kind, SETTINGS, Setting, Values};
use crate::bert::{LoraConfig, TargetModules};
use crate::data::SplitOptions;
use crate::tokens::Padding;
use crate::train::{LrSchedulerType, TrainingArguments, Tuning, TuningMethod};
use crate::{Error, Result};
use serde_json::Value;

/// What a run needs to know, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSettings {
    /// Rows of the toy dataset.
    pub num_rows: usize,
    /// Seed of the dataset's shuffle.
    pub dataset_seed: u32,
    /// How the rows are divided.
    pub split: SplitOptions,
    /// Tokens a row at most.
    pub max_length: usize,
    /// How batches are filled up.
    pub padding: Padding,
    /// Whether the training rows are taken in a new random order in each epoch.
    pub shuffle: bool,
    /// What of the model is trained.
    pub tuning: Tuning,
    /// How it is trained.
    pub arguments: TrainingArguments,
}

impl RunSettings {
    /// Checks `values` against [`SETTINGS`]; a setting that is not given has its default.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value of another type, out of bounds, not finite, or for a name that is no setting.
    pub fn from_values(values: &Values) -> Result<Self> {
        if let Some(name) = values
            .keys()
            .find(|name| SETTINGS.iter().all(|setting| setting.name != *name))
        {
            return Err(Error::Setting {
                field: name.clone(),
                value: values[name].to_string(),
                expected: "there is no setting of this name".into(),
            });
        }
        let table = Checked(values);
        let arguments = TrainingArguments {
            num_train_epochs: table.number("num_train_epochs")?,
            per_device_train_batch_size: table.integer("per_device_train_batch_size")? as usize,
            per_device_eval_batch_size: table.integer("per_device_eval_batch_size")? as usize,
            gradient_accumulation_steps: table.integer("gradient_accumulation_steps")? as usize,
            learning_rate: table.number("learning_rate")?,
            lr_scheduler_type: match table.choice("lr_scheduler_type")? {
                "cosine" => LrSchedulerType::Cosine,
                "constant" => LrSchedulerType::Constant,
                "constant_with_warmup" => LrSchedulerType::ConstantWithWarmup,
                _ => LrSchedulerType::Linear,
            },
            warmup_steps: table.integer("warmup_steps")? as usize,
            warmup_ratio: table.number("warmup_ratio")?,
            weight_decay: table.number("weight_decay")?,
            max_grad_norm: table.number("max_grad_norm")?,
            label_smoothing_factor: table.number("label_smoothing_factor")?,
            max_steps: table.integer("max_steps")? as usize,
            adam_beta1: table.number("adam_beta1")?,
            adam_beta2: table.number("adam_beta2")?,
            adam_epsilon: table.number("adam_epsilon")?,
            gradient_checkpointing: table.boolean("gradient_checkpointing")?,
            fp16: table.boolean("fp16")?,
            seed: table.integer("seed")?,
        };
        let tuning = Tuning {
            method: match table.choice("tuning")? {
                "lora" => TuningMethod::Lora,
                "head" => TuningMethod::Head,
                _ => TuningMethod::Full,
            },
            lora: LoraConfig {
                r: table.integer("lora_r")? as usize,
                lora_alpha: table.integer("lora_alpha")? as usize,
                target_modules: match table.choice("lora_target_modules")? {
                    "query,key,value" => TargetModules::QueryKeyValue,
                    "all-linear" => TargetModules::AllLinear,
                    _ => TargetModules::QueryValue,
                },
            },
            freeze_embeddings: table.boolean("freeze_embeddings")?,
            freeze_layers: table.integer("freeze_layers")? as usize,
        };
        Ok(Self {
            num_rows: table.integer("num_rows")? as usize,
            dataset_seed: table.integer("dataset_seed")?,
            split: SplitOptions {
                test_size: table.number("test_size")?,
                random_state: table.integer("random_state")?,
                stratify: table.boolean("stratify")?,
            },
            max_length: table.integer("max_length")? as usize,
            shuffle: table.boolean("shuffle")?,
            padding: match table.choice("padding")? {
                "max_length" => Padding::MaxLength,
                _ => Padding::Longest,
            },
            tuning,
            arguments,
        })
    }
}

/// Reads values by the table's types and bounds.
struct Checked<'a>(&'a Values);

impl Checked<'_> {
    fn find(&self, name: &'static str) -> Result<(&'static Setting, Option<&Value>)> {
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        let setting =
            setting.ok_or_else(|| refused(name, "", "there is no setting of this name"))?;
        Ok((setting, self.0.get(name)))
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
        // A number from JavaScript is an f64 even when it is whole.
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
            // JSON has no NaN: a NaN from the page arrives as null.
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
