//! AdamW over all parameters of the network, with PyTorch's arithmetic and transformers' parameter groups: with and
//! without weight decay, each for the body and for pooler and classifier.

use super::{LearningRates, TrainingArguments};
use crate::bert::BertForSequenceClassification;
use crate::kernels::{self, AdamWScalars, AdamWState, GROUPS};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use std::collections::HashMap;

/// [`torch.optim.AdamW`](https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html) with weight decay on
/// every parameter except biases and LayerNorm, as in transformers' [`get_decay_parameter_names`].
///
/// [`get_decay_parameter_names`]: https://github.com/huggingface/transformers/blob/main/src/transformers/trainer.py
pub struct AdamW {
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    /// Whether a [`GradScaler`](super::GradScaler) decides on each update and counts them.
    scaled: bool,
    steps: i32,
    /// The values of the next step, if they are on the device already.
    prepared: Option<Prepared>,
    /// The first and then the second moments of each parameter of `n` values, `[2 n]`.
    moments: HashMap<ParamId, Tensor<1>>,
}

impl AdamW {
    /// An optimizer before its first step.
    pub fn new(arguments: &TrainingArguments) -> Self {
        Self {
            betas: (arguments.adam_beta1, arguments.adam_beta2),
            eps: arguments.adam_epsilon,
            weight_decay: arguments.weight_decay,
            scaled: arguments.fp16,
            steps: 0,
            prepared: None,
            moments: HashMap::new(),
        }
    }

    /// Copies the scalars of the next step to the device: before the forward pass, together with the batch, because a
    /// copy ends the submission of the dispatches before it. Without this, [`step`](Self::step) does it.
    pub fn prepare(&mut self, rates: impl Into<LearningRates>, device: &Device) {
        let groups = self.groups(rates.into(), self.steps + 1);
        self.prepared = Some(Prepared::new(groups, device));
    }

    /// Updates every parameter that has a gradient.
    ///
    /// `clip` is the result of [`GradientClipper::update`](super::GradientClipper::update); its second value multiplies
    /// the gradients. With `fp16` it is the result of [`GradScaler::update`](super::GradScaler::update). A skipped
    /// update changes neither parameters nor moments; with `fp16` it is not counted as a step. `rates` are the learning
    /// rates of the update, or one for all parameters.
    ///
    /// # Shapes
    /// `clip`: `[CLIP_VALUES]`, with `fp16` `[SCALER_VALUES]`.
    pub fn step(
        &mut self,
        model: BertForSequenceClassification,
        grads: GradientsParams,
        clip: Tensor<1>,
        rates: impl Into<LearningRates>,
    ) -> BertForSequenceClassification {
        self.steps += 1;
        let device = model.device();
        let groups = self.groups(rates.into(), self.steps);
        let prepared = match self.prepared.take() {
            Some(prepared) if prepared.groups == groups => prepared,
            _ => Prepared::new(groups, &device),
        };
        let settings = kernels::adamw_settings(clip, prepared.values);
        // A parameter that only the kernel references is written in place.
        let mut extractor = Extractor {
            optimizer: self,
            grads,
            groups,
            path: Vec::new(),
            empty: Tensor::empty([1], &device),
            extracted: Vec::new(),
        };
        let model = model.map(&mut extractor);
        let extracted = extractor.extracted;
        let mut updated = HashMap::new();
        for (id, parameter, moments) in update(extracted, settings, &device.without_autodiff()) {
            self.moments.insert(id, moments);
            updated.insert(id, parameter);
        }
        model.map(&mut Restorer { updated })
    }

    /// The number of steps done.
    pub(super) fn steps(&self) -> i32 {
        self.steps
    }

    /// The moments of a parameter; none before its first step.
    ///
    /// # Shapes
    /// `[2 n]` for a parameter of `n` values.
    pub(super) fn moments(&self, id: ParamId) -> Option<Tensor<1>> {
        self.moments.get(&id).cloned()
    }

    /// Continues after `steps` steps with these moments.
    pub(super) fn resume(&mut self, steps: i32, moments: HashMap<ParamId, Tensor<1>>) {
        (self.steps, self.moments) = (steps, moments);
        self.prepared = None;
    }

    /// The scalars of each parameter group, at the index [`group`].
    fn groups(&self, rates: LearningRates, step: i32) -> [AdamWScalars; GROUPS] {
        let [(body, head), (body_decays, head_decays)] = [false, true].map(|decays| {
            let of = |rate, in_head| self.scalars(rate, step, group(in_head, decays), decays);
            (of(rates.body, false), of(rates.head, true))
        });
        [body, body_decays, head, head_decays]
    }

