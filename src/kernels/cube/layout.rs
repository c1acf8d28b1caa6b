//! How the matrices of a product lie in their buffers, and how large they are.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

/// Where the matrices of a batch lie in a buffer, in values: `start + batch * .. + head * .. + row * .. + column * ..`.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Lie {
    pub start: usize,
    pub batch: usize,
    pub head: usize,
    pub row: usize,
    pub column: usize,
}

/// [`Lie`], before it is handed to the kernel.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    pub start: usize,
    pub batch: usize,
    pub head: usize,
    pub row: usize,
    pub column: usize,
}

impl Layout {
    /// One matrix whose rows of `width` values lie one behind another.
    pub(super) fn rows(width: usize) -> Self {
        Self {
            row: width,
            column: 1,
            ..Self::default()
        }
    }

    /// The same values with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }

    pub(super) fn launch(self) -> LieLaunch {
        LieLaunch::new(self.start, self.batch, self.head, self.row, self.column)
    }
}

/// One side of a product: a buffer, and how its matrices lie in it.
pub(super) struct Side<'a> {
    pub tensor: &'a CubeTensor,
    pub layout: Layout,
}

/// The size of a product: `batches * heads` of `[m, k] × [k, n]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub batches: usize,
    pub heads: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

impl Size {
    /// One product.
    pub(super) fn one(m: usize, n: usize, k: usize) -> Self {
        Self {
            batches: 1,
            heads: 1,
            m,
            n,
            k,
        }
    }
}
