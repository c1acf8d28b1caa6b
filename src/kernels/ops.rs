//! The trait of all fused operations, forward and backward. Its default methods compute with `reference.rs`.

use super::{
    AdamWScalars, DropoutMask, EmbeddingsShape, HeadsShape, LossScaling, PartialSums, Precision,
    reference,
};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, backend_extension};

/// Fused operations that a backend may implement with kernels of its own.
///
/// Autodiff records one fused operation per sub-layer, whose hand-written backward pass needs only a few matmuls.
/// Methods without shapes in their documentation have those of the function that they implement.
#[backend_extension(Flex, Autodiff, Cube: cfg(feature = "gpu"))]
pub trait BertOps: Backend {
    /// See [`embeddings`](super::embeddings).
    fn bert_embeddings(
        words: FloatTensor<Self>,
        positions: FloatTensor<Self>,
        token_types: FloatTensor<Self>,
        ids: IntTensor<Self>,
        seq: usize,
    ) -> FloatTensor<Self> {
        reference::embeddings::<Self>(words, positions, token_types, ids, seq)
    }

    /// See [`add_word_embeddings`](super::add_word_embeddings).
    fn bert_add_word_embeddings(
        sum: FloatTensor<Self>,
        block: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first_row: usize,
    ) -> FloatTensor<Self> {
        reference::add_word_embeddings::<Self>(sum, block, ids, first_row)
    }

    /// See [`write`](super::write).
    fn bert_write(tensor: FloatTensor<Self>, values: Vec<f32>, start: usize) -> FloatTensor<Self> {
        reference::write::<Self>(tensor, values, start)
    }

