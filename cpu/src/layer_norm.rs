//! LayerNorm of `dropout(input) + residual`, forward and backward.
//!
//! The backward pass has two jobs: one over the rows, which also writes mean and `1 / σ` of each row, and one over the
//! columns, which sums the gradients of weight and bias.

use crate::dropout::Dropout;
use crate::simd::{LANES, fma, load, store};
use crate::split;
use core::ptr;
use wide::f32x4;

/// The sum of `input` and `residual` in a row-major matrix.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// `[rows, width]`.
    pub input: *const f32,
    /// `[rows, width]`, or null: nothing is added.
    pub residual: *const f32,
    /// Applied to `input`.
    pub dropout: Dropout,
    /// Number of rows.
    pub rows: usize,
    /// Values of a row.
    pub width: usize,
    /// Added to the variance.
    pub eps: f32,
}

/// Computes `(x - mean) / σ * weight + bias` of each row.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct LayerNorm {
    /// The rows to normalize.
    pub rows: Rows,
    /// `[width]`.
    pub weight: *const f32,
    /// `[width]`.
    pub bias: *const f32,
    /// `[rows, width]`.
    pub output: *mut f32,
}

/// Computes the gradients of input and residual.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct LayerNormBackward {
    /// The rows of the forward pass.
    pub rows: Rows,
    /// `[width]`.
    pub weight: *const f32,
    /// `[rows, width]`, the gradient of the output.
    pub grad: *const f32,
    /// `[rows, width]`, the gradient of the residual, or of the sum.
    pub residual_grad: *mut f32,
    /// `[rows, width]`, the gradient of the input, or null: it is that of the residual.
    pub input_grad: *mut f32,
    /// `[rows, 2]`: mean and `1 / σ`.
    pub moments: *mut f32,
}

/// Sums the gradients of weight and bias.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct LayerNormWeights {
    /// The rows of the forward pass.
    pub rows: Rows,
    /// `[rows, width]`, the gradient of the output.
    pub grad: *const f32,
    /// `[rows, 2]`, from [`LayerNormBackward`].
    pub moments: *const f32,
    /// `[width]`.
    pub weight_grad: *mut f32,
    /// `[width]`.
    pub bias_grad: *mut f32,
}

impl Rows {
    /// The four values of `dropout(input) + residual` from the flat index `at` on.
    #[inline(always)]
    unsafe fn sum(&self, at: usize) -> f32x4 {
        // SAFETY: the caller's values are inside of both matrices.
        unsafe {
            let input = self.dropout.apply(load(self.input.add(at)), at);
            if self.residual.is_null() {
                return input;
            }
            input + load(self.residual.add(at))
        }
    }

    /// Mean and `1 / σ` of a row, from the mean of the squared distances.
    #[inline(always)]
    unsafe fn moments(&self, row: usize) -> (f32x4, f32x4) {
        let start = row * self.width;
        let count = f32x4::splat(self.width as f32);
        let (mut sums, mut squares) = ([f32x4::ZERO; 2], [f32x4::ZERO; 2]);
        // SAFETY: the row is inside of the matrices.
        unsafe {
            for_columns(0, self.width, |column, step| {
                sums[step] += self.sum(start + column);
            });
            let mean = f32x4::splat((sums[0] + sums[1]).reduce_add()) / count;
            for_columns(0, self.width, |column, step| {
                let centered = self.sum(start + column) - mean;
                squares[step] = fma(centered, centered, squares[step]);
            });
            let squares = f32x4::splat((squares[0] + squares[1]).reduce_add());
            let deviation = (squares / count + f32x4::splat(self.eps)).sqrt();
            (mean, f32x4::ONE / deviation)
        }
    }
}

/// Calls `work` with each group of four columns and 0 or 1 in turn: two sums hide the latency of an addition.
#[inline(always)]
fn for_columns(first: usize, last: usize, mut work: impl FnMut(usize, usize)) {
    let mut column = first;
    while column + 2 * LANES <= last {
        work(column, 0);
        work(column + LANES, 1);
        column += 2 * LANES;
    }
    if column < last {
        work(column, 0);
    }
}

