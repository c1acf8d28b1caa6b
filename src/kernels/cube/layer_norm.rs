//! `layer_norm(dropout(input) + residual)` and its gradients: one dispatch forward, two backward. The residual is
//! optional.
//!
//! The gradients of weight and bias are sums over all rows. A software adapter computes each column by one thread
//! (`by_thread.rs`). On a GPU each workgroup sums a block of rows, and a second dispatch sums the blocks
//! (`by_workgroup.rs`).

mod by_thread;
mod by_workgroup;

use super::dropout::{Mask, MaskArgs, keep_factor, mask_args, mask_of, pass_key};
use super::row_reduction::{row_and_column, row_sum, threads_per_row};
use super::{empty, empty_activation, workgroup_count, workgroup_dim};
use crate::kernels::DropoutMask;
use crate::kernels::activation_padding::activation_len;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Compile-time parameters of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Variant {
    threads: usize,
    with_dropout: bool,
    with_residual: bool,
}

/// Computes `dropout(input) + residual` at the flat index `at`.
#[cube]
fn sum_at(
    input: &[f32],
    residual: &[f32],
    at: usize,
    mask: &Mask,
    #[comptime] variant: Variant,
) -> f32 {
    let mut value = input[at];
    if comptime![variant.with_dropout] {
        value *= keep_factor(at, mask);
    }
    if comptime![variant.with_residual] {
        value += residual[at];
    }
    value
}

/// Returns mean and `1 / sqrt(variance + eps)` of the row that starts at `start`. The variance is computed from
/// centered values in a second pass, because `E[x²] - E[x]²` loses precision to cancellation.
#[cube]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn moments(
    input: &[f32],
    residual: &[f32],
    start: usize,
    first_column: usize,
    width: usize,
    eps: f32,
    mask: &Mask,
    #[comptime] variant: Variant,
) -> (f32, f32) {
    let mut partial = f32::new(0.0);
    let mut column = first_column;
    while column < width {
        partial += sum_at(input, residual, start + column, mask, variant);
        column += comptime![variant.threads];
    }
    let mean = row_sum(partial, variant.threads) / width as f32;
    let mut partial = f32::new(0.0);
    let mut column = first_column;
    while column < width {
        let centered = sum_at(input, residual, start + column, mask, variant) - mean;
        partial += centered * centered;
        column += comptime![variant.threads];
    }
    let variance = row_sum(partial, variant.threads) / width as f32;
    (mean, (variance + eps).inverse_sqrt())
}

#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn forward_kernel(
    input: &[f32],
    residual: &[f32],
    weight: &[f32],
    bias: &[f32],
    pass: &[u32],
    output: &mut [f32],
    rows: usize,
    width: usize,
    eps: f32,
    mask: MaskArgs,
    #[comptime] variant: Variant,
) {
    let (row, first_column) = row_and_column(variant.threads);
    if row < rows {
        let mask = mask_of(pass, mask, variant.with_dropout);
        let start = row * width;
        let (mean, inverse) = moments(
            input,
            residual,
            start,
            first_column,
            width,
            eps,
            &mask,
            variant,
        );
        let mut column = first_column;
        while column < width {
            let at = start + column;
            let value = sum_at(input, residual, at, &mask, variant);
            output[at] = (value - mean) * inverse * weight[column] + bias[column];
            column += comptime![variant.threads];
        }
    }
}

/// The tensors that all kernels read, and their dimensions.
struct Inputs {
    input: CubeTensor,
    residual: CubeTensor,
    rows: usize,
    width: usize,
    variant: Variant,
}

impl Inputs {
    fn new(input: CubeTensor, residual: Option<CubeTensor>, mask: DropoutMask) -> Self {
        let input = into_contiguous(input);
        let variant = Variant {
            threads: threads_per_row(&input),
            with_dropout: !mask.is_none(),
            with_residual: residual.is_some(),
        };
        Self {
            // WebGPU needs a buffer for the binding also if the kernel does not read it.
            residual: residual.map_or_else(|| empty(&input, [1]), into_contiguous),
            rows: input.meta.shape()[0],
            width: input.meta.shape()[1],
            input,
            variant,
        }
    }
}

