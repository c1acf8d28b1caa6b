//! Strides of the matrices of a product, and the product's dimensions.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

/// Strides as a kernel takes them: the value at (`batch`, `head`, `row`, `column`) has the index
/// `offset + batch * strides.batch + head * strides.head + row * strides.row + column * strides.column`.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Strides {
    pub offset: usize,
    pub batch: usize,
    pub head: usize,
    pub row: usize,
    pub column: usize,
}

/// [`Strides`] on the host.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    pub offset: usize,
    pub batch: usize,
    pub head: usize,
    pub row: usize,
    pub column: usize,
}

impl Layout {
    /// One row-major matrix with rows of `width` values.
    pub(super) fn row_major(width: usize) -> Self {
        Self {
            row: width,
            column: 1,
            ..Self::default()
        }
    }

    /// The transposed view of the same values.
    pub(super) fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }

    pub(super) fn launch(self) -> StridesLaunch {
        StridesLaunch::new(self.offset, self.batch, self.head, self.row, self.column)
    }
}

/// An operand of a matrix product: a buffer and the layout of its matrices.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a> {
    pub tensor: &'a CubeTensor,
    pub layout: Layout,
}

impl<'a> Operand<'a> {
    /// The matrix of a contiguous tensor `[rows, columns]`.
    pub(super) fn matrix(tensor: &'a CubeTensor) -> Self {
        let layout = Layout::row_major(tensor.meta.shape()[1]);
        Self { tensor, layout }
    }

    /// The transposed view.
    pub(super) fn transposed(self) -> Self {
        Self {
            layout: self.layout.transposed(),
            ..self
        }
    }
}

/// The dimensions of a product: `batches * heads` times `[m, k] × [k, n]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct MatmulShape {
    pub batches: usize,
    pub heads: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

impl MatmulShape {
    /// A product of two matrices without batches.
    pub(super) fn single(m: usize, n: usize, k: usize) -> Self {
        Self {
            batches: 1,
            heads: 1,
            m,
            n,
            k,
        }
    }
}
