//! The three embedding tables: their rows gathered and summed in one dispatch, the gradients of positions and token types in another. The
//! words' gradient is burn's scatter.

use super::{cube_dim, cubes_for, empty};
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
    width: usize,
    seq: usize,
) {
    if ABSOLUTE_POS < elements {
        let token = ABSOLUTE_POS / width;
        let column = ABSOLUTE_POS % width;
        let word = ids[token] as usize;
        output[ABSOLUTE_POS] = words[word * width + column]
            + (positions[token % seq * width + column] + types[column]);
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
    let (tokens, width) = (ids.meta.num_elements(), words.meta.shape()[1]);
    let output = empty(&words, [tokens, width]);
    // SAFETY: `output` holds `tokens * width` values; ids are rows of the table, as the tokenizer that belongs to it gave them.
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
            width,
            seq,
        );
    }
    output
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
