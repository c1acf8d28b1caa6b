//! The choice of the tile of a product, by the form of the kernels, the adapter and the dimensions.
//!
//! [`MEASURED`] has the fastest tile of each shape for a class of adapters, as `cargo xtask bench --native` prints it.
//! A class without a row has [`select_by_threads`].

use super::{EpilogueKind, Matmul, Tile};
use crate::kernels::cube::kernel_form;
use crate::kernels::cube::strides::MatmulShape;
use crate::kernels::{BlockTile, GpuTile, KernelForm, LinearPass};

/// Threads that keep a GPU busy.
const MIN_THREADS: usize = 2048;

/// The fastest tile of one shape on one class of adapters.
#[derive(Debug, Clone, Copy)]
struct Measured {
    /// The smallest and the largest subgroup. They tell GPU vendors apart, and a browser tells no more.
    subgroups: [u32; 2],
    pass: LinearPass,
    /// `[m, n, k]`.
    shape: [usize; 3],
    tile: GpuTile,
}

/// What was measured on GPUs: nothing yet. Software adapters have a form of their own.
const MEASURED: &[Measured] = &[];

/// The largest sum of the ratios' logarithms of three dimensions for which a measured shape stands for another one: a
/// factor of 8 in one dimension, or of 2 in all three.
const NEAR: f64 = 2.1;

/// Returns the pass whose operands are contiguous as those of `matmul`.
fn pass(matmul: &Matmul) -> LinearPass {
    match (matmul.lhs.layout.column, matmul.rhs.layout.column) {
        (1, 1) => LinearPass::InputGrad,
        (1, _) => LinearPass::Forward,
        _ => LinearPass::WeightGrad,
    }
}

/// How a product is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selection {
    /// Without workgroup memory.
    Registers(Tile),
    /// In blocks.
    Block(BlockTile),
}

/// Returns the tile that suits the adapter, the epilogue and the dimensions of a product.
///
/// A software adapter has few cores, slow loads and cheap register spills: one large tile is best for all dimensions,
/// and it needs one pipeline per epilogue. Measured on SwiftShader with 128 × 384 × 1536, in GFLOP/s: 8 × 8 without
/// `K_STEP` 1.6, with it 2.1, 16 × 8 2.5, 16 × 16 3.5. Eight indices per iteration gain nothing and take twice as long
/// to compile; workgroup memory reaches 1.1.
///
/// A GPU needs many threads, see [`select_by_threads`].
pub(super) fn select(matmul: &Matmul, epilogue: EpilogueKind) -> Selection {
    let tile = match kernel_form(matmul.out.tensor) {
        KernelForm::Software => return Selection::Registers(software_tile(epilogue)),
        KernelForm::Gpu => {
            let hardware = &matmul.out.tensor.client.properties().hardware;
            let subgroups = [hardware.plane_size_min, hardware.plane_size_max];
            select_measured(MEASURED, subgroups, pass(matmul), matmul.shape)
                .unwrap_or_else(|| select_by_threads(matmul.shape))
        }
        KernelForm::GpuTile(tile) => tile,
    };
    match (tile, epilogue) {
        (GpuTile::Block(block), _) => Selection::Block(block),
        // This epilogue has a branch per value, so a large tile compiles slowly.
        (_, EpilogueKind::Add) => Selection::Registers(square(4, 8, true)),
        (tile, _) => Selection::Registers(square(tile.side(), 8, true)),
    }
}

fn software_tile(epilogue: EpilogueKind) -> Tile {
    match epilogue {
        EpilogueKind::Add => square(4, 8, false),
        _ => square(16, 4, false),
    }
}

fn square(side: usize, workgroup_side: u32, interleaved: bool) -> Tile {
    Tile {
        rows: side,
        columns: side,
        workgroup: (workgroup_side, workgroup_side),
        interleaved,
    }
}

