//! The trait: every operation of the network and its optimizer that some device implements for itself. The defaults are [`plain`].

use super::{
    AdamWScalars, DropoutMask, HeadsShape, LossScaling, Precision, SquaresPlace, TablesShape, plain,
};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, backend_extension};

/// Operations with an implementation of their own on some device. What autodiff records is one operation a row of the encoder layer, so
/// that its backward pass can be made of the few products that it needs.
#[backend_extension(Flex, Autodiff, Cube: cfg(feature = "gpu"))]
pub trait BertOps: Backend {
    /// See [`embeddings`](super::embeddings).
    fn bert_embeddings(
        words: FloatTensor<Self>,
        positions: FloatTensor<Self>,
        types: FloatTensor<Self>,
        ids: IntTensor<Self>,
        seq: usize,
    ) -> FloatTensor<Self> {
        plain::embeddings::<Self>(words, positions, types, ids, seq)
    }

    /// See [`add_words`](super::add_words).
    fn bert_add_words(
        sum: FloatTensor<Self>,
        block: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first: usize,
    ) -> FloatTensor<Self> {
        plain::add_words::<Self>(sum, block, ids, first)
    }

    /// See [`write`](super::write).
    fn bert_write(tensor: FloatTensor<Self>, values: Vec<f32>, start: usize) -> FloatTensor<Self> {
        plain::write::<Self>(tensor, values, start)
    }

