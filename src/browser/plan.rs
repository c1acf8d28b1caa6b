//! What a run will do and what it takes, told before it starts; a run that finds no room is refused here.

use super::app::{Webtune, read_settings};
use super::convert::{error, to_js};
use crate::settings::RunSettings;
use crate::tokens::Example;
use crate::train::{MemoryDemand, MemoryPlan, TrainPlan, TrainingArguments, WayOut, ways_out};
use crate::{Error, Result, Warning};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// `PlanView` in `www/protocol.js`.
#[derive(Serialize)]
struct PlanView<'a> {
    steps_per_epoch: usize,
    max_steps: usize,
    warmup_steps: usize,
    learning_rates: &'a [f64],
    warnings: Vec<Warning>,
    /// None before a model is loaded.
    memory: Option<MemoryView>,
}

/// `MemoryView` in `www/protocol.js`.
#[derive(Serialize)]
struct MemoryView {
    #[serde(flatten)]
    plan: MemoryPlan,
    /// Rows and tokens of the widest batch.
    rows: usize,
    tokens: usize,
    lacks: Option<Lack>,
    ways: Vec<WayOut>,
}

/// What a run does not get.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Lack {
    /// A tensor is larger than a kernel can be given.
    Binding { needs: u64, offered: u64 },
    /// The device has no memory left for all of them.
    Memory { needs: u64, offered: u64 },
}

#[wasm_bindgen]
impl Webtune {
    /// What a run with these settings will do, and what it takes of the device's memory (`PlanView`).
    ///
    /// # Errors
    /// A `WorkerError` for a setting out of bounds, or when there is no split yet.
    pub async fn plan(&self, settings: JsValue) -> Result<JsValue, JsValue> {
        let settings = read_settings(settings)?;
        let (_, split) = self.need_split().map_err(error)?;
        let plan = TrainPlan::new(
            &settings.arguments,
            settings.tuning.method,
            split.train.len(),
        );
        to_js(&PlanView {
            steps_per_epoch: plan.steps_per_epoch,
            max_steps: plan.max_steps,
            warmup_steps: plan.warmup_steps,
            learning_rates: &plan.learning_rates,
            warnings: plan.warnings,
            memory: self.memory(&settings).await,
        })
    }
}

impl Webtune {
    /// Refuses a run that finds no room on the device, and remembers what one takes that does.
    ///
    /// # Errors
    /// [`Error::Memory`], with what it needs and what there is.
    pub(super) async fn check_room(&self, settings: &RunSettings) -> Result<()> {
        let Some(demand) = self.demand(settings) else {
            return Ok(());
        };
        let plan = MemoryPlan::new(&demand);
        match self.lacks(&plan).await {
            Some(Lack::Binding { needs, offered }) => Err(Error::Memory {
                what: "its largest tensor",
                needs,
                offered,
            }),
            Some(Lack::Memory { needs, offered }) => Err(Error::Memory {
                what: "this run",
                needs,
                offered,
            }),
            None => {
                self.budget.holds(plan.total);
                Ok(())
            }
        }
    }

    async fn memory(&self, settings: &RunSettings) -> Option<MemoryView> {
        let demand = self.demand(settings)?;
        let plan = MemoryPlan::new(&demand);
        // Before the rows are tokenized the plan is one of rows as long as they can be: nothing is tried for what will hardly be run.
        let lacks = match &self.tokens {
            Some(_) => self.lacks(&plan).await,
            None => None,
        };
        let binding = self.opened.info.max_storage_buffer_binding_size;
        let fits = |other: &MemoryPlan| {
            other.total < plan.total
                && binding.is_none_or(|most| other.largest <= most)
                && self.budget.may_fit(other.total)
        };
        Some(MemoryView {
            rows: demand.batch,
            tokens: demand.seq,
            ways: ways_out(&demand, &settings.arguments, fits),
            lacks,
            plan,
        })
    }

    async fn lacks(&self, plan: &MemoryPlan) -> Option<Lack> {
        let binding = self.opened.info.max_storage_buffer_binding_size;
        if let Some(offered) = binding.filter(|&most| plan.largest > most) {
            return Some(Lack::Binding {
                needs: plan.largest,
                offered,
            });
        }
        let offered = self.budget.lacks(plan.total).await?;
        Some(Lack::Memory {
            needs: plan.total,
            offered,
        })
    }

    /// What a run would be made of; none before a model is loaded. Before its rows are tokenized, each may be as long as it can.
    fn demand<'a>(&'a self, settings: &RunSettings) -> Option<MemoryDemand<'a>> {
        let (dataset, split) = self.need_split().ok()?;
        let config = &self.model.as_ref()?.config;
        let TrainingArguments {
            per_device_train_batch_size: rows,
            per_device_eval_batch_size: eval_rows,
            ..
        } = settings.arguments;
        let longest = settings.max_length.min(config.max_position_embeddings);
        let tokens = self.tokens.as_ref().filter(|made| {
            (made.max_length, made.padding) == (settings.max_length, settings.padding)
        });
        let ([batch, seq], evaluation) = match tokens {
            Some(tokens) => {
                let shape = |examples: &[Example], count| {
                    let rows = examples.iter().map(|row| &row.encoding);
                    tokens.collator(0).widest_batch(rows, count)
                };
                (shape(&tokens.train, rows), shape(&tokens.test, eval_rows))
            }
            None => (
                [rows.min(split.train.len()), longest],
                [eval_rows.min(split.test.len()), longest],
            ),
        };
        Some(MemoryDemand {
            config,
            num_labels: dataset.labels.len(),
            batch,
            seq,
            evaluation,
            accumulates: settings.arguments.gradient_accumulation_steps > 1,
            gradient_checkpointing: settings.arguments.gradient_checkpointing,
            tuning: settings.tuning,
            keeps_original: true,
            limits: self.opened.info.limits(),
        })
    }
}
