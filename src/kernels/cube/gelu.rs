//! The exact GELU and its derivative: of one value for the epilogues of the matmul kernel, and of whole tensors.
//!
//! See [`gelu`](crate::kernels::gelu) for the definition.

use super::{empty_activation, workgroup_count, workgroup_dim};
use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

const INV_SQRT_2: f32 = std::f32::consts::FRAC_1_SQRT_2;
const MINUS_HALF: f32 = -0.5;
const INV_SQRT_2PI: f32 = 0.398_942_3;

/// Computes `Φ(x)`, the distribution function of the standard normal.
#[cube]
fn normal_cdf<N: Size>(x: Vector<f32, N>) -> Vector<f32, N> {
    (Erf::erf(x * Vector::new(INV_SQRT_2)) + Vector::new(1.0)) * Vector::new(0.5)
}

/// Computes `x Φ(x)`.
#[cube]
pub(super) fn gelu_vector<N: Size>(x: Vector<f32, N>) -> Vector<f32, N> {
    x * normal_cdf::<N>(x)
}

/// Computes `Φ(x) + x φ(x)`, where `φ` is the density of the standard normal.
#[cube]
pub(super) fn gelu_derivative_vector<N: Size>(x: Vector<f32, N>) -> Vector<f32, N> {
    let density = (x * x * Vector::new(MINUS_HALF)).exp() * Vector::new(INV_SQRT_2PI);
    normal_cdf::<N>(x) + x * density
}

/// [`gelu_vector`] of one value.
#[cube]
pub(super) fn gelu(x: f32) -> f32 {
    gelu_vector::<Const<1>>(Vector::new(x)).extract(0usize)
}

/// [`gelu_derivative_vector`] of one value.
#[cube]
pub(super) fn gelu_derivative(x: f32) -> f32 {
    gelu_derivative_vector::<Const<1>>(Vector::new(x)).extract(0usize)
}

#[cube(launch_unchecked)]
fn gelu_kernel(input: &[f32], output: &mut [f32], elements: usize) {
    if ABSOLUTE_POS < elements {
        output[ABSOLUTE_POS] = gelu(input[ABSOLUTE_POS]);
    }
}

#[cube(launch_unchecked)]
fn gelu_backward_kernel(input: &[f32], grad: &[f32], output: &mut [f32], elements: usize) {
    if ABSOLUTE_POS < elements {
        output[ABSOLUTE_POS] = grad[ABSOLUTE_POS] * gelu_derivative(input[ABSOLUTE_POS]);
    }
}

/// Implements [`gelu`](crate::kernels::gelu).
pub(super) fn forward(input: CubeTensor) -> CubeTensor {
    let input = into_contiguous(input);
    let output = empty_activation(&input, input.shape());
    let elements = input.meta.num_elements();
    // SAFETY: both buffers hold `elements` values, and no thread exceeds them.
    unsafe {
        gelu_kernel::launch_unchecked(
            &output.client,
            workgroup_count(elements),
            workgroup_dim(),
            input.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            elements,
        );
    }
    output
}

/// Computes `grad * GELU'(input)`.
pub(super) fn backward(input: CubeTensor, grad: CubeTensor) -> CubeTensor {
    let [input, grad] = [input, grad].map(into_contiguous);
    let output = empty_activation(&input, input.shape());
    let elements = input.meta.num_elements();
    // SAFETY: all three buffers hold `elements` values, and no thread exceeds them.
    unsafe {
        gelu_backward_kernel::launch_unchecked(
            &output.client,
            workgroup_count(elements),
            workgroup_dim(),
            input.into_buffer_arg(),
            grad.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            elements,
        );
    }
    output
}
