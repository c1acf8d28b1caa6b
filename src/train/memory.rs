//! What a run takes of the device's memory, before it takes it: parameters, gradients, optimizer state and activations, in bytes.
//!
//! The page has every buffer used again only for tensors of its own size (`src/browser/device.rs`), so what a run holds at its peak is,
//! size by size, the most tensors of that size that are alive at one time. This file counts them: what autodiff keeps is read off
//! `src/kernels/autodiff.rs`, and a browser test compares the sum with the bytes of the buffers that WebGPU really holds.

use super::{Tuning, TuningMethod};
use crate::bert::{BertConfig, LoadLimits, TargetModules};
use serde::Serialize;
use std::collections::BTreeMap;

/// Bytes of an f32.
const VALUE: u64 = 4;

/// Bytes of what does not depend on the run: the kernels' scalars, which cubecl keeps up to 4,096 sets of, and the buffers of reads.
const RUNTIME: u64 = 3 << 20;

/// What a run is made of.
#[derive(Debug, Clone, Copy)]
pub struct MemoryDemand<'a> {
    /// The network.
    pub config: &'a BertConfig,
    /// Classes of its head.
    pub num_labels: usize,
    /// Rows in one forward and backward pass.
    pub batch: usize,
    /// Tokens of the widest batch, padding included.
    pub seq: usize,
    /// Rows in one forward pass of an evaluation, and tokens of the widest.
    pub evaluation: [usize; 2],
    /// Whether the gradients of several batches are added up before an update.
    pub accumulates: bool,
    /// Whether activations are computed again instead of kept.
    pub gradient_checkpointing: bool,
    /// What learns.
    pub tuning: Tuning,
    /// Whether the network as it was loaded is kept beside the one that is trained, to compare with.
    pub keeps_original: bool,
    /// What the network was loaded with: they say which blocks the word embeddings are in.
    pub limits: LoadLimits,
}

/// What the run takes of the device's memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryPlan {
    /// The checkpoint's parameters and any adapters.
    pub parameters: u64,
    /// A second copy of those that learn, where the original is kept.
    pub original: u64,
    /// One gradient a parameter that learns, and the sums of those before where batches are accumulated.
    pub gradients: u64,
    /// AdamW's two moments of each parameter that learns.
    pub optimizer: u64,
    /// What the way back needs of the way forth, and what both work with, at the widest batch.
    pub activations: u64,
    /// What does not depend on the run: the kernels' scalars and the buffers of reads.
    pub runtime: u64,
    /// The bytes of all buffers at the peak; less than the sum where gradients take up the buffers of activations of their size.
    pub total: u64,
    /// The largest tensor that a run makes of a batch: no adapter binds more than its `maxStorageBufferBindingSize` at once.
    pub largest: u64,
}

impl MemoryPlan {
    /// The plan of a run.
    pub fn new(demand: &MemoryDemand) -> Self {
        let mut count = Count::new(demand);
        count.parameters();
        count.activations();
        let sum = |of: fn(&Alive) -> u64| -> u64 {
            let sizes = count.sizes.iter();
            sizes.map(|(size, alive)| VALUE * size * of(alive)).sum()
        };
        Self {
            parameters: sum(|alive| alive.parameters),
            original: sum(|alive| alive.original),
            gradients: sum(|alive| alive.gradients),
            optimizer: sum(|alive| alive.moments),
            activations: sum(|alive| alive.activations),
            runtime: RUNTIME,
            total: RUNTIME
                + sum(|alive| {
                    let lasting = alive.parameters + alive.original + alive.moments;
                    lasting + alive.gradients.max(alive.activations)
                }),
            largest: VALUE * count.largest,
        }
    }
}

/// Tensors of one size that are alive at one time.
#[derive(Debug, Clone, Copy, Default)]
struct Alive {
    parameters: u64,
    original: u64,
    moments: u64,
    /// At the end of the way back.
    gradients: u64,
    /// At its beginning.
    activations: u64,
}

/// Counts tensors by their size in values.
struct Count<'a> {
    demand: &'a MemoryDemand<'a>,
    sizes: BTreeMap<u64, Alive>,
    largest: u64,
}

impl<'a> Count<'a> {
    fn new(demand: &'a MemoryDemand<'a>) -> Self {
        Self {
            demand,
            sizes: BTreeMap::new(),
            largest: 0,
        }
    }

    fn at(&mut self, size: u64) -> &mut Alive {
        self.sizes.entry(size).or_default()
    }

