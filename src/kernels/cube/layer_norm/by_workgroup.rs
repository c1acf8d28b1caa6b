//! The backward pass of layer normalization for GPUs. A workgroup computes the gradients of a block of rows and the
//! sums over its rows that the gradients of weight and bias consist of; a second dispatch adds the sums of all blocks.
//!
//! A thread has every 64th column and keeps its values of a row in registers, so that each is loaded once.

use super::{Backward, Buffers, Inputs, Variant, sum_at};
use crate::kernels::cube::dropout::{Mask, MaskArgs, keep_factor, mask_args, mask_of, pass_key};
use crate::kernels::cube::row_reduction::{column_sum, row_sum};
use crate::kernels::cube::{WORKGROUP_SIZE, empty, workgroup_count, workgroup_dim};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

/// Limit of the number of blocks, and of the values that a column of the second dispatch adds.
pub(super) const MAX_BLOCKS: usize = 256;

/// Threads of a workgroup.
const THREADS: usize = WORKGROUP_SIZE as usize;
/// Columns of a workgroup in the second dispatch. Adjacent threads load adjacent columns.
const COLUMNS: usize = 8;
/// Threads that share a column there.
const THREADS_PER_COLUMN: usize = THREADS / COLUMNS;

/// Compile-time parameters of the first dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Block {
    variant: Variant,
    /// Columns of a thread.
    columns: usize,
    /// Whether the sums over rows are computed.
    with_weight: bool,
}

/// A thread's values of a row: sequences, not arrays, so that each value is in a register.
#[derive(CubeType)]
struct RowValues {
    /// `dropout(input) + residual`, and 0 past the last column.
    values: Sequence<f32>,
    /// The gradients of the output, and 0 past the last column.
    grads: Sequence<f32>,
}

/// A thread's sums over the rows of a block, one for each of its columns.
#[derive(CubeType)]
struct BlockSums {
    /// Of the gradient times the normalized value.
    weight: Sequence<RuntimeCell<f32>>,
    /// Of the gradient.
    bias: Sequence<RuntimeCell<f32>>,
}

/// The sums of the blocks follow the gradient of the input from `sums_start` on: of each block, those of the weight's
/// gradient, then those of the bias's.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn block_kernel(
    input: &[f32],
    residual: &[f32],
    weight: &[f32],
    grad: &[f32],
    pass: &[u32],
    input_grad: &mut [f32],
    residual_grad: &mut [f32],
    rows: usize,
    rows_per_block: usize,
    width: usize,
    sums_start: usize,
    eps: f32,
    mask: MaskArgs,
    #[comptime] block: Block,
) {
    let first_row = CUBE_POS * rows_per_block;
    if first_row < rows {
        let mask = mask_of(pass, mask, block.variant.with_dropout);
        let sums = BlockSums {
            weight: zeros(block.columns),
            bias: zeros(block.columns),
        };
        let end_row = (first_row + rows_per_block).min(rows);
        for row in first_row..end_row {
            let start = row * width;
            let of_row = load(input, residual, grad, start, width, &mask, block);
            let (mean, inverse) = moments(&of_row, width, eps, block);
            store_gradients(
                weight,
                input_grad,
                residual_grad,
                &of_row,
                &sums,
                (mean, inverse),
                start,
                width,
                &mask,
                block,
            );
        }
        if comptime![block.with_weight] {
            let start = sums_start + CUBE_POS * width * 2;
            #[unroll]
            for index in 0..block.columns {
                let column = UNIT_POS as usize + comptime![index * THREADS];
                if column < width {
                    input_grad[start + column] = sums.weight.index(index).read();
                    input_grad[start + width + column] = sums.bias.index(index).read();
                }
            }
        }
    }
}

/// Returns sums that are 0.
#[cube]
fn zeros(#[comptime] len: usize) -> Sequence<RuntimeCell<f32>> {
    let mut sums = Sequence::<RuntimeCell<f32>>::new();
    #[unroll]
    for _ in 0..len {
        sums.push(RuntimeCell::new(0.0));
    }
    sums
}

/// Loads this thread's values of the row that starts at `start`.
#[cube]
fn load(
    input: &[f32],
    residual: &[f32],
    grad: &[f32],
    start: usize,
    width: usize,
    mask: &Mask,
    #[comptime] block: Block,
) -> RowValues {
    let mut values = Sequence::<f32>::new();
    let mut grads = Sequence::<f32>::new();
    #[unroll]
    for index in 0..block.columns {
        let column = UNIT_POS as usize + comptime![index * THREADS];
        let mut value = f32::new(0.0);
        let mut of_output = f32::new(0.0);
        if column < width {
            value = sum_at(input, residual, start + column, mask, block.variant);
            of_output = grad[start + column];
        }
        values.push(value);
        grads.push(of_output);
    }
    RowValues { values, grads }
}

/// Returns mean and `1 / sqrt(variance + eps)` of a row.
#[cube]
fn moments(of_row: &RowValues, width: usize, eps: f32, #[comptime] block: Block) -> (f32, f32) {
    let mut partial = f32::new(0.0);
    #[unroll]
    for index in 0..block.columns {
        partial += of_row.values[index];
    }
    let mean = row_sum(partial, THREADS) / width as f32;
    let mut partial = f32::new(0.0);
    #[unroll]
    for index in 0..block.columns {
        if UNIT_POS as usize + comptime![index * THREADS] < width {
            let centered = of_row.values[index] - mean;
            partial += centered * centered;
        }
    }
    let variance = row_sum(partial, THREADS) / width as f32;
    (mean, (variance + eps).inverse_sqrt())
}

