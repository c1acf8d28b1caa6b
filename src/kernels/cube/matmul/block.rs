//! Blocks: matrix products whose operands are staged in workgroup memory.
//!
//! A workgroup computes a block of `out`, each of its threads 4 × 4 adjacent values. Of 16 products a thread loads two
//! vectors from workgroup memory; from global memory, a block of 64 × 64 loads a value of an operand for 64 products,
//! always along the dimension that is contiguous. Where few blocks cover the result, the inner dimension `k` can be
//! split: more workgroups compute a part each, and a second kernel adds the parts in a fixed order.
//!
//! Dimensions and strides that are multiples of 4 are read and written in vectors of 4 values, all others value by
//! value. Those of BERT's linear layers are multiples of 4, except the number of labels.

mod epilogue;
mod kernel;
mod staging;

use super::kernel::DimensionsLaunch;
use super::{EpilogueKind, Matmul};
use crate::kernels::cube::strides::{Layout, MatmulShape};
use crate::kernels::cube::{empty, workgroup_count, workgroup_dim};
use crate::kernels::{BlockSize, BlockTile, Precision};
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;
use epilogue::{SplitDimensionsLaunch, sum_splits_kernel};
use half::f16;
use kernel::block_kernel;

/// Indices of `k` that are staged at once.
const K_BLOCK: usize = 16;
/// Values of a vector; also the rows and the columns of a thread.
const VECTOR: usize = 4;

/// The dimension of an operand whose values are adjacent in memory and can be loaded in vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Contiguous {
    /// The rows of `lhs`, or the columns of `rhs`.
    Outer,
    /// The inner dimension.
    K,
    /// Values are loaded one by one.
    Neither,
}

/// Compile-time parameters of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct BlockConfig {
    size: BlockSize,
    lhs: Contiguous,
    rhs: Contiguous,
    /// Whether workgroups compute parts of `k`.
    split: bool,
    epilogue: EpilogueKind,
    precision: Precision,
}

impl BlockConfig {
    /// Values of a load from and of a store to global memory.
    fn width(self) -> usize {
        if self.lhs == Contiguous::Neither {
            1
        } else {
            VECTOR
        }
    }

    fn lhs_staging(self) -> Staging {
        Staging {
            outer: self.size.rows(),
            contiguous: self.lhs,
            precision: self.precision,
        }
    }

    fn rhs_staging(self) -> Staging {
        Staging {
            outer: self.size.columns(),
            contiguous: self.rhs,
            precision: self.precision,
        }
    }

    /// Threads along the columns and along the rows.
    fn workgroup(self) -> CubeDim {
        let threads = |values: usize| (values / VECTOR) as u32;
        CubeDim::new_2d(threads(self.size.columns()), threads(self.size.rows()))
    }
}

/// How an operand is copied to workgroup memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Staging {
    /// Rows or columns of the block.
    outer: usize,
    contiguous: Contiguous,
    precision: Precision,
}

impl Staging {
    /// Patches of 4 × 4 values. A thread copies at most one.
    fn patches(self) -> usize {
        self.outer / VECTOR * (K_BLOCK / VECTOR)
    }

    /// Vectors between two indices of `k` in workgroup memory. One more than needed, so that threads that write a
    /// transposed patch do not all use the same bank.
    fn pitch(self) -> usize {
        self.outer / VECTOR + 1
    }
}

/// Dispatches a product in blocks.
pub(super) fn launch(matmul: Matmul, tile: BlockTile) {
    let splits = Splits::new(matmul.shape, tile.splits);
    if splits.count == 1 {
        launch_whole(matmul, tile.size, splits);
    } else {
        launch_split(matmul, tile.size, splits);
    }
}

/// The parts of `k`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Splits {
    count: usize,
    /// Indices of a part. The last one may have fewer.
    k: usize,
}

