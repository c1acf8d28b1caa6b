//! The operations of BERT's forward pass, as functions of burn tensors. Autodiff records each call as one node.

use super::autocast::precision;
use super::{BertOps, DropoutMask};
use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

/// The dimensions of multi-head attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadsShape {
    /// Sequences in the batch.
    pub batch: usize,
    /// Tokens of a sequence, padding included.
    pub seq: usize,
    /// `num_attention_heads`.
    pub heads: usize,
    /// `hidden_size / num_attention_heads`.
    pub head_size: usize,
}

impl HeadsShape {
    /// Returns the factor of the attention scores, `1 / sqrt(head_size)`.
    pub fn scale(self) -> f64 {
        1.0 / (self.head_size as f64).sqrt()
    }
}

/// The dimensions of the three embedding tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddingsShape {
    /// `vocab_size`, or the number of rows in the first block of the table.
    pub word_rows: usize,
    /// `max_position_embeddings`.
    pub position_rows: usize,
    /// `type_vocab_size`.
    pub token_type_rows: usize,
    /// `hidden_size`.
    pub width: usize,
    /// Tokens of a sequence, padding included.
    pub seq: usize,
}

/// Sums word, position and token type embeddings, as [`BertEmbeddings`][1] does before its LayerNorm. Token `t` of a
/// sequence has position `t`, and every token has type 0.
///
/// `word_embeddings` may be the first block of the table. Ids past it add nothing here: see [`add_word_embeddings`].
///
/// # Shapes
/// - `word_embeddings`: `[vocab_size, hidden_size]`
/// - `position_embeddings`: `[max_position_embeddings, hidden_size]`
/// - `token_type_embeddings`: `[type_vocab_size, hidden_size]`
/// - `ids`: `[batch * seq]`
/// - output: `[batch * seq, hidden_size]`
///
/// [1]: https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py
pub fn embeddings(
    word_embeddings: Tensor<2>,
    position_embeddings: Tensor<2>,
    token_type_embeddings: Tensor<2>,
    ids: Tensor<1, Int>,
    seq: usize,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_embeddings(
        word_embeddings.into_dispatch(),
        position_embeddings.into_dispatch(),
        token_type_embeddings.into_dispatch(),
        ids.into_dispatch(),
        seq,
    ))
}

/// Adds the word embeddings of one further block of the table to `sum`. `first_row` is the table's row at which the
/// block starts. Ids outside the block add nothing.
///
/// # Shapes
/// - `sum`: `[batch * seq, hidden_size]`
/// - `block`: `[rows, hidden_size]`
/// - `ids`: `[batch * seq]`
/// - output: `[batch * seq, hidden_size]`
pub fn add_word_embeddings(
    sum: Tensor<2>,
    block: Tensor<2>,
    ids: Tensor<1, Int>,
    first_row: usize,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_add_word_embeddings(
        sum.into_dispatch(),
        block.into_dispatch(),
        ids.into_dispatch(),
        first_row,
    ))
}

/// Overwrites the values of `tensor` from index `start` on with `values`. Autodiff does not record it.
///
/// # Shapes
/// - `tensor` and output: `[n]`, with `start + values.len() <= n`
pub fn write(tensor: Tensor<1>, values: Vec<f32>, start: usize) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_write(tensor.into_dispatch(), values, start))
}

/// Computes `input × weightᵀ + bias`, as [`torch.nn.functional.linear`]. This and every other matrix product has the
/// precision of the current [`Autocast`](super::Autocast).
///
/// # Shapes
/// - `input`: `[m, k]`
/// - `weight`: `[n, k]`
/// - `bias`: `[n]`
/// - output: `[m, n]`
///
/// [`torch.nn.functional.linear`]: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
pub fn linear(input: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_linear(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        precision(),
    ))
}

/// Computes `linear(gelu(linear(input, weight, bias)), out_weight, out_bias)`: [`BertIntermediate`][1] and the dense
/// layer of `BertOutput`.
///
/// # Shapes
/// - `input`: `[m, hidden_size]`
/// - `weight`: `[intermediate_size, hidden_size]`
/// - `bias`: `[intermediate_size]`
/// - `out_weight`: `[hidden_size, intermediate_size]`
/// - `out_bias`: `[hidden_size]`
/// - output: `[m, hidden_size]`
///
/// [1]: https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py
pub fn feed_forward(
    input: Tensor<2>,
    (weight, bias): (Tensor<2>, Tensor<1>),
    (out_weight, out_bias): (Tensor<2>, Tensor<1>),
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_feed_forward(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        out_weight.into_dispatch(),
        out_bias.into_dispatch(),
        precision(),
    ))
}