    /// `count` parameters of `size`. The optimizer's state of one is a tensor of twice its size.
    fn parameter(&mut self, size: u64, count: u64, learns: bool) {
        let (accumulates, keeps) = (self.demand.accumulates, self.demand.keeps_original);
        let alive = self.at(size);
        alive.parameters += count;
        if learns {
            alive.gradients += if accumulates { 2 * count } else { count };
            alive.original += if keeps { count } else { 0 };
            self.at(2 * size).moments += count;
        }
    }

    /// An adapter of a layer: both of its matrices, and `lora_B` scaled, which the step makes. The original network has none.
    fn adapter(&mut self, inputs: u64, outputs: u64, count: u64) {
        let r = self.demand.tuning.lora.r as u64;
        let copies = if self.demand.accumulates { 2 } else { 1 };
        for size in [r * inputs, r * outputs] {
            let alive = self.at(size);
            alive.parameters += count;
            alive.gradients += copies * count;
            self.at(2 * size).moments += count;
        }
        self.at(r * outputs).activations += 2 * count;
    }

    fn parameters(&mut self) {
        let config = self.demand.config;
        let (hidden, inner) = (config.hidden_size as u64, config.intermediate_size as u64);
        let (full, embeddings) = (self.full(), self.embeddings_learn());
        let words = &self.demand.limits;
        let words = words.blocks(config.vocab_size, config.hidden_size);
        let places = [config.max_position_embeddings, config.type_vocab_size];
        for rows in words.into_iter().chain(places) {
            self.parameter(rows as u64 * hidden, 1, embeddings);
        }
        self.parameter(hidden, 2, embeddings);
        let frozen = self.layers() - self.layers_that_learn();
        for (layers, learn) in [(frozen, false), (self.layers_that_learn(), full)] {
            for (size, count) in [
                (3 * hidden * hidden, 1),
                (3 * hidden, 1),
                (hidden * hidden, 1),
                (hidden * inner, 2),
                (inner, 1),
                (hidden, 6),
            ] {
                self.parameter(size, count * layers, learn);
            }
        }
        self.parameter(hidden * hidden, 1, full);
        self.parameter(hidden, 1, full);
        let labels = self.demand.num_labels as u64;
        self.parameter(labels * hidden, 1, true);
        self.parameter(labels, 1, true);
        let projections = self.adapted_projections() * self.layers();
        self.adapter(hidden, hidden, projections);
        if self.all_linear() {
            self.adapter(hidden, hidden, self.layers() + 1);
            self.adapter(hidden, inner, self.layers());
            self.adapter(inner, hidden, self.layers());
        }
    }

    fn activations(&mut self) {
        let config = self.demand.config;
        let (hidden, inner) = (config.hidden_size as u64, config.intermediate_size as u64);
        let (batch, seq) = (self.demand.batch as u64, self.demand.seq as u64);
        let rows = batch * seq;
        let probs = rows * seq * config.num_attention_heads as u64;
        let layers = self.layers_in_graph();
        let again = self.demand.gradient_checkpointing && layers > 0;
        // Layers whose activations are alive at once.
        let kept = if again { 1 } else { layers };
        // Before and after their dropout.
        let copies = if config.attention_probs_dropout_prob > 0.0 {
            2
        } else {
            1
        };
        let enters_layers = self.full() || self.all_linear();
        let of_hidden = match (layers, again) {
            (0, _) => 3,
            // What enters each layer; and one layer with its gradients.
            (_, true) => self.layers() + 6,
            // A layer's output and what comes before each of its two LayerNorms, and what enters the output layer of its attention.
            (_, false) => layers * if enters_layers { 5 } else { 4 } + 2,
        };
        let embeddings = if self.embeddings_learn() && !again {
            1 + u64::from(config.hidden_dropout_prob > 0.0)
        } else {
            0
        };
        self.at(rows * hidden).activations += of_hidden + embeddings;
        self.at(rows * 3 * hidden).activations += kept + 1;
        self.at(rows * inner).activations += match layers {
            0 => 2,
            _ if self.full() => 2 * kept,
            _ if self.all_linear() => 2 * kept + 1,
            _ => kept + 1,
        };
        self.at(probs).activations += copies * kept + 2;
        let adapters = self.adapted_projections() + if self.all_linear() { 3 } else { 0 };
        if adapters > 0 {
            let low = rows * self.demand.tuning.lora.r as u64;
            self.at(low).activations += adapters * kept + 1;
        }
        self.largest = (rows * inner.max(3 * hidden)).max(probs);
        self.evaluation();
    }

