//! The steps and the memory of a run before it starts. A run that does not fit into the memory of the device is refused
//! here.

use super::app::{Webtune, read_settings};
use super::convert::{error, to_js};
use crate::settings::RunSettings;
use crate::train::{BatchShapes, MemoryDemand, MemoryPlan, MemoryReport, TrainPlan};
use crate::{Result, Warning};
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
    memory: Option<MemoryReport>,
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
    /// Refuses a run that does not fit into the memory of the device, and reserves the memory of one that does.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) with the bytes that the run needs and those that are available.
    pub(super) async fn reserve_memory(&self, settings: &RunSettings) -> Result<()> {
        match self.demand(settings) {
            Some(demand) => self.budget.reserve(&MemoryPlan::new(&demand)).await,
            None => Ok(()),
        }
    }

    async fn memory(&self, settings: &RunSettings) -> Option<MemoryReport> {
        let demand = self.demand(settings)?;
        // Until the rows are tokenized, the plan is an upper bound: no memory is allocated on trial for it.
        let trial = self.tokens.is_some();
        Some(
            self.budget
                .report(&demand, &settings.arguments, trial)
                .await,
        )
    }

    /// What the memory of a run depends on; none before a model is loaded.
    fn demand<'a>(&'a self, settings: &RunSettings) -> Option<MemoryDemand<'a>> {
        let (dataset, split) = self.need_split().ok()?;
        let config = &self.model.as_ref()?.config;
        let arguments = &settings.arguments;
        let tokens = self.tokens.as_ref().filter(|made| {
            (made.max_length, made.padding) == (settings.max_length, settings.padding)
        });
        let shapes = match tokens {
            Some(tokens) => {
                BatchShapes::of(&tokens.collator(0), &tokens.train, &tokens.test, arguments)
            }
            None => {
                let rows = [split.train.len(), split.test.len()];
                let longest = settings.max_length.min(config.max_position_embeddings);
                BatchShapes::upper_bound(rows, longest, arguments)
            }
        };
        let (labels, limits) = (dataset.labels.len(), self.opened.info.limits());
        Some(MemoryDemand::new(
            config,
            labels,
            shapes,
            arguments,
            settings.tuning,
            limits,
        ))
    }
}
