//! One AdamW update of two parameters in one dispatch, in place. burn's primitives need a dozen dispatches for each.

use super::{WORKGROUP_SIZE, empty, workgroup_count, workgroup_dim, writable};
use crate::kernels::loss_scaling::{BIAS_CORRECTION1, BIAS_CORRECTION2, COEFFICIENT, PROCEEDS};
use crate::kernels::{AdamWScalars, CLIP_VALUES, GROUPS, SCALER_VALUES};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Values that a thread updates. It loads the scalars of the step once for all of them: on SwiftShader, which checks
/// the bounds of each load, loading them took most of the time.
const VALUES_PER_THREAD: usize = 16;

/// Values of a parameter group in the settings: `decay` and `step_size`.
const GROUP_VALUES: usize = 2;

/// The scalars of [`AdamWScalars`] that are the same in every step, as a kernel takes them.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct Constants {
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    eps: f32,
}

/// The values of all parameters in a step, from the settings.
#[derive(CubeType, Clone, Copy)]
struct Step {
    coefficient: f32,
    bias_correction2_sqrt: f32,
}

/// The values of a parameter group in a step, from the settings.
#[derive(CubeType, Clone, Copy)]
struct Group {
    decay: f32,
    step_size: f32,
}

/// Updates one value of a parameter.
#[cube]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn update(
    parameter: &mut [f32],
    moments: &mut [f32],
    gradient: &[f32],
    at: usize,
    elements: usize,
    group: &Group,
    step: &Step,
    constants: &Constants,
) {
    let gradient = gradient[at] * step.coefficient;
    let first = moments[at] * constants.beta1 + gradient * constants.one_minus_beta1;
    let second =
        moments[elements + at] * constants.beta2 + gradient * gradient * constants.one_minus_beta2;
    moments[at] = first;
    moments[elements + at] = second;
    let denominator = second.sqrt() / step.bias_correction2_sqrt + constants.eps;
    parameter[at] = parameter[at] * group.decay - group.step_size * first / denominator;
}

/// Returns the values of the step. A loss scaler has the correction of the second moments: it counts only the updates
/// that were not skipped.
#[cube]
fn step_of(settings: &[f32], #[comptime] scaled: bool) -> Step {
    let mut bias_correction2_sqrt = settings[comptime![clip_len(scaled) + GROUPS * GROUP_VALUES]];
    if comptime![scaled] {
        bias_correction2_sqrt = settings[BIAS_CORRECTION2].sqrt();
    }
    Step {
        coefficient: settings[COEFFICIENT],
        bias_correction2_sqrt,
    }
}

/// Returns the values of a parameter group. A loss scaler has the correction of the first moments, a divisor of the
/// step size.
#[cube]
fn group_of(settings: &[f32], group: usize, #[comptime] scaled: bool) -> Group {
    let at = comptime![clip_len(scaled)] + group * GROUP_VALUES;
    let mut step_size = settings[at + 1];
    if comptime![scaled] {
        step_size /= settings[BIAS_CORRECTION1];
    }
    Group {
        decay: settings[at],
        step_size,
    }
}

/// Number of values of a clip.
fn clip_len(scaled: bool) -> usize {
    if scaled { SCALER_VALUES } else { CLIP_VALUES }
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
    step_values: &[f32],
    elements_a: usize,
    elements_b: usize,
    group_a: usize,
    group_b: usize,
    constants: Constants,
    threads: usize,
    #[comptime] scaled: bool,
) {
    if ABSOLUTE_POS < threads {
        let mut at = ABSOLUTE_POS;
        // Starting past the end skips the update.
        if step_values[PROCEEDS] == 0.0 {
            at = elements_a + elements_b;
        }
        let step = step_of(step_values, scaled);
        let group_a = group_of(step_values, group_a, scaled);
        let group_b = group_of(step_values, group_b, scaled);
        while at < elements_a {
            update(
                parameter_a,
                moments_a,
                gradient_a,
                at,
                elements_a,
                &group_a,
                &step,
                &constants,
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
                at,
                elements_b,
                &group_b,
                &step,
                &constants,
            );
            at += threads;
        }
    }
}

/// Writes the `clip_len` values of a clip, then the others.
#[cube(launch_unchecked)]
fn concatenate_kernel(clip: &[f32], values: &[f32], both: &mut [f32], clip_len: usize, len: usize) {
    let at = ABSOLUTE_POS;
    if at < clip_len {
        both[at] = clip[at];
    } else if at < len {
        both[at] = values[at - clip_len];
    }
}

/// Implements [`adamw_settings`](crate::kernels::adamw_settings). One tensor for both, because AdamW's kernel has no
/// binding for another.
pub(super) fn settings(clip: CubeTensor, values: CubeTensor) -> CubeTensor {
    let [clip, values] = [clip, values].map(into_contiguous);
    let clip_len = clip.meta.num_elements();
    let len = clip_len + values.meta.num_elements();
    let both = empty(&clip, [len]);
    // SAFETY: the tensors hold `clip_len`, the rest of `len` and `len` values, and no thread exceeds them.
    unsafe {
        concatenate_kernel::launch_unchecked(
            &both.client,
            workgroup_count(len),
            workgroup_dim(),
            clip.into_buffer_arg(),
            values.into_buffer_arg(),
            both.clone().into_buffer_arg(),
            clip_len,
            len,
        );
    }
    both
}

/// A parameter, its gradient and its moments.
pub(super) type State = (CubeTensor, CubeTensor, CubeTensor);

/// Implements [`adamw`](crate::kernels::adamw). Returns parameter and moments of `a`, then those of `b`.
pub(super) fn step(
    a: State,
    b: State,
    settings: CubeTensor,
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
    let constants = ConstantsLaunch::new(
        scalars_a.beta1 as f32,
        (1.0 - scalars_a.beta1) as f32,
        scalars_a.beta2 as f32,
        (1.0 - scalars_a.beta2) as f32,
        scalars_a.eps as f32,
    );
    let threads = (elements_a + elements_b)
        .div_ceil(VALUES_PER_THREAD)
        .next_multiple_of(WORKGROUP_SIZE as usize);
    // SAFETY: parameters and gradients hold the stated number of values, moments twice that number, and
    // `settings` all groups behind `CLIP_VALUES`, or `SCALER_VALUES` if scaled. No thread exceeds them.
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
            into_contiguous(settings).into_buffer_arg(),
            elements_a,
            elements_b,
            scalars_a.group,
            scalars_b.group,
            constants,
            threads,
            scalars_a.scaled,
        );
    }
    (parameter_a, moments_a, parameter_b, moments_b)
}
