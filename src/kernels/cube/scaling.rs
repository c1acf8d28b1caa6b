//! A loss scaler's decision, by one unit: see [`LossScaling`], whose arithmetic this is.

use super::{cube_dim, cubes_for, empty};
use crate::kernels::scaling::{
    BIAS_CORRECTION1, BIAS_CORRECTION2, COEFFICIENT, GROWTH_TRACKER, NORM, NORM_EPS, PROCEEDS,
    SCALE,
};
use crate::kernels::{LossScaling, SCALER_VALUES};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// The bits that are all set in an infinity and in a NaN, and in nothing else. WGSL's compilers may take it that there is neither, so no
/// comparison of floats would be certain to find one.
const EXPONENT: u32 = 0x7f80_0000;
const EPS: f32 = NORM_EPS as f32;

/// [`LossScaling`] as the kernel takes it.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct Pace {
    max_norm: f32,
    growth_factor: f32,
    backoff_factor: f32,
    growth_interval: f32,
    beta1: f32,
    beta1_rest: f32,
    beta2: f32,
    beta2_rest: f32,
}

#[cube]
fn is_finite(value: f32) -> bool {
    (u32::reinterpret(value) & EXPONENT) != EXPONENT
}

#[cube(launch_unchecked)]
fn update_scale_kernel(squares: &[f32], before: &[f32], after: &mut [f32], pace: Pace) {
    if ABSOLUTE_POS == 0 {
        let scale = before[SCALE];
        let norm = squares[0].sqrt() / scale;
        after[NORM] = norm;
        if is_finite(squares[0]) {
            let mut clip = f32::new(1.0);
            if pace.max_norm > 0.0 {
                clip = (pace.max_norm / (norm + EPS)).min(1.0);
            }
            after[COEFFICIENT] = clip / scale;
            after[PROCEEDS] = f32::new(1.0);
            let mut good = before[GROWTH_TRACKER] + 1.0;
            let mut next = scale;
            if good >= pace.growth_interval {
                good = f32::new(0.0);
                let grown = scale * pace.growth_factor;
                if is_finite(grown) {
                    next = grown;
                }
            }
            after[SCALE] = next;
            after[GROWTH_TRACKER] = good;
            after[BIAS_CORRECTION1] = before[BIAS_CORRECTION1] * pace.beta1 + pace.beta1_rest;
            after[BIAS_CORRECTION2] = before[BIAS_CORRECTION2] * pace.beta2 + pace.beta2_rest;
        } else {
            after[COEFFICIENT] = f32::new(0.0);
            after[PROCEEDS] = f32::new(0.0);
            after[SCALE] = scale * pace.backoff_factor;
            after[GROWTH_TRACKER] = f32::new(0.0);
            after[BIAS_CORRECTION1] = before[BIAS_CORRECTION1];
            after[BIAS_CORRECTION2] = before[BIAS_CORRECTION2];
        }
    }
}

/// See [`update_scale`](crate::kernels::update_scale).
pub(super) fn update(squares: CubeTensor, state: CubeTensor, scaling: LossScaling) -> CubeTensor {
    let [squares, state] = [squares, state].map(into_contiguous);
    let after = empty(&squares, [SCALER_VALUES]);
    let [beta1, beta2] = scaling.betas;
    let pace = PaceLaunch::new(
        scaling.max_norm as f32,
        scaling.growth_factor as f32,
        scaling.backoff_factor as f32,
        scaling.growth_interval as f32,
        beta1 as f32,
        (1.0 - beta1) as f32,
        beta2 as f32,
        (1.0 - beta2) as f32,
    );
    // SAFETY: one unit reads one value and `SCALER_VALUES` of two buffers, and writes as many of the third.
    unsafe {
        update_scale_kernel::launch_unchecked(
            &after.client,
            cubes_for(1),
            cube_dim(),
            squares.into_buffer_arg(),
            state.into_buffer_arg(),
            after.clone().into_buffer_arg(),
            pace,
        );
    }
    after
}
