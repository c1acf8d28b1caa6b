//! The exact GELU and its derivative, one dispatch each.

use super::{cube_dim, cubes_for, empty};
use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

const INV_SQRT_2: f32 = std::f32::consts::FRAC_1_SQRT_2;
const MINUS_HALF: f32 = -0.5;
const INV_SQRT_2PI: f32 = 0.398_942_3;

/// `Φ(x)`, the distribution function of the standard normal.
#[cube]
fn normal_cdf(x: f32) -> f32 {
    (Erf::erf(x * INV_SQRT_2) + 1.0) * 0.5
}

#[cube(launch_unchecked)]
fn gelu_kernel(input: &[f32], output: &mut [f32], elements: usize) {
    if ABSOLUTE_POS < elements {
        let x = input[ABSOLUTE_POS];
        output[ABSOLUTE_POS] = x * normal_cdf(x);
    }
}

#[cube(launch_unchecked)]
fn gelu_backward_kernel(input: &[f32], grad: &[f32], output: &mut [f32], elements: usize) {
    if ABSOLUTE_POS < elements {
        let x = input[ABSOLUTE_POS];
        let density = (x * x * MINUS_HALF).exp() * INV_SQRT_2PI;
        output[ABSOLUTE_POS] = grad[ABSOLUTE_POS] * (normal_cdf(x) + x * density);
    }
}

/// `x Φ(x)`.
pub(super) fn forward(input: CubeTensor) -> CubeTensor {
    let input = into_contiguous(input);
    let output = empty(&input, input.shape());
    let elements = input.meta.num_elements();
    // SAFETY: both buffers hold `elements` values, and no unit goes past them.
    unsafe {
        gelu_kernel::launch_unchecked(
            &output.client,
            cubes_for(elements),
            cube_dim(),
            input.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            elements,
        );
    }
    output
}

/// `grad * (Φ(x) + x φ(x))`.
pub(super) fn backward(input: CubeTensor, grad: CubeTensor) -> CubeTensor {
    let (input, grad) = (into_contiguous(input), into_contiguous(grad));
    let output = empty(&input, input.shape());
    let elements = input.meta.num_elements();
    // SAFETY: the three buffers hold `elements` values, and no unit goes past them.
    unsafe {
        gelu_backward_kernel::launch_unchecked(
            &output.client,
            cubes_for(elements),
            cube_dim(),
            input.into_buffer_arg(),
            grad.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            elements,
        );
    }
    output
}