    /// Returns the gradients of word, position and token type embeddings.
    ///
    /// # Shapes
    /// `grad`: `[batch * seq, hidden_size]`, `ids`: `[batch * seq]` → the shapes of the three tables
    fn bert_embeddings_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        shape: EmbeddingsShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let table = [shape.word_rows, shape.width];
        let word_grad = Self::bert_word_embeddings_backward(grad.clone(), ids, 0, table);
        let (position_grad, type_grad) = Self::bert_position_type_backward(grad, shape);
        (word_grad, position_grad, type_grad)
    }

    /// Returns the gradient of a block of word embeddings that starts at the table's row `first_row`.
    ///
    /// # Shapes
    /// `grad`: `[batch * seq, hidden_size]`, `ids`: `[batch * seq]` → `shape`, that is `[rows, hidden_size]`
    fn bert_word_embeddings_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first_row: usize,
        shape: [usize; 2],
    ) -> FloatTensor<Self> {
        reference::word_embeddings_backward::<Self>(grad, ids, first_row, shape)
    }

    /// Returns the gradients of position and token type embeddings.
    ///
    /// # Shapes
    /// `grad`: `[batch * seq, hidden_size]` → the shapes of the two tables
    fn bert_position_type_backward(
        grad: FloatTensor<Self>,
        shape: EmbeddingsShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::position_type_backward::<Self>(grad, shape)
    }

    /// See [`linear`](super::linear).
    fn bert_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        reference::linear::<Self>(input, weight, bias, precision)
    }

    /// Returns the gradient of [`linear`](super::linear) with respect to its input: `grad` `[m, n]` × `weight`
    /// `[n, k]`.
    fn bert_linear_input_grad(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        reference::product::<Self>(grad, weight, precision)
    }

    /// Returns the gradients of [`linear`](super::linear) with respect to weight and bias: `gradᵀ × input`, and the sum
    /// of the rows of `grad`.
    ///
    /// # Shapes
    /// `grad`: `[m, n]`, `input`: `[m, k]` → `[n, k]` and `[n]`
    fn bert_linear_weight_grad(
        grad: FloatTensor<Self>,
        input: FloatTensor<Self>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::linear_weight_grad::<Self>(grad, input, precision)
    }

    /// Computes [`linear`](super::linear) and the exact GELU of its result. Returns both.
    ///
    /// # Shapes
    /// `input`: `[m, k]`, `weight`: `[n, k]`, `bias`: `[n]` → pre-activation `[m, n]` and activation `[m, n]`
    fn bert_linear_gelu(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let pre_activation = Self::bert_linear(input, weight, bias, precision);
        let activation = reference::gelu::<Self>(pre_activation.clone());
        (pre_activation, activation)
    }

    /// Returns the gradient of GELU's input from the gradient of the linear layer that follows it:
    /// `(grad × weight) * GELU'(pre_activation)`.
    ///
    /// # Shapes
    /// `grad`: `[m, k]`, `weight`: `[k, n]`, `pre_activation` and output: `[m, n]`
    fn bert_linear_input_grad_gelu(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        pre_activation: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let grad = Self::bert_linear_input_grad(grad, weight, precision);
        Self::float_mul(grad, reference::gelu_derivative::<Self>(pre_activation))
    }

    /// See [`feed_forward`](super::feed_forward).
    fn bert_feed_forward(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        out_weight: FloatTensor<Self>,
        out_bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let (_, activation) = Self::bert_linear_gelu(input, weight, bias, precision);
        Self::bert_linear(activation, out_weight, out_bias, precision)
    }

    /// See [`gelu`](super::gelu).
    fn bert_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::gelu::<Self>(input)
    }

    /// Returns the gradient of [`gelu`](super::gelu) with respect to its input.
    fn bert_gelu_backward(input: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_mul(grad, reference::gelu_derivative::<Self>(input))
    }

    /// See [`lora`](super::lora).
    fn bert_lora(
        base: FloatTensor<Self>,
        input: FloatTensor<Self>,
        lora_a: FloatTensor<Self>,
        lora_b: FloatTensor<Self>,
        start: usize,
        precision: Precision,
    ) -> FloatTensor<Self> {
        Self::bert_lora_parts(base, input, lora_a, lora_b, start, precision).0
    }

    /// Computes [`lora`](super::lora). Also returns `input × lora_aᵀ`, `[m, r]`, which the backward pass needs.
    fn bert_lora_parts(
        base: FloatTensor<Self>,
        input: FloatTensor<Self>,
        lora_a: FloatTensor<Self>,
        lora_b: FloatTensor<Self>,
        start: usize,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::lora::<Self>(base, input, lora_a, lora_b, start, precision)
    }

    /// Returns the gradients of [`lora`](super::lora) with respect to `input`, `lora_a` and `lora_b`, in this order.
    /// The gradient of `base` is `grad`.
    ///
    /// # Shapes
    /// `grad`: `[m, width]`, `low_rank = input × lora_aᵀ`: `[m, r]` → `[m, k]`, `[r, k]` and `[n, r]`
    fn bert_lora_backward(
        grad: FloatTensor<Self>,
        input: FloatTensor<Self>,
        low_rank: FloatTensor<Self>,
        lora_a: FloatTensor<Self>,
        lora_b: FloatTensor<Self>,
        start: usize,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::lora_backward::<Self>(grad, input, low_rank, lora_a, lora_b, start, precision)
    }

    /// See [`with_gradient`](super::with_gradient).
    fn bert_with_gradient(
        output: FloatTensor<Self>,
        _gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        reference::zero::<Self>(&output)
    }

    /// See [`dropout`](super::dropout()). Its backward pass is the same operation on the gradient.
    fn bert_dropout(input: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        reference::dropout::<Self>(input, mask)
    }

    /// See [`layer_norm`](super::layer_norm).
    fn bert_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
    ) -> FloatTensor<Self> {
        reference::layer_norm::<Self>(input, weight, bias, eps)
    }

    /// Returns the gradients of [`layer_norm`](super::layer_norm) with respect to input, weight and bias, in this
    /// order. Without `with_weight` the last two may be any tensors.
    ///
    /// # Shapes
    /// `input` and `grad`: `[rows, width]`, `weight`: `[width]` → `[rows, width]`, `[width]` and `[width]`
    fn bert_layer_norm_backward(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        eps: f64,
        _with_weight: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::layer_norm_backward::<Self>(input, weight, grad, eps)
    }

    /// See [`residual_layer_norm`](super::residual_layer_norm).
    fn bert_residual_layer_norm(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
    ) -> FloatTensor<Self> {
        let sum = reference::sum_with_dropout::<Self>(input, residual, mask);
        reference::layer_norm::<Self>(sum, weight, bias, eps)
    }

    /// Returns the gradients of [`residual_layer_norm`](super::residual_layer_norm) with respect to input, residual,
    /// weight and bias, in this order. Without `with_weight` the last two may be any tensors.
    ///
    /// # Shapes
    /// `input`, `residual` and `grad`: `[rows, width]`, `weight`: `[width]` → two of `[rows, width]`, two of `[width]`
    fn bert_residual_layer_norm_backward(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
        _with_weight: bool,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        reference::residual_layer_norm_backward::<Self>(input, residual, weight, grad, eps, mask)
    }

    /// See [`attention`](super::attention()).
    fn bert_attention(
        projected: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: HeadsShape,
        mask: DropoutMask,
        precision: Precision,
    ) -> FloatTensor<Self> {
        Self::bert_attention_parts(projected, bias, shape, mask, precision).0
    }

    /// Computes [`attention`](super::attention()). Also returns the attention probabilities before and after dropout,
    /// `[batch, heads, seq, seq]`, which the backward pass needs.
    fn bert_attention_parts(
        projected: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: HeadsShape,
        mask: DropoutMask,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::attention::<Self>(projected, bias, shape, mask, precision)
    }

    /// Returns the gradient of [`attention`](super::attention()) with respect to `projected`. `probs` and `dropped`
    /// come from [`bert_attention_parts`](Self::bert_attention_parts).
    ///
    /// # Shapes
    /// `projected` and output: `[batch * seq, 3 * heads * head_size]`, `probs` and `dropped`:
    /// `[batch, heads, seq, seq]`, `grad`: `[batch * seq, heads * head_size]`
    fn bert_attention_backward(
        projected: FloatTensor<Self>,
        probs: FloatTensor<Self>,
        dropped: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        shape: HeadsShape,
        mask: DropoutMask,
        precision: Precision,
    ) -> FloatTensor<Self> {
        reference::attention_backward::<Self>(
            projected, probs, dropped, grad, shape, mask, precision,
        )
    }

    /// See [`cross_entropy`](super::cross_entropy).
    fn bert_cross_entropy(
        logits: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        scale: f64,
    ) -> FloatTensor<Self> {
        Self::bert_cross_entropy_parts(logits, targets, scale).0
    }

    /// Computes [`cross_entropy`](super::cross_entropy). Also returns the gradient of the logits, `[batch,
    /// num_labels]`.
    fn bert_cross_entropy_parts(
        logits: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        scale: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::cross_entropy::<Self>(logits, targets, scale)
    }

    /// See [`adamw_settings`](super::adamw_settings).
    fn bert_adamw_settings(clip: FloatTensor<Self>, values: FloatTensor<Self>)
    -> FloatTensor<Self>;

    /// See [`adamw`](super::adamw).
    #[allow(clippy::too_many_arguments, reason = "the macro takes no structs")]
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
    );

    /// See [`squares`](super::squares).
    #[allow(clippy::too_many_arguments, reason = "the macro takes no structs")]
    fn bert_squares(
        sums: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        third: FloatTensor<Self>,
        fourth: FloatTensor<Self>,
        fifth: FloatTensor<Self>,
        sixth: FloatTensor<Self>,
        ranges: [PartialSums; 6],
    ) -> FloatTensor<Self> {
        let inputs = [first, second, third, fourth, fifth, sixth];
        reference::squares::<Self>(sums, inputs, ranges)
    }

    /// See [`clip_coefficient`](super::clip_coefficient).
    fn bert_clip_coefficient(
        squares: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        state: FloatTensor<Self>,
        max_norm: f64,
    ) -> FloatTensor<Self>;

    /// See [`update_scale`](super::update_scale).
    fn bert_update_scale(
        squares: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        state: FloatTensor<Self>,
        scaling: LossScaling,
    ) -> FloatTensor<Self>;
}
