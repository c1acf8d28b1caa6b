//! Backward passes of a linear layer and of a feed-forward block (linear, GELU, linear).

use super::register;
use crate::kernels::{BertOps, Precision};
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;

/// The tensors and arguments that the backward pass of [`Linear`] needs.
#[derive(Debug, Clone)]
pub(super) struct LinearState<B: BertOps> {
    /// Present if the layer is trainable.
    pub(super) input: Option<FloatTensor<B>>,
    /// Present if the input requires a gradient.
    pub(super) weight: Option<FloatTensor<B>>,
    pub(super) precision: Precision,
}

/// `y = x wᵀ + b`. The gradients are `dx = dy w`, `dw = dyᵀ x`, and `db` is the sum of the rows of `dy`.
#[derive(Debug)]
pub(super) struct Linear;

impl<B: BertOps> Backward<B, 3> for Linear {
    type State = LinearState<B>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let state = ops.state;
        let precision = state.precision;
        let [input, weight, bias] = ops.parents.map(|node| node.map(|node| node.id));
        let grad = grads.consume::<B>(&ops.node);
        register_weight_grads::<B>(grads, [weight, bias], grad.clone(), state.input, precision);
        if let (Some(node), Some(weight)) = (input, state.weight) {
            grads.register::<B>(node, B::bert_linear_input_grad(grad, weight, precision));
        }
    }
}

/// Registers the gradients of a linear layer's weight and bias if `input` was stored, that is, if the layer is
/// trainable.
fn register_weight_grads<B: BertOps>(
    grads: &mut Gradients,
    parents: [Option<NodeId>; 2],
    grad: FloatTensor<B>,
    input: Option<FloatTensor<B>>,
    precision: Precision,
) {
    if let Some(input) = input {
        let (weight_grad, bias_grad) = B::bert_linear_weight_grad(grad, input, precision);
        register::<B, _>(grads, parents, [weight_grad, bias_grad]);
    }
}

/// The tensors and arguments that the backward pass of [`FeedForward`] needs.
#[derive(Debug, Clone)]
pub(super) struct FeedForwardState<B: BertOps> {
    /// Present if the first layer is trainable.
    pub(super) input: Option<FloatTensor<B>>,
    pub(super) weight: FloatTensor<B>,
    pub(super) out_weight: FloatTensor<B>,
    /// Input of GELU.
    pub(super) pre_activation: FloatTensor<B>,
    /// Output of GELU. Present if the second layer is trainable.
    pub(super) activation: Option<FloatTensor<B>>,
    pub(super) precision: Precision,
}

/// Linear, GELU, linear. GELU's derivative is applied at the end of the product that computes its incoming gradient.
#[derive(Debug)]
pub(super) struct FeedForward;

impl<B: BertOps> Backward<B, 5> for FeedForward {
    type State = FeedForwardState<B>;

    fn backward(self, ops: Ops<Self::State, 5>, grads: &mut Gradients, _: &mut Checkpointer) {
        let state = ops.state;
        let precision = state.precision;
        let [input, weight, bias, out_weight, out_bias] =
            ops.parents.map(|node| node.map(|node| node.id));
        let grad = grads.consume::<B>(&ops.node);
        register_weight_grads::<B>(
            grads,
            [out_weight, out_bias],
            grad.clone(),
            state.activation,
            precision,
        );
        let pre_activation_grad =
            B::bert_linear_input_grad_gelu(grad, state.out_weight, state.pre_activation, precision);
        register_weight_grads::<B>(
            grads,
            [weight, bias],
            pre_activation_grad.clone(),
            state.input,
            precision,
        );
        if let Some(node) = input {
            let input_grad =
                B::bert_linear_input_grad(pre_activation_grad, state.weight, precision);
            grads.register::<B>(node, input_grad);
        }
    }
}
