//! Partial sums of the squares of all gradients, six tensors per dispatch. `clipping.rs` and `loss_scaling.rs` add
//! them.

use super::row_reduction::{row_and_column, row_sum, threads_per_row};
use super::{workgroup_count, workgroup_dim, writable};
use crate::kernels::PartialSums;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Sums the squares of every `stride`-th value of `input` from `first` on.
#[cube]
fn sum_of(input: &[f32], elements: usize, first: usize, stride: usize) -> f32 {
    let mut sum = f32::new(0.0);
    let mut at = first;
    while at < elements {
        let value = input[at];
        sum += value * value;
        at += stride;
    }
    sum
}

/// `threads` threads compute one partial sum. Those of the six tensors are consecutive from `offset` on, and `ends[i]`
/// is the end of tensor `i`, relative to `offset`. Adjacent threads load adjacent values.
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
    #[comptime] threads: usize,
) {
    let (sum, thread) = row_and_column(threads);
    if sum < ends[5] {
        let mut share = f32::new(0.0);
        if sum < ends[0] {
            let start = sum * threads + thread;
            share += sum_of(first, elements[0], start, ends[0] * threads);
        } else if sum < ends[1] {
            let start = (sum - ends[0]) * threads + thread;
            share += sum_of(second, elements[1], start, (ends[1] - ends[0]) * threads);
        } else if sum < ends[2] {
            let start = (sum - ends[1]) * threads + thread;
            share += sum_of(third, elements[2], start, (ends[2] - ends[1]) * threads);
        } else if sum < ends[3] {
            let start = (sum - ends[2]) * threads + thread;
            share += sum_of(fourth, elements[3], start, (ends[3] - ends[2]) * threads);
        } else if sum < ends[4] {
            let start = (sum - ends[3]) * threads + thread;
            share += sum_of(fifth, elements[4], start, (ends[4] - ends[3]) * threads);
        } else {
            let start = (sum - ends[4]) * threads + thread;
            share += sum_of(sixth, elements[5], start, (ends[5] - ends[4]) * threads);
        }
        let total = row_sum(share, threads);
        if thread == 0 {
            sums[offset + sum] = total;
        }
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
    let threads = threads_per_row(&sums);
    let mut end = 0;
    for (input, range) in inputs.iter().zip(ranges) {
        end += range.count;
        elements.push(input.meta.num_elements());
        ends.push(end);
    }
    let [first, second, third, fourth, fifth, sixth] = inputs.map(CubeTensor::into_buffer_arg);
    // SAFETY: no thread reads past `elements` of its tensor, and `end` rows of threads write one sum each from the
    // first range on.
    unsafe {
        squares_kernel::launch_unchecked(
            &sums.client,
            workgroup_count(end * threads),
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
            threads,
        );
    }
    sums
}