impl LayerNorm {
    /// Normalizes the rows that belong to `part` of `parts`.
    ///
    /// # Safety
    /// All pointers are valid for the shapes, `output` for writes; the width is a multiple of four.
    pub(crate) unsafe fn compute(&self, part: usize, parts: usize) {
        for row in split(self.rows.rows, part, parts) {
            let start = row * self.rows.width;
            // SAFETY: the row is inside of the matrices.
            unsafe {
                let (mean, factor) = self.rows.moments(row);
                for_columns(0, self.rows.width, |column, _| {
                    let normalized = (self.rows.sum(start + column) - mean) * factor;
                    let (weight, bias) =
                        (load(self.weight.add(column)), load(self.bias.add(column)));
                    store(
                        self.output.add(start + column),
                        fma(normalized, weight, bias),
                    );
                });
            }
        }
    }
}

impl LayerNormBackward {
    /// Computes the rows that belong to `part` of `parts`. With `x̂ = (x - mean) / σ` and `g = grad * weight`, the
    /// gradient of `x` is `(g - mean(g) - x̂ mean(g x̂)) / σ`.
    ///
    /// # Safety
    /// As for [`LayerNorm::compute`].
    pub(crate) unsafe fn compute(&self, part: usize, parts: usize) {
        let width = self.rows.width;
        let count = f32x4::splat(width as f32);
        for row in split(self.rows.rows, part, parts) {
            let start = row * width;
            // SAFETY: the row is inside of the matrices.
            unsafe {
                let (mean, factor) = self.rows.moments(row);
                ptr::write(self.moments.add(2 * row), mean.to_array()[0]);
                ptr::write(self.moments.add(2 * row + 1), factor.to_array()[0]);
                let (mut sums, mut dots) = ([f32x4::ZERO; 2], [f32x4::ZERO; 2]);
                let scaled = |column: usize| {
                    load(self.grad.add(start + column)) * load(self.weight.add(column))
                };
                let normalized = |column| (self.rows.sum(start + column) - mean) * factor;
                for_columns(0, width, |column, step| {
                    let scaled = scaled(column);
                    sums[step] += scaled;
                    dots[step] = fma(scaled, normalized(column), dots[step]);
                });
                let sum = f32x4::splat((sums[0] + sums[1]).reduce_add()) / count;
                let dot = f32x4::splat((dots[0] + dots[1]).reduce_add()) / count;
                for_columns(0, width, |column, _| {
                    let rest = scaled(column) - sum - normalized(column) * dot;
                    let (at, grad) = (start + column, rest * factor);
                    store(self.residual_grad.add(at), grad);
                    if !self.input_grad.is_null() {
                        store(self.input_grad.add(at), self.rows.dropout.apply(grad, at));
                    }
                });
            }
        }
    }
}

impl LayerNormWeights {
    /// Computes the columns that belong to `part` of `parts`.
    ///
    /// # Safety
    /// As for [`LayerNorm::compute`].
    pub(crate) unsafe fn compute(&self, part: usize, parts: usize) {
        let width = self.rows.width;
        for group in split(width / LANES, part, parts) {
            let column = group * LANES;
            let (mut weight_grad, mut bias_grad) = (f32x4::ZERO, f32x4::ZERO);
            for row in 0..self.rows.rows {
                let at = row * width + column;
                // SAFETY: the values are inside of the matrices.
                unsafe {
                    let mean = f32x4::splat(*self.moments.add(2 * row));
                    let factor = f32x4::splat(*self.moments.add(2 * row + 1));
                    let grad = load(self.grad.add(at));
                    weight_grad = fma(grad, (self.rows.sum(at) - mean) * factor, weight_grad);
                    bias_grad += grad;
                }
            }
            // SAFETY: the columns are inside of both gradients.
            unsafe {
                store(self.weight_grad.add(column), weight_grad);
                store(self.bias_grad.add(column), bias_grad);
            }
        }
    }
}
