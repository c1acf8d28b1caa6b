//! Backward pass of multi-head attention.

use crate::kernels::{BertOps, DropoutMask, HeadsShape, Precision};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, unary};
use burn::backend::tensor::FloatTensor;

/// The tensors and arguments that the backward pass of [`Attention`] needs.
#[derive(Debug, Clone)]
pub(super) struct AttentionState<B: BertOps> {
    pub(super) projected: FloatTensor<B>,
    pub(super) probs: FloatTensor<B>,
    pub(super) dropped: FloatTensor<B>,
    pub(super) shape: HeadsShape,
    pub(super) mask: DropoutMask,
    pub(super) precision: Precision,
}

/// Attention of all heads.
#[derive(Debug)]
pub(super) struct Attention;

impl<B: BertOps> Backward<B, 1> for Attention {
    type State = AttentionState<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let state = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::bert_attention_backward(
                state.projected,
                state.probs,
                state.dropped,
                grad,
                state.shape,
                state.mask,
                state.precision,
            )
        });
    }
}
