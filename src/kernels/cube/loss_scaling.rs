//! The next state of a loss scaler. One workgroup adds the partial sums of the squares, and one of its threads computes
//! the state with the arithmetic of `LossScaling::next_state`.

use super::clipping::{clip_factor, is_finite};
use super::empty;
use super::row_reduction::{row_and_column, threads_per_vector, vector_sum};
use crate::kernels::loss_scaling::{
    BIAS_CORRECTION1, BIAS_CORRECTION2, COEFFICIENT, DIVERGED, GROWTH_TRACKER, MIN_SCALE, NORM,
    PROCEEDS, SCALE, SCALER_UPDATES,
};
use crate::kernels::{LossScaling, SCALER_VALUES};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

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

#[cube(launch_unchecked)]
fn update_scale_kernel(
    sums: &[f32],
    loss: &[f32],
    state: &[f32],
    next: &mut [f32],
    count: usize,
    args: ScalingArgs,
    #[comptime] threads: usize,
) {
    let (_, thread) = row_and_column(threads);
    let squares = vector_sum(sums, count, thread, threads);
    if thread == 0 {
        let scale = state[SCALE];
        let norm = squares.sqrt() / scale;
        let mut diverged = f32::new(1.0);
        if is_finite(loss[0]) {
            diverged = state[DIVERGED];
        }
        // The values of a skipped update.
        let mut coefficient = f32::new(0.0);
        let mut proceeds = f32::new(0.0);
        let mut next_scale = scale;
        let mut growth_tracker = state[GROWTH_TRACKER];
        let mut correction1 = state[BIAS_CORRECTION1];
        let mut correction2 = state[BIAS_CORRECTION2];
        if diverged == 0.0 {
            if is_finite(squares) {
                coefficient = clip_factor(norm, args.max_norm) / scale;
                proceeds = f32::new(1.0);
                growth_tracker += f32::new(1.0);
                if growth_tracker >= args.growth_interval {
                    growth_tracker = f32::new(0.0);
                    let grown = scale * args.growth_factor;
                    if is_finite(grown) {
                        next_scale = grown;
                    }
                }
                correction1 = correction1 * args.beta1 + args.one_minus_beta1;
                correction2 = correction2 * args.beta2 + args.one_minus_beta2;
            } else {
                next_scale = scale * args.backoff_factor;
                growth_tracker = f32::new(0.0);
                if next_scale < MIN_SCALE {
                    diverged = f32::new(1.0);
                }
            }
        }
        next[NORM] = norm;
        next[COEFFICIENT] = coefficient;
        next[PROCEEDS] = proceeds;
        next[SCALE] = next_scale;
        next[GROWTH_TRACKER] = growth_tracker;
        next[BIAS_CORRECTION1] = correction1;
        next[BIAS_CORRECTION2] = correction2;
        next[DIVERGED] = diverged;
        next[SCALER_UPDATES] = state[SCALER_UPDATES] + 1.0;
    }
}

/// Implements [`update_scale`](crate::kernels::update_scale).
pub(super) fn update(
    squares: CubeTensor,
    loss: CubeTensor,
    state: CubeTensor,
    scaling: LossScaling,
) -> CubeTensor {
    let [squares, loss, state] = [squares, loss, state].map(into_contiguous);
    let next = empty(&squares, [SCALER_VALUES]);
    let count = squares.meta.num_elements();
    let threads = threads_per_vector(&next);
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
    // SAFETY: the threads read `count` values of `squares`. One of them reads one value of `loss` and `SCALER_VALUES`
    // of `state`, and writes `SCALER_VALUES`.
    unsafe {
        update_scale_kernel::launch_unchecked(
            &next.client,
            CubeCount::new_single(),
            CubeDim::new_1d(threads as u32),
            squares.into_buffer_arg(),
            loss.into_buffer_arg(),
            state.into_buffer_arg(),
            next.clone().into_buffer_arg(),
            count,
            args,
            threads,
        );
    }
    next
}
