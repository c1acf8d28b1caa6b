//! The embedding tables, forward and backward, and writing into a parameter.

use super::{scalar, zeros};
use crate::kernels::EmbeddingsShape;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Scalar, TensorMetadata};
use burn::tensor::{FloatDType, IndexingUpdateOp, Shape, Slice, TensorData};

pub(in crate::kernels) fn embeddings<B: Backend>(
    word_embeddings: FloatTensor<B>,
    position_embeddings: FloatTensor<B>,
    token_type_embeddings: FloatTensor<B>,
    ids: IntTensor<B>,
    seq: usize,
) -> FloatTensor<B> {
    let (tokens, width) = (ids.shape()[0], word_embeddings.shape()[1]);
    let by_sequence = Shape::from([tokens / seq, seq, width]);
    let words = B::float_reshape(select_rows::<B>(word_embeddings, ids, 0), by_sequence);
    let positions = B::float_slice(position_embeddings, &[Slice::from(0..seq)]);
    let token_type = B::float_slice(token_type_embeddings, &[Slice::from(0..1)]);
    let positions = B::float_add(positions, token_type);
    let positions = B::float_reshape(positions, Shape::from([1, seq, width]));
    B::float_reshape(B::float_add(words, positions), Shape::from([tokens, width]))
}

/// Returns each id's row in a block of `rows` rows that starts at the table's row `first_row`, and a factor
/// `[tokens, 1]` that is 1 if the block has the id and 0 otherwise. An id that the block lacks gets an arbitrary row of
/// it.
fn rows_in_block<B: Backend>(
    ids: IntTensor<B>,
    first_row: usize,
    rows: usize,
) -> (IntTensor<B>, FloatTensor<B>) {
    let tokens = ids.shape()[0];
    let index = |value: usize| Scalar::from(value as i64);
    let ids = B::int_sub_scalar(ids, index(first_row));
    let indices = B::int_clamp(ids.clone(), index(0), index(rows - 1));
    let distance = B::int_into_float(B::int_sub(ids, indices.clone()), FloatDType::F32);
    let outside = B::float_clamp_max(B::float_mul(distance.clone(), distance), scalar(1.0));
    let inside = B::float_add_scalar(B::float_mul_scalar(outside, scalar(-1.0)), scalar(1.0));
    (indices, B::float_reshape(inside, Shape::from([tokens, 1])))
}

/// Selects the rows of `block` by `ids`. Ids outside the block select zeros.
fn select_rows<B: Backend>(
    block: FloatTensor<B>,
    ids: IntTensor<B>,
    first_row: usize,
) -> FloatTensor<B> {
    let (indices, inside) = rows_in_block::<B>(ids, first_row, block.shape()[0]);
    B::float_mul(B::float_select(block, 0, indices), inside)
}

pub(in crate::kernels) fn add_word_embeddings<B: Backend>(
    sum: FloatTensor<B>,
    block: FloatTensor<B>,
    ids: IntTensor<B>,
    first_row: usize,
) -> FloatTensor<B> {
    B::float_add(sum, select_rows::<B>(block, ids, first_row))
}

pub(in crate::kernels) fn word_embeddings_backward<B: Backend>(
    grad: FloatTensor<B>,
    ids: IntTensor<B>,
    first_row: usize,
    shape: [usize; 2],
) -> FloatTensor<B> {
    let block = zeros::<B>(&grad, shape);
    let (indices, inside) = rows_in_block::<B>(ids, first_row, shape[0]);
    let grad = B::float_mul(grad, inside);
    B::float_select_assign(block, 0, indices, grad, IndexingUpdateOp::Add)
}

pub(in crate::kernels) fn position_type_backward<B: Backend>(
    grad: FloatTensor<B>,
    shape: EmbeddingsShape,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (tokens, width) = (grad.shape()[0], shape.width);
    let position_grad = zeros::<B>(&grad, [shape.position_rows, width]);
    let token_type_grad = zeros::<B>(&grad, [shape.token_type_rows, width]);
    let by_sequence = Shape::from([tokens / shape.seq, shape.seq, width]);
    let by_position = B::float_sum_dim(B::float_reshape(grad, by_sequence), 0);
    let by_position = B::float_reshape(by_position, Shape::from([shape.seq, width]));
    let total = B::float_sum_dim(by_position.clone(), 0);
    (
        B::float_slice_assign(position_grad, &[Slice::from(0..shape.seq)], by_position),
        B::float_slice_assign(token_type_grad, &[Slice::from(0..1)], total),
    )
}

pub(in crate::kernels) fn write<B: Backend>(
    tensor: FloatTensor<B>,
    values: Vec<f32>,
    start: usize,
) -> FloatTensor<B> {
    let (len, device) = (values.len(), tensor.device());
    let values = B::float_from_data(TensorData::new(values, [len]), &device);
    if len == tensor.shape()[0] {
        return values;
    }
    B::float_slice_assign(tensor, &[Slice::from(start..start + len)], values)
}