impl Splits {
    /// Returns at most `wanted` parts, each of at least [`K_BLOCK`] indices. A product with batches or heads has one.
    fn new(shape: MatmulShape, wanted: usize) -> Self {
        let wanted = match shape.batches * shape.heads {
            1 => wanted.max(1),
            _ => 1,
        };
        let k = shape.k.div_ceil(wanted).next_multiple_of(K_BLOCK);
        Self {
            count: shape.k.div_ceil(k).max(1),
            k,
        }
    }
}

fn launch_whole(matmul: Matmul, size: BlockSize, splits: Splits) {
    let Matmul { out, shape, .. } = matmul;
    let (epilogue, extra, second) = matmul.epilogue.bindings();
    let config = config(&matmul, size, epilogue, false);
    let matrices = shape.batches * shape.heads;
    let extra = extra.cloned().unwrap_or_else(|| unused(out.tensor));
    let second = second.cloned().unwrap_or_else(|| unused(out.tensor));
    launch_blocks(
        &matmul,
        config,
        splits,
        matrices,
        [&extra, out.tensor, &second],
    );
}

fn launch_split(matmul: Matmul, size: BlockSize, splits: Splits) {
    let Matmul { out, shape, .. } = matmul;
    let MatmulShape { m, n, .. } = shape;
    let (epilogue, extra, second) = matmul.epilogue.bindings();
    let config = config(&matmul, size, epilogue, true);
    let row_sums = match epilogue {
        EpilogueKind::RowSums => m,
        _ => 0,
    };
    let parts = empty(out.tensor, [splits.count * (m * n + row_sums)]);
    // The epilogue follows when the parts are added.
    let (no_extra, no_second) = (unused(out.tensor), unused(out.tensor));
    let of_parts = match epilogue {
        EpilogueKind::RowSums => epilogue,
        _ => EpilogueKind::None,
    };
    let of_parts = BlockConfig {
        epilogue: of_parts,
        ..config
    };
    launch_blocks(
        &matmul,
        of_parts,
        splits,
        splits.count,
        [&no_extra, &parts, &no_second],
    );
    let width = config.width();
    let dimensions =
        SplitDimensionsLaunch::new(m, n, splits.count, out.layout.offset, out.layout.row);
    // SAFETY: threads past the last vector of the result write nothing, and `parts` has `splits` parts of its size.
    unsafe {
        sum_splits_kernel::launch_unchecked(
            &out.tensor.client,
            workgroup_count(m * n / width),
            workgroup_dim(),
            width,
            parts.into_buffer_arg(),
            extra.cloned().unwrap_or(no_extra).into_buffer_arg(),
            out.tensor.clone().into_buffer_arg(),
            second.cloned().unwrap_or(no_second).into_buffer_arg(),
            dimensions,
            epilogue,
            width,
        );
    }
}

/// Dispatches the kernel for `matrices` matrices, or parts of one.
fn launch_blocks(
    matmul: &Matmul,
    config: BlockConfig,
    splits: Splits,
    matrices: usize,
    [extra, out, second]: [&CubeTensor; 3],
) {
    let Matmul {
        lhs, rhs, shape, ..
    } = matmul;
    let dimensions = DimensionsLaunch::new(
        lhs.layout.launch(),
        rhs.layout.launch(),
        matmul.out.layout.launch(),
        shape.heads,
        shape.m,
        shape.n,
        shape.k,
    );
    let along = |len: usize, block: usize| len.div_ceil(block) as u32;
    let count = CubeCount::Static(
        along(shape.n, config.size.columns()),
        along(shape.m, config.size.rows()),
        matrices as u32,
    );
    let launch = match config.precision {
        Precision::F32 => block_kernel::launch_unchecked::<f32>,
        Precision::F16 => block_kernel::launch_unchecked::<f16>,
    };
    // SAFETY: reads are clamped to the last row, column and index of `k`, writes stop before `m` and `n`.
    unsafe {
        launch(
            &out.client,
            count,
            config.workgroup(),
            config.width(),
            lhs.tensor.clone().into_buffer_arg(),
            rhs.tensor.clone().into_buffer_arg(),
            extra.clone().into_buffer_arg(),
            out.clone().into_buffer_arg(),
            second.clone().into_buffer_arg(),
            dimensions,
            splits.k,
            config,
        );
    }
}

