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

/// Steps of a tree reduction of `WORKGROUP_SIZE` values.
const HALVINGS: usize = WORKGROUP_SIZE.ilog2() as usize;

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

/// How two values are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reduction {
    Sum,
    Max,
}

/// Returns the sum over the threads of a row. All of them must call it.
#[cube]
pub(super) fn row_sum(value: f32, #[comptime] threads: usize) -> f32 {
    reduce(value, threads, Reduction::Sum)
}

/// Returns the maximum over the threads of a row. All of them must call it.
#[cube]
pub(super) fn row_max(value: f32, #[comptime] threads: usize) -> f32 {
    reduce(value, threads, Reduction::Max)
}

/// A tree reduction in workgroup memory. With one thread per row it returns `value`.
#[cube]
fn reduce(value: f32, #[comptime] threads: usize, #[comptime] reduction: Reduction) -> f32 {
    let mut result = value;
    if comptime![threads > 1] {
        let mut shared = Shared::<[f32]>::new_slice(threads);
        let thread = UNIT_POS as usize;
        shared[thread] = value;
        sync_cube();
        #[unroll]
        for halving in 0..HALVINGS {
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
        result = shared[0];
        sync_cube();
    }
    result
}
