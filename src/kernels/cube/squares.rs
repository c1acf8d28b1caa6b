//! The sum of the squares of all gradients, six tensors per dispatch.

use super::{workgroup_count, workgroup_dim, writable};
use crate::kernels::PartialSums;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

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
