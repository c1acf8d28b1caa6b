//! Backward passes of layer normalization, with and without dropout and residual.

use super::register;
use crate::kernels::{BertOps, DropoutMask};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;

/// Layer normalization.
#[derive(Debug)]
pub(super) struct LayerNorm;

impl<B: BertOps> Backward<B, 3> for LayerNorm {
    /// Input, weight and epsilon.
    type State = (FloatTensor<B>, FloatTensor<B>, f64);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (input, weight, eps) = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        let with_weight = parents[1].is_some() || parents[2].is_some();
        let (input_grad, weight_grad, bias_grad) =
            B::bert_layer_norm_backward(input, weight, grad, eps, with_weight);
        register::<B, _>(grads, parents, [input_grad, weight_grad, bias_grad]);
    }
}

/// The tensors and arguments that the backward pass of [`ResidualLayerNorm`] needs.
#[derive(Debug, Clone)]
pub(super) struct LayerNormState<B: BertOps> {
    pub(super) input: FloatTensor<B>,
    pub(super) residual: FloatTensor<B>,
    pub(super) weight: FloatTensor<B>,
    pub(super) eps: f64,
    pub(super) mask: DropoutMask,
}

/// `layer_norm(dropout(input) + residual)`.
#[derive(Debug)]
pub(super) struct ResidualLayerNorm;

impl<B: BertOps> Backward<B, 4> for ResidualLayerNorm {
    type State = LayerNormState<B>;

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let state = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        let with_weight = parents[2].is_some() || parents[3].is_some();
        let (input_grad, residual_grad, weight_grad, bias_grad) =
            B::bert_residual_layer_norm_backward(
                state.input,
                state.residual,
                state.weight,
                grad,
                state.eps,
                state.mask,
                with_weight,
            );
        register::<B, _>(
            grads,
            parents,
            [input_grad, residual_grad, weight_grad, bias_grad],
        );
    }
}
