//! The two sums that a training step needs: over the rows of a gradient, and of its squares.

use super::{CubeDim, UNITS, cube_dim, cubes_for, empty};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Values that one unit of [`squares_kernel`] adds up at least.
const VALUES_A_UNIT: usize = 64;
/// Partial sums of [`squared_sum`] at most.
const MOST_PARTIAL_SUMS: usize = 4096;

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
fn squares_kernel(input: &[f32], output: &mut [f32], elements: usize, units: usize) {
    if ABSOLUTE_POS < units {
        let mut sum = f32::new(0.0);
        let mut at = ABSOLUTE_POS;
        while at < elements {
            let value = input[at];
            sum += value * value;
            at += units;
        }
        output[ABSOLUTE_POS] = sum;
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

/// The sum of the squares, `[1]`: partial sums, then their sum.
pub(super) fn squared_sum(input: CubeTensor) -> CubeTensor {
    let input = into_contiguous(input);
    let elements = input.meta.num_elements();
    let units = elements.div_ceil(VALUES_A_UNIT).clamp(1, MOST_PARTIAL_SUMS);
    let partial = empty(&input, [units]);
    // SAFETY: the units stride through `elements` values and write one of `units` each.
    unsafe {
        squares_kernel::launch_unchecked(
            &partial.client,
            cubes_for(units),
            CubeDim::new_1d(UNITS),
            input.into_buffer_arg(),
            partial.clone().into_buffer_arg(),
            elements,
            units,
        );
    }
    if units == 1 {
        return partial;
    }
    let sum = empty(&partial, [1]);
    // SAFETY: as above, with one column.
    unsafe {
        sum_rows_kernel::launch_unchecked(
            &sum.client,
            cubes_for(1),
            cube_dim(),
            partial.into_buffer_arg(),
            sum.clone().into_buffer_arg(),
            units,
            1,
        );
    }
    sum
}
