//! The sum of the squares of all gradients, six tensors per dispatch, and the clip coefficient of their norm.

use super::{empty, workgroup_count, workgroup_dim, writable};
use crate::kernels::PartialSums;
use crate::kernels::loss_scaling::NORM_EPS;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

const EPS: f32 = NORM_EPS as f32;

/// Sums the squares of every `threads`-th value of `input`, starting at `thread`.
#[cube]
fn sum_of(input: &[f32], elements: usize, thread: usize, threads: usize) -> f32 {
    let mut sum = f32::new(0.0);
    let mut at = thread;
    while at < elements {
        let value = input[at];
        sum += value * value;
        at += threads;
    }
    sum
}

/// Each thread writes one partial sum. Those of the six tensors are consecutive from `offset` on, and `ends[i]` is the
/// end of tensor `i`, relative to `offset`.
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

/// Implements [`squares`](crate::kernels::squares).
pub(super) fn launch(
    sums: CubeTensor,
    inputs: [CubeTensor; 6],
    ranges: [PartialSums; 6],
) -> CubeTensor {
    let (sums, inputs) = (writable(sums), inputs.map(into_contiguous));
    let (mut elements, mut ends) = (SequenceArg::new(), SequenceArg::new());
    let mut end = 0;
    for (input, range) in inputs.iter().zip(ranges) {
        end += range.count;
        elements.push(input.meta.num_elements());
        ends.push(end);
    }
    let [first, second, third, fourth, fifth, sixth] = inputs.map(CubeTensor::into_buffer_arg);
    // SAFETY: no thread reads past `elements` of its tensor, and `end` threads write one sum each from the first range
    // on.
    unsafe {
        squares_kernel::launch_unchecked(
            &sums.client,
            workgroup_count(end),
            workgroup_dim(),
            first,
            second,
            third,
            fourth,
            fifth,
            sixth,
            sums.clone().into_buffer_arg(),
            elements,
            ends,
            ranges[0].offset,
        );
    }
    sums
}

/// Returns `min(1, max_norm / (norm + 1e-6))`, or 1 if `max_norm` is 0.
#[cube]
pub(super) fn clip_factor(norm: f32, max_norm: f32) -> f32 {
    let mut factor = f32::new(1.0);
    if max_norm > 0.0 {
        factor = (max_norm / (norm + EPS)).min(1.0);
    }
    factor
}

#[cube(launch_unchecked)]
fn clip_kernel(squares: &[f32], output: &mut [f32], max_norm: f32) {
    if ABSOLUTE_POS == 0 {
        let norm = squares[0].sqrt();
        output[0] = norm;
        output[1] = clip_factor(norm, max_norm);
    }
}

/// Implements [`clip_coefficient`](crate::kernels::clip_coefficient).
pub(super) fn clip_coefficient(squares: CubeTensor, max_norm: f64) -> CubeTensor {
    let squares = into_contiguous(squares);
    let output = empty(&squares, [2]);
    // SAFETY: one thread reads one value and writes two.
    unsafe {
        clip_kernel::launch_unchecked(
            &output.client,
            workgroup_count(1),
            workgroup_dim(),
            squares.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            max_norm as f32,
        );
    }
    output
}
