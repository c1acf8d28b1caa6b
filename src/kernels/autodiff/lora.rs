//! Backward pass of LoRA's low-rank update.

use super::register;
use crate::kernels::{BertOps, Precision};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;

/// The tensors and arguments that the backward pass of [`Lora`] needs.
#[derive(Debug, Clone)]
pub(super) struct LoraState<B: BertOps> {
    pub(super) input: FloatTensor<B>,
    /// `input × lora_aᵀ`.
    pub(super) low_rank: FloatTensor<B>,
    pub(super) lora_a: FloatTensor<B>,
    pub(super) lora_b: FloatTensor<B>,
    pub(super) start: usize,
    pub(super) precision: Precision,
}

/// `base` with `(input × lora_aᵀ) × lora_bᵀ` added to some of its columns.
#[derive(Debug)]
pub(super) struct Lora;

impl<B: BertOps> Backward<B, 4> for Lora {
    type State = LoraState<B>;

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let LoraState {
            input,
            low_rank,
            lora_a,
            lora_b,
            start,
            precision,
        } = ops.state;
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        let grad = grads.consume::<B>(&ops.node);
        let (input_grad, a_grad, b_grad) = B::bert_lora_backward(
            grad.clone(),
            input,
            low_rank,
            lora_a,
            lora_b,
            start,
            precision,
        );
        register::<B, _>(grads, parents, [grad, input_grad, a_grad, b_grad]);
    }
}
