//! The state of a run between two updates, from which another trainer of the same run continues with equal losses.
//!
//! transformers saves the same for `resume_from_checkpoint`: weights, `optimizer.pt`, `scheduler.pt`, `rng_state.pth`
//! and `trainer_state.json`. Here the schedule, the order of the rows and the dropout masks follow from the seed and
//! the number of updates, so that no generator has a state of its own.

use super::{BestEvaluation, Trainer};
use crate::bert::BertForSequenceClassification;
use crate::{Error, Result};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Prefixes of the names of tensors: the trained parameters, their moments, and those of the best evaluation.
const MODEL: &str = "model";
const MOMENTS: &str = "moments";
const BEST: &str = "best";
/// State of the gradient clipper or of the loss scaler.
const CLIP: &str = "clip";
/// What weight decay has multiplied the word embeddings by that no training row selects.
const WORD_DECAY: &str = "word_decay";

/// The numbers of a trainer's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResumeProgress {
    /// Updates done.
    pub global_step: usize,
    /// Steps that the optimizer has counted.
    optimizer_steps: i32,
    /// Tokens of all training batches, padding included.
    padded_tokens: usize,
    /// Sum of the losses, and their number.
    loss_sum: f64,
    logged_steps: usize,
    /// Whether the evaluation at the end of an epoch comes before the next update.
    evaluation_due: bool,
    evaluated_step: usize,
    tested_step: Option<usize>,
    best: Option<BestEvaluation>,
    /// Evaluations since the best one.
    without_improvement: usize,
}

/// Flat tensors by name, on the device and without autodiff.
pub type ResumeTensors = BTreeMap<String, Tensor<1>>;

impl Trainer {
    /// Whether the state can be saved now: between an update whose log has been read back and the next update or
    /// evaluation. [`read_logs`](Trainer::read_logs) reads the logs back.
    pub fn is_resumable(&self) -> bool {
        let is_between = self.evaluator.is_none() && !self.is_final && !self.saving.is_due();
        let is_running = !self.stopped && !self.ended && self.failure.is_none();
        is_between
            && is_running
            && self.pending.is_empty()
            && self.model.is_some()
            && self.global_step > 0
            && self.evaluated_step != self.global_step
    }

    /// The numbers of the state.
    pub fn resume_progress(&self) -> ResumeProgress {
        let (best, without_improvement) = self.best.state();
        ResumeProgress {
            global_step: self.global_step,
            optimizer_steps: self.optimizer.steps(),
            padded_tokens: self.padded_tokens,
            loss_sum: self.loss_sum,
            logged_steps: self.logged_steps,
            evaluation_due: self.evaluation_due,
            evaluated_step: self.evaluated_step,
            tested_step: self.tested_step,
            best,
            without_improvement,
        }
    }

    /// The tensors of the state. They are those of the trainer, so they must be dropped before the next update, which
    /// writes in place only what it alone references.
    ///
    /// # Errors
    /// [`Error::NotReady`] after an update that was interrupted.
    pub fn resume_tensors(&self) -> Result<ResumeTensors> {
        let mut tensors = ResumeTensors::new();
        for (path, (id, values)) in trained(self.trained_model()?) {
            if let Some(moments) = self.optimizer.moments(id) {
                tensors.insert(format!("{MOMENTS}.{path}"), moments);
            }
            tensors.insert(format!("{MODEL}.{path}"), values);
        }
        if let Some(weights) = self.best.weights() {
            let best = trained(weights).into_iter();
            tensors.extend(best.map(|(path, (_, values))| (format!("{BEST}.{path}"), values)));
        }
        tensors.insert(CLIP.into(), self.clipping.state());
        let decay = self.word_rows.as_ref().and_then(|rows| rows.decay());
        tensors.extend(decay.map(|decay| (WORD_DECAY.into(), decay)));
        Ok(tensors)
    }

