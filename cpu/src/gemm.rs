//! The matrix product `C = A × B`, with the operations that follow it computed while a result is in registers.
//!
//! The terms are those of [BLIS](https://doi.org/10.1145/2764454): the *micro-kernel* computes a *tile* of `C` of
//! 12 × 4 values, whose sums stay in 12 vector registers, from a *panel* of `A` (12 rows) and one of `B` (4 columns).
//! V8 leaves 15 of the 16 registers of x86-64: 12 sums, a vector of `B`, and one value of `A`, repeated. A tile of 6 ×
//! 8 has fewer loads, but each repeated value is needed twice, and LLVM orders the multiplications so that all six are
//! live at once, which takes more registers than there are. Both operands are *packed*, that is copied into the order
//! in which the micro-kernel reads them, `DEPTH` steps of `k` at a time, so that a panel of each fits into the L1
//! cache. Packing also transposes, so that operands may have any strides.

use crate::activation::{gelu, gelu_derivative};
use crate::pack::pack;
use crate::simd::{LANES, fma, load, splat, store};
use crate::split;
use core::ptr;
use wide::f32x4;

/// Rows of a tile.
const ROWS: usize = 12;
/// Columns of a tile, one vector.
const COLUMNS: usize = LANES;
/// Steps of `k` that are packed at a time: panels of 18 KiB and 6 KiB.
const DEPTH: usize = 384;
/// Rows of `A` that are packed at a time, a multiple of [`ROWS`]: 360 KiB, which fits into an L2 cache.
const BLOCK_ROWS: usize = 240;
/// Values that a product needs as scratch memory.
pub const GEMM_SCRATCH: usize = DEPTH * (BLOCK_ROWS + COLUMNS);

/// A matrix of f32 in memory: the value at `(row, column)` is at `start + row * row_stride + column * column_stride`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Operand {
    /// The first value.
    pub start: *const f32,
    /// Distance between rows.
    pub row_stride: usize,
    /// Distance between columns.
    pub column_stride: usize,
}

impl Operand {
    /// A matrix whose rows are contiguous and `row_stride` apart.
    pub fn row_major(start: *const f32, row_stride: usize) -> Self {
        Self {
            start,
            row_stride,
            column_stride: 1,
        }
    }

    /// The transpose: rows become columns.
    pub fn transposed(self) -> Self {
        Self {
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// What is stored.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub enum Epilogue {
    /// The product.
    Store,
    /// The product is added to what is there.
    Accumulate,
    /// Product and bias.
    Bias {
        /// `[n]`.
        bias: *const f32,
    },
    /// Product and bias, and their exact GELU in `activation`, which has the layout of the output.
    BiasGelu {
        /// `[n]`.
        bias: *const f32,
        /// `[m, n]`.
        activation: *mut f32,
    },
    /// The product, multiplied by the derivative of GELU at `input`, which has the layout of the output.
    GeluGrad {
        /// `[m, n]`.
        input: *const f32,
    },
}

/// A product of `[m, k]` and `[k, n]`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Gemm {
    /// `[m, k]`.
    pub a: Operand,
    /// `[k, n]`.
    pub b: Operand,
    /// `[m, n]`, rows contiguous.
    pub c: *mut f32,
    /// Distance between the rows of `c`.
    pub c_stride: usize,
    /// Rows of the result.
    pub m: usize,
    /// Columns of the result.
    pub n: usize,
    /// Length of the sums.
    pub k: usize,
    /// What is stored.
    pub epilogue: Epilogue,
}

impl Gemm {
    /// Computes the columns of `c` that belong to `part` of `parts`. Every value is computed in the same order for any
    /// number of parts.
    ///
    /// # Safety
    /// All pointers are valid for the shapes, `c` for writes and not aliased; `scratch` holds [`GEMM_SCRATCH`] values
    /// of this part alone.
    #[inline(never)]
    pub(crate) unsafe fn compute(&self, scratch: *mut f32, part: usize, parts: usize) {
        let panels = split(self.n.div_ceil(COLUMNS), part, parts);
        // SAFETY: the scratch memory holds both.
        let (a_block, b_panel) = unsafe { (scratch, scratch.add(DEPTH * BLOCK_ROWS)) };
        for row in (0..self.m).step_by(BLOCK_ROWS) {
            let rows = BLOCK_ROWS.min(self.m - row);
            let mut k = 0;
            loop {
                let depth = DEPTH.min(self.k - k);
                // SAFETY: rows and steps are inside of `a`, panels inside of `b`.
                unsafe {
                    self.pack_a(a_block, row, rows, k, depth);
                    for panel in panels.clone() {
                        self.pack_b(b_panel, panel * COLUMNS, k, depth);
                        self.tiles(a_block, b_panel, [row, rows], panel * COLUMNS, [k, depth]);
                    }
                }
                k += depth;
                if k == self.k {
                    break;
                }
            }
        }
    }

    /// Computes the tiles of a panel of `b` with all rows of the block of `a`.
    #[inline(always)]
    unsafe fn tiles(
        &self,
        a_block: *const f32,
        b_panel: *const f32,
        [row, rows]: [usize; 2],
        column: usize,
        [k, depth]: [usize; 2],
    ) {
        let columns = COLUMNS.min(self.n - column);
        let (is_first, is_last) = (k == 0, k + depth == self.k);
        for at in (0..rows).step_by(ROWS) {
            // SAFETY: the tile's values are inside of `c`; the panels were packed for `depth` steps.
            unsafe {
                let sums = micro_kernel(a_block.add(at * depth), b_panel, depth);
                let height = ROWS.min(rows - at);
                let offset = (row + at) * self.c_stride + column;
                for (index, sums) in sums.into_iter().enumerate().take(height) {
                    let place = offset + index * self.c_stride;
                    match columns == COLUMNS {
                        true => self.store_vector(place, column, sums, is_first, is_last),
                        false => self.store_some(place, column, sums, columns, is_first, is_last),
                    }
                }
            }
        }
    }