    /// The gradients of the three tables, from that of the sum, `[batch * seq, hidden_size]`.
    fn bert_embeddings_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        shape: TablesShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (positions, types) = Self::bert_places_backward(grad.clone(), shape);
        let words = Self::bert_words_backward(grad, ids, 0, [shape.words, shape.width]);
        (words, positions, types)
    }

    /// The gradient of a block of words, of `[rows, hidden_size]`, whose first row is the table's row `first`.
    fn bert_words_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first: usize,
        shape: [usize; 2],
    ) -> FloatTensor<Self> {
        plain::words_backward::<Self>(grad, ids, first, shape)
    }

    /// The gradients of positions and token types alone.
    fn bert_places_backward(
        grad: FloatTensor<Self>,
        shape: TablesShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        plain::places_backward::<Self>(grad, shape)
    }

    /// See [`linear`](super::linear).
    fn bert_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        plain::linear::<Self>(input, weight, bias, precision)
    }

    /// The gradient of [`linear`](super::linear) with respect to its input: `grad × weight`.
    fn bert_linear_input_grad(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        plain::product::<Self>(grad, weight, precision)
    }

    /// The gradients of [`linear`](super::linear) with respect to weight and bias: `gradᵀ × input`, and the sum over the rows of `grad`.
    fn bert_linear_weight_grad(
        grad: FloatTensor<Self>,
        input: FloatTensor<Self>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        plain::linear_weight_grad::<Self>(grad, input, precision)
    }

    /// [`linear`](super::linear) and the exact GELU of its result.
    fn bert_linear_gelu(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let middle = Self::bert_linear(input, weight, bias, precision);
        (middle.clone(), plain::gelu::<Self>(middle))
    }

    /// The gradient of what GELU took, `middle`, from the gradient of a linear layer behind it: `(grad × weight) * GELU'(middle)`.
    fn bert_linear_input_grad_gelu(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        middle: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let grad = Self::bert_linear_input_grad(grad, weight, precision);
        Self::float_mul(grad, plain::gelu_slope::<Self>(middle))
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
        let (_, active) = Self::bert_linear_gelu(input, weight, bias, precision);
        Self::bert_linear(active, out_weight, out_bias, precision)
    }

    /// See [`gelu`](super::gelu).
    fn bert_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::gelu::<Self>(input)
    }

    /// The gradient of [`gelu`](super::gelu) with respect to its input.
    fn bert_gelu_backward(input: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_mul(grad, plain::gelu_slope::<Self>(input))
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

    /// The sum, and for the way back `input lora_aᵀ`, `[m, r]`.
    fn bert_lora_parts(
        base: FloatTensor<Self>,
        input: FloatTensor<Self>,
        lora_a: FloatTensor<Self>,
        lora_b: FloatTensor<Self>,
        start: usize,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        plain::lora::<Self>(base, input, lora_a, lora_b, start, precision)
    }

    /// The gradients of [`lora`](super::lora) with respect to `input`, `lora_a` and `lora_b`, in this order; that of `base` is `grad`.
    fn bert_lora_backward(
        grad: FloatTensor<Self>,
        input: FloatTensor<Self>,
        low: FloatTensor<Self>,
        lora_a: FloatTensor<Self>,
        lora_b: FloatTensor<Self>,
        start: usize,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        plain::lora_backward::<Self>(grad, input, low, lora_a, lora_b, start, precision)
    }

    /// See [`with_gradient`](super::with_gradient).
    fn bert_with_gradient(
        output: FloatTensor<Self>,
        _gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::zero::<Self>(&output)
    }

    /// See [`dropout`](super::dropout()); its gradient is the same operation on the gradient.
    fn bert_dropout(input: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        plain::dropout::<Self>(input, mask)
    }

    /// See [`layer_norm`](super::layer_norm).
    fn bert_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
    ) -> FloatTensor<Self> {
        Self::layer_norm(input, weight, Some(bias), eps)
    }

    /// The gradients of [`layer_norm`](super::layer_norm) with respect to input, weight and bias, in this order.
    fn bert_layer_norm_backward(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        eps: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        plain::layer_norm_backward::<Self>(input, weight, grad, eps)
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
        let sum = Self::float_add(Self::bert_dropout(input, mask), residual);
        Self::layer_norm(sum, weight, Some(bias), eps)
    }

    /// The gradients of [`residual_layer_norm`](super::residual_layer_norm) with respect to input, residual, weight and bias, in this
    /// order.
    fn bert_residual_layer_norm_backward(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let sum = Self::float_add(Self::bert_dropout(input, mask), residual);
        let (for_residual, for_weight, for_bias) =
            plain::layer_norm_backward::<Self>(sum, weight, grad, eps);
        let for_input = Self::bert_dropout(for_residual.clone(), mask);
        (for_input, for_residual, for_weight, for_bias)
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

    /// The context, and for the way back the probabilities before and after their dropout, `[batch, heads, seq, seq]`.
    fn bert_attention_parts(
        projected: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: HeadsShape,
        mask: DropoutMask,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        plain::attention::<Self>(projected, bias, shape, mask, precision)
    }

    /// The gradient of [`attention`](super::attention()) with respect to `projected`, from what
    /// [`bert_attention_parts`](Self::bert_attention_parts) gave.
    fn bert_attention_backward(
        projected: FloatTensor<Self>,
        probs: FloatTensor<Self>,
        dropped: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        shape: HeadsShape,
        mask: DropoutMask,
        precision: Precision,
    ) -> FloatTensor<Self> {
        plain::attention_backward::<Self>(projected, probs, dropped, grad, shape, mask, precision)
    }

    /// See [`cross_entropy`](super::cross_entropy).
    fn bert_cross_entropy(
        logits: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        scale: f64,
    ) -> FloatTensor<Self> {
        Self::bert_cross_entropy_parts(logits, targets, scale).0
    }

    /// The loss, and its gradient with respect to the logits.
    fn bert_cross_entropy_parts(
        logits: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        scale: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        plain::cross_entropy::<Self>(logits, targets, scale)
    }

    /// See [`adamw`](super::adamw): two parameters, each with its gradient and its moments.
    #[allow(clippy::too_many_arguments, reason = "twice the same three tensors")]
    fn bert_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        other_parameter: FloatTensor<Self>,
        other_gradient: FloatTensor<Self>,
        other_moments: FloatTensor<Self>,
        clip: FloatTensor<Self>,
        scalars: [AdamWScalars; 2],
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let (parameter, moments) =
            plain::adamw::<Self>(parameter, gradient, moments, clip.clone(), scalars[0]);
        let (other_parameter, other_moments) = plain::adamw::<Self>(
            other_parameter,
            other_gradient,
            other_moments,
            clip,
            scalars[1],
        );
        (parameter, moments, other_parameter, other_moments)
    }

    /// See [`squares`](super::squares).
    #[allow(clippy::too_many_arguments, reason = "six times the same")]
    fn bert_squares(
        sums: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        third: FloatTensor<Self>,
        fourth: FloatTensor<Self>,
        fifth: FloatTensor<Self>,
        sixth: FloatTensor<Self>,
        places: [SquaresPlace; 6],
    ) -> FloatTensor<Self> {
        let inputs = [first, second, third, fourth, fifth, sixth];
        inputs
            .into_iter()
            .zip(places)
            .fold(sums, |sums, (input, place)| {
                plain::squares::<Self>(sums, input, place)
            })
    }

    /// See [`clip_coefficient`](super::clip_coefficient).
    fn bert_clip_coefficient(squares: FloatTensor<Self>, max_norm: f64) -> FloatTensor<Self> {
        plain::clip_coefficient::<Self>(squares, max_norm)
    }

    /// See [`update_scale`](super::update_scale).
    fn bert_update_scale(
        squares: FloatTensor<Self>,
        state: FloatTensor<Self>,
        scaling: LossScaling,
    ) -> FloatTensor<Self>;
}
