//! AdamW over the whole network, with PyTorch's arithmetic and transformers' two parameter groups.

use super::TrainingArguments;
use crate::bert::BertForSequenceClassification;
use crate::kernels::{self, AdamWScalars, AdamWState};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use std::collections::HashMap;

/// `torch.optim.AdamW` with weight decay on every parameter but biases and LayerNorm (`Trainer.get_decay_parameter_names`).
pub struct AdamW {
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    /// Whether a [`GradScaler`](super::GradScaler) decides about each update and counts them.
    scaled: bool,
    steps: i32,
    /// The first and then the second moments of each parameter, `[2 n]`.
    moments: HashMap<ParamId, Tensor<1>>,
}

impl AdamW {
    /// An optimizer that has done no step.
    pub fn new(arguments: &TrainingArguments) -> Self {
        Self {
            betas: (arguments.adam_beta1, arguments.adam_beta2),
            eps: arguments.adam_epsilon,
            weight_decay: arguments.weight_decay,
            scaled: arguments.fp16,
            steps: 0,
            moments: HashMap::new(),
        }
    }

    /// Updates every parameter that has a gradient. The gradients are multiplied by the second value of `clip`, from
    /// [`norm_and_clip`](super::norm_and_clip), first. With `fp16`, `clip` is from [`GradScaler::update`](super::GradScaler::update): what it
    /// skips changes neither parameters nor moments, and does not count as a step.
    pub fn step(
        &mut self,
        model: BertForSequenceClassification,
        grads: GradientsParams,
        clip: Tensor<1>,
        learning_rate: f64,
    ) -> BertForSequenceClassification {
        self.steps += 1;
        let device = model.device();
        // The parameters are taken out of the model, so that nobody else holds them and they are written in place.
        let mut taking = Taking {
            optimizer: self,
            grads,
            learning_rate,
            path: Vec::new(),
            empty: Tensor::empty([1], &device),
            taken: Vec::new(),
        };
        let model = model.map(&mut taking);
        let taken = taking.taken;
        let mut updated = HashMap::new();
        for (id, parameter, moments) in update(taken, clip, &device.without_autodiff()) {
            self.moments.insert(id, moments);
            updated.insert(id, parameter);
        }
        model.map(&mut Putting { updated })
    }

    fn scalars(&self, learning_rate: f64, decays: bool) -> AdamWScalars {
        let (beta1, beta2) = self.betas;
        let weight_decay = if decays { self.weight_decay } else { 0.0 };
        let corrections = |beta: f64| match self.scaled {
            true => 1.0,
            false => 1.0 - beta.powi(self.steps),
        };
        AdamWScalars {
            beta1,
            beta2,
            decay: 1.0 - learning_rate * weight_decay,
            step_size: learning_rate / corrections(beta1),
            bias_correction2_sqrt: corrections(beta2).sqrt(),
            eps: self.eps,
            scaled: self.scaled,
        }
    }
}

/// A parameter that was taken out of the model, and its shape there.
struct Taken {
    id: ParamId,
    shape: Vec<usize>,
    state: AdamWState,
}

/// A parameter after its update, in the shape it had.
struct Updated {
    parameter: Tensor<1>,
    shape: Vec<usize>,
}

/// Updates the parameters two by two.
fn update(
    taken: Vec<Taken>,
    clip: Tensor<1>,
    device: &Device,
) -> Vec<(ParamId, Updated, Tensor<1>)> {
    let mut done = Vec::with_capacity(taken.len());
    let mut taken = taken.into_iter();
    while let Some(one) = taken.next() {
        let (other, other_state) = match taken.next() {
            Some(other) => (Some((other.id, other.shape)), other.state),
            None => (None, nobody(&one.state, device)),
        };
        let [(parameter, moments), (other_parameter, other_moments)] =
            kernels::adamw([one.state, other_state], clip.clone());
        let shape = one.shape;
        done.push((one.id, Updated { parameter, shape }, moments));
        if let Some((id, shape)) = other {
            let parameter = other_parameter;
            done.push((id, Updated { parameter, shape }, other_moments));
        }
    }
    done
}

/// The partner of the last of an odd number.
fn nobody(last: &AdamWState, device: &Device) -> AdamWState {
    AdamWState {
        parameter: Tensor::zeros([1], device),
        gradient: Tensor::zeros([1], device),
        moments: Tensor::zeros([2], device),
        scalars: last.scalars,
    }
}

struct Taking<'a> {
    optimizer: &'a mut AdamW,
    grads: GradientsParams,
    learning_rate: f64,
    path: Vec<String>,
    /// What is in the model while a parameter is away.
    empty: Tensor<1>,
    taken: Vec<Taken>,
}

impl Taking<'_> {
    fn decays(&self) -> bool {
        let is_bias = self.path.last().is_some_and(|name| name == "bias");
        !is_bias && !self.path.iter().any(|name| name == "layer_norm")
    }
}

impl ModuleMapper for Taking<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.grads.remove::<D>(param.id) else {
            return param;
        };
        let scalars = self.optimizer.scalars(self.learning_rate, self.decays());
        let (id, parameter, mapper) = param.consume();
        let shape = parameter.dims().to_vec();
        let gradient: Tensor<1> = gradient.flatten(0, D - 1);
        let moments = self.optimizer.moments.remove(&id);
        let moments =
            moments.unwrap_or_else(|| Tensor::zeros([2 * gradient.dims()[0]], &gradient.device()));
        let state = AdamWState {
            parameter: parameter.inner().flatten(0, D - 1),
            gradient,
            moments,
            scalars,
        };
        self.taken.push(Taken { id, shape, state });
        Param::from_mapped_value(id, self.empty.clone().reshape([1; D]), mapper)
    }
}

struct Putting {
    updated: HashMap<ParamId, Updated>,
}

impl ModuleMapper for Putting {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(Updated { parameter, shape }) = self.updated.remove(&param.id) else {
            return param;
        };
        let (id, _, mapper) = param.consume();
        let shape: [usize; D] = std::array::from_fn(|dim| shape[dim]);
        let parameter = Tensor::from_inner(parameter.reshape(shape)).require_grad();
        Param::from_mapped_value(id, parameter, mapper)
    }
}