    /// An evaluation takes the training's buffers where they fit.
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

    fn full(&self) -> bool {
        self.demand.tuning.method == TuningMethod::Full
    }

    fn embeddings_learn(&self) -> bool {
        let tuning = &self.demand.tuning;
        self.full() && !tuning.freeze_embeddings && tuning.freeze_layers == 0
    }

    /// Layers whose own parameters learn.
    fn layers_that_learn(&self) -> u64 {
        let frozen = self.demand.tuning.freeze_layers as u64;
        if self.full() {
            self.layers().saturating_sub(frozen)
        } else {
            0
        }
    }

    /// Layers that the way back goes through: those from the first that learns on.
    fn layers_in_graph(&self) -> u64 {
        match self.demand.tuning.method {
            TuningMethod::Lora => self.layers(),
            _ => self.layers_that_learn(),
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

    fn all_linear(&self) -> bool {
        let tuning = &self.demand.tuning;
        tuning.method == TuningMethod::Lora
            && tuning.lora.target_modules == TargetModules::AllLinear
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::LoraConfig;

    const TUNING: Tuning = Tuning {
        method: TuningMethod::Full,
        lora: LoraConfig {
            r: 8,
            lora_alpha: 8,
            target_modules: TargetModules::QueryValue,
        },
        freeze_embeddings: false,
        freeze_layers: 0,
    };

    fn bert_base(tuning: Tuning, batch: usize, gradient_checkpointing: bool) -> MemoryPlan {
        MemoryPlan::new(&MemoryDemand {
            config: &BertConfig::default(),
            num_labels: 2,
            batch,
            seq: 128,
            evaluation: [batch, 128],
            accumulates: false,
            gradient_checkpointing,
            tuning,
            keeps_original: true,
            limits: LoadLimits::default(),
        })
    }

    /// `bert-base-uncased` has 109,483,778 parameters with two labels (`num_parameters` of transformers).
    #[test]
    fn parameters_are_counted_as_transformers_does() {
        let plan = bert_base(TUNING, 8, false);
        assert_eq!(plan.parameters, 4 * 109_483_778);
        assert_eq!(plan.gradients, plan.parameters);
        assert_eq!(plan.original, plan.parameters);
        assert_eq!(plan.optimizer, 2 * plan.parameters);
        let lora = Tuning {
            method: TuningMethod::Lora,
            ..TUNING
        };
        // `print_trainable_parameters` of PEFT: 296,450, the classifier's 1,538 among them.
        assert_eq!(bert_base(lora, 8, false).gradients, 4 * 296_450);
        let head = Tuning {
            method: TuningMethod::Head,
            ..TUNING
        };
        assert_eq!(bert_base(head, 8, false).gradients, 4 * 1538);
        let frozen = Tuning {
            freeze_layers: 11,
            ..TUNING
        };
        let (layer, pooler) = (7_087_872, 590_592);
        assert_eq!(
            bert_base(frozen, 8, false).gradients,
            4 * (layer + pooler + 1538)
        );
    }

    #[test]
    fn blocks_take_what_the_table_takes() {
        let plan = |limits| {
            MemoryPlan::new(&MemoryDemand {
                config: &BertConfig::default(),
                num_labels: 2,
                batch: 8,
                seq: 128,
                evaluation: [8, 128],
                accumulates: false,
                gradient_checkpointing: false,
                tuning: TUNING,
                keeps_original: true,
                limits,
            })
        };
        // 30,522 rows of 768 values are 93.8 MB: two blocks.
        let (whole, blocks) = (
            plan(LoadLimits::default()),
            plan(LoadLimits::of_binding(128 << 20)),
        );
        assert_eq!(blocks, whole);
    }

    #[test]
    fn every_way_out_takes_less() {
        let whole = bert_base(TUNING, 8, false);
        let lora = Tuning {
            method: TuningMethod::Lora,
            ..TUNING
        };
        let head = Tuning {
            method: TuningMethod::Head,
            ..TUNING
        };
        let totals = [
            whole.total,
            bert_base(TUNING, 4, false).total,
            bert_base(TUNING, 8, true).total,
            bert_base(lora, 8, false).total,
            bert_base(lora, 8, true).total,
            bert_base(head, 8, false).total,
        ];
        assert!(totals.is_sorted_by(|a, b| a > b), "{totals:?}");
        assert!(bert_base(TUNING, 4, false).largest < whole.largest);
    }
}
