//! Counts the tensors of a run that are alive at one time, by their size: parameters, their gradients and moments, and
//! what autodiff stores of a batch (`src/kernels/autodiff.rs`).

use super::MemoryDemand;
use crate::bert::{ClassifierPooling, TargetModules};
use crate::train::TuningMethod;
use std::collections::BTreeMap;

/// Tensors of one size that are alive at one time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Alive {
    pub(super) parameters: u64,
    pub(super) original: u64,
    pub(super) moments: u64,
    /// At the end of the backward pass.
    pub(super) gradients: u64,
    /// At the start of the backward pass.
    pub(super) activations: u64,
}

/// Counts tensors by their size in values.
pub(super) struct Count<'a> {
    demand: &'a MemoryDemand<'a>,
    pub(super) sizes: BTreeMap<u64, Alive>,
    pub(super) largest: u64,
}

impl<'a> Count<'a> {
    pub(super) fn new(demand: &'a MemoryDemand<'a>) -> Self {
        Self {
            demand,
            sizes: BTreeMap::new(),
            largest: 0,
        }
    }

    fn at(&mut self, size: u64) -> &mut Alive {
        self.sizes.entry(size).or_default()
    }

    /// Adds `count` parameters of `size`. The optimizer state of each is one tensor of twice its size.
    fn parameter(&mut self, size: u64, count: u64, trainable: bool) {
        let accumulates = self.demand.accumulates;
        let copies = u64::from(self.demand.keeps_original) + u64::from(self.demand.keeps_best);
        let alive = self.at(size);
        alive.parameters += count;
        if trainable {
            alive.gradients += if accumulates { 2 * count } else { count };
            alive.original += copies * count;
            self.at(2 * size).moments += count;
        }
    }

    /// Adds a table of which a run trains a part, with the whole one that is put together for an evaluation.
    fn split_table(&mut self, size: u64, trained: u64) {
        self.parameter(trained, 1, true);
        let copies = u64::from(self.demand.keeps_original) + u64::from(self.demand.keeps_best);
        self.at(trained).original -= copies;
        let whole = self.at(size);
        whole.parameters += 1;
        whole.original += copies;
        // Not alive at the time of gradients and activations, whose peak it raises.
        whole.gradients += 1;
    }

    /// Adds `count` adapters: both matrices of each, and the scaled `lora_B` of a step. The loaded network has
    /// none, the best epoch has its own.
    fn adapter(&mut self, inputs: u64, outputs: u64, count: u64) {
        let r = self.demand.tuning.lora.r as u64;
        let copies = if self.demand.accumulates { 2 } else { 1 };
        let best = u64::from(self.demand.keeps_best);
        for size in [r * inputs, r * outputs] {
            let alive = self.at(size);
            alive.parameters += count;
            alive.gradients += copies * count;
            alive.original += best * count;
            self.at(2 * size).moments += count;
        }
        self.at(r * outputs).activations += 2 * count;
    }

    pub(super) fn parameters(&mut self) {
        let config = self.demand.config;
        let (hidden, inner) = (config.hidden_size as u64, config.intermediate_size as u64);
        let (full, embeddings) = (self.is_full(), self.trains_embeddings());
        let limits = &self.demand.limits;
        let word_embeddings = limits.blocks(config.vocab_size, config.hidden_size);
        match (word_embeddings.as_slice(), self.demand.word_rows) {
            (&[rows], Some(trained)) if embeddings => {
                self.split_table(rows as u64 * hidden, trained as u64 * hidden);
            }
            (blocks, _) => {
                for &rows in blocks {
                    self.parameter(rows as u64 * hidden, 1, embeddings);
                }
            }
        }
        for rows in [config.max_position_embeddings, config.type_vocab_size] {
            self.parameter(rows as u64 * hidden, 1, embeddings);
        }
        self.parameter(hidden, 2, embeddings);
        let trainable_layers = self.trainable_layers();
        let frozen = self.layers() - trainable_layers;
        for (layers, trainable) in [(frozen, false), (trainable_layers, full)] {
            for (size, count) in [
                (3 * hidden * hidden, 1),
                (3 * hidden, 1),
                (hidden * hidden, 1),
                (hidden * inner, 2),
                (inner, 1),
                (hidden, 6),
            ] {
                self.parameter(size, count * layers, trainable);
            }
        }
        let pools_mean = self.demand.classifier_pooling == ClassifierPooling::Mean;
        self.parameter(hidden * hidden, 1, full && !pools_mean);
        self.parameter(hidden, 1, full && !pools_mean);
        let labels = self.demand.num_labels as u64;
        self.parameter(labels * hidden, 1, true);
        self.parameter(labels, 1, true);
        let projections = self.adapted_projections() * self.layers();
        self.adapter(hidden, hidden, projections);
        if self.is_all_linear() {
            self.adapter(hidden, hidden, self.layers() + 1);
            self.adapter(hidden, inner, self.layers());
            self.adapter(inner, hidden, self.layers());
        }
    }

