//! What to change so that a run takes less memory: first what leaves its mathematics as they are, then what learns fewer parameters.

use super::{MemoryDemand, MemoryPlan, TrainingArguments, Tuning, TuningMethod};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Most batches of one update that the table of settings allows.
const MOST_ACCUMULATED: usize = 256;

/// A change of settings under which a run takes less memory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WayOut {
    /// What it is.
    pub way: Way,
    /// The settings to change, and their new values.
    pub settings: Map<String, Value>,
    /// What the run takes then.
    pub plan: MemoryPlan,
}

/// Kinds of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Fewer rows at once, and the gradients of as many batches added up as make the same update.
    SmallerBatch,
    /// Activations computed again instead of kept: the same numbers.
    GradientCheckpointing,
    /// Both of these.
    SmallerBatchAndCheckpointing,
    /// LoRA's adapters learn, beside the classifier.
    Lora,
    /// The upper half of the layers learns.
    Freeze,
    /// The classifier learns.
    Head,
}

/// The ways out of a run that is too large, in the order of [`Way`], each with the least change that `fits`: batches are cut, and
/// activations computed again, no more than is needed. A way that does not lead to a run that fits is left out.
pub fn ways_out(
    demand: &MemoryDemand,
    arguments: &TrainingArguments,
    fits: impl Fn(&MemoryPlan) -> bool,
) -> Vec<WayOut> {
    let now = Candidate {
        demand: *demand,
        rows: arguments.per_device_train_batch_size,
        batches: arguments.gradient_accumulation_steps,
        eval_rows: arguments.per_device_eval_batch_size,
    };
    let tuning = demand.tuning;
    let with = |method| Tuning { method, ..tuning };
    let full = tuning.method == TuningMethod::Full;
    let frozen = Tuning {
        freeze_layers: demand.config.num_hidden_layers.div_ceil(2),
        ..tuning
    };
    let tries: [(Way, bool, Vec<Candidate>); 6] = [
        (Way::SmallerBatch, true, now.smaller_batches()),
        (Way::GradientCheckpointing, true, now.checkpointed()),
        (
            Way::SmallerBatchAndCheckpointing,
            true,
            now.checkpointed_and_smaller(),
        ),
        (Way::Lora, full, now.learning(with(TuningMethod::Lora))),
        (
            Way::Freeze,
            full && tuning.freeze_layers < frozen.freeze_layers,
            now.learning(frozen),
        ),
        (
            Way::Head,
            tuning.method != TuningMethod::Head,
            now.learning(with(TuningMethod::Head)),
        ),
    ];
    let mut found: Vec<WayOut> = Vec::new();
    for (way, open, candidates) in tries {
        // One of the two is enough.
        let needless = way == Way::SmallerBatchAndCheckpointing && !found.is_empty();
        if !open || needless {
            continue;
        }
        let fitting = candidates
            .into_iter()
            .map(|candidate| (candidate, MemoryPlan::new(&candidate.demand)))
            .find(|(_, plan)| fits(plan));
        if let Some((candidate, plan)) = fitting {
            found.push(WayOut {
                way,
                settings: candidate.changes(&now),
                plan,
            });
        }
    }
    found
}

/// Settings that a run could have instead.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    demand: MemoryDemand<'a>,
    /// `per_device_train_batch_size`.
    rows: usize,
    /// `gradient_accumulation_steps`.
    batches: usize,
    /// `per_device_eval_batch_size`.
    eval_rows: usize,
}

