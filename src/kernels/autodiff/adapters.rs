//! The rules of what is beside the plain network: LoRA's low-rank updates, GELU where it stands alone, and the way back taken up again.

use super::register;
use crate::kernels::{BertOps, Precision};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, unary};
use burn::backend::tensor::FloatTensor;

/// GELU alone.
#[derive(Debug)]
pub(super) struct Gelu;

impl<B: BertOps> Backward<B, 1> for Gelu {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let input = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::bert_gelu_backward(input, grad)
        });
    }
}

/// What [`Lora`] needs on the way back.
#[derive(Debug, Clone)]
pub(super) struct LoraState<B: BertOps> {
    pub input: FloatTensor<B>,
    /// `input lora_aᵀ`.
    pub low: FloatTensor<B>,
    pub lora_a: FloatTensor<B>,
    pub lora_b: FloatTensor<B>,
    pub start: usize,
    pub precision: Precision,
}

/// `base`, and in some of its columns `(input lora_aᵀ) lora_bᵀ` more.
#[derive(Debug)]
pub(super) struct Lora;

impl<B: BertOps> Backward<B, 4> for Lora {
    type State = LoraState<B>;

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let LoraState {
            input,
            low,
            lora_a,
            lora_b,
            start,
            precision,
        } = ops.state;
        let [base, of_input, of_a, of_b] = ops.parents.map(|node| node.map(|node| node.id));
        let grad = grads.consume::<B>(&ops.node);
        let (for_input, for_a, for_b) =
            B::bert_lora_backward(grad.clone(), input, low, lora_a, lora_b, start, precision);
        register::<B, _>(
            grads,
            [base, of_input, of_a, of_b],
            [grad, for_input, for_a, for_b],
        );
    }
}

/// A gradient that is given, not computed.
#[derive(Debug)]
pub(super) struct WithGradient;

impl<B: BertOps> Backward<B, 1> for WithGradient {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |_| gradient);
    }
}
