//! What a run takes of the device's memory, before it takes it: parameters, gradients, optimizer state and activations, in bytes.
//!
//! The page has every buffer used again only for tensors of its own size (`src/browser/device.rs`), so what a run holds at its peak is,
//! size by size, the most tensors of that size that are alive at one time. `memory/count.rs` counts them, and a browser test compares the
//! sum with the bytes of the buffers that WebGPU really holds.

mod count;

use super::Tuning;
use crate::bert::{BertConfig, LoadLimits};
use count::{Alive, Count};
use serde::Serialize;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::{LoraConfig, TargetModules};
    use crate::train::TuningMethod;

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
            plan(LoadLimits::for_binding_size(128 << 20)),
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
