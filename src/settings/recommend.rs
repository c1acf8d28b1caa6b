//! Values of settings that follow from the data, with a reason for each. `docs/quality.md` has the measurements behind
//! the rule, `tests/fixtures/reference/study_rule.py` the same rule for the study.
//!
//! # Codes of the reasons
//!
//! - `per_device_train_batch_size`: `batch_few_rows`, `batch_many_rows` (`batch`, `rows`)
//! - `num_train_epochs`: `epochs_enough_steps`, `epochs_many_rows` (`epochs`, `steps`, `rows`); with a budget that is
//!   too small for them `epochs_within_budget`, `epochs_over_budget` (`epochs`, `wanted`, `seconds`, `budget`)
//! - `learning_rate`: `learning_rate_small_model`, `learning_rate_large_model` (`learning_rate`, `hidden_size`)
//! - `head_learning_rate`: `head_learning_rate_same` (`learning_rate`)
//! - `warmup_ratio`: `warmup_share` (`percent`, `warmup_steps`, `steps`)
//! - `warmup_steps`: `warmup_steps_unused`
//! - `class_weight`: `class_weight_balanced`, `class_weight_none` (`smallest`, `largest`, `ratio`)
//! - `max_length`: `max_length_p95`, `max_length_limit` (`max_length`, `p95`)
//! - `load_best_model_at_end`: `best_epoch_held_out` (`rows`, `validation_rows`, `percent`), `last_epoch_few_rows`
//!   (`rows`, `needed`), `last_epoch_small_class` (`smallest`, `needed`)
//! - `metric_for_best_model`: `metric_loss`
//! - `validation_size`: `validation_share` (`rows`, `validation_rows`, `percent`), `validation_none` (`rows`)
//! - `early_stopping_patience`: `early_stopping_off` (`epochs`)
//! - `classifier_pooling`: `pooling_cls`

use super::Values;
use super::work::{Job, NetworkSize};
use serde::Serialize;
use serde_json::{Value, json};

/// Every code of a reason: the page has a text for each.
#[cfg(test)]
pub const REASON_CODES: &[&str] = &[
    "batch_few_rows",
    "batch_many_rows",
    "best_epoch_held_out",
    "class_weight_balanced",
    "class_weight_none",
    "early_stopping_off",
    "epochs_enough_steps",
    "epochs_many_rows",
    "epochs_over_budget",
    "epochs_within_budget",
    "head_learning_rate_same",
    "last_epoch_few_rows",
    "last_epoch_small_class",
    "learning_rate_large_model",
    "learning_rate_small_model",
    "max_length_limit",
    "max_length_p95",
    "metric_loss",
    "pooling_cls",
    "validation_none",
    "validation_share",
    "warmup_share",
    "warmup_steps_unused",
];

/// Updates from which a run of few rows has learned them.
const ENOUGH_STEPS: usize = 40;
/// Further updates for each class beyond the second.
const STEPS_PER_LABEL: usize = 10;
const MIN_EPOCHS: usize = 4;
const MAX_EPOCHS: usize = 20;
const BATCH: usize = 8;
const LARGE_BATCH: usize = 16;
/// Training rows from which batches are larger.
const LARGE_BATCH_ROWS: usize = 600;
/// Share of the steps in which the learning rate rises, in percent.
const WARMUP_PERCENT: usize = 10;
/// The classes are weighted when the largest has more than this many times the rows of the smallest.
const IMBALANCE: f64 = 3.0;
/// Training rows from which some are held out to choose the best epoch.
const VALIDATION_ROWS: usize = 500;
const VALIDATION_PERCENT: usize = 10;
/// Rows of the smallest class from which each class has a row among those that are held out.
const VALIDATION_CLASS_ROWS: usize = 100 / VALIDATION_PERCENT;
/// `max_length` is a multiple of this number.
const LENGTH_STEP: usize = 8;
const MAX_LENGTH: usize = 512;
/// Tokens of a batch that is padded to its longest row, for a token of its rows.
const PADDING: f64 = 1.6;
/// Test rows for a training row: those of a test part of 20 %.
const TEST_SHARE: f64 = 0.25;

/// What is known of the training rows and of the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DataFacts {
    /// Training rows.
    pub train_rows: usize,
    /// Classes.
    pub num_labels: usize,
    /// Training rows of the smallest class.
    pub smallest_class: usize,
    /// Training rows of the largest class.
    pub largest_class: usize,
    /// Mean tokens of a row, special tokens included.
    pub mean_tokens: f64,
    /// 95 % of the rows have at most this many tokens.
    pub p95_tokens: usize,
    /// `hidden_size` of the model's config.
    pub hidden_size: usize,
    /// `num_hidden_layers` of the model's config.
    pub num_hidden_layers: usize,
}

