//! Element-wise GELU and sums of columns.

use crate::activation::{gelu, gelu_derivative};
use crate::simd::{LANES, load, store};
use crate::split;
use wide::f32x4;

/// Sums each column of a row-major matrix.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ColumnSums {
    /// `[rows, width]`.
    pub input: *const f32,
    /// Number of rows.
    pub rows: usize,
    /// Values of a row.
    pub width: usize,
    /// `[width]`.
    pub sums: *mut f32,
}

impl ColumnSums {
    /// Sums the columns that belong to `part` of `parts`.
    ///
    /// # Safety
    /// `input` and `sums` are valid for the shapes.
    pub(crate) unsafe fn compute(&self, part: usize, parts: usize) {
        let groups = self.width / LANES;
        // SAFETY: all indices are inside of the matrix.
        unsafe {
            for group in split(groups, part, parts) {
                let column = group * LANES;
                let mut sum = f32x4::ZERO;
                for row in 0..self.rows {
                    sum += load(self.input.add(row * self.width + column));
                }
                store(self.sums.add(column), sum);
            }
            if part + 1 == parts {
                for column in groups * LANES..self.width {
                    let mut sum = 0.0;
                    for row in 0..self.rows {
                        sum += *self.input.add(row * self.width + column);
                    }
                    *self.sums.add(column) = sum;
                }
            }
        }
    }
}

/// Computes the exact GELU, or with `grad` the gradient of its input.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Gelu {
    /// `[len]`.
    pub input: *const f32,
    /// `[len]`, the gradient of the output, or null: the function itself is computed.
    pub grad: *const f32,
    /// `[len]`.
    pub output: *mut f32,
    /// Number of values.
    pub len: usize,
}

impl Gelu {
    /// Computes the values that belong to `part` of `parts`.
    ///
    /// # Safety
    /// All pointers are valid for `len` values.
    pub(crate) unsafe fn compute(&self, part: usize, parts: usize) {
        let groups = self.len / LANES;
        // SAFETY: all indices are below `len`.
        unsafe {
            for group in split(groups, part, parts) {
                let at = group * LANES;
                let grad = match self.grad.is_null() {
                    true => f32x4::ONE,
                    false => load(self.grad.add(at)),
                };
                store(
                    self.output.add(at),
                    self.value(load(self.input.add(at)), grad),
                );
            }
            if part + 1 == parts {
                for at in groups * LANES..self.len {
                    let grad = if self.grad.is_null() {
                        1.0
                    } else {
                        *self.grad.add(at)
                    };
                    let value = self.value(f32x4::splat(*self.input.add(at)), f32x4::splat(grad));
                    *self.output.add(at) = value.to_array()[0];
                }
            }
        }
    }

    #[inline(always)]
    fn value(&self, input: f32x4, grad: f32x4) -> f32x4 {
        match self.grad.is_null() {
            true => gelu(input),
            false => grad * gelu_derivative(input),
        }
    }
}
