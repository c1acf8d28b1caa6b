//! The rules of LayerNorm, alone and as a layer's halves end.

use super::register;
use crate::kernels::{BertOps, DropoutMask};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;

/// A LayerNorm without a residual.
#[derive(Debug)]
pub(super) struct PlainLayerNorm;

impl<B: BertOps> Backward<B, 3> for PlainLayerNorm {
    type State = (FloatTensor<B>, FloatTensor<B>, f64);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (input, weight, eps) = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        let (input, weight, bias) = B::bert_layer_norm_backward(input, weight, grad, eps);
        let ids = ops.parents.map(|node| node.map(|node| node.id));
        register::<B, _>(grads, ids, [input, weight, bias]);
    }
}

/// What [`ResidualLayerNorm`] needs on the way back.
#[derive(Debug, Clone)]
pub(super) struct LayerNormState<B: BertOps> {
    pub(super) input: FloatTensor<B>,
    pub(super) residual: FloatTensor<B>,
    pub(super) weight: FloatTensor<B>,
    pub(super) eps: f64,
    pub(super) mask: DropoutMask,
}

/// `LayerNorm(dropout(input) + residual)`.
#[derive(Debug)]
pub(super) struct ResidualLayerNorm;

impl<B: BertOps> Backward<B, 4> for ResidualLayerNorm {
    type State = LayerNormState<B>;

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let state = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        let (input, residual, weight, bias) = B::bert_residual_layer_norm_backward(
            state.input,
            state.residual,
            state.weight,
            grad,
            state.eps,
            state.mask,
        );
        let ids = ops.parents.map(|node| node.map(|node| node.id));
        register::<B, _>(grads, ids, [input, residual, weight, bias]);
    }
}