/// The time that the run may take.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Budget {
    /// Seconds of the whole run; `None` for a run of any length.
    pub seconds: Option<f64>,
    /// Seconds of the device for a unit of work, as the page's `work.js` counts; `None` where it is not known.
    pub seconds_per_unit: Option<f64>,
}

/// Why a setting has its value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reason {
    /// Name of the setting.
    pub setting: &'static str,
    /// Code of the reason, see the module.
    pub code: &'static str,
    /// Numbers of the sentence.
    #[cfg_attr(test, ts(type = "Record<string, number>"))]
    pub params: Value,
}

/// Values for a run, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Recommendation {
    /// The settings that the rule decides; the others keep their values.
    #[cfg_attr(test, ts(type = "Values"))]
    pub values: Values,
    /// One for each of them.
    pub reasons: Vec<Reason>,
    /// Updates of the run.
    pub num_steps: usize,
}

impl Recommendation {
    fn set(&mut self, setting: &'static str, value: Value, code: &'static str, params: Value) {
        self.values.insert(setting.into(), value);
        self.reasons.push(Reason {
            setting,
            code,
            params,
        });
    }
}

/// The recommended values for these rows on this device: always the same for the same facts.
pub fn recommend(facts: &DataFacts, budget: &Budget) -> Recommendation {
    let mut chosen = Recommendation {
        values: Values::new(),
        reasons: Vec::new(),
        num_steps: 0,
    };
    let max_length = choose_max_length(facts, &mut chosen);
    let validation_rows = choose_validation(facts, &mut chosen);
    let rows = facts.train_rows - validation_rows;
    let batch = choose_batch(rows, &mut chosen);
    let run = Run {
        rows,
        batch,
        tokens: (facts.mean_tokens * PADDING).min(max_length as f64),
        evaluated: TEST_SHARE * facts.train_rows as f64 + validation_rows as f64,
        network: NetworkSize::of(facts.hidden_size, facts.num_hidden_layers),
    };
    let epochs = choose_epochs(facts, &run, budget, &mut chosen);
    chosen.num_steps = epochs * run.steps_per_epoch();
    choose_rates(facts, &mut chosen);
    choose_class_weight(facts, &mut chosen);
    let off = json!({"epochs": epochs});
    chosen.set(
        "early_stopping_patience",
        json!(0),
        "early_stopping_off",
        off,
    );
    chosen.set("classifier_pooling", json!("cls"), "pooling_cls", json!({}));
    chosen
}

/// What decides about the work of an epoch.
struct Run {
    rows: usize,
    batch: usize,
    /// Tokens of a row, padding included.
    tokens: f64,
    /// Rows that are evaluated after each epoch.
    evaluated: f64,
    network: NetworkSize,
}

impl Run {
    fn steps_per_epoch(&self) -> usize {
        self.rows.div_ceil(self.batch)
    }

    fn units(&self, epochs: usize) -> f64 {
        let epochs = epochs as f64;
        self.network.units(&Job {
            updates: epochs * self.steps_per_epoch() as f64,
            train_tokens: epochs * self.rows as f64 * self.tokens,
            eval_tokens: epochs * self.evaluated * self.tokens,
        })
    }
}

fn choose_max_length(facts: &DataFacts, chosen: &mut Recommendation) -> usize {
    let p95 = facts.p95_tokens;
    let rounded = p95.max(LENGTH_STEP).next_multiple_of(LENGTH_STEP);
    let (max_length, code) = if rounded > MAX_LENGTH {
        (MAX_LENGTH, "max_length_limit")
    } else {
        (rounded, "max_length_p95")
    };
    let params = json!({"max_length": max_length, "p95": p95});
    chosen.set("max_length", json!(max_length), code, params);
    max_length
}

