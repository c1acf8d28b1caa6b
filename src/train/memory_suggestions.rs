//! Changes of settings under which a run needs less memory: first those that keep its mathematics, then those that
//! train fewer parameters.

use super::{MemoryDemand, MemoryPlan, TrainingArguments, Tuning, TuningMethod};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The maximum of `gradient_accumulation_steps` in the table of settings.
const MAX_ACCUMULATION_STEPS: usize = 256;

/// A change of settings under which a run needs less memory.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Suggestion {
    /// What is changed.
    pub kind: SuggestionKind,
    /// The settings to change, with their new values.
    #[cfg_attr(test, ts(type = "Values"))]
    pub settings: Map<String, Value>,
    /// The memory that the run needs with them.
    pub plan: MemoryPlan,
}

/// What a [`Suggestion`] changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SuggestionKind {
    /// A smaller batch with gradient accumulation: the same update.
    SmallerBatch,
    /// Gradient checkpointing: the same update, in more time.
    GradientCheckpointing,
    /// Both of these.
    SmallerBatchAndCheckpointing,
    /// LoRA's adapters and the classifier are trained.
    Lora,
    /// The upper half of the encoder layers, the pooler and the classifier are trained.
    Freeze,
    /// The classifier is trained.
    Head,
}

/// The suggestions for a run that is too large, in the order of [`SuggestionKind`], each with the smallest change under
/// which the run `fits`. A kind of change that is not enough is left out.
pub fn memory_suggestions(
    demand: &MemoryDemand,
    arguments: &TrainingArguments,
    fits: impl Fn(&MemoryPlan) -> bool,
) -> Vec<Suggestion> {
    let now = Candidate {
        demand: *demand,
        batch_size: arguments.per_device_train_batch_size,
        accumulation_steps: arguments.gradient_accumulation_steps,
        eval_batch_size: arguments.per_device_eval_batch_size,
    };
    let mut suggestions: Vec<Suggestion> = Vec::new();
    for (kind, candidates) in candidates(now) {
        // Either of the two changes is enough already.
        if kind == SuggestionKind::SmallerBatchAndCheckpointing && !suggestions.is_empty() {
            continue;
        }
        let fitting = candidates
            .into_iter()
            .map(|candidate| (candidate, MemoryPlan::new(&candidate.demand)))
            .find(|(_, plan)| fits(plan));
        if let Some((candidate, plan)) = fitting {
            suggestions.push(Suggestion {
                kind,
                settings: candidate.changes(&now),
                plan,
            });
        }
    }
    suggestions
}

/// The candidates of each kind, from the smallest change on; none for a kind that changes nothing.
fn candidates<'a>(now: Candidate<'a>) -> [(SuggestionKind, Vec<Candidate<'a>>); 6] {
    let tuning = now.demand.tuning;
    let with = |method| now.with_tuning(Tuning { method, ..tuning });
    let frozen = Tuning {
        freeze_layers: now.demand.config.num_hidden_layers.div_ceil(2),
        ..tuning
    };
    let is_full = tuning.method == TuningMethod::Full;
    let when = |allowed: bool, candidates: Vec<Candidate<'a>>| match allowed {
        true => candidates,
        false => Vec::new(),
    };
    let freezes_more = is_full && tuning.freeze_layers < frozen.freeze_layers;
    let trains_more = tuning.method != TuningMethod::Head;
    [
        (SuggestionKind::SmallerBatch, now.smaller_batches()),
        (SuggestionKind::GradientCheckpointing, now.checkpointed()),
        (
            SuggestionKind::SmallerBatchAndCheckpointing,
            now.checkpointed_and_smaller(),
        ),
        (
            SuggestionKind::Lora,
            when(is_full, with(TuningMethod::Lora)),
        ),
        (
            SuggestionKind::Freeze,
            when(freezes_more, now.with_tuning(frozen)),
        ),
        (
            SuggestionKind::Head,
            when(trains_more, with(TuningMethod::Head)),
        ),
    ]
}

/// Settings that a run could have instead of its own.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    demand: MemoryDemand<'a>,
    /// `per_device_train_batch_size`.
    batch_size: usize,
    /// `gradient_accumulation_steps`.
    accumulation_steps: usize,
    /// `per_device_eval_batch_size`.
    eval_batch_size: usize,
}

