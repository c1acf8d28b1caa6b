//! How gradients flow through [`BertOps`]: the rules that burn's autodiff calls on the way back. What a rule keeps for the gradients of
//! parameters is kept only where they learn: beside a frozen layer it would only fill memory.

mod adapters;
mod attention;
mod embeddings;
mod layer_norm;
mod linear;

use adapters::{Gelu, Lora, LoraState, WithGradient};
use attention::{Attention, AttentionState};
use embeddings::{AddWords, Embeddings};
use layer_norm::{LayerNormState, PlainLayerNorm, ResidualLayerNorm};
use linear::{FeedForward, FeedForwardState, Linear};

use super::{BertOps, DropoutMask, HeadsShape, LossScaling, Precision, TablesShape};
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, AutodiffBackend, TensorMetadata};
use burn::tensor::Shape;

/// Registers the gradients of those parents that want one.
fn register<B: BertOps, const N: usize>(
    grads: &mut Gradients,
    parents: [Option<NodeId>; N],
    gradients: [FloatTensor<B>; N],
) {
    for (parent, gradient) in parents.into_iter().zip(gradients) {
        if let Some(id) = parent {
            grads.register::<B>(id, gradient);
        }
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

/// The loss knows its own slope.
#[derive(Debug)]
struct CrossEntropy;

impl<B: BertOps> Backward<B, 1> for CrossEntropy {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::float_mul(slope, B::float_reshape(grad, Shape::from([1, 1])))
        });
    }
}

impl<B: BertOps, C: CheckpointStrategy> BertOps for Autodiff<B, C> {
    fn bert_embeddings(
        words: FloatTensor<Self>,
        positions: FloatTensor<Self>,
        types: FloatTensor<Self>,
        ids: IntTensor<Self>,
        seq: usize,
    ) -> FloatTensor<Self> {
        let nodes = [words.node(), positions.node(), types.node()];
        let shape = TablesShape {
            words: words.shape()[0],
            positions: positions.shape()[0],
            types: types.shape()[0],
            width: words.shape()[1],
            seq,
        };
        let output = B::bert_embeddings(
            words.into_primitive(),
            positions.into_primitive(),
            types.into_primitive(),
            ids.clone(),
            seq,
        );
        match Embeddings.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((ids, shape), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn bert_add_words(
        sum: FloatTensor<Self>,
        block: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first: usize,
    ) -> FloatTensor<Self> {
        let nodes = [sum.node(), block.node()];
        let shape = [block.shape()[0], block.shape()[1]];
        let output = B::bert_add_words(
            sum.into_primitive(),
            block.into_primitive(),
            ids.clone(),
            first,
        );
        match AddWords.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((ids, first, shape), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn bert_write(tensor: FloatTensor<Self>, values: Vec<f32>, start: usize) -> FloatTensor<Self> {
        Self::from_inner(B::bert_write(tensor.into_primitive(), values, start))
    }

    fn bert_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node(), bias.node()];
        let learns = weight.is_tracked() || bias.is_tracked();
        let goes_on = input.is_tracked();
        let (input, weight) = (input.into_primitive(), weight.into_primitive());
        let state = (
            learns.then(|| input.clone()),
            goes_on.then(|| weight.clone()),
            precision,
        );
        let output = B::bert_linear(input, weight, bias.into_primitive(), precision);
        match Linear.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn bert_feed_forward(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        out_weight: FloatTensor<Self>,
        out_bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let nodes = [
            input.node(),
            weight.node(),
            bias.node(),
            out_weight.node(),
            out_bias.node(),
        ];
        let learns = weight.is_tracked() || bias.is_tracked();
        let out_learns = out_weight.is_tracked() || out_bias.is_tracked();
        let (input, weight) = (input.into_primitive(), weight.into_primitive());
        let out_weight = out_weight.into_primitive();
        let (middle, active) = B::bert_linear_gelu(
            input.clone(),
            weight.clone(),
            bias.into_primitive(),
            precision,
        );
        let output = B::bert_linear(
            active.clone(),
            out_weight.clone(),
            out_bias.into_primitive(),
            precision,
        );
        let state = FeedForwardState::<B> {
            input: learns.then_some(input),
            weight,
            out_weight,
            middle,
            active: out_learns.then_some(active),
            precision,
        };
        match FeedForward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn bert_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        let node = input.node();
        let input = input.into_primitive();
        let output = B::bert_gelu(input.clone());
        match Gelu.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(input, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn bert_lora(
        base: FloatTensor<Self>,
        input: FloatTensor<Self>,
        lora_a: FloatTensor<Self>,
        lora_b: FloatTensor<Self>,
        start: usize,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let nodes = [base.node(), input.node(), lora_a.node(), lora_b.node()];
        let (input, base) = (input.into_primitive(), base.into_primitive());
        let (lora_a, lora_b) = (lora_a.into_primitive(), lora_b.into_primitive());
        let (output, low) = B::bert_lora_parts(
            base,
            input.clone(),
            lora_a.clone(),
            lora_b.clone(),
            start,
            precision,
        );
        let state = LoraState::<B> {
            input,
            low,
            lora_a,
            lora_b,
            start,
            precision,
        };
        match Lora.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn bert_with_gradient(
        output: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let node = output.node();
        let gradient = gradient.into_primitive();
        let zero = B::bert_with_gradient(output.into_primitive(), gradient.clone());
        match WithGradient.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(gradient, zero),
            OpsKind::UnTracked(prep) => prep.finish(zero),
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

    fn bert_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node(), bias.node()];
        let (input, weight) = (input.into_primitive(), weight.into_primitive());
        let output = B::bert_layer_norm(input.clone(), weight.clone(), bias.into_primitive(), eps);
        match PlainLayerNorm
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((input, weight, eps), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
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

    fn bert_attention(
        projected: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: HeadsShape,
        mask: DropoutMask,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let node = projected.node();
        let projected = projected.into_primitive();
        let (context, probs, dropped) = B::bert_attention_parts(
            projected.clone(),
            bias.into_primitive(),
            shape,
            mask,
            precision,
        );
        let state = AttentionState::<B> {
            projected,
            probs,
            dropped,
            shape,
            mask,
            precision,
        };
        match Attention.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, context),
            OpsKind::UnTracked(prep) => prep.finish(context),
        }
    }

    fn bert_cross_entropy(
        logits: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        scale: f64,
    ) -> FloatTensor<Self> {
        let node = logits.node();
        let (loss, slope) =
            B::bert_cross_entropy_parts(logits.into_primitive(), targets.into_primitive(), scale);
        match CrossEntropy.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(slope, loss),
            OpsKind::UnTracked(prep) => prep.finish(loss),
        }
    }

    /// Nothing flows back through a decision.
    fn bert_update_scale(
        squares: FloatTensor<Self>,
        state: FloatTensor<Self>,
        scaling: LossScaling,
    ) -> FloatTensor<Self> {
        let (squares, state) = (squares.into_primitive(), state.into_primitive());
        Self::from_inner(B::bert_update_scale(squares, state, scaling))
    }
}
