//! One table of settings. Each hyper-parameter is declared here once (name, type, default, bounds, help); the form, the
//! URL, the validation and the exported `training_args.json` all come from it.

use crate::data::SplitOptions;
use crate::tokens::Padding;
use crate::train::{LrSchedulerType, TrainingArguments};
use crate::{Error, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// One value a setting, by name.
pub type Values = Map<String, Value>;

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
    Setting { name: "shuffle", group: Group::Training, advanced: true, kind: Kind::Boolean { default: true },
        help: "Take the training rows in a new random order in each epoch." },
    integer("seed", Group::Training, true, (42, 0, u32::MAX, 1),
        "Seed of the new head, the order of the batches and the dropouts."),
];

/// A named set of values for every setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preset {
    /// `recommended` or `article`.
    pub id: &'static str,
    /// A value for every setting.
    pub values: Values,
}

/// The presets: what we recommend, and the article's `TrainingArguments` to the letter.
pub fn presets() -> Vec<Preset> {
    let recommended = defaults();
    let mut article = recommended.clone();
    for (name, value) in [
        ("stratify", json!(false)),
        ("padding", json!("max_length")),
        ("warmup_steps", json!(500)),
        ("warmup_ratio", json!(0.0)),
    ] {
        article.insert(name.into(), value);
    }
    vec![
        Preset {
            id: "recommended",
            values: recommended,
        },
        Preset {
            id: "article",
            values: article,
        },
    ]
}

/// The default of every setting.
pub fn defaults() -> Values {
    SETTINGS
        .iter()
        .map(|setting| {
            let value = match setting.kind {
                Kind::Integer { default, .. } => json!(default),
                Kind::Number { default, .. } => json!(default),
                Kind::Boolean { default } => json!(default),
                Kind::Choice { default, .. } => json!(default),
            };
            (setting.name.to_string(), value)
        })
        .collect()
}

/// `values` with the default of every setting that is not named: read back, they give the same run.
///
/// # Errors
/// As [`RunSettings::from_values`].
pub fn complete(values: &Values) -> Result<Values> {
    RunSettings::from_values(values)?;
    let mut complete = defaults();
    complete.extend(values.clone());
    Ok(complete)
}

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
    /// How the model is trained.
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
            seed: table.integer("seed")?,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: Value) -> Result<RunSettings> {
        RunSettings::from_values(&Map::from_iter([(name.to_string(), value)]))
    }

    #[test]
    fn defaults_and_presets_pass_their_own_checks() {
        for preset in presets() {
            assert_eq!(preset.values.len(), SETTINGS.len());
            RunSettings::from_values(&preset.values).unwrap();
        }
        assert_eq!(
            RunSettings::from_values(&Map::new()).unwrap(),
            RunSettings::from_values(&defaults()).unwrap()
        );
    }

    #[test]
    fn complete_values_are_the_same_run() {
        let values: Values = Map::from_iter([
            ("learning_rate".to_string(), json!(3e-4)),
            ("padding".to_string(), json!("max_length")),
        ]);
        let complete = complete(&values).unwrap();
        assert_eq!(complete.len(), SETTINGS.len());
        assert_eq!(
            RunSettings::from_values(&complete).unwrap(),
            RunSettings::from_values(&values).unwrap()
        );
        let unknown = Map::from_iter([("momentum".to_string(), json!(1))]);
        assert!(super::complete(&unknown).is_err());
    }

    #[test]
    fn the_articles_preset_is_the_articles() {
        let values = presets().remove(1).values;
        let arguments = RunSettings::from_values(&values).unwrap().arguments;
        assert_eq!(arguments.warmup_steps, 500);
        assert_eq!(arguments.weight_decay, 0.01);
        assert_eq!(arguments.num_train_epochs, 3.0);
        assert_eq!(arguments.per_device_train_batch_size, 8);
    }

    #[test]
    fn refuses_with_a_sentence_that_names_the_setting() {
        let message = |name, value| with(name, value).unwrap_err().to_string();
        assert_eq!(
            message("per_device_train_batch_size", json!(0)),
            "per_device_train_batch_size = 0: it must be a whole number from 1 to 256."
        );
        assert!(message("learning_rate", Value::Null).contains("learning_rate = NaN"));
        assert!(message("learning_rate", json!("fast")).contains("\"fast\""));
        assert!(message("max_length", json!(12.5)).contains("whole number"));
        assert!(message("padding", json!("shortest")).contains("longest, max_length"));
        assert!(message("stratify", json!(1)).contains("true or false"));
        assert!(message("momentum", json!(1)).contains("no setting of this name"));
        let error = with("seed", json!(-1)).unwrap_err();
        assert_eq!((error.code(), error.field()), ("settings", Some("seed")));
    }
}