    fn scalars(&self, learning_rate: f64, step: i32, group: usize, decays: bool) -> AdamWScalars {
        let (beta1, beta2) = self.betas;
        let weight_decay = if decays { self.weight_decay } else { 0.0 };
        let corrections = |beta: f64| match self.scaled {
            true => 1.0,
            false => 1.0 - beta.powi(step),
        };
        AdamWScalars {
            beta1,
            beta2,
            decay: 1.0 - learning_rate * weight_decay,
            step_size: learning_rate / corrections(beta1),
            bias_correction2_sqrt: corrections(beta2).sqrt(),
            eps: self.eps,
            group,
            scaled: self.scaled,
        }
    }
}

/// The scalars of a step, and those of them that a GPU reads from a buffer.
struct Prepared {
    groups: [AdamWScalars; GROUPS],
    values: Tensor<1>,
}

impl Prepared {
    fn new(groups: [AdamWScalars; GROUPS], device: &Device) -> Self {
        let values = kernels::step_values(&groups);
        let device = device.clone().without_autodiff();
        Self {
            groups,
            values: Tensor::from_floats(values.as_slice(), &device),
        }
    }
}

/// The index of a parameter group: that of the pooler and the classifier (the head) or of the body, with or without
/// weight decay.
fn group(in_head: bool, decays: bool) -> usize {
    2 * usize::from(in_head) + usize::from(decays)
}

/// A parameter that was moved out of the model, and its shape there.
struct Extracted {
    id: ParamId,
    shape: Vec<usize>,
    state: AdamWState,
}

/// A flat parameter after its update, and its shape in the model.
struct Updated {
    parameter: Tensor<1>,
    shape: Vec<usize>,
}

/// Updates the parameters in pairs, because one dispatch takes two.
fn update(
    extracted: Vec<Extracted>,
    settings: Tensor<1>,
    device: &Device,
) -> Vec<(ParamId, Updated, Tensor<1>)> {
    let mut updated = Vec::with_capacity(extracted.len());
    let mut extracted = extracted.into_iter();
    while let Some(a) = extracted.next() {
        let (b, b_state) = match extracted.next() {
            Some(b) => (Some((b.id, b.shape)), b.state),
            None => (None, empty_state(&a.state, device)),
        };
        let [(parameter, moments), (b_parameter, b_moments)] =
            kernels::adamw([a.state, b_state], settings.clone());
        let shape = a.shape;
        updated.push((a.id, Updated { parameter, shape }, moments));
        if let Some((id, shape)) = b {
            let parameter = b_parameter;
            updated.push((id, Updated { parameter, shape }, b_moments));
        }
    }
    updated
}

/// The second state of a dispatch if the number of parameters is odd.
fn empty_state(last: &AdamWState, device: &Device) -> AdamWState {
    AdamWState {
        parameter: Tensor::zeros([1], device),
        gradient: Tensor::zeros([1], device),
        moments: Tensor::zeros([2], device),
        scalars: last.scalars,
    }
}

/// Moves parameters, gradients and moments out of the model and the optimizer.
struct Extractor<'a> {
    optimizer: &'a mut AdamW,
    grads: GradientsParams,
    groups: [AdamWScalars; GROUPS],
    path: Vec<String>,
    /// The placeholder of an extracted parameter in the model.
    empty: Tensor<1>,
    extracted: Vec<Extracted>,
}

impl Extractor<'_> {
    /// Whether weight decay applies to the parameter at the current path.
    fn decays(&self) -> bool {
        let is_bias = self.path.last().is_some_and(|name| name == "bias");
        !is_bias && !self.path.iter().any(|name| name == "layer_norm")
    }

    /// Whether the parameter at the current path is one of pooler or classifier.
    fn is_head(&self) -> bool {
        let mut modules = self.path.iter();
        modules.any(|name| name == "pooler" || name == "classifier")
    }
}

impl ModuleMapper for Extractor<'_> {
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
        let scalars = self.groups[group(self.is_head(), self.decays())];
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
        self.extracted.push(Extracted { id, shape, state });
        Param::from_mapped_value(id, self.empty.clone().reshape([1; D]), mapper)
    }
}

/// Moves updated parameters back into the model.
struct Restorer {
    updated: HashMap<ParamId, Updated>,
}

impl ModuleMapper for Restorer {
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
