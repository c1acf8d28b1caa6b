//! Backward passes of the operations with one differentiable input: dropout, GELU, cross entropy and a given gradient.

use crate::kernels::{BertOps, DropoutMask};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, unary};
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

/// Dropout. The gradient is multiplied by the same mask.
#[derive(Debug)]
pub(super) struct Dropout;

impl<B: BertOps> Backward<B, 1> for Dropout {
    type State = DropoutMask;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let mask = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::bert_dropout(grad, mask)
        });
    }
}

/// GELU that is not part of a feed-forward block.
#[derive(Debug)]
pub(super) struct Gelu;

impl<B: BertOps> Backward<B, 1> for Gelu {
    /// The input.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let input = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::bert_gelu_backward(input, grad)
        });
    }
}

/// Cross entropy. The forward pass also returns `dL/dlogits`; the backward pass only scales it.
#[derive(Debug)]
pub(super) struct CrossEntropy;

impl<B: BertOps> Backward<B, 1> for CrossEntropy {
    /// `dL/dlogits`.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let logits_grad = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::float_mul(logits_grad, B::float_reshape(grad, Shape::from([1, 1])))
        });
    }
}

/// A scalar with a given gradient.
#[derive(Debug)]
pub(super) struct WithGradient;

impl<B: BertOps> Backward<B, 1> for WithGradient {
    /// The gradient.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |_| gradient);
    }
}
