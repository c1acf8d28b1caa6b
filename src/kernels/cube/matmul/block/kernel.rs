//! The kernel of a block: the sums of a thread over `k`, from operands in workgroup memory.
//!
//! The threads of a workgroup stage [`K_BLOCK`] columns of `lhs` and rows of `rhs`, wait for each other, and each adds
//! the products of its 4 × 4 values. In workgroup memory both operands have the same layout, `[k, row or column]` in
//! vectors of four rows or columns, so that a thread loads two vectors for 16 products.

use super::super::kernel::{Dimensions, matrix_offset};
use super::epilogue::{EpilogueKind, apply};
use super::staging::{Source, Steps, Vec4, stage};
use super::{BlockConfig, K_BLOCK, VECTOR};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

/// The sums of a thread: a vector of columns for each of its rows. With [`EpilogueKind::RowSums`] also a vector with
/// the sums of its rows of `lhs`.
#[derive(CubeType)]
struct Sums {
    products: Sequence<RuntimeCell<Vec4>>,
    rows: Sequence<RuntimeCell<Vec4>>,
}

/// The first row and column of a thread's values.
#[derive(CubeType, Clone, Copy)]
struct Position {
    row: usize,
    column: usize,
}

/// `E` is the type to which operands are rounded. `N` is the number of values of a load and of a store, 1 or 4.
///
/// If `k` is split, the workgroups with the same `CUBE_POS_Z` sum up `k_per_split` indices and write to their part of
/// `out`, which has `[splits, m, n]` products followed by `[splits, m]` row sums.
#[cube(launch_unchecked)]
pub(super) fn block_kernel<E: Float, N: Size>(
    lhs: &[Vector<f32, N>],
    rhs: &[Vector<f32, N>],
    extra: &[Vector<f32, N>],
    out: &mut [Vector<f32, N>],
    second: &mut [Vector<f32, N>],
    dimensions: Dimensions,
    k_per_split: usize,
    #[comptime] config: BlockConfig,
) {
    let (lhs_staging, rhs_staging) = comptime![(config.lhs_staging(), config.rhs_staging())];
    let (lhs_pitch, rhs_pitch) = comptime![(lhs_staging.pitch(), rhs_staging.pitch())];
    let mut lhs_tile = Shared::<[Vec4]>::new_slice(comptime![K_BLOCK * lhs_pitch]);
    let mut rhs_tile = Shared::<[Vec4]>::new_slice(comptime![K_BLOCK * rhs_pitch]);
    let (lhs_source, rhs_source) = sources(&dimensions, config);
    let (thread_row, thread_column) = (UNIT_POS_Y as usize, UNIT_POS_X as usize);
    let position = Position {
        row: lhs_source.outer_start + thread_row * VECTOR,
        column: rhs_source.outer_start + thread_column * VECTOR,
    };
    let sums = new_sums(config);
    let thread = UNIT_POS as usize;
    let (k_start, k_end) = k_range(dimensions.k, k_per_split, config);
    for block in 0..(k_end - k_start).div_ceil(K_BLOCK) {
        let steps = Steps {
            start: k_start + block * K_BLOCK,
            end: k_end,
        };
        if thread < comptime![lhs_staging.patches()] {
            stage::<E, N>(lhs, &mut lhs_tile, thread, &lhs_source, &steps, lhs_staging);
        } else if thread < comptime![lhs_staging.patches() + rhs_staging.patches()] {
            let patch = thread - comptime![lhs_staging.patches()];
            stage::<E, N>(rhs, &mut rhs_tile, patch, &rhs_source, &steps, rhs_staging);
        }
        sync_cube();
        // Not unrolled as a whole: a compiler that finds it worth it can do so, and others take four times as long.
        for group in 0..comptime![K_BLOCK / VECTOR] {
            let lhs_at = group * comptime![VECTOR * lhs_pitch] + thread_row;
            let rhs_at = group * comptime![VECTOR * rhs_pitch] + thread_column;
            #[unroll]
            for step in 0..VECTOR {
                let lhs_values = lhs_tile[lhs_at + comptime![step * lhs_pitch]];
                let rhs_values = rhs_tile[rhs_at + comptime![step * rhs_pitch]];
                #[unroll]
                for row in 0..VECTOR {
                    let sum = sums.products.index(row);
                    sum.store(sum.read() + Vec4::new(lhs_values.extract(row)) * rhs_values);
                }
            }
        }
        if comptime![config.epilogue == EpilogueKind::RowSums] && position.column == 0 {
            let sum = sums.rows.index(0);
            for k in 0..K_BLOCK {
                sum.store(sum.read() + lhs_tile[k * lhs_pitch + thread_row]);
            }
        }
        sync_cube();
    }
    store(extra, out, second, &sums, &position, &dimensions, config);
}

