//! How gradients flow through [`BertOps`]: the rules that burn's autodiff calls on the way back.

use super::BertOps;
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, binary, unary};
use burn::backend::tensor::FloatTensor;

/// `y = lhs × rhs`: `dlhs = dy × rhsᵀ`, `drhs = lhsᵀ × dy`.
#[derive(Debug)]
struct Matmul;

impl<B: BertOps> Backward<B, 2> for Matmul {
    type State = (Option<FloatTensor<B>>, Option<FloatTensor<B>>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (lhs, rhs) = ops.state;
        binary::<B, _, _>(
            ops.parents,
            ops.node,
            grads,
            |grad| match rhs {
                Some(rhs) => B::bert_matmul(grad, B::float_transpose(rhs)),
                None => grad,
            },
            |grad| match lhs {
                Some(lhs) => B::bert_matmul(B::float_transpose(lhs), grad),
                None => grad,
            },
        );
    }
}

/// `y = x wᵀ + b`: `dx = dy w`, `dw = dyᵀ x`, `db` the sum of the rows of `dy`.
#[derive(Debug)]
struct Linear;

impl<B: BertOps> Backward<B, 3> for Linear {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (input, weight) = ops.state;
        let [for_input, for_weight, for_bias] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        if let Some(node) = for_bias {
            grads.register::<B>(node.id, B::bert_sum_rows(grad.clone()));
        }
        if let Some(node) = for_weight {
            let product = B::bert_matmul(B::float_transpose(grad.clone()), input);
            grads.register::<B>(node.id, product);
        }
        if let Some(node) = for_input {
            grads.register::<B>(node.id, B::bert_matmul(grad, weight));
        }
    }
}

/// The exact GELU.
#[derive(Debug)]
struct Gelu;

impl<B: BertOps> Backward<B, 1> for Gelu {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let input = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::bert_gelu_backward(input, grad)
        });
    }
}

impl<B: BertOps, C: CheckpointStrategy> BertOps for Autodiff<B, C> {
    fn bert_matmul(lhs: FloatTensor<Self>, rhs: FloatTensor<Self>) -> FloatTensor<Self> {
        let (lhs_tracked, rhs_tracked) = (lhs.is_tracked(), rhs.is_tracked());
        match Matmul
            .prepare::<C>([lhs.node(), rhs.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let state = (
                    rhs_tracked.then(|| lhs.primitive().clone()),
                    lhs_tracked.then(|| rhs.primitive().clone()),
                );
                prep.finish(
                    state,
                    B::bert_matmul(lhs.into_primitive(), rhs.into_primitive()),
                )
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(B::bert_matmul(lhs.into_primitive(), rhs.into_primitive()))
            }
        }
    }

    fn bert_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        match Linear
            .prepare::<C>([input.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(
                (input.primitive().clone(), weight.primitive().clone()),
                B::bert_linear(
                    input.into_primitive(),
                    weight.into_primitive(),
                    bias.into_primitive(),
                ),
            ),
            OpsKind::UnTracked(prep) => prep.finish(B::bert_linear(
                input.into_primitive(),
                weight.into_primitive(),
                bias.into_primitive(),
            )),
        }
    }

    fn bert_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        match Gelu.prepare::<C>([input.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(
                input.primitive().clone(),
                B::bert_gelu(input.into_primitive()),
            ),
            OpsKind::UnTracked(prep) => prep.finish(B::bert_gelu(input.into_primitive())),
        }
    }
}
