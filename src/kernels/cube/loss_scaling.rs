//! The next state of a loss scaler, computed by one thread. The arithmetic is that of `LossScaling::next_state`.

use super::squares::clip_factor;
use super::{empty, workgroup_count, workgroup_dim};
use crate::kernels::loss_scaling::{
    BIAS_CORRECTION1, BIAS_CORRECTION2, COEFFICIENT, GROWTH_TRACKER, NORM, PROCEEDS, SCALE,
};
use crate::kernels::{LossScaling, SCALER_VALUES};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// The exponent bits of an f32. All of them are set in infinities and NaN only. WGSL compilers may assume that neither
/// occurs, so comparing floats does not detect them reliably.
const EXPONENT: u32 = 0x7f80_0000;

/// [`LossScaling`] as a kernel takes it.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct ScalingArgs {
    max_norm: f32,
    growth_factor: f32,
    backoff_factor: f32,
    growth_interval: f32,
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
}

#[cube]
fn is_finite(value: f32) -> bool {
    (u32::reinterpret(value) & EXPONENT) != EXPONENT
}

#[cube(launch_unchecked)]
fn update_scale_kernel(squares: &[f32], state: &[f32], next: &mut [f32], args: ScalingArgs) {
    if ABSOLUTE_POS == 0 {
        let scale = state[SCALE];
        let norm = squares[0].sqrt() / scale;
        next[NORM] = norm;
        if is_finite(squares[0]) {
            next[COEFFICIENT] = clip_factor(norm, args.max_norm) / scale;
            next[PROCEEDS] = f32::new(1.0);
            let mut growth_tracker = state[GROWTH_TRACKER] + 1.0;
            let mut next_scale = scale;
            if growth_tracker >= args.growth_interval {
                growth_tracker = f32::new(0.0);
                let grown = scale * args.growth_factor;
                if is_finite(grown) {
                    next_scale = grown;
                }
            }
            next[SCALE] = next_scale;
            next[GROWTH_TRACKER] = growth_tracker;
            next[BIAS_CORRECTION1] = state[BIAS_CORRECTION1] * args.beta1 + args.one_minus_beta1;
            next[BIAS_CORRECTION2] = state[BIAS_CORRECTION2] * args.beta2 + args.one_minus_beta2;
        } else {
            next[COEFFICIENT] = f32::new(0.0);
            next[PROCEEDS] = f32::new(0.0);
            next[SCALE] = scale * args.backoff_factor;
            next[GROWTH_TRACKER] = f32::new(0.0);
            next[BIAS_CORRECTION1] = state[BIAS_CORRECTION1];
            next[BIAS_CORRECTION2] = state[BIAS_CORRECTION2];
        }
    }
}

/// Implements [`update_scale`](crate::kernels::update_scale).
pub(super) fn update(squares: CubeTensor, state: CubeTensor, scaling: LossScaling) -> CubeTensor {
    let [squares, state] = [squares, state].map(into_contiguous);
    let next = empty(&squares, [SCALER_VALUES]);
    let [beta1, beta2] = scaling.betas;
    let args = ScalingArgsLaunch::new(
        scaling.max_norm as f32,
        scaling.growth_factor as f32,
        scaling.backoff_factor as f32,
        scaling.growth_interval as f32,
        beta1 as f32,
        (1.0 - beta1) as f32,
        beta2 as f32,
        (1.0 - beta2) as f32,
    );
    // SAFETY: one thread reads one value of `squares` and `SCALER_VALUES` of `state`, and writes `SCALER_VALUES`.
    unsafe {
        update_scale_kernel::launch_unchecked(
            &next.client,
            workgroup_count(1),
            workgroup_dim(),
            squares.into_buffer_arg(),
            state.into_buffer_arg(),
            next.clone().into_buffer_arg(),
            args,
        );
    }
    next
}
