//! The rules of linear layers, alone and two with GELU between them.

use super::register;
use crate::kernels::{BertOps, Precision};
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;

/// `y = x wᵀ + b`: `dx = dy w`, `dw = dyᵀ x`, `db` the sum of the rows of `dy`.
#[derive(Debug)]
pub(super) struct Linear;

impl<B: BertOps> Backward<B, 3> for Linear {
    /// The input where the layer learns, the weight where what is before it does.
    type State = (Option<FloatTensor<B>>, Option<FloatTensor<B>>, Precision);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (input, weight, precision) = ops.state;
        let [for_input, for_weight, for_bias] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let ids = [for_weight, for_bias].map(|node| node.map(|node| node.id));
        weight_grads::<B>(grads, ids, grad.clone(), input, precision);
        if let (Some(node), Some(weight)) = (for_input, weight) {
            grads.register::<B>(node.id, B::bert_linear_input_grad(grad, weight, precision));
        }
    }
}

/// Registers the gradients of a linear layer's weight and bias, where they are wanted: `input` is there then.
fn weight_grads<B: BertOps>(
    grads: &mut Gradients,
    parents: [Option<NodeId>; 2],
    grad: FloatTensor<B>,
    input: Option<FloatTensor<B>>,
    precision: Precision,
) {
    if let Some(input) = input {
        let (for_weight, for_bias) = B::bert_linear_weight_grad(grad, input, precision);
        register::<B, _>(grads, parents, [for_weight, for_bias]);
    }
}

/// What [`FeedForward`] needs on the way back.
#[derive(Debug, Clone)]
pub(super) struct FeedForwardState<B: BertOps> {
    /// Where the first layer learns.
    pub(super) input: Option<FloatTensor<B>>,
    pub(super) weight: FloatTensor<B>,
    pub(super) out_weight: FloatTensor<B>,
    /// Before and after GELU, the latter where the second layer learns.
    pub(super) middle: FloatTensor<B>,
    pub(super) active: Option<FloatTensor<B>>,
    pub(super) precision: Precision,
}

/// Linear, GELU, linear: both inner gradients are read off the tensors that the products need anyway.
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
        weight_grads::<B>(
            grads,
            [out_weight, out_bias],
            grad.clone(),
            state.active,
            precision,
        );
        let for_middle =
            B::bert_linear_input_grad_gelu(grad, state.out_weight, state.middle, precision);
        weight_grads::<B>(
            grads,
            [weight, bias],
            for_middle.clone(),
            state.input,
            precision,
        );
        if let Some(node) = input {
            let for_input = B::bert_linear_input_grad(for_middle, state.weight, precision);
            grads.register::<B>(node, for_input);
        }
    }
}
