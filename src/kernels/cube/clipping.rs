//! The state of a clip after an update, computed by one thread. The arithmetic is that of
//! [`next_clip`](crate::kernels::clipping::next_clip).

use super::{empty, workgroup_count, workgroup_dim};
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
fn clip_kernel(squares: &[f32], loss: &[f32], state: &[f32], next: &mut [f32], max_norm: f32) {
    if ABSOLUTE_POS == 0 {
        let norm = squares[0].sqrt();
        next[NORM] = norm;
        next[COEFFICIENT] = f32::new(0.0);
        next[PROCEEDS] = f32::new(0.0);
        next[UPDATES] = state[UPDATES] + 1.0;
        if state[PROCEEDS] > 0.0 && is_finite(squares[0]) && is_finite(loss[0]) {
            next[COEFFICIENT] = clip_factor(norm, max_norm);
            next[PROCEEDS] = f32::new(1.0);
        }
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
    // SAFETY: one thread reads one value of `squares` and of `loss` and `CLIP_VALUES` of `state`, and writes
    // `CLIP_VALUES`.
    unsafe {
        clip_kernel::launch_unchecked(
            &next.client,
            workgroup_count(1),
            workgroup_dim(),
            squares.into_buffer_arg(),
            loss.into_buffer_arg(),
            state.into_buffer_arg(),
            next.clone().into_buffer_arg(),
            max_norm as f32,
        );
    }
    next
}
