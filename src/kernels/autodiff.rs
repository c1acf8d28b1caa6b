//! How gradients flow through [`BertOps`]: the rules that burn's autodiff calls on the way back.

use super::{BertOps, DropoutMask};
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

/// The same mask again.
#[derive(Debug)]
struct Dropout;

impl<B: BertOps> Backward<B, 1> for Dropout {
    type State = DropoutMask;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let mask = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::bert_dropout(grad, mask)
        });
    }
}

/// What [`ResidualLayerNorm`] needs on the way back.
#[derive(Debug, Clone)]
struct LayerNormState<B: BertOps> {
    input: FloatTensor<B>,
    residual: FloatTensor<B>,
    weight: FloatTensor<B>,
    eps: f64,
    mask: DropoutMask,
}

/// `LayerNorm(dropout(input) + residual)`.
#[derive(Debug)]
struct ResidualLayerNorm;

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
        for (node, gradient) in ops.parents.into_iter().zip([input, residual, weight, bias]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

/// `dropout(softmax(scale * scores + bias))`.
#[derive(Debug)]
struct AttentionProbs;

impl<B: BertOps> Backward<B, 1> for AttentionProbs {
    type State = (FloatTensor<B>, f64, DropoutMask);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (probs, scale, mask) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::bert_attention_probs_backward(probs, grad, scale, mask)
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

    fn bert_dropout(input: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        match Dropout
            .prepare::<C>([input.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                prep.finish(mask, B::bert_dropout(input.into_primitive(), mask))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::bert_dropout(input.into_primitive(), mask)),
        }
    }

    fn bert_residual_layer_norm(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), residual.node(), weight.node(), bias.node()];
        let state = LayerNormState::<B> {
            input: input.into_primitive(),
            residual: residual.into_primitive(),
            weight: weight.into_primitive(),
            eps,
            mask,
        };
        let output = B::bert_residual_layer_norm(
            state.input.clone(),
            state.residual.clone(),
            state.weight.clone(),
            bias.into_primitive(),
            eps,
            mask,
        );
        match ResidualLayerNorm
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(state, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn bert_attention_probs(
        scores: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        scale: f64,
        mask: DropoutMask,
    ) -> FloatTensor<Self> {
        let node = scores.node();
        let (probs, dropped) = B::bert_attention_probs_pair(
            scores.into_primitive(),
            bias.into_primitive(),
            scale,
            mask,
        );
        match AttentionProbs
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((probs, scale, mask), dropped),
            OpsKind::UnTracked(prep) => prep.finish(dropped),
        }
    }
}
