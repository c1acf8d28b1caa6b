//! Kernels that reduce rows, such as softmax and layer normalization, for both kinds of adapters.
//!
//! On a software adapter one thread computes a row, because barriers are slow there. On a GPU a workgroup computes a
//! row, so that adjacent threads load adjacent values. The same kernel does both: of `threads` threads, each takes
//! every `threads`-th value of the row, and they combine their results in workgroup memory.

use super::{WORKGROUP_SIZE, kernel_form};
use crate::kernels::KernelForm;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

/// Returns the number of threads that share a row.
pub(super) fn threads_per_row(tensor: &CubeTensor) -> usize {
    match kernel_form(tensor) {
        KernelForm::Software => 1,
        KernelForm::Gpu | KernelForm::GpuTile(_) => WORKGROUP_SIZE as usize,
    }
}

/// Returns the row of this thread and its first column.
#[cube]
pub(super) fn row_and_column(#[comptime] threads: usize) -> (usize, usize) {
    if comptime![threads == 1] {
        (ABSOLUTE_POS, 0usize)
    } else {
        (CUBE_POS, UNIT_POS as usize)
    }
}

/// Returns the number of threads that sum a vector: one, or a workgroup of the largest size that every WebGPU adapter
/// has (`maxComputeInvocationsPerWorkgroup`).
pub(super) fn threads_per_vector(tensor: &CubeTensor) -> usize {
    match kernel_form(tensor) {
        KernelForm::Software => 1,
        KernelForm::Gpu | KernelForm::GpuTile(_) => 256,
    }
}

/// Returns the sum of the first `count` values. Of `threads` threads, `thread` is the index of this one. All of them
/// must call it.
#[cube]
pub(super) fn vector_sum(
    values: &[f32],
    count: usize,
    thread: usize,
    #[comptime] threads: usize,
) -> f32 {
    let mut partial = f32::new(0.0);
    let mut at = thread;
    while at < count {
        partial += values[at];
        at += threads;
    }
    row_sum(partial, threads)
}

/// How two values are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reduction {
    Sum,
    Max,
}

/// Returns the sum over the threads of a row. All of them must call it.
#[cube]
pub(super) fn row_sum(value: f32, #[comptime] threads: usize) -> f32 {
    reduce(value, threads, 1usize, Reduction::Sum)
}

/// Returns the maximum over the threads of a row. All of them must call it.
#[cube]
pub(super) fn row_max(value: f32, #[comptime] threads: usize) -> f32 {
    reduce(value, threads, 1usize, Reduction::Max)
}

/// Returns the sum over the threads whose index has the same remainder by `columns`, a power of two. All `threads`
/// threads of a workgroup must call it.
#[cube]
pub(super) fn column_sum(
    value: f32,
    #[comptime] threads: usize,
    #[comptime] columns: usize,
) -> f32 {
    reduce(value, threads, columns, Reduction::Sum)
}

/// A tree reduction in workgroup memory to `kept` results. With one thread per row it returns `value`.
#[cube]
fn reduce(
    value: f32,
    #[comptime] threads: usize,
    #[comptime] kept: usize,
    #[comptime] reduction: Reduction,
) -> f32 {
    let mut result = value;
    if comptime![threads > 1] {
        let mut shared = Shared::<[f32]>::new_slice(threads);
        let thread = UNIT_POS as usize;
        shared[thread] = value;
        sync_cube();
        #[unroll]
        for halving in 0..comptime![(threads / kept).ilog2() as usize] {
            let half = comptime![threads >> (halving + 1)];
            if thread < half {
                let other = shared[thread + half];
                if comptime![reduction == Reduction::Sum] {
                    shared[thread] += other;
                } else {
                    shared[thread] = shared[thread].max(other);
                }
            }
            sync_cube();
        }
        result = shared[thread % kept];
        sync_cube();
    }
    result
}