impl Candidate<'_> {
    /// Every smaller batch that divides this one, from the largest on, with the accumulation steps that keep the rows
    /// of an update.
    fn smaller_batches(self) -> Vec<Self> {
        let divisors = (1..self.batch_size).rev();
        divisors
            .filter(|divisor| self.batch_size.is_multiple_of(*divisor))
            .map(|batch_size| {
                let mut next = self;
                next.batch_size = batch_size;
                next.accumulation_steps = self.accumulation_steps * self.batch_size / batch_size;
                next.eval_batch_size = self.eval_batch_size.min(batch_size);
                next.demand.batch = self.demand.batch.min(batch_size);
                next.demand.accumulates = true;
                next.demand.evaluation[0] = self.demand.evaluation[0].min(batch_size);
                next
            })
            .filter(|next| next.accumulation_steps <= MAX_ACCUMULATION_STEPS)
            .collect()
    }

    /// With gradient checkpointing; none if the run has it already.
    fn checkpointed(mut self) -> Vec<Self> {
        if self.demand.gradient_checkpointing {
            return Vec::new();
        }
        self.demand.gradient_checkpointing = true;
        vec![self]
    }

    fn checkpointed_and_smaller(self) -> Vec<Self> {
        let checkpointed = self.checkpointed().into_iter();
        checkpointed.flat_map(Self::smaller_batches).collect()
    }

    /// With another tuning: first alone, then with the changes that keep the update.
    fn with_tuning(mut self, tuning: Tuning) -> Vec<Self> {
        self.demand.tuning = tuning;
        [
            vec![self],
            self.checkpointed(),
            self.smaller_batches(),
            self.checkpointed_and_smaller(),
        ]
        .concat()
    }

    /// The settings that differ from those of `before`.
    fn changes(&self, before: &Candidate) -> Map<String, Value> {
        self.settings()
            .into_iter()
            .zip(before.settings())
            .filter(|((_, new), (_, old))| new != old)
            .map(|((name, new), _)| (name.to_string(), new))
            .collect()
    }

    /// The settings that a suggestion may change.
    fn settings(&self) -> [(&'static str, Value); 6] {
        let Tuning {
            method,
            freeze_layers,
            ..
        } = self.demand.tuning;
        [
            ("per_device_train_batch_size", json!(self.batch_size)),
            (
                "gradient_accumulation_steps",
                json!(self.accumulation_steps),
            ),
            ("per_device_eval_batch_size", json!(self.eval_batch_size)),
            (
                "gradient_checkpointing",
                json!(self.demand.gradient_checkpointing),
            ),
            ("tuning", json!(method)),
            ("freeze_layers", json!(freeze_layers)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::{BertConfig, ClassifierPooling, LoadLimits, LoraConfig, TargetModules};
    use crate::settings::RunSettings;

    const FULL: Tuning = Tuning {
        method: TuningMethod::Full,
        lora: LoraConfig {
            r: 8,
            lora_alpha: 8,
            target_modules: TargetModules::QueryValue,
        },
        freeze_embeddings: false,
        freeze_layers: 0,
    };

    fn arguments(rows: usize, batches: usize) -> TrainingArguments {
        TrainingArguments {
            per_device_train_batch_size: rows,
            gradient_accumulation_steps: batches,
            ..Default::default()
        }
    }

    fn demand<'a>(
        config: &'a BertConfig,
        tuning: Tuning,
        arguments: &TrainingArguments,
    ) -> MemoryDemand<'a> {
        MemoryDemand {
            config,
            num_labels: 2,
            batch: arguments.per_device_train_batch_size,
            seq: 128,
            evaluation: [8, 128],
            accumulates: arguments.gradient_accumulation_steps > 1,
            gradient_checkpointing: arguments.gradient_checkpointing,
            tuning,
            keeps_original: true,
            keeps_best: false,
            classifier_pooling: ClassifierPooling::Cls,
            kept: 0,
            limits: LoadLimits::default(),
            word_rows: None,
        }
    }

    fn suggestions(tuning: Tuning, arguments: &TrainingArguments, share: f64) -> Vec<Suggestion> {
        let config = BertConfig::default();
        let demand = demand(&config, tuning, arguments);
        let available = (share * MemoryPlan::new(&demand).total as f64) as u64;
        let fits = |plan: &MemoryPlan| plan.total <= available;
        let suggestions = memory_suggestions(&demand, arguments, fits);
        assert!(
            suggestions.iter().all(|one| fits(&one.plan)),
            "{suggestions:?}"
        );
        suggestions
    }

    /// Applies a suggestion's settings through the table, as the page does.
    fn applied(suggestion: &Suggestion, arguments: &TrainingArguments) -> RunSettings {
        let mut values = Map::new();
        let rows = arguments.per_device_train_batch_size;
        let batches = arguments.gradient_accumulation_steps;
        values.insert("per_device_train_batch_size".into(), json!(rows));
        values.insert("gradient_accumulation_steps".into(), json!(batches));
        values.extend(suggestion.settings.clone());
        RunSettings::from_values(&values).expect("settings of the table")
    }

    fn kinds(suggestions: &[Suggestion]) -> Vec<SuggestionKind> {
        suggestions.iter().map(|one| one.kind).collect()
    }

    #[test]
    fn smaller_batches_make_the_same_update() {
        let arguments = arguments(12, 2);
        let mut seen = 0;
        for percent in (40..100).step_by(5) {
            for suggestion in suggestions(FULL, &arguments, f64::from(percent) / 100.0) {
                let new = applied(&suggestion, &arguments).arguments;
                let rows = new.per_device_train_batch_size * new.gradient_accumulation_steps;
                assert_eq!(rows, 24, "{suggestion:?}");
                assert_eq!(12 % new.per_device_train_batch_size, 0);
                seen += usize::from(suggestion.kind == SuggestionKind::SmallerBatch);
            }
        }
        assert!(seen > 0);
    }

    #[test]
    fn each_suggestion_is_the_smallest_change_that_fits() {
        let arguments = arguments(32, 1);
        let large = suggestions(FULL, &arguments, 0.99);
        assert_eq!(
            kinds(&large),
            [
                SuggestionKind::SmallerBatch,
                SuggestionKind::GradientCheckpointing,
                SuggestionKind::Lora,
                SuggestionKind::Freeze,
                SuggestionKind::Head
            ]
        );
        assert_eq!(large[0].settings["per_device_train_batch_size"], 16);
        assert_eq!(large[1].settings.len(), 1);
        assert_eq!(large[2].settings.len(), 1);
        assert_eq!(large[3].settings["freeze_layers"], 6);
        assert_eq!(large[4].settings["tuning"], "head");

        // All parameters with their gradients and moments do not fit, however few the activations are.
        let small = kinds(&suggestions(FULL, &arguments, 0.2));
        assert!(small.iter().all(|kind| !matches!(
            kind,
            SuggestionKind::SmallerBatch
                | SuggestionKind::GradientCheckpointing
                | SuggestionKind::SmallerBatchAndCheckpointing
        )));
        assert!(small.contains(&SuggestionKind::Head));
    }

    #[test]
    fn does_not_suggest_what_the_run_has_already() {
        let lora = Tuning {
            method: TuningMethod::Lora,
            ..FULL
        };
        let arguments = TrainingArguments {
            gradient_checkpointing: true,
            ..arguments(8, 1)
        };
        assert_eq!(
            kinds(&suggestions(lora, &arguments, 0.999)),
            [SuggestionKind::SmallerBatch, SuggestionKind::Head]
        );
        let head = Tuning {
            method: TuningMethod::Head,
            ..FULL
        };
        let smallest = TrainingArguments {
            per_device_train_batch_size: 1,
            ..arguments
        };
        assert!(suggestions(head, &smallest, 0.999).is_empty());
    }

    #[test]
    fn suggests_both_changes_together_if_neither_is_enough() {
        let lora = Tuning {
            method: TuningMethod::Lora,
            ..FULL
        };
        let arguments = arguments(32, 1);
        // Nearly all memory of a run with adapters is parameters and activations.
        let config = BertConfig::default();
        let demand = demand(&config, lora, &arguments);
        let share = |change: fn(&mut MemoryDemand)| {
            let mut changed = demand;
            change(&mut changed);
            MemoryPlan::new(&changed).total as f64 / MemoryPlan::new(&demand).total as f64
        };
        let one_row = share(|demand| {
            demand.batch = 1;
            demand.accumulates = true;
            demand.evaluation[0] = 1;
        });
        let checkpointed = share(|demand| demand.gradient_checkpointing = true);
        let available = one_row.min(checkpointed) - 1e-3;
        assert_eq!(
            kinds(&suggestions(lora, &arguments, available)),
            [
                SuggestionKind::SmallerBatchAndCheckpointing,
                SuggestionKind::Head
            ]
        );
    }
}
