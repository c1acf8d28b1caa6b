//! The three embedding tables.
//!
//! The forward pass gathers and sums their rows in one dispatch. The backward pass computes the gradients of position
//! and token type embeddings in one dispatch and that of word embeddings in another. Each further block of word
//! embeddings takes one more dispatch in both passes.

use super::{empty, empty_activation, workgroup_count, workgroup_dim, writable};
use crate::kernels::EmbeddingsShape;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// A thread computes one value of the output.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn sum_kernel(
    word_embeddings: &[f32],
    position_embeddings: &[f32],
    token_type_embeddings: &[f32],
    ids: &[i32],
    output: &mut [f32],
    elements: usize,
    rows: usize,
    width: usize,
    seq: usize,
) {
    if ABSOLUTE_POS < elements {
        let token = ABSOLUTE_POS / width;
        let column = ABSOLUTE_POS % width;
        let id = ids[token] as usize;
        let mut sum =
            position_embeddings[token % seq * width + column] + token_type_embeddings[column];
        if id < rows {
            sum += word_embeddings[id * width + column];
        }
        output[ABSOLUTE_POS] = sum;
    }
}

#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn add_word_embeddings_kernel(
    block: &[f32],
    ids: &[i32],
    sum: &mut [f32],
    elements: usize,
    first_row: usize,
    end_row: usize,
    width: usize,
) {
    if ABSOLUTE_POS < elements {
        let id = ids[ABSOLUTE_POS / width] as usize;
        if id >= first_row && id < end_row {
            sum[ABSOLUTE_POS] += block[(id - first_row) * width + ABSOLUTE_POS % width];
        }
    }
}

/// A thread adds the gradients of one column, token by token, to the rows of the tokens' ids.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn word_gradient_kernel(
    grad: &[f32],
    ids: &[i32],
    table: &mut [f32],
    tokens: usize,
    first_row: usize,
    end_row: usize,
    width: usize,
) {
    let column = ABSOLUTE_POS;
    if column < width {
        for token in 0..tokens {
            let id = ids[token] as usize;
            if id >= first_row && id < end_row {
                table[(id - first_row) * width + column] += grad[token * width + column];
            }
        }
    }
}

/// A thread computes one value of either table: the sum over the tokens that selected its row. Rows past `seq` and
/// token types other than the first are not selected.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn position_type_gradient_kernel(
    grad: &[f32],
    position_grad: &mut [f32],
    token_type_grad: &mut [f32],
    tokens: usize,
    position_rows: usize,
    token_type_rows: usize,
    width: usize,
    seq: usize,
) {
    let column = ABSOLUTE_POS % width;
    let row = ABSOLUTE_POS / width;
    let mut sum = f32::new(0.0);
    if row < position_rows {
        if row < seq {
            let mut token = row;
            while token < tokens {
                sum += grad[token * width + column];
                token += seq;
            }
        }
        position_grad[ABSOLUTE_POS] = sum;
    } else if row < position_rows + token_type_rows {
        if row == position_rows {
            for token in 0..tokens {
                sum += grad[token * width + column];
            }
        }
        token_type_grad[ABSOLUTE_POS - position_rows * width] = sum;
    }
}

/// Implements [`embeddings`](crate::kernels::embeddings).
pub(super) fn forward(
    word_embeddings: CubeTensor,
    position_embeddings: CubeTensor,
    token_type_embeddings: CubeTensor,
    ids: CubeTensor,
    seq: usize,
) -> CubeTensor {
    let [
        word_embeddings,
        position_embeddings,
        token_type_embeddings,
        ids,
    ] = [
        word_embeddings,
        position_embeddings,
        token_type_embeddings,
        ids,
    ]
    .map(into_contiguous);
    let tokens = ids.meta.num_elements();
    let (rows, width) = (
        word_embeddings.meta.shape()[0],
        word_embeddings.meta.shape()[1],
    );
    let output = empty_activation(&word_embeddings, [tokens, width]);
    // SAFETY: `output` holds `tokens * width` values, and ids past the table select no row of it.
    unsafe {
        sum_kernel::launch_unchecked(
            &output.client,
            workgroup_count(tokens * width),
            workgroup_dim(),
            word_embeddings.into_buffer_arg(),
            position_embeddings.into_buffer_arg(),
            token_type_embeddings.into_buffer_arg(),
            ids.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            tokens * width,
            rows,
            width,
            seq,
        );
    }
    output
}

/// Implements [`add_word_embeddings`](crate::kernels::add_word_embeddings).
pub(super) fn add_word_embeddings(
    sum: CubeTensor,
    block: CubeTensor,
    ids: CubeTensor,
    first_row: usize,
) -> CubeTensor {
    let (sum, block, ids) = (writable(sum), into_contiguous(block), into_contiguous(ids));
    let elements = sum.meta.num_elements();
    let (rows, width) = (block.meta.shape()[0], block.meta.shape()[1]);
    // SAFETY: there is an id for each row of `sum`, and only ids of the block select one of its rows.
    unsafe {
        add_word_embeddings_kernel::launch_unchecked(
            &sum.client,
            workgroup_count(elements),
            workgroup_dim(),
            block.into_buffer_arg(),
            ids.into_buffer_arg(),
            sum.clone().into_buffer_arg(),
            elements,
            first_row,
            first_row + rows,
            width,
        );
    }
    sum
}

/// Returns the gradient of a block of word embeddings. It is added to `table`, which is 0.
pub(super) fn word_embeddings_backward(
    grad: CubeTensor,
    ids: CubeTensor,
    table: CubeTensor,
    first_row: usize,
) -> CubeTensor {
    let [grad, ids] = [grad, ids].map(into_contiguous);
    let table = writable(table);
    let (rows, width) = (table.meta.shape()[0], table.meta.shape()[1]);
    // SAFETY: there is an id for each row of `grad`, and only ids of the block select a row that is written.
    unsafe {
        word_gradient_kernel::launch_unchecked(
            &table.client,
            workgroup_count(width),
            workgroup_dim(),
            grad.into_buffer_arg(),
            ids.clone().into_buffer_arg(),
            table.clone().into_buffer_arg(),
            ids.meta.num_elements(),
            first_row,
            first_row + rows,
            width,
        );
    }
    table
}

/// Returns the gradients of position and token type embeddings.
pub(super) fn position_type_backward(
    grad: CubeTensor,
    shape: EmbeddingsShape,
) -> (CubeTensor, CubeTensor) {
    let grad = into_contiguous(grad);
    let EmbeddingsShape {
        position_rows,
        token_type_rows,
        width,
        seq,
        ..
    } = shape;
    let tokens = grad.meta.shape()[0];
    let position_grad = empty(&grad, [position_rows, width]);
    let token_type_grad = empty(&grad, [token_type_rows, width]);
    // SAFETY: threads past both tables do nothing, and `grad` holds `tokens * width` values.
    unsafe {
        position_type_gradient_kernel::launch_unchecked(
            &grad.client.clone(),
            workgroup_count((position_rows + token_type_rows) * width),
            workgroup_dim(),
            grad.into_buffer_arg(),
            position_grad.clone().into_buffer_arg(),
            token_type_grad.clone().into_buffer_arg(),
            tokens,
            position_rows,
            token_type_rows,
            width,
            seq,
        );
    }
    (position_grad, token_type_grad)
}
