//! The matrix product `out = lhs × rhs` of every layer, with an operation fused to its end (the epilogue).
//!
//! There are two kernels, and `selection.rs` chooses one: `block.rs` reads its operands from workgroup memory, and this
//! one is register-tiled, like the 2D blocktiling of [Boehm, 2022][1], but without workgroup memory:
//!
//! - The *tile* of a thread is the rectangle of `out` that the thread computes. It holds one sum for each of its values
//!   in registers.
//! - For each index of the inner dimension `k`, a thread loads `rows` values of `lhs` and `columns` values of `rhs`,
//!   and computes `rows * columns` products with them. Larger tiles need fewer loads per product, but more registers
//!   per thread, and they leave fewer threads.
//! - An iteration of a thread covers [`K_STEP`] indices of `k`, so that it updates each sum once for four products.
//! - In an *interleaved* tile, adjacent threads compute adjacent columns, so that a GPU combines their loads. Otherwise
//!   the columns of a thread are adjacent.
//! - The *epilogue* processes the sums before and after they are written: bias, GELU, GELU's derivative, the gradient
//!   of a bias. It saves a dispatch and the memory traffic of a separate kernel.
//!
//! In f16, operands are rounded to f16. Products and sums are f32, in which the product of two f16 values is exact.
//!
//! [1]: https://siboehm.com/articles/22/CUDA-MMM

mod block;
mod kernel;
mod selection;

use super::empty;
use super::strides::{MatmulShape, Operand};
use crate::kernels::Precision;
use crate::kernels::product_timer::timed;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;
use half::f16;
use kernel::{DimensionsLaunch, matmul_kernel};
use selection::{Selection, select};

/// Indices of `k` per iteration of a thread.
const K_STEP: usize = 4;

/// The operation at the end of a product, with the tensors that it reads and writes.
#[derive(Clone, Copy)]
pub(super) enum Epilogue<'a> {
    /// Writes the product to `out` unchanged.
    None,
    /// Adds a bias `[n]`.
    Bias(&'a CubeTensor),
    /// Adds a bias `[n]`, writes the sum to `pre_activation` `[m, n]` and its GELU to `out`.
    BiasGelu {
        bias: &'a CubeTensor,
        pre_activation: &'a CubeTensor,
    },
    /// Multiplies by the derivative of GELU at the tensor's values, `[m, n]`.
    GeluDerivative(&'a CubeTensor),
    /// Adds the product to the values of `out`.
    Add,
    /// Writes the sums of `lhs` over `k` to the tensor, `[m]`. If `lhs` is the transposed gradient of a linear layer,
    /// they are the gradient of its bias.
    RowSums(&'a CubeTensor),
}

impl<'a> Epilogue<'a> {
    /// Returns the kind, the tensor that is read and the tensor that is written.
    fn bindings(self) -> (EpilogueKind, Option<&'a CubeTensor>, Option<&'a CubeTensor>) {
        match self {
            Self::None => (EpilogueKind::None, None, None),
            Self::Bias(bias) => (EpilogueKind::Bias, Some(bias), None),
            Self::BiasGelu {
                bias,
                pre_activation,
            } => (EpilogueKind::BiasGelu, Some(bias), Some(pre_activation)),
            Self::GeluDerivative(at) => (EpilogueKind::GeluDerivative, Some(at), None),
            Self::Add => (EpilogueKind::Add, None, None),
            Self::RowSums(sums) => (EpilogueKind::RowSums, None, Some(sums)),
        }
    }
}

/// [`Epilogue`] in a kernel, where the tensor that is read is `extra` and the tensor that is written is `second`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum EpilogueKind {
    None,
    Bias,
    BiasGelu,
    GeluDerivative,
    Add,
    RowSums,
}

/// The tile of a thread, and the threads of a workgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Tile {
    rows: usize,
    columns: usize,
    /// Threads along the columns, and along the rows.
    workgroup: (u32, u32),
    /// Whether adjacent threads compute adjacent columns. Otherwise the columns of a thread are adjacent.
    interleaved: bool,
}

impl Tile {
    /// Distance between two columns of a thread.
    fn column_stride(self) -> usize {
        if self.interleaved {
            self.workgroup.0 as usize
        } else {
            1
        }
    }

    /// Distance between the first columns of adjacent threads.
    fn thread_stride(self) -> usize {
        if self.interleaved { 1 } else { self.columns }
    }
}

/// Compile-time parameters of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Config {
    tile: Tile,
    epilogue: EpilogueKind,
    precision: Precision,
}

/// A matrix product. All of its tensors must be different.
pub(super) struct Matmul<'a> {
    pub lhs: Operand<'a>,
    pub rhs: Operand<'a>,
    pub out: Operand<'a>,
    pub shape: MatmulShape,
    pub precision: Precision,
    pub epilogue: Epilogue<'a>,
}

impl Matmul<'_> {
    /// Dispatches the kernel.
    pub(super) fn launch(self) {
        let (epilogue, ..) = self.epilogue.bindings();
        // The form that an override sets is that of this thread; a timed product is dispatched by another one.
        let selection = select(&self, epilogue);
        let client = self.out.tensor.client.clone();
        timed(&client, || match selection {
            Selection::Registers(tile) => self.launch_registers(tile),
            Selection::Block(tile) => block::launch(self, tile),
        });
    }

    /// Dispatches the kernel without workgroup memory.
    fn launch_registers(self, tile: Tile) {
        let Self {
            lhs,
            rhs,
            out,
            shape,
            precision,
            epilogue,
        } = self;
        let (epilogue, extra, second) = epilogue.bindings();
        // WebGPU needs a buffer for each binding, also for one that the kernel does not use, and each a different one.
        let unused = || empty(out.tensor, [1]);
        let extra = extra.cloned().unwrap_or_else(unused);
        let second = second.cloned().unwrap_or_else(unused);
        let dimensions = DimensionsLaunch::new(
            lhs.layout.launch(),
            rhs.layout.launch(),
            out.layout.launch(),
            shape.heads,
            shape.m,
            shape.n,
            shape.k,
        );
        let config = Config {
            tile,
            epilogue,
            precision,
        };
        let launch = match precision {
            Precision::F32 => matmul_kernel::launch_unchecked::<f32>,
            Precision::F16 => matmul_kernel::launch_unchecked::<f16>,
        };
        // SAFETY: reads are clamped to the last row and column, writes stop before `m` and `n`.
        unsafe {
            launch(
                &out.tensor.client,
                workgroup_count(tile, shape),
                CubeDim::new_2d(tile.workgroup.0, tile.workgroup.1),
                lhs.tensor.clone().into_buffer_arg(),
                rhs.tensor.clone().into_buffer_arg(),
                extra.into_buffer_arg(),
                out.tensor.clone().into_buffer_arg(),
                second.into_buffer_arg(),
                dimensions,
                config,
            );
        }
    }
}

/// Returns the workgroups that cover the columns, the rows and the matrices of the batch.
fn workgroup_count(tile: Tile, shape: MatmulShape) -> CubeCount {
    let along =
        |len: usize, tile: usize, threads: u32| len.div_ceil(tile * threads as usize) as u32;
    CubeCount::Static(
        along(shape.n, tile.columns, tile.workgroup.0),
        along(shape.m, tile.rows, tile.workgroup.1),
        (shape.batches * shape.heads) as u32,
    )
}