impl Candidate<'_> {
    /// Every batch that divides the one there is, from the largest on; together they have the rows of one update that there were.
    fn smaller_batches(self) -> Vec<Self> {
        let Self { rows, batches, .. } = self;
        let fewer = (1..rows).rev().filter(|fewer| rows % fewer == 0);
        fewer
            .filter(|fewer| batches * rows / fewer <= MOST_ACCUMULATED)
            .map(|fewer| {
                let mut next = self;
                next.rows = fewer;
                next.batches = batches * rows / fewer;
                next.eval_rows = self.eval_rows.min(fewer);
                next.demand.batch = self.demand.batch.min(fewer);
                next.demand.accumulates = true;
                next.demand.evaluation[0] = self.demand.evaluation[0].min(fewer);
                next
            })
            .collect()
    }

    /// With activations computed again; none where they are already.
    fn checkpointed(mut self) -> Vec<Self> {
        if std::mem::replace(&mut self.demand.gradient_checkpointing, true) {
            return Vec::new();
        }
        vec![self]
    }

    fn checkpointed_and_smaller(self) -> Vec<Self> {
        let again = self.checkpointed().into_iter();
        again.flat_map(Self::smaller_batches).collect()
    }

    /// With what learns changed; alone if that is enough, else with what else can be saved.
    fn learning(mut self, tuning: Tuning) -> Vec<Self> {
        self.demand.tuning = tuning;
        [
            vec![self],
            self.checkpointed(),
            self.smaller_batches(),
            self.checkpointed_and_smaller(),
        ]
        .concat()
    }

    /// The settings that are others than `before`'s.
    fn changes(&self, before: &Candidate) -> Map<String, Value> {
        let (tuning, old) = (self.demand.tuning, before.demand.tuning);
        [
            (
                "per_device_train_batch_size",
                json!(self.rows),
                json!(before.rows),
            ),
            (
                "gradient_accumulation_steps",
                json!(self.batches),
                json!(before.batches),
            ),
            (
                "per_device_eval_batch_size",
                json!(self.eval_rows),
                json!(before.eval_rows),
            ),
            (
                "gradient_checkpointing",
                json!(self.demand.gradient_checkpointing),
                json!(before.demand.gradient_checkpointing),
            ),
            ("tuning", json!(tuning.method), json!(old.method)),
            (
                "freeze_layers",
                json!(tuning.freeze_layers),
                json!(old.freeze_layers),
            ),
        ]
        .into_iter()
        .filter(|(_, new, old)| new != old)
        .map(|(name, new, _)| (name.to_string(), new))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::{BertConfig, LoadLimits, LoraConfig, TargetModules};
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
            limits: LoadLimits::default(),
        }
    }

    fn ways(tuning: Tuning, arguments: &TrainingArguments, room: f64) -> Vec<WayOut> {
        let config = BertConfig::default();
        let demand = demand(&config, tuning, arguments);
        let room = (room * MemoryPlan::new(&demand).total as f64) as u64;
        let ways = ways_out(&demand, arguments, |plan| plan.total <= room);
        assert!(ways.iter().all(|way| way.plan.total <= room), "{ways:?}");
        ways
    }

    /// Applies a way's settings through the table, as the page does.
    fn applied(way: &WayOut, arguments: &TrainingArguments) -> RunSettings {
        let mut values = Map::new();
        let rows = arguments.per_device_train_batch_size;
        let batches = arguments.gradient_accumulation_steps;
        values.insert("per_device_train_batch_size".into(), json!(rows));
        values.insert("gradient_accumulation_steps".into(), json!(batches));
        values.extend(way.settings.clone());
        RunSettings::from_values(&values).expect("settings of the table")
    }

    #[test]
    fn smaller_batches_make_the_same_update() {
        let arguments = arguments(12, 2);
        let mut seen = 0;
        for percent in (40..100).step_by(5) {
            for way in ways(FULL, &arguments, f64::from(percent) / 100.0) {
                let new = applied(&way, &arguments).arguments;
                let rows = new.per_device_train_batch_size * new.gradient_accumulation_steps;
                assert_eq!(rows, 24, "{way:?}");
                assert_eq!(12 % new.per_device_train_batch_size, 0);
                seen += usize::from(way.way == Way::SmallerBatch);
            }
        }
        assert!(seen > 0);
    }

    #[test]
    fn each_way_changes_no_more_than_it_must() {
        let arguments = arguments(32, 1);
        let roomy = ways(FULL, &arguments, 0.99);
        let names: Vec<Way> = roomy.iter().map(|way| way.way).collect();
        assert_eq!(
            names,
            [
                Way::SmallerBatch,
                Way::GradientCheckpointing,
                Way::Lora,
                Way::Freeze,
                Way::Head
            ]
        );
        assert_eq!(roomy[0].settings["per_device_train_batch_size"], 16);
        assert_eq!(roomy[1].settings.len(), 1);
        assert_eq!(roomy[2].settings.len(), 1);
        assert_eq!(roomy[3].settings["freeze_layers"], 6);
        assert_eq!(roomy[4].settings["tuning"], "head");

        // All parameters with their gradients and moments are too many, whatever is saved on activations.
        let tight = ways(FULL, &arguments, 0.2);
        assert!(tight.iter().all(|way| !matches!(
            way.way,
            Way::SmallerBatch | Way::GradientCheckpointing | Way::SmallerBatchAndCheckpointing
        )));
        assert!(tight.iter().any(|way| way.way == Way::Head));
    }

    #[test]
    fn nothing_is_offered_that_is_so_already() {
        let lora = Tuning {
            method: TuningMethod::Lora,
            ..FULL
        };
        let arguments = TrainingArguments {
            gradient_checkpointing: true,
            ..arguments(8, 1)
        };
        let names: Vec<Way> = ways(lora, &arguments, 0.999)
            .iter()
            .map(|way| way.way)
            .collect();
        assert_eq!(names, [Way::SmallerBatch, Way::Head]);
        let head = Tuning {
            method: TuningMethod::Head,
            ..FULL
        };
        let nothing_left = TrainingArguments {
            per_device_train_batch_size: 1,
            ..arguments
        };
        assert!(ways(head, &nothing_left, 0.999).is_empty());
    }

    #[test]
    fn both_are_offered_together_where_neither_is_enough() {
        let lora = Tuning {
            method: TuningMethod::Lora,
            ..FULL
        };
        let arguments = arguments(32, 1);
        let offered = |room: f64| -> Vec<Way> {
            let ways = ways(lora, &arguments, room);
            ways.iter().map(|way| way.way).collect()
        };
        // Of what a run with adapters takes, nearly all are parameters and activations.
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
        let again = share(|demand| demand.gradient_checkpointing = true);
        let just_less = one_row.min(again) - 1e-3;
        assert_eq!(
            offered(just_less),
            [Way::SmallerBatchAndCheckpointing, Way::Head]
        );
    }
}
