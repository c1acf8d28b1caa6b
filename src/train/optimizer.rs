//! AdamW over the whole network, with PyTorch's arithmetic and transformers' two parameter groups.

use super::TrainingArguments;
use crate::bert::BertForSequenceClassification;
use crate::kernels::{self, AdamWScalars};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use std::collections::HashMap;

/// `torch.optim.AdamW` with weight decay on every parameter but biases and LayerNorm (`Trainer.get_decay_parameter_names`).
pub struct AdamW {
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    steps: i32,
    moments: HashMap<ParamId, (Tensor<1>, Tensor<1>)>,
}

impl AdamW {
    /// An optimizer that has done no step.
    pub fn new(arguments: &TrainingArguments) -> Self {
        Self {
            betas: (arguments.adam_beta1, arguments.adam_beta2),
            eps: arguments.adam_epsilon,
            weight_decay: arguments.weight_decay,
            steps: 0,
            moments: HashMap::new(),
        }
    }

    /// Updates every parameter that has a gradient. The gradients are multiplied by `clip` `[1]` first.
    pub fn step(
        &mut self,
        model: BertForSequenceClassification,
        grads: GradientsParams,
        clip: Tensor<1>,
        learning_rate: f64,
    ) -> BertForSequenceClassification {
        self.steps += 1;
        model.map(&mut Update {
            optimizer: self,
            grads,
            clip,
            learning_rate,
            path: Vec::new(),
        })
    }

    fn scalars(&self, learning_rate: f64, decays: bool) -> AdamWScalars {
        let (beta1, beta2) = self.betas;
        let weight_decay = if decays { self.weight_decay } else { 0.0 };
        AdamWScalars {
            beta1,
            beta2,
            decay: 1.0 - learning_rate * weight_decay,
            step_size: learning_rate / (1.0 - beta1.powi(self.steps)),
            bias_correction2_sqrt: (1.0 - beta2.powi(self.steps)).sqrt(),
            eps: self.eps,
        }
    }
}

struct Update<'a> {
    optimizer: &'a mut AdamW,
    grads: GradientsParams,
    clip: Tensor<1>,
    learning_rate: f64,
    path: Vec<String>,
}

impl Update<'_> {
    fn decays(&self) -> bool {
        let is_bias = self.path.last().is_some_and(|name| name == "bias");
        !is_bias && !self.path.iter().any(|name| name == "layer_norm")
    }
}

impl ModuleMapper for Update<'_> {
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
        let shape = parameter.shape();
        let gradient: Tensor<1> = gradient.flatten(0, D - 1);
        let moments = self
            .optimizer
            .moments
            .remove(&id)
            .unwrap_or_else(|| (gradient.zeros_like(), gradient.zeros_like()));
        let (parameter, moments) = kernels::adamw(
            parameter.inner().flatten(0, D - 1),
            gradient,
            moments,
            self.clip.clone(),
            scalars,
        );
        self.optimizer.moments.insert(id, moments);
        let parameter = Tensor::from_inner(parameter.reshape(shape)).require_grad();
        Param::from_mapped_value(id, parameter, mapper)
    }
}
