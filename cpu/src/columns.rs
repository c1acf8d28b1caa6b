//! Element-wise GELU and sums of columns.

use crate::activation::{gelu, gelu_derivative};
use crate::simd::{for_part, load_some, store_some};
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
        for_part(self.width, part, parts, |column, count| {
            let mut sum = f32x4::ZERO;
            // SAFETY: all indices are inside of the matrix.
            unsafe {
                for row in 0..self.rows {
                    sum += load_some(self.input.add(row * self.width + column), count);
                }
                store_some(self.sums.add(column), sum, count);
            }
        });
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
        for_part(self.len, part, parts, |at, count| {
            // SAFETY: all indices are below `len`.
            unsafe {
                let input = load_some(self.input.add(at), count);
                let output = match self.grad.is_null() {
                    true => gelu(input),
                    false => load_some(self.grad.add(at), count) * gelu_derivative(input),
                };
                store_some(self.output.add(at), output, count);
            }
        });
    }
}
