//! LoRA (Hu et al., 2021), as PEFT does it: beside a linear layer whose weight stays as it is, two narrow matrices learn.
//! `y = x Wᵀ + b + lora_alpha / r * (x lora_Aᵀ) lora_Bᵀ`; `lora_B` begins at 0, so that training begins at the checkpoint.

use super::adapters::each_linear;
use super::{BertForSequenceClassification, Linear};
use crate::bert::layers::parameter;
use crate::kernels;
use crate::random::TorchGenerator;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// The layers that get an adapter, under PEFT's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetModules {
    /// Query and value projections: PEFT's choice for BERT, and the paper's.
    #[serde(rename = "query,value")]
    QueryValue,
    /// All three projections of the attention.
    #[serde(rename = "query,key,value")]
    QueryKeyValue,
    /// Every linear layer but the classifier.
    #[serde(rename = "all-linear")]
    AllLinear,
}

impl TargetModules {
    /// Whether the layer of this name gets one.
    fn takes(self, layer: &str) -> bool {
        let last = layer.rsplit('.').next().unwrap_or(layer);
        self.names().contains(&last)
    }

    /// PEFT's `target_modules`: the last parts of the layers' names. `dense` is the attention's output, both layers of the feed-forward
    /// and the pooler.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::QueryValue => &["query", "value"],
            Self::QueryKeyValue => &["key", "query", "value"],
            Self::AllLinear => &["dense", "key", "query", "value"],
        }
    }
}

/// PEFT's `LoraConfig`, as far as it applies: `bias` is `none` and `lora_dropout` 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LoraConfig {
    /// Rank: columns of `lora_B`, rows of `lora_A`.
    pub r: usize,
    /// The update is scaled by `lora_alpha / r`.
    pub lora_alpha: usize,
    /// Which layers learn.
    pub target_modules: TargetModules,
}

impl LoraConfig {
    /// What the update is multiplied by.
    pub fn scaling(&self) -> f64 {
        self.lora_alpha as f64 / self.r as f64
    }
}

/// The two matrices beside one linear layer, or beside one part of a joined one.
#[derive(Module, Debug)]
pub struct LoraAdapter {
    /// `[r, in_features]`.
    pub lora_a: Param<Tensor<2>>,
    /// `[out_features, r]`.
    pub lora_b: Param<Tensor<2>>,
    /// The first of the layer's output columns that it adds to.
    pub start: usize,
    /// `lora_alpha / r`.
    pub scaling: f64,
}

impl LoraAdapter {
    /// An adapter that changes nothing yet: `lora_A` drawn as `torch.nn.Linear`'s weight is, uniform within `1 / sqrt(in_features)`,
    /// `lora_B` 0.
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

    /// `base` `[rows, width]` with the update from `input` `[rows, in_features]` in its columns.
    pub(super) fn add_to(&self, base: Tensor<2>, input: Tensor<2>) -> Tensor<2> {
        let lora_b = self.lora_b.val().mul_scalar(self.scaling);
        kernels::lora(base, input, self.lora_a.val(), lora_b, self.start)
    }

    /// `weight` `[width, in_features]` with the update in its rows, without autodiff.
    fn merge_into(&self, weight: Tensor<2>) -> Tensor<2> {
        let [lora_a, lora_b] = [&self.lora_a, &self.lora_b].map(|param| param.val().inner());
        let [rows, columns] = [lora_b.dims()[0], lora_a.dims()[1]];
        // The network's own product: burn's would add its whole library of them to what a visitor loads.
        let none = Tensor::zeros([columns], &lora_a.device());
        let update = kernels::linear(lora_b.mul_scalar(self.scaling), lora_a.transpose(), none);
        let place = [self.start..self.start + rows, 0..columns];
        let sum = weight.clone().slice(place.clone()) + update;
        weight.slice_assign(place, sum)
    }
}

impl Linear {
    /// Puts an adapter beside each part named; a part is `[start, rows]`.
    fn adapt(
        &mut self,
        parts: impl IntoIterator<Item = [usize; 2]>,
        config: &LoraConfig,
        generator: &mut TorchGenerator,
        device: &Device,
    ) {
        let in_features = self.weight.dims()[1];
        let adapters = parts.into_iter().map(|[start, rows]| {
            LoraAdapter::new([rows, in_features], start, config, generator, device)
        });
        self.lora = adapters.collect();
    }

    /// The layer whose weight is what weight and adapters amount to.
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
    /// Freezes everything but the classifier and puts adapters, drawn with `seed`, beside the layers that `config` names (PEFT's
    /// `get_peft_model` for a sequence classification, which trains the classifier whole).
    pub fn with_lora(self, config: &LoraConfig, seed: u32) -> Self {
        let mut generator = TorchGenerator::new(seed);
        let device = self.device();
        let mut model = self.head_only();
        each_linear(&mut model, &mut |linear, names| {
            let rows = linear.weight.dims()[0] / names.len();
            let targets = names.iter().enumerate();
            let targets = targets.filter(|(_, name)| config.target_modules.takes(name));
            let parts: Vec<_> = targets.map(|(at, _)| [at * rows, rows]).collect();
            linear.adapt(parts, config, &mut generator, &device);
        });
        model
    }

    /// The same network without adapters and without autodiff: what they learned is in the weights.
    pub fn merged(&self) -> Self {
        let mut model = self.valid();
        each_linear(&mut model, &mut |linear, _| linear.merge());
        model
    }

    /// Freezes everything but the classifier (`model.base_model.requires_grad_(False)`).
    pub fn head_only(mut self) -> Self {
        self.bert = self.bert.no_grad();
        self
    }

    /// Freezes the embeddings where `embeddings` says so, and with them the first `layers` encoder layers.
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
