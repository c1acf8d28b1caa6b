//! LoRA ([Hu et al., 2021](https://arxiv.org/abs/2106.09685)) as in PEFT: a linear layer is frozen, and a low-rank
//! update of its weight is trained as two matrices.
//!
//! `y = x Wᵀ + b + lora_alpha / r * (x lora_Aᵀ) lora_Bᵀ`. `lora_B` starts at 0, so that training starts from the
//! checkpoint.

use super::adapters::for_each_linear;
use super::layers::parameter;
use super::{BertForSequenceClassification, Linear};
use crate::kernels;
use crate::random::TorchGenerator;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// The layers that get an adapter (PEFT's `target_modules`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetModules {
    /// Query and value projections: the default of PEFT for BERT, and the choice of the paper.
    #[serde(rename = "query,value")]
    QueryValue,
    /// The three projections of the attention.
    #[serde(rename = "query,key,value")]
    QueryKeyValue,
    /// Every linear layer except the classifier.
    #[serde(rename = "all-linear")]
    AllLinear,
}

impl TargetModules {
    /// Returns whether the layer of this name gets an adapter.
    fn includes(self, layer: &str) -> bool {
        let last = layer.rsplit('.').next().unwrap_or(layer);
        self.names().contains(&last)
    }

    /// Returns the last parts of the layers' names, as PEFT stores them. `dense` is the output projection of the
    /// attention, both layers of the feed-forward network and the pooler.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::QueryValue => &["query", "value"],
            Self::QueryKeyValue => &["key", "query", "value"],
            Self::AllLinear => &["dense", "key", "query", "value"],
        }
    }
}

/// The supported fields of PEFT's [`LoraConfig`][peft]; `bias` is `none` and `lora_dropout` 0.
///
/// [peft]: https://huggingface.co/docs/peft/package_reference/lora#peft.LoraConfig
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LoraConfig {
    /// Rank: columns of `lora_B`, rows of `lora_A`.
    pub r: usize,
    /// The update is scaled by `lora_alpha / r`.
    pub lora_alpha: usize,
    /// The layers with adapters.
    pub target_modules: TargetModules,
}

impl LoraConfig {
    /// Returns the factor of the update, `lora_alpha / r`.
    pub fn scaling(&self) -> f64 {
        self.lora_alpha as f64 / self.r as f64
    }
}

/// The two matrices of one linear layer, or of one of the layers that a joined layer consists of.
#[derive(Module, Debug)]
pub struct LoraAdapter {
    /// `[r, in_features]`.
    pub lora_a: Param<Tensor<2>>,
    /// `[out_features, r]`.
    pub lora_b: Param<Tensor<2>>,
    /// The first output column of the layer that the update is added to.
    pub start: usize,
    /// `lora_alpha / r`.
    pub scaling: f64,
}

impl LoraAdapter {
    /// Creates an adapter whose update is 0: `lora_A` is drawn as the weight of `torch.nn.Linear` is, uniform within
    /// `±1 / sqrt(in_features)`, and `lora_B` is 0.
    fn new(
        [out_features, in_features]: [usize; 2],
        start: usize,
        config: &LoraConfig,
        generator: &mut TorchGenerator,
        device: &Device,
    ) -> Self {
        let bound = 1.0 / (in_features as f32).sqrt();
        let lora_a = generator.uniform_between(config.r * in_features, bound);
        Self {
            lora_a: parameter(lora_a, [config.r, in_features], device),
            lora_b: parameter(
                vec![0.0; out_features * config.r],
                [out_features, config.r],
                device,
            ),
            start,
            scaling: config.scaling(),
        }
    }

    /// Adds the update to the layer's output.
    ///
    /// # Shapes
    /// `base` `[rows, width]`, `input` `[rows, in_features]` → `[rows, width]`.
    pub(super) fn add_to(&self, base: Tensor<2>, input: Tensor<2>) -> Tensor<2> {
        let lora_b = self.lora_b.val().mul_scalar(self.scaling);
        kernels::lora(base, input, self.lora_a.val(), lora_b, self.start)
    }

