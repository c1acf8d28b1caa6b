//! One AdamW update of two parameters in one dispatch, written over them and their moments. burn's primitives take a dozen for each.

use super::{AdamWScalars, UNITS, cube_dim, cubes_for, writable};
use crate::kernels::scaling::{BIAS_CORRECTION1, BIAS_CORRECTION2, PROCEEDS};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Values that a unit updates, so that the step's scalars are fetched once for all of them: on SwiftShader, where each fetch is checked,
/// that was most of the time.
const A_UNIT: usize = 16;

/// The scalars of a step.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct Step {
    beta1: f32,
    beta1_rest: f32,
    beta2: f32,
    beta2_rest: f32,
    step_size: f32,
    bias_correction2_sqrt: f32,
    eps: f32,
}

#[cube]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn update(
    parameter: &mut [f32],
    moments: &mut [f32],
    gradient: &[f32],
    coefficient: f32,
    at: usize,
    elements: usize,
    decay: f32,
    step: &Step,
) {
    let gradient = gradient[at] * coefficient;
    let mean = moments[at] * step.beta1 + gradient * step.beta1_rest;
    let square = moments[elements + at] * step.beta2 + gradient * gradient * step.beta2_rest;
    moments[at] = mean;
    moments[elements + at] = square;
    let denominator = square.sqrt() / step.bias_correction2_sqrt + step.eps;
    parameter[at] = parameter[at] * decay - step.step_size * mean / denominator;
}

/// With the bias corrections of a loss scaler, which counts only the updates that it let pass.
#[cube]
fn decided(clip: &[f32], step: Step, #[comptime] scaled: bool) -> Step {
    if comptime![scaled] {
        Step {
            beta1: step.beta1,
            beta1_rest: step.beta1_rest,
            beta2: step.beta2,
            beta2_rest: step.beta2_rest,
            step_size: step.step_size / clip[BIAS_CORRECTION1],
            bias_correction2_sqrt: clip[BIAS_CORRECTION2].sqrt(),
            eps: step.eps,
        }
    } else {
        step
    }
}

#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn adamw_kernel(
    parameter: &mut [f32],
    moments: &mut [f32],
    gradient: &[f32],
    other_parameter: &mut [f32],
    other_moments: &mut [f32],
    other_gradient: &[f32],
    clip: &[f32],
    elements: usize,
    other_elements: usize,
    decay: f32,
    other_decay: f32,
    step: Step,
    units: usize,
    #[comptime] scaled: bool,
) {
    if ABSOLUTE_POS < units {
        let mut at = ABSOLUTE_POS;
        if comptime![scaled] {
            // An update that is skipped begins behind its end.
            if clip[PROCEEDS] == 0.0 {
                at = elements + other_elements;
            }
        }
        let step = decided(clip, step, scaled);
        while at < elements {
            update(
                parameter, moments, gradient, clip[1], at, elements, decay, &step,
            );
            at += units;
        }
        // What is left of the walk goes on in the second parameter.
        at -= elements;
        while at < other_elements {
            update(
                other_parameter,
                other_moments,
                other_gradient,
                clip[1],
                at,
                other_elements,
                other_decay,
                &step,
            );
            at += units;
        }
    }
}

/// A parameter, its gradient and its moments.
pub(super) type State = (CubeTensor, CubeTensor, CubeTensor);

/// See [`adamw`](crate::kernels::adamw).
pub(super) fn step(
    one: State,
    other: State,
    clip: CubeTensor,
    scalars: [AdamWScalars; 2],
) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
    let [
        (parameter, gradient, moments),
        (other_parameter, other_gradient, other_moments),
    ] = [one, other].map(|(parameter, gradient, moments)| {
        (
            writable(parameter),
            into_contiguous(gradient),
            writable(moments),
        )
    });
    let elements = parameter.meta.num_elements();
    let other_elements = other_parameter.meta.num_elements();
    let [first, second] = scalars;
    let step = StepLaunch::new(
        first.beta1 as f32,
        (1.0 - first.beta1) as f32,
        first.beta2 as f32,
        (1.0 - first.beta2) as f32,
        first.step_size as f32,
        first.bias_correction2_sqrt as f32,
        first.eps as f32,
    );
    let units = (elements + other_elements)
        .div_ceil(A_UNIT)
        .next_multiple_of(UNITS as usize);
    // SAFETY: parameters and gradients hold as many values as said, moments twice as many, `clip` two (scaled, `SCALER_VALUES`); no unit goes past them.
    unsafe {
        adamw_kernel::launch_unchecked(
            &parameter.client.clone(),
            cubes_for(units),
            cube_dim(),
            parameter.clone().into_buffer_arg(),
            moments.clone().into_buffer_arg(),
            gradient.into_buffer_arg(),
            other_parameter.clone().into_buffer_arg(),
            other_moments.clone().into_buffer_arg(),
            other_gradient.into_buffer_arg(),
            into_contiguous(clip).into_buffer_arg(),
            elements,
            other_elements,
            first.decay as f32,
            second.decay as f32,
            step,
            units,
            first.scaled,
        );
    }
    (parameter, moments, other_parameter, other_moments)
}