/// The rows that are held out to choose the best epoch.
fn choose_validation(facts: &DataFacts, chosen: &mut Recommendation) -> usize {
    let (rows, smallest) = (facts.train_rows, facts.smallest_class);
    let too_few = if rows < VALIDATION_ROWS {
        let params = json!({"rows": rows, "needed": VALIDATION_ROWS});
        Some(("last_epoch_few_rows", params))
    } else if smallest < VALIDATION_CLASS_ROWS {
        let params = json!({"smallest": smallest, "needed": VALIDATION_CLASS_ROWS});
        Some(("last_epoch_small_class", params))
    } else {
        None
    };
    if let Some((code, params)) = too_few {
        chosen.set("load_best_model_at_end", json!(false), code, params);
        let all = json!({"rows": rows});
        chosen.set("validation_size", json!(0.0), "validation_none", all);
        return 0;
    }
    let validation_rows = (rows * VALIDATION_PERCENT).div_ceil(100);
    let params =
        json!({"rows": rows, "validation_rows": validation_rows, "percent": VALIDATION_PERCENT});
    let share = json!(VALIDATION_PERCENT as f64 / 100.0);
    chosen.set(
        "load_best_model_at_end",
        json!(true),
        "best_epoch_held_out",
        params.clone(),
    );
    chosen.set("validation_size", share, "validation_share", params);
    chosen.set(
        "metric_for_best_model",
        json!("eval_loss"),
        "metric_loss",
        json!({}),
    );
    validation_rows
}

fn choose_batch(rows: usize, chosen: &mut Recommendation) -> usize {
    let (batch, code) = if rows < LARGE_BATCH_ROWS {
        (BATCH, "batch_few_rows")
    } else {
        (LARGE_BATCH, "batch_many_rows")
    };
    let params = json!({"batch": batch, "rows": rows});
    chosen.set("per_device_train_batch_size", json!(batch), code, params);
    batch
}

fn choose_epochs(
    facts: &DataFacts,
    run: &Run,
    budget: &Budget,
    chosen: &mut Recommendation,
) -> usize {
    let steps = ENOUGH_STEPS + STEPS_PER_LABEL * facts.num_labels.saturating_sub(2);
    let for_steps = steps.div_ceil(run.steps_per_epoch().max(1));
    let wanted = for_steps.clamp(MIN_EPOCHS, MAX_EPOCHS);
    let (epochs, seconds) = match (budget.seconds, budget.seconds_per_unit) {
        (Some(seconds), Some(per_unit)) => {
            let time = |epochs: usize| run.units(epochs) * per_unit;
            let fits = (1..=wanted).rev().find(|&epochs| time(epochs) <= seconds);
            let epochs = fits.unwrap_or(1);
            (epochs, Some((time(epochs), seconds)))
        }
        _ => (wanted, None),
    };
    let (code, params) = match seconds {
        Some((seconds, budget)) if epochs < wanted || seconds > budget => {
            let code = if seconds > budget {
                "epochs_over_budget"
            } else {
                "epochs_within_budget"
            };
            (
                code,
                json!({"epochs": epochs, "wanted": wanted, "seconds": seconds, "budget": budget}),
            )
        }
        _ => {
            let code = if wanted > MIN_EPOCHS {
                "epochs_enough_steps"
            } else {
                "epochs_many_rows"
            };
            let steps = epochs * run.steps_per_epoch();
            (
                code,
                json!({"epochs": epochs, "steps": steps, "rows": run.rows}),
            )
        }
    };
    chosen.set("num_train_epochs", json!(epochs as f64), code, params);
    epochs
}

fn choose_rates(facts: &DataFacts, chosen: &mut Recommendation) {
    let hidden_size = facts.hidden_size;
    let (learning_rate, code) = match hidden_size {
        ..768 => (1e-4, "learning_rate_small_model"),
        768..1024 => (5e-5, "learning_rate_large_model"),
        _ => (2e-5, "learning_rate_large_model"),
    };
    let params = json!({"learning_rate": learning_rate, "hidden_size": hidden_size});
    chosen.set("learning_rate", json!(learning_rate), code, params);
    let same = json!({"learning_rate": learning_rate});
    chosen.set(
        "head_learning_rate",
        json!(0.0),
        "head_learning_rate_same",
        same,
    );
    let steps = chosen.num_steps;
    let params = json!({
        "percent": WARMUP_PERCENT,
        "warmup_steps": (steps * WARMUP_PERCENT).div_ceil(100),
        "steps": steps,
    });
    let ratio = json!(WARMUP_PERCENT as f64 / 100.0);
    chosen.set("warmup_ratio", ratio, "warmup_share", params);
    chosen.set("warmup_steps", json!(0), "warmup_steps_unused", json!({}));
}

fn choose_class_weight(facts: &DataFacts, chosen: &mut Recommendation) {
    let (smallest, largest) = (facts.smallest_class, facts.largest_class);
    let ratio = largest as f64 / smallest.max(1) as f64;
    let (value, code) = if ratio > IMBALANCE {
        ("balanced", "class_weight_balanced")
    } else {
        ("none", "class_weight_none")
    };
    let params = json!({"smallest": smallest, "largest": largest, "ratio": ratio});
    chosen.set("class_weight", json!(value), code, params);
}

#[cfg(test)]
mod tests;