/// Returns the batch and the head of a workgroup's matrix. A product whose `k` is split has neither.
#[cube]
fn matrix_of_workgroup(heads: usize, #[comptime] config: BlockConfig) -> (usize, usize) {
    if comptime![config.split] {
        (0usize.runtime(), 0usize.runtime())
    } else {
        (CUBE_POS_Z as usize / heads, CUBE_POS_Z as usize % heads)
    }
}

/// Returns the operands' parts that a workgroup stages.
#[cube]
fn sources(dimensions: &Dimensions, #[comptime] config: BlockConfig) -> (Source, Source) {
    let (batch, head) = matrix_of_workgroup(dimensions.heads, config);
    let lhs = Source {
        offset: matrix_offset(&dimensions.lhs, batch, head),
        outer_stride: dimensions.lhs.row,
        outer_len: dimensions.m,
        outer_start: CUBE_POS_Y as usize * comptime![config.size.rows()],
        k_stride: dimensions.lhs.column,
        k_len: dimensions.k,
    };
    let rhs = Source {
        offset: matrix_offset(&dimensions.rhs, batch, head),
        outer_stride: dimensions.rhs.column,
        outer_len: dimensions.n,
        outer_start: CUBE_POS_X as usize * comptime![config.size.columns()],
        k_stride: dimensions.rhs.row,
        k_len: dimensions.k,
    };
    (lhs, rhs)
}

/// Returns the first index of `k` that a workgroup sums up, and the index after the last one.
#[cube]
fn k_range(k: usize, k_per_split: usize, #[comptime] config: BlockConfig) -> (usize, usize) {
    if comptime![config.split] {
        let start = CUBE_POS_Z as usize * k_per_split;
        (start, (start + k_per_split).min(k))
    } else {
        (0usize, k)
    }
}

/// Returns sums that are 0.
#[cube]
fn new_sums(#[comptime] config: BlockConfig) -> Sums {
    let mut products = Sequence::<RuntimeCell<Vec4>>::new();
    #[unroll]
    for _ in 0..VECTOR {
        products.push(RuntimeCell::new(Vec4::new(0.0)));
    }
    let mut rows = Sequence::<RuntimeCell<Vec4>>::new();
    if comptime![config.epilogue == EpilogueKind::RowSums] {
        rows.push(RuntimeCell::new(Vec4::new(0.0)));
    }
    Sums { products, rows }
}

/// Applies the epilogue to the sums and writes them, or writes the sums of a part of `k`.
#[cube]
fn store<N: Size>(
    extra: &[Vector<f32, N>],
    out: &mut [Vector<f32, N>],
    second: &mut [Vector<f32, N>],
    sums: &Sums,
    position: &Position,
    dimensions: &Dimensions,
    #[comptime] config: BlockConfig,
) {
    let width = comptime![config.width()];
    let (m, n) = (dimensions.m, dimensions.n);
    let (out_offset, out_row) = out_layout(dimensions, config);
    #[unroll]
    for row in 0..VECTOR {
        let to_row = position.row + row;
        let sum = sums.products.index(row).read();
        #[unroll]
        for part in 0..comptime![VECTOR / width] {
            let to_column = position.column + part;
            if to_row < m && to_column < n {
                let at = (out_offset + to_row * out_row + to_column) / width;
                let value = part_of::<N>(sum, part, width);
                if comptime![config.split] {
                    out[at] = value;
                } else {
                    let column = to_column / width;
                    apply::<N>(value, extra, out, second, at, column, config.epilogue);
                }
            }
        }
    }
    if comptime![config.epilogue == EpilogueKind::RowSums] && position.column == 0 {
        let sum = sums.rows.index(0).read();
        #[unroll]
        for part in 0..comptime![VECTOR / width] {
            let to_row = position.row + part;
            if to_row < m {
                let value = part_of::<N>(sum, part, width);
                if comptime![config.split] {
                    let splits = CUBE_COUNT_Z as usize;
                    let at = splits * m * n + CUBE_POS_Z as usize * m + to_row;
                    out[at / width] = value;
                } else {
                    second[to_row / width] = value;
                }
            }
        }
    }
}

/// Returns the index of the first value of `out` that belongs to the workgroup's matrix, and the distance of two rows.
#[cube]
fn out_layout(dimensions: &Dimensions, #[comptime] config: BlockConfig) -> (usize, usize) {
    if comptime![config.split] {
        let offset = CUBE_POS_Z as usize * dimensions.m * dimensions.n;
        (offset, dimensions.n)
    } else {
        let (batch, head) = matrix_of_workgroup(dimensions.heads, config);
        (
            matrix_offset(&dimensions.out, batch, head),
            dimensions.out.row,
        )
    }
}

/// Returns all four values, or if `width` is 1 the one at `part`.
#[cube]
fn part_of<N: Size>(
    values: Vec4,
    #[comptime] part: usize,
    #[comptime] width: usize,
) -> Vector<f32, N> {
    if comptime![width == VECTOR] {
        Vector::<f32, N>::cast_from(values)
    } else {
        Vector::<f32, N>::new(values.extract(part))
    }
}