/// Computes the exact GELU, `x Φ(x)` with `Φ(x) = (1 + erf(x / √2)) / 2` ([Hendrycks & Gimpel, 2016]), as
/// [`torch.nn.functional.gelu`] with `approximate='none'`.
///
/// # Shapes
/// - `input` and output: `[rows, width]`
///
/// [Hendrycks & Gimpel, 2016]: https://arxiv.org/abs/1606.08415
/// [`torch.nn.functional.gelu`]: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html
pub fn gelu(input: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_gelu(input.into_dispatch()))
}

/// Adds a low-rank update to columns of a linear layer's output ([LoRA, Hu et al., 2021]):
/// `(input × lora_aᵀ) × lora_bᵀ` is added to the columns of `base` from `start` on. The caller multiplies `lora_b` by
/// the scaling `lora_alpha / r`.
///
/// # Shapes
/// - `base` and output: `[m, width]`, with `start + n <= width`
/// - `input`: `[m, k]`
/// - `lora_a`: `[r, k]`
/// - `lora_b`: `[n, r]`
///
/// [LoRA, Hu et al., 2021]: https://arxiv.org/abs/2106.09685
pub fn lora(
    base: Tensor<2>,
    input: Tensor<2>,
    lora_a: Tensor<2>,
    lora_b: Tensor<2>,
    start: usize,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_lora(
        base.into_dispatch(),
        input.into_dispatch(),
        lora_a.into_dispatch(),
        lora_b.into_dispatch(),
        start,
        precision(),
    ))
}

/// Returns a scalar whose gradient with respect to `output` is `gradient`. Calling `backward` on it continues a
/// backward pass that stopped at `output`, which gradient checkpointing needs. Its value is always 0.
///
/// # Shapes
/// - `output` and `gradient`: `[m, n]`
/// - output: `[1]`
pub fn with_gradient(output: Tensor<2>, gradient: Tensor<2>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_with_gradient(
        output.into_dispatch(),
        gradient.into_dispatch(),
    ))
}

/// Applies inverted dropout: sets the values that `mask` drops to 0 and multiplies the others by `1 / (1 - prob)`, as
/// [`torch.nn.functional.dropout`] in training mode.
///
/// # Shapes
/// - `input` and output: any, the same
///
/// [`torch.nn.functional.dropout`]: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
pub fn dropout<const D: usize>(input: Tensor<D>, mask: DropoutMask) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::bert_dropout(input.into_dispatch(), mask))
}

/// Normalizes each row to mean 0 and variance 1, then applies `weight` and `bias` ([Ba et al., 2016]), as
/// [`torch.nn.functional.layer_norm`][1] over the last dimension.
///
/// # Shapes
/// - `input` and output: `[rows, width]`
/// - `weight` and `bias`: `[width]`
///
/// [Ba et al., 2016]: https://arxiv.org/abs/1607.06450
/// [1]: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
pub fn layer_norm(input: Tensor<2>, weight: Tensor<1>, bias: Tensor<1>, eps: f64) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_layer_norm(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        eps,
    ))
}

/// Computes `layer_norm(dropout(input) + residual)`, the last step of [`BertSelfOutput`][1] and `BertOutput`.
///
/// # Shapes
/// - `input`, `residual` and output: `[rows, width]`
/// - `weight` and `bias`: `[width]`
///
/// [1]: https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py
pub fn residual_layer_norm(
    input: Tensor<2>,
    residual: Tensor<2>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    eps: f64,
    mask: DropoutMask,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_residual_layer_norm(
        input.into_dispatch(),
        residual.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        eps,
        mask,
    ))
}

/// Computes multi-head attention ([Vaswani et al., 2017]): in each head
/// `dropout(softmax(query × keyᵀ / sqrt(head_size) + bias)) × value`, as [`BertSelfAttention`][1].
///
/// A row of `projected` is a token's query, key and value, concatenated. `bias` masks padding: it is added to every
/// score of a key. It has no gradient.
///
/// # Shapes
/// - `projected`: `[batch * seq, 3 * heads * head_size]`
/// - `bias`: `[batch, seq]`
/// - output: `[batch * seq, heads * head_size]`
///
/// [Vaswani et al., 2017]: https://arxiv.org/abs/1706.03762
/// [1]: https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py
pub fn attention(
    projected: Tensor<2>,
    bias: Tensor<2>,
    shape: HeadsShape,
    mask: DropoutMask,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_attention(
        projected.into_dispatch(),
        bias.into_dispatch(),
        shape,
        mask,
        precision(),
    ))
}

/// Computes the cross entropy `-scale * sum(targets * log_softmax(logits))`, as
/// [`torch.nn.functional.cross_entropy`][1] with class probabilities as targets. With `scale = 1 / batch` it is the
/// mean. The targets have no gradient.
///
/// # Shapes
/// - `logits` and `targets`: `[batch, num_labels]`
/// - output: `[1]`
///
/// [1]: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>, scale: f64) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_cross_entropy(
        logits.into_dispatch(),
        targets.into_dispatch(),
        scale,
    ))
}
