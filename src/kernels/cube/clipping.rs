//! The state of a clip after an update. One workgroup adds the partial sums of the squares, and one of its threads
//! computes the state with the arithmetic of [`next_clip`](crate::kernels::clipping::next_clip).

use super::empty;
use super::row_reduction::{row_and_column, threads_per_vector, vector_sum};
use crate::kernels::CLIP_VALUES;
use crate::kernels::clipping::{NORM_EPS, UPDATES};
use crate::kernels::loss_scaling::{COEFFICIENT, NORM, PROCEEDS};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

const EPS: f32 = NORM_EPS as f32;

/// The exponent bits of an f32. All of them are set in infinities and NaN only. WGSL compilers may assume that neither
/// occurs, so comparing floats does not detect them reliably.
const EXPONENT: u32 = 0x7f80_0000;

/// Whether a value is neither infinite nor NaN.
#[cube]
pub(super) fn is_finite(value: f32) -> bool {
    (u32::reinterpret(value) & EXPONENT) != EXPONENT
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
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn clip_kernel(
    sums: &[f32],
    loss: &[f32],
    state: &[f32],
    next: &mut [f32],
    count: usize,
    max_norm: f32,
    #[comptime] threads: usize,
) {
    let (_, thread) = row_and_column(threads);
    let squares = vector_sum(sums, count, thread, threads);
    if thread == 0 {
        let norm = squares.sqrt();
        // 1 while no update before was skipped.
        let mut has_norm = f32::new(0.0);
        if is_finite(squares) {
            has_norm = state[PROCEEDS];
        }
        let mut proceeds = f32::new(0.0);
        if is_finite(loss[0]) {
            proceeds = has_norm;
        }
        let mut coefficient = f32::new(0.0);
        if proceeds > 0.0 {
            coefficient = clip_factor(norm, max_norm);
        }
        next[NORM] = norm;
        next[COEFFICIENT] = coefficient;
        next[PROCEEDS] = proceeds;
        next[UPDATES] = state[UPDATES] + 1.0;
    }
}

/// Implements [`clip_coefficient`](crate::kernels::clip_coefficient).
pub(super) fn clip_coefficient(
    squares: CubeTensor,
    loss: CubeTensor,
    state: CubeTensor,
    max_norm: f64,
) -> CubeTensor {
    let [squares, loss, state] = [squares, loss, state].map(into_contiguous);
    let next = empty(&squares, [CLIP_VALUES]);
    let count = squares.meta.num_elements();
    let threads = threads_per_vector(&next);
    // SAFETY: the threads read `count` values of `squares`. One of them reads one value of `loss` and `CLIP_VALUES` of
    // `state`, and writes `CLIP_VALUES`.
    unsafe {
        clip_kernel::launch_unchecked(
            &next.client,
            CubeCount::new_single(),
            CubeDim::new_1d(threads as u32),
            squares.into_buffer_arg(),
            loss.into_buffer_arg(),
            state.into_buffer_arg(),
            next.clone().into_buffer_arg(),
            count,
            max_norm as f32,
            threads,
        );
    }
    next
}