/// Stores the gradients of input and residual, and adds those of weight and bias to the sums of the block.
#[cube]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn store_gradients(
    weight: &[f32],
    input_grad: &mut [f32],
    residual_grad: &mut [f32],
    of_row: &RowValues,
    sums: &BlockSums,
    moments: (f32, f32),
    start: usize,
    width: usize,
    mask: &Mask,
    #[comptime] block: Block,
) {
    let (mean, inverse) = moments;
    let mut total = f32::new(0.0);
    let mut dot = f32::new(0.0);
    #[unroll]
    for index in 0..block.columns {
        let column = UNIT_POS as usize + comptime![index * THREADS];
        if column < width {
            let grad = of_row.grads[index];
            let normalized = (of_row.values[index] - mean) * inverse;
            let scaled_grad = grad * weight[column];
            total += scaled_grad;
            dot += scaled_grad * normalized;
            if comptime![block.with_weight] {
                let weight_sum = sums.weight.index(index);
                weight_sum.store(weight_sum.read() + grad * normalized);
                let bias_sum = sums.bias.index(index);
                bias_sum.store(bias_sum.read() + grad);
            }
        }
    }
    let total = row_sum(total, THREADS) / width as f32;
    let dot = row_sum(dot, THREADS) / width as f32;
    #[unroll]
    for index in 0..block.columns {
        let column = UNIT_POS as usize + comptime![index * THREADS];
        if column < width {
            let at = start + column;
            let normalized = (of_row.values[index] - mean) * inverse;
            let scaled_grad = of_row.grads[index] * weight[column];
            let sum_grad = (scaled_grad - total - normalized * dot) * inverse;
            residual_grad[at] = sum_grad;
            if comptime![block.variant.with_dropout] {
                input_grad[at] = sum_grad * keep_factor(at, mask);
            }
        }
    }
}

/// Adds the sums of all blocks. The columns are those of the weight's gradient, then those of the bias's.
#[cube(launch_unchecked)]
fn blocks_kernel(
    sums: &[f32],
    weight_grad: &mut [f32],
    bias_grad: &mut [f32],
    blocks: usize,
    width: usize,
    sums_start: usize,
) {
    let thread = UNIT_POS as usize;
    let column = CUBE_POS * COLUMNS + thread % COLUMNS;
    let mut partial = f32::new(0.0);
    if column < 2 * width {
        let mut block = thread / COLUMNS;
        while block < blocks {
            partial += sums[sums_start + block * width * 2 + column];
            block += THREADS_PER_COLUMN;
        }
    }
    let total = column_sum(partial, THREADS, COLUMNS);
    if thread < COLUMNS {
        if column < width {
            weight_grad[column] = total;
        } else if column < 2 * width {
            bias_grad[column - width] = total;
        }
    }
}

/// Computes the gradients of input and residual. Returns those of weight and bias, if they are wanted.
pub(super) fn launch(pass: &Backward) -> Option<(CubeTensor, CubeTensor)> {
    let Backward {
        inputs,
        weight,
        grad,
        buffers,
        with_weight,
        ..
    } = pass;
    let Inputs {
        input,
        residual,
        rows,
        width,
        variant,
    } = inputs;
    let Buffers {
        residual_grad,
        sums,
        sums_start,
        ..
    } = buffers;
    let rows_per_block = if *with_weight {
        rows.div_ceil(MAX_BLOCKS)
    } else {
        1
    };
    let blocks = rows.div_ceil(rows_per_block);
    // SAFETY: the row-shaped buffers hold `rows * width` values, `weight` `width`, and `sums` behind `sums_start` two
    // rows per block; no thread exceeds `rows` or `width`.
    unsafe {
        block_kernel::launch_unchecked(
            &input.client,
            workgroup_count(blocks * THREADS),
            workgroup_dim(),
            input.clone().into_buffer_arg(),
            residual.clone().into_buffer_arg(),
            weight.clone().into_buffer_arg(),
            grad.clone().into_buffer_arg(),
            pass_key(input, pass.mask).into_buffer_arg(),
            sums.clone().into_buffer_arg(),
            residual_grad.clone().into_buffer_arg(),
            *rows,
            rows_per_block,
            *width,
            *sums_start,
            pass.eps as f32,
            mask_args(pass.mask),
            Block {
                variant: *variant,
                columns: width.div_ceil(THREADS),
                with_weight: *with_weight,
            },
        );
    }
    with_weight.then(|| weight_gradients(pass, blocks))
}

/// Returns the gradients of weight and bias.
fn weight_gradients(pass: &Backward, blocks: usize) -> (CubeTensor, CubeTensor) {
    let Inputs { input, width, .. } = &pass.inputs;
    let (weight_grad, bias_grad) = (empty(input, [*width]), empty(input, [*width]));
    // SAFETY: `sums` holds two rows per block, and no thread exceeds them.
    unsafe {
        blocks_kernel::launch_unchecked(
            &weight_grad.client,
            workgroup_count((2 * width).div_ceil(COLUMNS) * THREADS),
            workgroup_dim(),
            pass.buffers.sums.clone().into_buffer_arg(),
            weight_grad.clone().into_buffer_arg(),
            bias_grad.clone().into_buffer_arg(),
            blocks,
            *width,
            pass.buffers.sums_start,
        );
    }
    (weight_grad, bias_grad)
}