    pub(super) fn activations(&mut self) {
        let config = self.demand.config;
        let (hidden, inner) = (config.hidden_size as u64, config.intermediate_size as u64);
        let (batch, seq) = (self.demand.batch as u64, self.demand.seq as u64);
        let rows = batch * seq;
        let probs = rows * seq * config.num_attention_heads as u64;
        let layers = self.layers_in_graph();
        let checkpoints = self.demand.gradient_checkpointing && layers > 0;
        // Layers whose activations are alive at once.
        let stored = if checkpoints { 1 } else { layers };
        // Attention probabilities before and after dropout.
        let copies = if config.attention_probs_dropout_prob > 0.0 {
            2
        } else {
            1
        };
        let stores_inputs = self.is_full() || self.is_all_linear();
        let of_hidden = match (layers, checkpoints) {
            (0, _) => 3,
            // The input of each layer, and one layer with its gradients.
            (_, true) => self.layers() + 6,
            // The output of a layer, the inputs of its two LayerNorms, and the input of the output projection of its
            // attention.
            (_, false) => layers * if stores_inputs { 5 } else { 4 } + 2,
        };
        let embeddings = if self.trains_embeddings() && !checkpoints {
            1 + u64::from(config.hidden_dropout_prob > 0.0)
        } else {
            0
        };
        // The hidden states, each times its share in the mean.
        let shares = match self.demand.classifier_pooling {
            ClassifierPooling::Cls => 0,
            ClassifierPooling::Mean => 2,
        };
        self.at(rows * hidden).activations += of_hidden + embeddings + shares;
        self.at(rows * 3 * hidden).activations += stored + 1;
        self.at(rows * inner).activations += match layers {
            0 => 2,
            _ if self.is_full() => 2 * stored,
            _ if self.is_all_linear() => 2 * stored + 1,
            _ => stored + 1,
        };
        self.at(probs).activations += copies * stored + 2;
        let adapters = self.adapted_projections() + if self.is_all_linear() { 3 } else { 0 };
        if adapters > 0 {
            let low = rows * self.demand.tuning.lora.r as u64;
            self.at(low).activations += adapters * stored + 1;
        }
        self.largest = (rows * inner.max(3 * hidden)).max(probs);
        self.evaluation();
    }

    /// An evaluation reuses the buffers of training that have its sizes.
    fn evaluation(&mut self) {
        let config = self.demand.config;
        let (hidden, inner) = (config.hidden_size as u64, config.intermediate_size as u64);
        let [batch, seq] = self.demand.evaluation.map(|count| count as u64);
        let rows = batch * seq;
        let probs = rows * seq * config.num_attention_heads as u64;
        for (size, count) in [
            (rows * hidden, 3),
            (rows * 3 * hidden, 1),
            (rows * inner, 2),
            (probs, 2),
        ] {
            let alive = self.at(size);
            alive.activations = alive.activations.max(count);
            self.largest = self.largest.max(size);
        }
    }

    fn layers(&self) -> u64 {
        self.demand.config.num_hidden_layers as u64
    }

    fn is_full(&self) -> bool {
        self.demand.tuning.method == TuningMethod::Full
    }

    fn trains_embeddings(&self) -> bool {
        let tuning = &self.demand.tuning;
        self.is_full() && !tuning.freeze_embeddings && tuning.freeze_layers == 0
    }

    /// Layers whose own parameters are trained.
    fn trainable_layers(&self) -> u64 {
        let frozen = self.demand.tuning.freeze_layers as u64;
        if self.is_full() {
            self.layers().saturating_sub(frozen)
        } else {
            0
        }
    }

    /// Layers of the backward pass: from the first trainable one on.
    fn layers_in_graph(&self) -> u64 {
        match self.demand.tuning.method {
            TuningMethod::Lora => self.layers(),
            _ => self.trainable_layers(),
        }
    }

    /// How many of query, key and value have an adapter.
    fn adapted_projections(&self) -> u64 {
        let tuning = &self.demand.tuning;
        match (tuning.method, tuning.lora.target_modules) {
            (TuningMethod::Lora, TargetModules::QueryValue) => 2,
            (TuningMethod::Lora, _) => 3,
            _ => 0,
        }
    }

    fn is_all_linear(&self) -> bool {
        let tuning = &self.demand.tuning;
        tuning.method == TuningMethod::Lora
            && tuning.lora.target_modules == TargetModules::AllLinear
    }
}