    /// Stores four sums at `c + place`, whose first column is `column`.
    #[inline(always)]
    unsafe fn store_vector(
        &self,
        place: usize,
        column: usize,
        sums: f32x4,
        is_first: bool,
        is_last: bool,
    ) {
        // SAFETY: the caller's vector is inside of `c`, and the operands of the epilogue have its layout.
        unsafe {
            let c = self.c.add(place);
            let adds = !is_first || matches!(self.epilogue, Epilogue::Accumulate);
            let sums = if adds { load(c) + sums } else { sums };
            if !is_last {
                return store(c, sums);
            }
            match self.epilogue {
                Epilogue::Store | Epilogue::Accumulate => store(c, sums),
                Epilogue::Bias { bias } => store(c, sums + load(bias.add(column))),
                Epilogue::BiasGelu { bias, activation } => {
                    let sums = sums + load(bias.add(column));
                    store(c, sums);
                    store(activation.add(place), gelu(sums));
                }
                Epilogue::GeluGrad { input } => {
                    store(c, sums * gelu_derivative(load(input.add(place))));
                }
            }
        }
    }

    /// Stores the first `columns` of four sums of a row, through copies that are wide enough for a vector.
    #[inline(never)]
    unsafe fn store_some(
        &self,
        place: usize,
        column: usize,
        sums: f32x4,
        columns: usize,
        is_first: bool,
        is_last: bool,
    ) {
        let (mut c, mut bias, mut second) = ([0.0_f32; 4], [0.0_f32; 4], [0.0_f32; 4]);
        // SAFETY: only the columns inside of the matrices are copied.
        unsafe {
            ptr::copy_nonoverlapping(self.c.add(place), c.as_mut_ptr(), columns);
            let epilogue = match self.epilogue {
                Epilogue::Store => Epilogue::Store,
                Epilogue::Accumulate => Epilogue::Accumulate,
                Epilogue::Bias { bias: from } => {
                    ptr::copy_nonoverlapping(from.add(column), bias.as_mut_ptr(), columns);
                    let bias = bias.as_ptr();
                    Epilogue::Bias { bias }
                }
                Epilogue::BiasGelu { bias: from, .. } => {
                    ptr::copy_nonoverlapping(from.add(column), bias.as_mut_ptr(), columns);
                    let (bias, activation) = (bias.as_ptr(), second.as_mut_ptr());
                    Epilogue::BiasGelu { bias, activation }
                }
                Epilogue::GeluGrad { input } => {
                    ptr::copy_nonoverlapping(input.add(place), second.as_mut_ptr(), columns);
                    let input = second.as_ptr();
                    Epilogue::GeluGrad { input }
                }
            };
            let row = Gemm {
                c: c.as_mut_ptr(),
                epilogue,
                ..*self
            };
            row.store_vector(0, 0, sums, is_first, is_last);
            ptr::copy_nonoverlapping(c.as_ptr(), self.c.add(place), columns);
            if let Epilogue::BiasGelu { activation, .. } = self.epilogue {
                ptr::copy_nonoverlapping(second.as_ptr(), activation.add(place), columns);
            }
        }
    }

    /// Packs `rows` rows of `a` into panels of [`ROWS`] rows, `[depth, ROWS]` each. Missing rows are 0.
    unsafe fn pack_a(&self, to: *mut f32, row: usize, rows: usize, k: usize, depth: usize) {
        for at in (0..rows).step_by(ROWS) {
            // SAFETY: the panel is inside of the scratch memory, the values inside of `a`.
            unsafe {
                let to = to.add(at * depth);
                let height = ROWS.min(rows - at);
                let from = self
                    .a
                    .start
                    .add((row + at) * self.a.row_stride + k * self.a.column_stride);
                let strides = [self.a.row_stride, self.a.column_stride];
                pack::<ROWS>(to, from, strides, height, depth);
            }
        }
    }

    /// Packs a panel of [`COLUMNS`] columns of `b`, `[depth, COLUMNS]`. Missing columns are 0.
    unsafe fn pack_b(&self, to: *mut f32, column: usize, k: usize, depth: usize) {
        let width = COLUMNS.min(self.n - column);
        let strides = [self.b.column_stride, self.b.row_stride];
        // SAFETY: the panel is inside of the scratch memory, the values inside of `b`.
        unsafe {
            let from = self
                .b
                .start
                .add(column * self.b.column_stride + k * self.b.row_stride);
            pack::<COLUMNS>(to, from, strides, width, depth);
        }
    }
}

/// Multiplies a panel of each operand.
#[inline(always)]
unsafe fn micro_kernel(mut a: *const f32, mut b: *const f32, depth: usize) -> [f32x4; ROWS] {
    let mut sums = [f32x4::ZERO; ROWS];
    for _ in 0..depth {
        // SAFETY: panels have `depth` steps.
        unsafe {
            let columns = load(b);
            for (index, sum) in sums.iter_mut().enumerate() {
                *sum = fma(splat(a.add(index)), columns, *sum);
            }
            (a, b) = (a.add(ROWS), b.add(COLUMNS));
        }
    }
    sums
}
