//! One AdamW update in one dispatch, written over the parameter and its moments. burn's primitives take a dozen.

use super::{AdamWScalars, cube_dim, cubes_for, writable};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn adamw_kernel(
    parameter: &mut [f32],
    first: &mut [f32],
    second: &mut [f32],
    gradient: &[f32],
    clip: &[f32],
    elements: usize,
    beta1: f32,
    beta1_rest: f32,
    beta2: f32,
    beta2_rest: f32,
    decay: f32,
    step_size: f32,
    bias_correction2_sqrt: f32,
    eps: f32,
) {
    if ABSOLUTE_POS < elements {
        let gradient = gradient[ABSOLUTE_POS] * clip[0];
        let mean = first[ABSOLUTE_POS] * beta1 + gradient * beta1_rest;
        let square = second[ABSOLUTE_POS] * beta2 + gradient * gradient * beta2_rest;
        first[ABSOLUTE_POS] = mean;
        second[ABSOLUTE_POS] = square;
        let denominator = square.sqrt() / bias_correction2_sqrt + eps;
        parameter[ABSOLUTE_POS] = parameter[ABSOLUTE_POS] * decay - step_size * mean / denominator;
    }
}

/// See [`adamw`](crate::kernels::adamw).
pub(super) fn step(
    parameter: CubeTensor,
    gradient: CubeTensor,
    moments: (CubeTensor, CubeTensor),
    clip: CubeTensor,
    scalars: AdamWScalars,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let parameter = writable(parameter);
    let (first, second) = (writable(moments.0), writable(moments.1));
    let elements = parameter.meta.num_elements();
    // SAFETY: the four large buffers hold `elements` values, `clip` one, and no unit goes past them.
    unsafe {
        adamw_kernel::launch_unchecked(
            &parameter.client.clone(),
            cubes_for(elements),
            cube_dim(),
            parameter.clone().into_buffer_arg(),
            first.clone().into_buffer_arg(),
            second.clone().into_buffer_arg(),
            into_contiguous(gradient).into_buffer_arg(),
            into_contiguous(clip).into_buffer_arg(),
            elements,
            scalars.beta1 as f32,
            (1.0 - scalars.beta1) as f32,
            scalars.beta2 as f32,
            (1.0 - scalars.beta2) as f32,
            scalars.decay as f32,
            scalars.step_size as f32,
            scalars.bias_correction2_sqrt as f32,
            scalars.eps as f32,
        );
    }
    (parameter, first, second)
}
