//! The three embedding tables: their rows gathered and summed in one dispatch, the gradients of positions and token types in another, that
//! of the words in a third. Where the words are in blocks, each further block is a dispatch more on both ways.

use super::{cube_dim, cubes_for, empty, writable};
use crate::kernels::TablesShape;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn gather_kernel(
    words: &[f32],
    positions: &[f32],
    types: &[f32],
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
        let word = ids[token] as usize;
        let mut sum = positions[token % seq * width + column] + types[column];
        if word < rows {
            sum += words[word * width + column];
        }
        output[ABSOLUTE_POS] = sum;
    }
}

#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn add_words_kernel(
    block: &[f32],
    ids: &[i32],
    sum: &mut [f32],
    elements: usize,
    first: usize,
    end: usize,
    width: usize,
) {
    if ABSOLUTE_POS < elements {
        let word = ids[ABSOLUTE_POS / width] as usize;
        if word >= first && word < end {
            sum[ABSOLUTE_POS] += block[(word - first) * width + ABSOLUTE_POS % width];
        }
    }
}

/// A unit adds up one column over all tokens, each to the row of its word.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn words_kernel(
    grad: &[f32],
    ids: &[i32],
    table: &mut [f32],
    tokens: usize,
    first: usize,
    end: usize,
    width: usize,
) {
    let column = ABSOLUTE_POS;
    if column < width {
        for token in 0..tokens {
            let word = ids[token] as usize;
            if word >= first && word < end {
                table[(word - first) * width + column] += grad[token * width + column];
            }
        }
    }
}

/// A unit sums up one value of a table over the tokens that took it; no token took a position past `seq`, or another type than the first.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn places_kernel(
    grad: &[f32],
    for_positions: &mut [f32],
    for_types: &mut [f32],
    tokens: usize,
    positions: usize,
    types: usize,
    width: usize,
    seq: usize,
) {
    let column = ABSOLUTE_POS % width;
    let row = ABSOLUTE_POS / width;
    let mut sum = f32::new(0.0);
    if row < positions {
        if row < seq {
            let mut token = row;
            while token < tokens {
                sum += grad[token * width + column];
                token += seq;
            }
        }
        for_positions[ABSOLUTE_POS] = sum;
    } else if row < positions + types {
        if row == positions {
            for token in 0..tokens {
                sum += grad[token * width + column];
            }
        }
        for_types[ABSOLUTE_POS - positions * width] = sum;
    }
}

/// See [`embeddings`](crate::kernels::embeddings).
pub(super) fn forward(
    words: CubeTensor,
    positions: CubeTensor,
    types: CubeTensor,
    ids: CubeTensor,
    seq: usize,
) -> CubeTensor {
    let [words, positions, types, ids] = [words, positions, types, ids].map(into_contiguous);
    let tokens = ids.meta.num_elements();
    let (rows, width) = (words.meta.shape()[0], words.meta.shape()[1]);
    let output = empty(&words, [tokens, width]);
    // SAFETY: `output` holds `tokens * width` values, and ids past the table take no row of it.
    unsafe {
        gather_kernel::launch_unchecked(
            &output.client,
            cubes_for(tokens * width),
            cube_dim(),
            words.into_buffer_arg(),
            positions.into_buffer_arg(),
            types.into_buffer_arg(),
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

/// See [`add_words`](crate::kernels::add_words).
pub(super) fn add_words(
    sum: CubeTensor,
    block: CubeTensor,
    ids: CubeTensor,
    first: usize,
) -> CubeTensor {
    let (sum, block, ids) = (writable(sum), into_contiguous(block), into_contiguous(ids));
    let elements = sum.meta.num_elements();
    let (rows, width) = (block.meta.shape()[0], block.meta.shape()[1]);
    // SAFETY: there is an id for each row of `sum`, and only those of the block's rows are looked up in it.
    unsafe {
        add_words_kernel::launch_unchecked(
            &sum.client,
            cubes_for(elements),
            cube_dim(),
            block.into_buffer_arg(),
            ids.into_buffer_arg(),
            sum.clone().into_buffer_arg(),
            elements,
            first,
            first + rows,
            width,
        );
    }
    sum
}

/// The gradient of a block of the words, added to `table`, which is 0.
pub(super) fn words_backward(
    grad: CubeTensor,
    ids: CubeTensor,
    table: CubeTensor,
    first: usize,
) -> CubeTensor {
    let [grad, ids] = [grad, ids].map(into_contiguous);
    let table = writable(table);
    let (rows, width) = (table.meta.shape()[0], table.meta.shape()[1]);
    // SAFETY: there is an id for each row of `grad`, and only those of the block's rows are written to.
    unsafe {
        words_kernel::launch_unchecked(
            &table.client,
            cubes_for(width),
            cube_dim(),
            grad.into_buffer_arg(),
            ids.clone().into_buffer_arg(),
            table.clone().into_buffer_arg(),
            ids.meta.num_elements(),
            first,
            first + rows,
            width,
        );
    }
    table
}

/// The gradients of positions and token types.
pub(super) fn places_backward(grad: CubeTensor, shape: TablesShape) -> (CubeTensor, CubeTensor) {
    let grad = into_contiguous(grad);
    let TablesShape {
        positions,
        types,
        width,
        seq,
        ..
    } = shape;
    let tokens = grad.meta.shape()[0];
    let for_positions = empty(&grad, [positions, width]);
    let for_types = empty(&grad, [types, width]);
    // SAFETY: the units past both tables do nothing, and `grad` holds `tokens * width` values.
    unsafe {
        places_kernel::launch_unchecked(
            &grad.client.clone(),
            cubes_for((positions + types) * width),
            cube_dim(),
            grad.into_buffer_arg(),
            for_positions.clone().into_buffer_arg(),
            for_types.clone().into_buffer_arg(),
            tokens,
            positions,
            types,
            width,
            seq,
        );
    }
    (for_positions, for_types)
}