/// Returns the tile of the nearest shape that was measured on this class of adapters.
fn select_measured(
    measured: &[Measured],
    subgroups: [u32; 2],
    pass: LinearPass,
    shape: MatmulShape,
) -> Option<GpuTile> {
    if shape.batches * shape.heads > 1 {
        return None;
    }
    let distance = |row: &Measured| -> f64 {
        let dimensions = row.shape.into_iter().zip([shape.m, shape.n, shape.k]);
        let ratios = dimensions.map(|(a, b)| (a as f64 / b as f64).ln().abs());
        ratios.sum()
    };
    let same = |row: &&Measured| row.subgroups == subgroups && row.pass == pass;
    let rows = measured
        .iter()
        .filter(same)
        .map(|row| (distance(row), row.tile));
    let nearest = rows.min_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest
        .filter(|(distance, _)| *distance <= NEAR)
        .map(|(_, tile)| tile)
}

/// Returns the largest tile without workgroup memory that leaves [`MIN_THREADS`] threads. No GPU has been measured.
fn select_by_threads(shape: MatmulShape) -> GpuTile {
    let batches = shape.batches * shape.heads;
    let threads = |tile: GpuTile| {
        let along = |len: usize| len.div_ceil(tile.side());
        along(shape.m) * along(shape.n) * batches
    };
    let enough = |tile: &GpuTile| threads(*tile) >= MIN_THREADS;
    let largest = GpuTile::REGISTERS.into_iter().find(enough);
    largest.unwrap_or(GpuTile::Two)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::BlockSize;

    /// The shapes that `selftest::forms` expects to select each tile, and one that batches and heads select.
    #[test]
    fn the_number_of_threads_selects_the_tile() {
        for (tile, shape) in [
            (GpuTile::Eight, MatmulShape::single(256, 512, 5)),
            (GpuTile::Four, MatmulShape::single(256, 504, 5)),
            (GpuTile::Four, MatmulShape::single(128, 256, 6)),
            (GpuTile::Two, MatmulShape::single(128, 252, 6)),
            (GpuTile::Two, MatmulShape::single(1, 1, 1)),
            (
                GpuTile::Eight,
                MatmulShape {
                    batches: 8,
                    heads: 64,
                    ..MatmulShape::single(16, 16, 7)
                },
            ),
        ] {
            assert_eq!(select_by_threads(shape), tile, "{shape:?}");
        }
    }

    #[test]
    fn the_nearest_measured_shape_of_the_adapter_and_the_pass_selects_the_tile() {
        let block = |size, splits| GpuTile::Block(BlockTile { size, splits });
        let row = |pass, shape, tile| Measured {
            subgroups: [32, 32],
            pass,
            shape,
            tile,
        };
        let (short, long) = (block(BlockSize::Wide, 4), block(BlockSize::Large, 1));
        let table = [
            row(LinearPass::Forward, [128, 384, 384], short),
            row(LinearPass::Forward, [1024, 384, 384], long),
            row(LinearPass::WeightGrad, [384, 384, 128], GpuTile::Four),
        ];
        let select = |subgroups, pass, [m, n, k]: [usize; 3]| {
            select_measured(&table, subgroups, pass, MatmulShape::single(m, n, k))
        };
        let forward = |shape| select([32, 32], LinearPass::Forward, shape);
        assert_eq!(forward([120, 384, 384]), Some(short));
        assert_eq!(forward([200, 384, 384]), Some(short));
        assert_eq!(forward([900, 384, 768]), Some(long));
        // That of the classifier is like none that was measured.
        assert_eq!(forward([8, 3, 384]), None);
        let weights = select([32, 32], LinearPass::WeightGrad, [384, 384, 120]);
        assert_eq!(weights, Some(GpuTile::Four));
        assert_eq!(
            select([32, 32], LinearPass::InputGrad, [128, 384, 384]),
            None
        );
        assert_eq!(select([8, 32], LinearPass::Forward, [128, 384, 384]), None);
        let heads = MatmulShape {
            heads: 12,
            ..MatmulShape::single(128, 384, 384)
        };
        let attention = select_measured(&table, [32, 32], LinearPass::Forward, heads);
        assert_eq!(attention, None);
    }
}
