//! The sum of the squares of all gradients, six tensors a dispatch, and what it makes of their norm.

use super::{cube_dim, cubes_for, empty, writable};
use crate::kernels::SquaresPlace;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// One of `units` units adds up every `units`th square of `input`, from `unit` on.
#[cube]
fn sum_of(input: &[f32], elements: usize, unit: usize, units: usize) -> f32 {
    let mut sum = f32::new(0.0);
    let mut at = unit;
    while at < elements {
        let value = input[at];
        sum += value * value;
        at += units;
    }
    sum
}

/// The places of the six lie one behind another from `offset` on; `end_n` is where the `n`th ends.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn squares_kernel(
    first: &[f32],
    second: &[f32],
    third: &[f32],
    fourth: &[f32],
    fifth: &[f32],
    sixth: &[f32],
    sums: &mut [f32],
    elements: Sequence<usize>,
    ends: Sequence<usize>,
    offset: usize,
) {
    let at = ABSOLUTE_POS;
    if at < ends[5] {
        let mut sum = f32::new(0.0);
        if at < ends[0] {
            sum += sum_of(first, elements[0], at, ends[0]);
        } else if at < ends[1] {
            sum += sum_of(second, elements[1], at - ends[0], ends[1] - ends[0]);
        } else if at < ends[2] {
            sum += sum_of(third, elements[2], at - ends[1], ends[2] - ends[1]);
        } else if at < ends[3] {
            sum += sum_of(fourth, elements[3], at - ends[2], ends[3] - ends[2]);
        } else if at < ends[4] {
            sum += sum_of(fifth, elements[4], at - ends[3], ends[4] - ends[3]);
        } else {
            sum += sum_of(sixth, elements[5], at - ends[4], ends[5] - ends[4]);
        }
        sums[offset + at] = sum;
    }
}

/// See [`squares`](crate::kernels::squares).
pub(super) fn launch(
    sums: CubeTensor,
    inputs: [CubeTensor; 6],
    places: [SquaresPlace; 6],
) -> CubeTensor {
    let (sums, inputs) = (writable(sums), inputs.map(into_contiguous));
    let (mut elements, mut ends) = (SequenceArg::new(), SequenceArg::new());
    let mut end = 0;
    for (input, place) in inputs.iter().zip(places) {
        end += place.sums;
        elements.push(input.meta.num_elements());
        ends.push(end);
    }
    let [first, second, third, fourth, fifth, sixth] = inputs.map(CubeTensor::into_buffer_arg);
    // SAFETY: the units stride through as many values as each tensor has and write one sum each, `end` from the first place on.
    unsafe {
        squares_kernel::launch_unchecked(
            &sums.client,
            cubes_for(end),
            cube_dim(),
            first,
            second,
            third,
            fourth,
            fifth,
            sixth,
            sums.clone().into_buffer_arg(),
            elements,
            ends,
            places[0].offset,
        );
    }
    sums
}

#[cube(launch_unchecked)]
fn clip_kernel(squares: &[f32], output: &mut [f32], max_norm: f32) {
    if ABSOLUTE_POS == 0 {
        let norm = squares[0].sqrt();
        output[0] = norm;
        let mut coefficient = f32::new(1.0);
        if max_norm > 0.0 {
            coefficient = (max_norm / (norm + 0.000_001)).min(1.0);
        }
        output[1] = coefficient;
    }
}

/// See [`clip_coefficient`](crate::kernels::clip_coefficient).
pub(super) fn clip_coefficient(squares: CubeTensor, max_norm: f64) -> CubeTensor {
    let squares = into_contiguous(squares);
    let output = empty(&squares, [2]);
    // SAFETY: one unit reads one value and writes two.
    unsafe {
        clip_kernel::launch_unchecked(
            &output.client,
            cubes_for(1),
            cube_dim(),
            squares.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            max_norm as f32,
        );
    }
    output
}
