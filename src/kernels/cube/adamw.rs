//! One AdamW update of two parameters in one dispatch, in place. burn's primitives need a dozen dispatches for each.

use super::{WORKGROUP_SIZE, workgroup_count, workgroup_dim, writable};
use crate::kernels::AdamWScalars;
use crate::kernels::loss_scaling::{BIAS_CORRECTION1, BIAS_CORRECTION2, COEFFICIENT, PROCEEDS};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Values that a thread updates. It loads the scalars of the step once for all of them: on SwiftShader, which checks
/// the bounds of each load, loading them took most of the time.
const VALUES_PER_THREAD: usize = 16;

/// [`AdamWScalars`] as a kernel takes them.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct StepScalars {
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    bias_correction2_sqrt: f32,
    eps: f32,
}

/// What differs between the parameter groups of an optimizer.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct GroupScalars {
    decay: f32,
    step_size: f32,
}

impl GroupScalars {
    fn launch(scalars: &AdamWScalars) -> GroupScalarsLaunch {
        GroupScalarsLaunch::new(scalars.decay as f32, scalars.step_size as f32)
    }
}

/// Updates one value of a parameter.
#[cube]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn update(
    parameter: &mut [f32],
    moments: &mut [f32],
    gradient: &[f32],
    coefficient: f32,
    at: usize,
    elements: usize,
    group: &GroupScalars,
    step: &StepScalars,
) {
    let gradient = gradient[at] * coefficient;
    let first = moments[at] * step.beta1 + gradient * step.one_minus_beta1;
    let second = moments[elements + at] * step.beta2 + gradient * gradient * step.one_minus_beta2;
    moments[at] = first;
    moments[elements + at] = second;
    let denominator = second.sqrt() / step.bias_correction2_sqrt + step.eps;
    parameter[at] = parameter[at] * group.decay - group.step_size * first / denominator;
}

/// With a loss scaler, applies its correction of the second moments: it counts only the updates that were not skipped.
#[cube]
fn corrected_step(clip: &[f32], step: StepScalars, #[comptime] scaled: bool) -> StepScalars {
    if comptime![scaled] {
        StepScalars {
            beta1: step.beta1,
            one_minus_beta1: step.one_minus_beta1,
            beta2: step.beta2,
            one_minus_beta2: step.one_minus_beta2,
            bias_correction2_sqrt: clip[BIAS_CORRECTION2].sqrt(),
            eps: step.eps,
        }
    } else {
        step
    }
}

/// The same for the correction of the first moments, a divisor of the step size.
#[cube]
fn corrected_group(clip: &[f32], group: GroupScalars, #[comptime] scaled: bool) -> GroupScalars {
    if comptime![scaled] {
        GroupScalars {
            decay: group.decay,
            step_size: group.step_size / clip[BIAS_CORRECTION1],
        }
    } else {
        group
    }
}

/// A thread updates every `threads`-th value of both parameters, as if they were one array.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn adamw_kernel(
    parameter_a: &mut [f32],
    moments_a: &mut [f32],
    gradient_a: &[f32],
    parameter_b: &mut [f32],
    moments_b: &mut [f32],
    gradient_b: &[f32],
    clip: &[f32],
    elements_a: usize,
    elements_b: usize,
    group_a: GroupScalars,
    group_b: GroupScalars,
    step: StepScalars,
    threads: usize,
    #[comptime] scaled: bool,
) {
    if ABSOLUTE_POS < threads {
        let mut at = ABSOLUTE_POS;
        // Starting past the end skips the update.
        if clip[PROCEEDS] == 0.0 {
            at = elements_a + elements_b;
        }
        let step = corrected_step(clip, step, scaled);
        let group_a = corrected_group(clip, group_a, scaled);
        let group_b = corrected_group(clip, group_b, scaled);
        while at < elements_a {
            update(
                parameter_a,
                moments_a,
                gradient_a,
                clip[COEFFICIENT],
                at,
                elements_a,
                &group_a,
                &step,
            );
            at += threads;
        }
        // Continue with the second parameter at the remaining offset.
        at -= elements_a;
        while at < elements_b {
            update(
                parameter_b,
                moments_b,
                gradient_b,
                clip[COEFFICIENT],
                at,
                elements_b,
                &group_b,
                &step,
            );
            at += threads;
        }
    }
}

/// A parameter, its gradient and its moments.
pub(super) type State = (CubeTensor, CubeTensor, CubeTensor);

/// Implements [`adamw`](crate::kernels::adamw). Returns parameter and moments of `a`, then those of `b`.
pub(super) fn step(
    a: State,
    b: State,
    clip: CubeTensor,
    scalars: [AdamWScalars; 2],
) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
    let [
        (parameter_a, gradient_a, moments_a),
        (parameter_b, gradient_b, moments_b),
    ] = [a, b].map(|(parameter, gradient, moments)| {
        (
            writable(parameter),
            into_contiguous(gradient),
            writable(moments),
        )
    });
    let elements_a = parameter_a.meta.num_elements();
    let elements_b = parameter_b.meta.num_elements();
    let [scalars_a, scalars_b] = scalars;
    let step = StepScalarsLaunch::new(
        scalars_a.beta1 as f32,
        (1.0 - scalars_a.beta1) as f32,
        scalars_a.beta2 as f32,
        (1.0 - scalars_a.beta2) as f32,
        scalars_a.bias_correction2_sqrt as f32,
        scalars_a.eps as f32,
    );
    let threads = (elements_a + elements_b)
        .div_ceil(VALUES_PER_THREAD)
        .next_multiple_of(WORKGROUP_SIZE as usize);
    // SAFETY: parameters and gradients hold the stated number of values, moments twice that number, and `clip`
    // `CLIP_VALUES`, or `SCALER_VALUES` if scaled. No thread exceeds them.
    unsafe {
        adamw_kernel::launch_unchecked(
            &parameter_a.client.clone(),
            workgroup_count(threads),
            workgroup_dim(),
            parameter_a.clone().into_buffer_arg(),
            moments_a.clone().into_buffer_arg(),
            gradient_a.into_buffer_arg(),
            parameter_b.clone().into_buffer_arg(),
            moments_b.clone().into_buffer_arg(),
            gradient_b.into_buffer_arg(),
            into_contiguous(clip).into_buffer_arg(),
            elements_a,
            elements_b,
            GroupScalars::launch(&scalars_a),
            GroupScalars::launch(&scalars_b),
            step,
            threads,
            scalars_a.scaled,
        );
    }
    (parameter_a, moments_a, parameter_b, moments_b)
}
