//! The trained models that the session keeps: the current one and the one before it, and their bytes on the device.

use super::Session;
use super::protocol::{KeptModel, TrainedState};
use super::run::Run;
use crate::hub::Environment;
use crate::train::MemoryProbe;
use crate::{Error, Result};

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Exchanges the trained model and the one before it. A second call exchanges them back.
    ///
    /// # Errors
    /// [`Error::NotReady`] when no model was trained before, or while a run is in progress.
    pub(super) fn restore_previous(&mut self) -> Result<TrainedState> {
        self.require_no_run()?;
        let previous = self.previous.as_ref().and_then(Run::trained);
        let missing = || Error::NotReady("No other model was trained before this one.".into());
        let state = previous.ok_or_else(missing)?;
        std::mem::swap(&mut self.run, &mut self.previous);
        Ok(state)
    }

    /// Frees a trained model.
    ///
    /// # Errors
    /// [`Error::NotReady`] when there is none, or while a run is in progress.
    pub(super) fn discard(&mut self, model: KeptModel) -> Result<()> {
        self.require_no_run()?;
        let kept = match model {
            KeptModel::Trained => &mut self.run,
            KeptModel::Previous => &mut self.previous,
        };
        if kept.take().is_none() {
            return Err(Error::NotReady("There is no such model to discard.".into()));
        }
        self.free_unused();
        Ok(())
    }

    /// Makes a new run the current one. The model that was trained last is kept, and the one before it is freed.
    pub(super) fn replace_run(&mut self, run: Run) {
        if let Some(mut last) = self.run.replace(run) {
            last.end();
            if last.trained().is_some() {
                self.previous = Some(last);
            }
        }
        // Buffers are reused for tensors of the same size only, so those of the last run would stay allocated.
        self.compute.device.memory_cleanup();
    }

    /// Ends the run that is in progress, which frees its optimizer state for the next run. A run without a finite step
    /// is dropped, and the model that was trained before it is the current one again.
    pub(super) fn end_run(&mut self) {
        let Some(run) = &mut self.run else { return };
        run.end();
        if !run.has_finite_step() || run.trained().is_none() {
            self.drop_run();
        }
    }

    /// Drops the run that is in progress. The model that was trained before it is the current one again.
    pub(super) fn drop_run(&mut self) {
        self.run = self.previous.take();
        self.free_unused();
    }

    /// Bytes of the trained model that stays beside the next run.
    pub(super) fn kept_bytes(&self) -> u64 {
        let trained = self.run.as_ref().filter(|run| run.trained().is_some());
        let kept = trained.or(self.previous.as_ref());
        kept.map_or(0, |run| run.trainable_bytes)
    }

    /// Returns the buffers of dropped tensors to the device. They would be reused for tensors of their own size only.
    pub(super) fn free_unused(&self) {
        self.compute.device.memory_cleanup();
        let model = self.model.as_ref();
        let parameters = model.map_or(0, |model| model.parameter_bytes());
        let trained = [&self.run, &self.previous].into_iter().flatten();
        let trained: u64 = trained.map(|run| run.trainable_bytes).sum();
        self.compute.memory.free_down_to(parameters + trained);
    }

    fn require_no_run(&self) -> Result<()> {
        match &self.run {
            Some(run) if !run.is_over() => Err(Error::NotReady(
                "A training run is in progress. Stop it first.".into(),
            )),
            _ => Ok(()),
        }
    }
}
