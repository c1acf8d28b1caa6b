//! The steps and the memory of a run before it starts.

use super::Session;
use super::protocol::PlanView;
use crate::Result;
use crate::hub::Environment;
use crate::settings::{RunSettings, Values};
use crate::train::{
    BatchShapes, MemoryDemand, MemoryPlan, MemoryProbe, MemoryReport, TrainPlan, trained_word_rows,
};

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Computes what a run with these settings will do, and what it needs of the device's memory.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] for a setting out of bounds, [`crate::Error::NotReady`] without a split.
    pub(super) async fn plan(&self, values: &Values) -> Result<PlanView> {
        let settings = RunSettings::from_values(values)?;
        let (_, split) = self.require_split()?;
        let plan = TrainPlan::new(
            &settings.arguments,
            settings.tuning.method,
            settings.training_rows(split.train.len()),
        )?;
        Ok(PlanView {
            steps_per_epoch: plan.steps_per_epoch,
            max_steps: plan.max_steps,
            warmup_steps: plan.warmup_steps,
            schedule: plan.schedule,
            warnings: plan.warnings,
            memory: self.memory(&settings).await,
        })
    }

    /// Refuses a run that does not fit into the memory of the device. Returns the bytes of one that does.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] or [`crate::Error::MemoryKept`] with the bytes that the run needs and those that are
    /// available, [`crate::Error::NotReady`] when an earlier stage is missing.
    pub(super) async fn check_memory(&self, settings: &RunSettings) -> Result<u64> {
        self.require_split()?;
        self.require_model()?;
        let Some(demand) = self.demand(settings) else {
            return Ok(0);
        };
        let plan = MemoryPlan::new(&demand);
        self.compute.memory.check(&plan).await?;
        Ok(plan.total)
    }

    async fn memory(&self, settings: &RunSettings) -> Option<MemoryReport> {
        let demand = self.demand(settings)?;
        // Until the rows are tokenized, the plan is an upper bound: no memory is allocated on trial for it.
        let trial = self.tokens.is_some();
        Some(
            self.compute
                .memory
                .report(&demand, &settings.arguments, trial)
                .await,
        )
    }

    /// What the memory of a run depends on; none before a model is loaded.
    fn demand(&self, settings: &RunSettings) -> Option<MemoryDemand<'_>> {
        let (dataset, split) = self.require_split().ok()?;
        let config = &self.model.as_ref()?.config;
        let arguments = &settings.arguments;
        let tokens = self.tokens.as_ref().filter(|tokens| {
            (tokens.max_length, tokens.padding) == (settings.max_length, settings.padding)
        });
        let shapes = match tokens {
            Some(tokens) => {
                let collator = tokens.collator(0);
                let shapes = BatchShapes::of(&collator, &tokens.train, &tokens.test, arguments);
                match settings.validation_size > 0.0 {
                    true => shapes.with_validation(&collator, &tokens.train, arguments),
                    false => shapes,
                }
            }
            None => {
                let trained = settings.training_rows(split.train.len());
                let validation = split.train.len() - trained;
                let rows = [trained, split.test.len().max(validation)];
                let longest = settings.max_length.min(config.max_position_embeddings);
                BatchShapes::upper_bound(rows, longest, arguments)
            }
        };
        let (labels, limits) = (dataset.labels.len(), self.compute.info.limits());
        let pad_token_id = self.model.as_ref()?.tokenizer.pad_token_id();
        let word_rows = tokens
            .and_then(|tokens| trained_word_rows(&tokens.train, pad_token_id, config.vocab_size));
        Some(MemoryDemand {
            kept: self.kept_bytes(),
            word_rows,
            classifier_pooling: settings.classifier_pooling,
            ..MemoryDemand::new(config, labels, shapes, arguments, settings.tuning, limits)
        })
    }
}
