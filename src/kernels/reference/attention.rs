//! Multi-head attention, forward and backward.

use super::{product, scalar};
use crate::kernels::{BertOps, DropoutMask, HeadsShape, Precision};
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Shape, Slice};

/// Returns the query (`part` 0), key (1) or value (2) as `[batch, heads, seq, head_size]`.
fn split<B: BertOps>(joined: FloatTensor<B>, shape: HeadsShape, part: usize) -> FloatTensor<B> {
    let HeadsShape {
        batch,
        seq,
        heads,
        head_size,
    } = shape;
    let width = heads * head_size;
    let rows = Slice::from(0..batch * seq);
    let columns = Slice::from(part * width..(part + 1) * width);
    let part = B::float_slice(joined, &[rows, columns]);
    let part = B::float_reshape(part, Shape::from([batch, seq, heads, head_size]));
    B::float_swap_dims(part, 1, 2)
}

/// The inverse of [`split`]: returns `[batch * seq, heads * head_size]`.
fn merge<B: BertOps>(part: FloatTensor<B>, shape: HeadsShape) -> FloatTensor<B> {
    let flat = [shape.batch * shape.seq, shape.heads * shape.head_size];
    B::float_reshape(B::float_swap_dims(part, 1, 2), Shape::from(flat))
}

pub(in crate::kernels) fn attention<B: BertOps>(
    projected: FloatTensor<B>,
    bias: FloatTensor<B>,
    shape: HeadsShape,
    mask: DropoutMask,
    precision: Precision,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let [query, key, value] = [0, 1, 2].map(|part| split::<B>(projected.clone(), shape, part));
    let bias = B::float_reshape(bias, Shape::from([shape.batch, 1, 1, shape.seq]));
    let scores = product::<B>(query, B::float_transpose(key), precision);
    let scores = B::float_mul_scalar(scores, scalar(shape.scale()));
    let probs = B::softmax(B::float_add(scores, bias), 3);
    let dropped = B::bert_dropout(probs.clone(), mask);
    let context = product::<B>(dropped.clone(), value, precision);
    (merge::<B>(context, shape), probs, dropped)
}

/// The gradient of softmax is `probs * (grad - sum(probs * grad))`, where the sum is over the keys.
pub(in crate::kernels) fn attention_backward<B: BertOps>(
    projected: FloatTensor<B>,
    probs: FloatTensor<B>,
    dropped: FloatTensor<B>,
    grad: FloatTensor<B>,
    shape: HeadsShape,
    mask: DropoutMask,
    precision: Precision,
) -> FloatTensor<B> {
    let [query, key, value] = [0, 1, 2].map(|part| split::<B>(projected.clone(), shape, part));
    // Each row of `grad` has the width of one part.
    let grad = split::<B>(grad, shape, 0);
    let value_grad = product::<B>(B::float_transpose(dropped), grad.clone(), precision);
    let dropped_grad = product::<B>(grad, B::float_transpose(value), precision);
    let probs_grad = B::bert_dropout(dropped_grad, mask);
    let dot = B::float_sum_dim(B::float_mul(probs.clone(), probs_grad.clone()), 3);
    let softmax_grad = B::float_mul(probs, B::float_sub(probs_grad, dot));
    let scores_grad = B::float_mul_scalar(softmax_grad, scalar(shape.scale()));
    let query_grad = product::<B>(scores_grad.clone(), key, precision);
    let key_grad = product::<B>(B::float_transpose(scores_grad), query, precision);
    let parts = [query_grad, key_grad, value_grad].map(|part| merge::<B>(part, shape));
    B::float_cat(parts.into(), 1)
}
