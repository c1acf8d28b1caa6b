//! The two sums that a training step needs: over the rows of a gradient, and of its squares.

use super::{cube_dim, cubes_for, empty, writable};
use crate::kernels::SquaresPlace;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

#[cube(launch_unchecked)]
fn sum_rows_kernel(input: &[f32], output: &mut [f32], rows: usize, columns: usize) {
    if ABSOLUTE_POS < columns {
        let mut sum = f32::new(0.0);
        for row in 0..rows {
            sum += input[row * columns + ABSOLUTE_POS];
        }
        output[ABSOLUTE_POS] = sum;
    }
}

#[cube(launch_unchecked)]
fn squares_kernel(input: &[f32], sums: &mut [f32], elements: usize, offset: usize, units: usize) {
    if ABSOLUTE_POS < units {
        let mut sum = f32::new(0.0);
        let mut at = ABSOLUTE_POS;
        while at < elements {
            let value = input[at];
            sum += value * value;
            at += units;
        }
        sums[offset + ABSOLUTE_POS] = sum;
    }
}

/// `[m, n]` → `[n]`.
pub(super) fn sum_rows(input: CubeTensor) -> CubeTensor {
    let input = into_contiguous(input);
    let (rows, columns) = (input.meta.shape()[0], input.meta.shape()[1]);
    let output = empty(&input, [columns]);
    // SAFETY: no unit goes past `columns` or, in its column, past `rows`.
    unsafe {
        sum_rows_kernel::launch_unchecked(
            &output.client,
            cubes_for(columns),
            cube_dim(),
            input.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            rows,
            columns,
        );
    }
    output
}

/// See [`squares`](crate::kernels::squares).
pub(super) fn squares(sums: CubeTensor, input: CubeTensor, place: SquaresPlace) -> CubeTensor {
    let (sums, input) = (writable(sums), into_contiguous(input));
    let elements = input.meta.num_elements();
    // SAFETY: the units stride through `elements` values and write one each, from `offset` on.
    unsafe {
        squares_kernel::launch_unchecked(
            &sums.client,
            cubes_for(place.sums),
            cube_dim(),
            input.into_buffer_arg(),
            sums.clone().into_buffer_arg(),
            elements,
            place.offset,
            place.sums,
        );
    }
    sums
}