/// Implements [`residual_layer_norm`](crate::kernels::residual_layer_norm), or
/// [`layer_norm`](crate::kernels::layer_norm) without a residual.
pub(super) fn forward(
    input: CubeTensor,
    residual: Option<CubeTensor>,
    weight: CubeTensor,
    bias: CubeTensor,
    eps: f64,
    mask: DropoutMask,
) -> CubeTensor {
    let [weight, bias] = [weight, bias].map(into_contiguous);
    let Inputs {
        input,
        residual,
        rows,
        width,
        variant,
    } = Inputs::new(input, residual, mask);
    let output = empty_activation(&input, [rows, width]);
    let pass = pass_key(&input, mask);
    // SAFETY: the row-shaped buffers hold `rows * width` values, the others `width`; no thread exceeds `rows`.
    unsafe {
        forward_kernel::launch_unchecked(
            &output.client,
            workgroup_count(rows * variant.threads),
            workgroup_dim(),
            input.into_buffer_arg(),
            residual.into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            pass.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            rows,
            width,
            eps as f32,
            mask_args(mask),
            variant,
        );
    }
    output
}

/// Returns the gradients of input, residual, weight and bias. Without `with_weight` those of weight and bias are not
/// computed, and that of the residual is returned in their place.
pub(super) fn backward(
    input: CubeTensor,
    residual: Option<CubeTensor>,
    weight: CubeTensor,
    grad: CubeTensor,
    eps: f64,
    mask: DropoutMask,
    with_weight: bool,
) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
    let [weight, grad] = [weight, grad].map(into_contiguous);
    let inputs = Inputs::new(input, residual, mask);
    let pass = Backward {
        buffers: Buffers::new(&inputs, with_weight),
        inputs,
        weight,
        grad,
        eps,
        mask,
        with_weight,
    };
    let weights = match pass.inputs.variant.threads {
        1 => by_thread::launch(&pass),
        _ => by_workgroup::launch(&pass),
    };
    let Buffers {
        input_grad,
        residual_grad,
        ..
    } = pass.buffers;
    let (weight_grad, bias_grad) =
        weights.unwrap_or_else(|| (residual_grad.clone(), residual_grad.clone()));
    let input_grad = input_grad.unwrap_or_else(|| residual_grad.clone());
    (input_grad, residual_grad, weight_grad, bias_grad)
}

/// A backward pass.
struct Backward {
    inputs: Inputs,
    weight: CubeTensor,
    grad: CubeTensor,
    buffers: Buffers,
    eps: f64,
    mask: DropoutMask,
    with_weight: bool,
}

/// The outputs of the first dispatch of a backward pass.
struct Buffers {
    /// Without dropout, input and residual have the same gradient, and this is `None`.
    input_grad: Option<CubeTensor>,
    residual_grad: CubeTensor,
    /// The buffer of `input_grad`, if there is one, and behind its values those that the second dispatch reads. One
    /// buffer for both, because an adapter may have only 8 bindings.
    sums: CubeTensor,
    /// Index of the first value behind `input_grad`.
    sums_start: usize,
}

impl Buffers {
    fn new(inputs: &Inputs, with_weight: bool) -> Self {
        let Inputs {
            input,
            rows,
            width,
            variant,
            ..
        } = inputs;
        let shape = [*rows, *width];
        let padded = activation_len(&shape);
        let sums_start = if variant.with_dropout { padded } else { 0 };
        let sums_len = match (with_weight, variant.threads) {
            (false, _) => 1,
            (true, 1) => padded / width * 2,
            (true, _) => by_workgroup::MAX_BLOCKS.min(padded / width) * 2 * width,
        };
        let sums = empty(input, [sums_start + sums_len]);
        let input_grad = variant.with_dropout.then(|| {
            let unused = (sums_start + sums_len - rows * width) * size_of::<f32>();
            CubeTensor::new_contiguous(
                sums.client.clone(),
                sums.device.clone(),
                shape.into(),
                sums.handle.clone().offset_end(unused as u64),
                sums.dtype,
            )
        });
        Self {
            input_grad,
            residual_grad: empty_activation(input, shape),
            sums,
            sums_start,
        }
    }
}