    /// Returns the update of the weight's rows, without autodiff: `[out_features, in_features]`.
    pub(super) fn update(&self) -> Tensor<2> {
        let [lora_a, lora_b] = [&self.lora_a, &self.lora_b].map(|param| param.val().inner());
        // burn's matmul would link its kernel library into the wasm module.
        let no_bias = Tensor::zeros([lora_a.dims()[1]], &lora_a.device());
        kernels::linear(lora_b.mul_scalar(self.scaling), lora_a.transpose(), no_bias)
    }

    /// Adds the update to the layer's weight, without autodiff.
    ///
    /// # Shapes
    /// `weight` `[width, in_features]` → `[width, in_features]`.
    fn merge_into(&self, weight: Tensor<2>) -> Tensor<2> {
        let update = self.update();
        let [rows, columns] = update.dims();
        let region = [self.start..self.start + rows, 0..columns];
        let sum = weight.clone().slice(region.clone()) + update;
        weight.slice_assign(region, sum)
    }
}

impl Linear {
    /// Adds an adapter to each range of output columns `[start, len]`.
    fn add_adapters(
        &mut self,
        ranges: impl IntoIterator<Item = [usize; 2]>,
        config: &LoraConfig,
        generator: &mut TorchGenerator,
        device: &Device,
    ) {
        let in_features = self.weight.dims()[1];
        let adapters = ranges.into_iter().map(|[start, len]| {
            LoraAdapter::new([len, in_features], start, config, generator, device)
        });
        self.lora = adapters.collect();
    }

    /// Adds the updates of the adapters to the weight and removes the adapters.
    fn merge(&mut self) {
        let adapters = std::mem::take(&mut self.lora);
        if adapters.is_empty() {
            return;
        }
        let weight = self.weight.val().inner();
        let merged = adapters
            .iter()
            .fold(weight, |weight, adapter| adapter.merge_into(weight));
        self.weight = Param::from_tensor(merged);
        self.bias = Param::from_tensor(self.bias.val().inner());
    }
}

impl BertForSequenceClassification {
    /// Freezes everything but the classifier and adds adapters, drawn with `seed`, to the layers that `config` names.
    ///
    /// Mirrors PEFT's `get_peft_model` with the task type `SEQ_CLS`, which trains the whole classifier.
    pub fn with_lora(self, config: &LoraConfig, seed: u32) -> Self {
        let mut generator = TorchGenerator::new(seed);
        let device = self.device();
        let mut model = self.head_only();
        for_each_linear(&mut model, |linear, names| {
            let len = linear.weight.dims()[0] / names.len();
            let targets = names.iter().enumerate();
            let targets = targets.filter(|(_, name)| config.target_modules.includes(name));
            let ranges: Vec<_> = targets.map(|(at, _)| [at * len, len]).collect();
            linear.add_adapters(ranges, config, &mut generator, &device);
        });
        model
    }

    /// Adds the updates of the adapters to the weights. Returns a network without adapters and without autodiff.
    pub fn merged(&self) -> Self {
        let mut model = self.valid();
        for_each_linear(&mut model, |linear, _| linear.merge());
        model
    }

    /// Freezes everything but the classifier (`model.base_model.requires_grad_(False)`).
    pub fn head_only(mut self) -> Self {
        self.bert = self.bert.no_grad();
        self
    }

    /// Freezes the first `layers` encoder layers, and the embeddings if `embeddings` is set or a layer is frozen.
    pub fn freeze(mut self, embeddings: bool, layers: usize) -> Self {
        if embeddings || layers > 0 {
            self.bert.embeddings = self.bert.embeddings.no_grad();
        }
        let encoder = &mut self.bert.encoder;
        let layer = std::mem::take(&mut encoder.layer).into_iter();
        let frozen = |(at, layer): (usize, super::BertLayer)| {
            if at < layers { layer.no_grad() } else { layer }
        };
        encoder.layer = layer.enumerate().map(frozen).collect();
        self
    }
}
