//! The backward passes of [`BertOps`], which burn's autodiff calls.
//!
//! The forward pass stores a tensor only if the backward pass needs it: the input of a frozen layer is not stored,
//! because its weight has no gradient.

mod attention;
mod embeddings;
mod layer_norm;
mod linear;
mod lora;
mod unary;

use attention::{Attention, AttentionState};
use embeddings::{AddWordEmbeddings, Embeddings};
use layer_norm::{LayerNorm, LayerNormState, ResidualLayerNorm};
use linear::{FeedForward, FeedForwardState, Linear, LinearState};
use lora::{Lora, LoraState};
use unary::{CrossEntropy, Dropout, Gelu, WithGradient};

use super::{
    AdamWScalars, BertOps, DropoutMask, EmbeddingsShape, HeadsShape, LossScaling, Precision,
};
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, AutodiffBackend, TensorMetadata};

/// Registers the gradients of the parents that require one.
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

impl<B: BertOps, C: CheckpointStrategy> BertOps for Autodiff<B, C> {
    fn bert_embeddings(
        word_embeddings: FloatTensor<Self>,
        position_embeddings: FloatTensor<Self>,
        token_type_embeddings: FloatTensor<Self>,
        ids: IntTensor<Self>,
        seq: usize,
    ) -> FloatTensor<Self> {
        let nodes = [
            word_embeddings.node(),
            position_embeddings.node(),
            token_type_embeddings.node(),
        ];
        let shape = EmbeddingsShape {
            word_rows: word_embeddings.shape()[0],
            position_rows: position_embeddings.shape()[0],
            token_type_rows: token_type_embeddings.shape()[0],
            width: word_embeddings.shape()[1],
            seq,
        };
        let output = B::bert_embeddings(
            word_embeddings.into_primitive(),
            position_embeddings.into_primitive(),
            token_type_embeddings.into_primitive(),
            ids.clone(),
            seq,
        );
        match Embeddings.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((ids, shape), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn bert_add_word_embeddings(
        sum: FloatTensor<Self>,
        block: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first_row: usize,
    ) -> FloatTensor<Self> {
        let nodes = [sum.node(), block.node()];
        let shape = [block.shape()[0], block.shape()[1]];
        let output = B::bert_add_word_embeddings(
            sum.into_primitive(),
            block.into_primitive(),
            ids.clone(),
            first_row,
        );
        match AddWordEmbeddings
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((ids, first_row, shape), output),
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
        let trainable = weight.is_tracked() || bias.is_tracked();
        let input_tracked = input.is_tracked();
        let (input, weight) = (input.into_primitive(), weight.into_primitive());
        let state = LinearState::<B> {
            input: trainable.then(|| input.clone()),
            weight: input_tracked.then(|| weight.clone()),
            precision,
        };
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
        let trainable = weight.is_tracked() || bias.is_tracked();
        let out_trainable = out_weight.is_tracked() || out_bias.is_tracked();
        let (input, weight) = (input.into_primitive(), weight.into_primitive());
        let out_weight = out_weight.into_primitive();
        let (pre_activation, activation) = B::bert_linear_gelu(
            input.clone(),
            weight.clone(),
            bias.into_primitive(),
            precision,
        );
        let output = B::bert_linear(
            activation.clone(),
            out_weight.clone(),
            out_bias.into_primitive(),
            precision,
        );
        let state = FeedForwardState::<B> {
            input: trainable.then_some(input),
            weight,
            out_weight,
            pre_activation,
            activation: out_trainable.then_some(activation),
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
        let (output, low_rank) = B::bert_lora_parts(
            base,
            input.clone(),
            lora_a.clone(),
            lora_b.clone(),
            start,
            precision,
        );
        let state = LoraState::<B> {
            input,
            low_rank,
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
        match LayerNorm.prepare::<C>(nodes).compute_bound().stateful() {
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
        let (loss, logits_grad) =
            B::bert_cross_entropy_parts(logits.into_primitive(), targets.into_primitive(), scale);
        match CrossEntropy.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(logits_grad, loss),
            OpsKind::UnTracked(prep) => prep.finish(loss),
        }
    }

    /// The result is not differentiable.
    fn bert_adamw_settings(
        clip: FloatTensor<Self>,
        values: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [clip, values] = [clip, values].map(|tensor| tensor.into_primitive());
        Self::from_inner(B::bert_adamw_settings(clip, values))
    }

    /// The result is not differentiable.
    fn bert_adamw(
        parameter_a: FloatTensor<Self>,
        gradient_a: FloatTensor<Self>,
        moments_a: FloatTensor<Self>,
        parameter_b: FloatTensor<Self>,
        gradient_b: FloatTensor<Self>,
        moments_b: FloatTensor<Self>,
        settings: FloatTensor<Self>,
        scalars: [AdamWScalars; 2],
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let (parameter_a, moments_a, parameter_b, moments_b) = B::bert_adamw(
            parameter_a.into_primitive(),
            gradient_a.into_primitive(),
            moments_a.into_primitive(),
            parameter_b.into_primitive(),
            gradient_b.into_primitive(),
            moments_b.into_primitive(),
            settings.into_primitive(),
            scalars,
        );
        (
            Self::from_inner(parameter_a),
            Self::from_inner(moments_a),
            Self::from_inner(parameter_b),
            Self::from_inner(moments_b),
        )
    }

    /// The result is not differentiable.
    fn bert_clip_coefficient(
        squares: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        state: FloatTensor<Self>,
        max_norm: f64,
    ) -> FloatTensor<Self> {
        let [squares, loss, state] = [squares, loss, state].map(|tensor| tensor.into_primitive());
        Self::from_inner(B::bert_clip_coefficient(squares, loss, state, max_norm))
    }

    /// The result is not differentiable.
    fn bert_update_scale(
        squares: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        state: FloatTensor<Self>,
        scaling: LossScaling,
    ) -> FloatTensor<Self> {
        let [squares, loss, state] = [squares, loss, state].map(|tensor| tensor.into_primitive());
        Self::from_inner(B::bert_update_scale(squares, loss, state, scaling))
    }
}