    /// Continues from a state that a trainer of the same run has saved. This trainer must be new.
    ///
    /// # Errors
    /// [`Error::Resume`] for a tensor that is missing or of another size; the trainer cannot be used then.
    pub fn resume(&mut self, progress: &ResumeProgress, mut tensors: ResumeTensors) -> Result<()> {
        if progress.global_step > self.max_steps {
            return Err(Error::Resume(format!(
                "it has {} updates, but the run has {}",
                progress.global_step, self.max_steps
            )));
        }
        let model = self.trained_model()?;
        let moments = trained(model).into_iter().filter_map(|(path, (id, _))| {
            let values = tensors.remove(&format!("{MOMENTS}.{path}"))?;
            Some((id, values))
        });
        let moments: HashMap<_, _> = moments.collect();
        let whole = self.model()?;
        let restored = replaced(model.clone(), MODEL, &mut tensors)?;
        let keeps_best = tensors
            .keys()
            .any(|name| name.starts_with(&format!("{BEST}.")));
        let best = match keeps_best {
            true => Some(replaced(whole, BEST, &mut tensors)?),
            false => None,
        };
        self.optimizer.resume(progress.optimizer_steps, moments);
        let clip = tensors.remove(CLIP).ok_or_else(|| missing(CLIP))?;
        self.clipping.set_state(clip)?;
        if let Some(rows) = &mut self.word_rows {
            rows.set_decay(tensors.remove(WORD_DECAY));
        }
        if let Some(name) = tensors.keys().next() {
            return Err(Error::Resume(format!(
                "it has a tensor {name} that the run has not"
            )));
        }
        self.best
            .resume(progress.best, progress.without_improvement, best);
        self.model = Some(restored);
        self.whole.take();
        self.global_step = progress.global_step;
        self.padded_tokens = progress.padded_tokens;
        self.loss_sum = progress.loss_sum;
        self.logged_steps = progress.logged_steps;
        self.evaluation_due = progress.evaluation_due;
        self.evaluated_step = progress.evaluated_step;
        self.tested_step = progress.tested_step;
        self.order = self.epoch_order(self.global_step / self.steps_per_epoch);
        Ok(())
    }
}

fn missing(name: &str) -> Error {
    Error::Resume(format!("its tensor {name} is missing"))
}

/// The trained parameters of a network by their path in it: the id and the flat values of each.
fn trained(model: &BertForSequenceClassification) -> BTreeMap<String, (ParamId, Tensor<1>)> {
    let mut collector = Collector::default();
    model.visit(&mut collector);
    collector.found
}

/// The network with the tensors of a prefix in place of its trained parameters. They are removed from `tensors`.
fn replaced(
    model: BertForSequenceClassification,
    prefix: &'static str,
    tensors: &mut ResumeTensors,
) -> Result<BertForSequenceClassification> {
    let mut replacer = Replacer {
        prefix,
        path: Vec::new(),
        tensors,
        problem: None,
    };
    let model = model.map(&mut replacer);
    replacer.problem.map_or(Ok(model), Err)
}

#[derive(Default)]
struct Collector {
    path: Vec<String>,
    found: BTreeMap<String, (ParamId, Tensor<1>)>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if value.is_require_grad() {
            let values = value.inner().flatten(0, D - 1);
            self.found.insert(self.path.join("."), (param.id, values));
        }
    }
}

struct Replacer<'a> {
    prefix: &'static str,
    path: Vec<String>,
    tensors: &'a mut ResumeTensors,
    problem: Option<Error>,
}

impl Replacer<'_> {
    /// The values of the parameter at the current path, which has `len` of them.
    fn take(&mut self, len: usize) -> Result<Tensor<1>> {
        let name = format!("{}.{}", self.prefix, self.path.join("."));
        let values = self.tensors.remove(&name).ok_or_else(|| missing(&name))?;
        let [found] = values.dims();
        if found != len {
            return Err(Error::Resume(format!(
                "its tensor {name} has {found} values instead of {len}"
            )));
        }
        Ok(values)
    }
}

impl ModuleMapper for Replacer<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = param.val();
        if !value.is_require_grad() || self.problem.is_some() {
            return param;
        }
        let shape = value.dims();
        match self.take(shape.iter().product()) {
            Ok(values) => {
                let (id, _, mapper) = param.consume();
                let values = Tensor::from_inner(values.reshape(shape)).require_grad();
                Param::from_mapped_value(id, values, mapper)
            }
            Err(problem) => {
                self.problem = Some(problem);
                param
            }
        }
    }
}