/// WebGPU needs a buffer for each binding, also for one that the kernel does not use, and each a different one.
fn unused(like: &CubeTensor) -> CubeTensor {
    empty(like, [VECTOR])
}

/// Returns the parameters of the kernel. All operands are read in vectors, or none.
fn config(matmul: &Matmul, size: BlockSize, epilogue: EpilogueKind, split: bool) -> BlockConfig {
    let Matmul {
        lhs,
        rhs,
        out,
        shape,
        ..
    } = matmul;
    let MatmulShape { m, n, k, .. } = *shape;
    let contiguous = (
        contiguous(lhs.layout.row, (lhs.layout.column, k), (m, lhs.layout)),
        contiguous(rhs.layout.column, (rhs.layout.row, k), (n, rhs.layout)),
    );
    let whole_vectors = |layout: Layout| {
        let Layout {
            offset,
            batch,
            head,
            row,
            ..
        } = layout;
        [offset, batch, head, row]
            .iter()
            .all(|value| value % VECTOR == 0)
    };
    let stores = n % VECTOR == 0 && whole_vectors(out.layout);
    let row_sums = epilogue != EpilogueKind::RowSums || m % VECTOR == 0;
    let (lhs, rhs) = match contiguous {
        (Some(lhs), Some(rhs)) if stores && row_sums => (lhs, rhs),
        _ => (Contiguous::Neither, Contiguous::Neither),
    };
    BlockConfig {
        size,
        lhs,
        rhs,
        split,
        epilogue,
        precision: matmul.precision,
    }
}

/// Returns the dimension along which an operand can be read in vectors: `k` if its stride is 1, else the outer one.
fn contiguous(
    outer_stride: usize,
    (k_stride, k): (usize, usize),
    (outer, layout): (usize, Layout),
) -> Option<Contiguous> {
    let Layout {
        offset,
        batch,
        head,
        ..
    } = layout;
    let aligned = |stride: usize, len: usize| {
        [offset, batch, head, stride, len]
            .iter()
            .all(|value| value % VECTOR == 0)
    };
    if k_stride == 1 && aligned(outer_stride, k) {
        Some(Contiguous::K)
    } else if outer_stride == 1 && aligned(k_stride, outer) {
        Some(Contiguous::Outer)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_k_has_indices() {
        let splits = |k, wanted| {
            let Splits { count, k } = Splits::new(MatmulShape::single(5, 5, k), wanted);
            (count, k)
        };
        assert_eq!(splits(1, 4), (1, 16));
        assert_eq!(splits(16, 4), (1, 16));
        assert_eq!(splits(17, 4), (2, 16));
        assert_eq!(splits(64, 4), (4, 16));
        assert_eq!(splits(65, 4), (3, 32));
        assert_eq!(splits(1536, 8), (8, 192));
        let batched = MatmulShape {
            batches: 2,
            ..MatmulShape::single(5, 5, 64)
        };
        assert_eq!(Splits::new(batched, 4).count, 1);
    }

    #[test]
    fn a_thread_stages_at_most_one_patch() {
        for size in BlockSize::ALL {
            let config = BlockConfig {
                size,
                lhs: Contiguous::K,
                rhs: Contiguous::Outer,
                split: false,
                epilogue: EpilogueKind::None,
                precision: Precision::F32,
            };
            let stagings = [config.lhs_staging(), config.rhs_staging()];
            let patches: usize = stagings.into_iter().map(Staging::patches).sum();
            let threads = size.rows() / VECTOR * (size.columns() / VECTOR);
            assert!(patches <= threads, "{size:?}");
            // The limits of every WebGPU adapter.
            let vectors: usize = stagings.into_iter().map(Staging::pitch).sum();
            assert!(
                threads <= 256 && K_BLOCK * vectors * 16 <= 16_384,
                "{size:?}"
            );
        }
    }
}
