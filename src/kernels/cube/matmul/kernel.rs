//! The matmul kernel. Tile, epilogue and precision are compile-time parameters: code for other values is not generated.

use super::{Config, EpilogueKind, K_STEP};
use crate::kernels::Precision;
use crate::kernels::cube::gelu::{gelu, gelu_derivative};
use crate::kernels::cube::operand::{overflow_factor, product, to_operand};
use crate::kernels::cube::strides::Strides;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

/// Strides and dimensions of a product.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Dimensions {
    pub lhs: Strides,
    pub rhs: Strides,
    pub out: Strides,
    pub heads: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

/// The position of a thread's tile: its first row and column, and the index of its matrix in `out`.
#[derive(CubeType, Clone, Copy)]
struct Position {
    first_row: usize,
    first_column: usize,
    out_offset: usize,
}

/// Indices of a thread's rows in `lhs` and of its columns in `rhs`, at the start of `k`.
#[derive(CubeType)]
struct Offsets {
    rows: Sequence<usize>,
    columns: Sequence<usize>,
}

/// The sums of a thread over `k`. They are sequences, not arrays: each element is a variable of its own, which every
/// shader compiler keeps in a register.
#[derive(CubeType)]
struct Accumulators {
    /// One for each value of the tile, row by row.
    sums: Sequence<RuntimeCell<f32>>,
    /// One for each row of the tile with [`EpilogueKind::RowSums`], otherwise empty.
    row_sums: Sequence<RuntimeCell<f32>>,
    /// In f16 the largest magnitude of an operand, otherwise empty.
    max_magnitude: Sequence<RuntimeCell<f32>>,
}

/// `E` is the type to which operands are rounded. With f32 the shader has no conversion.
#[cube(launch_unchecked)]
pub(super) fn matmul_kernel<E: Float>(
    lhs: &[f32],
    rhs: &[f32],
    extra: &[f32],
    out: &mut [f32],
    second: &mut [f32],
    dimensions: Dimensions,
    #[comptime] config: Config,
) {
    let rows = comptime![config.tile.rows];
    let workgroup_columns = comptime![config.tile.columns * config.tile.workgroup.0 as usize];
    let thread_stride = comptime![config.tile.thread_stride()];
    let batch = CUBE_POS_Z as usize / dimensions.heads;
    let head = CUBE_POS_Z as usize % dimensions.heads;
    let lhs_offset = matrix_offset(&dimensions.lhs, batch, head);
    let rhs_offset = matrix_offset(&dimensions.rhs, batch, head);
    let out_offset = matrix_offset(&dimensions.out, batch, head);
    let first_row = ABSOLUTE_POS_Y as usize * rows;
    let first_column =
        CUBE_POS_X as usize * workgroup_columns + UNIT_POS_X as usize * thread_stride;
    if first_row < dimensions.m && first_column < dimensions.n {
        let position = Position {
            first_row,
            first_column,
            out_offset,
        };
        let offsets = tile_offsets(lhs_offset, rhs_offset, &position, &dimensions, config);
        let accumulators = new_accumulators(config);
        for block in 0..dimensions.k.div_ceil(K_STEP) {
            let start = block * K_STEP;
            accumulate::<E>(
                lhs,
                rhs,
                &offsets,
                &accumulators,
                start,
                &dimensions,
                config,
            );
        }
        store_tile(
            extra,
            out,
            second,
            &accumulators,
            &position,
            &dimensions,
            config,
        );
        apply_gelu(extra, out, second, &position, &dimensions, config);
    }
}

/// Returns the index of a batch's and head's matrix.
#[cube]
pub(super) fn matrix_offset(strides: &Strides, batch: usize, head: usize) -> usize {
    strides.offset + batch * strides.batch + head * strides.head
}

/// Rows and columns past the edge read the last one and are not written, so the loop over `k` needs no branch.
#[cube]
fn tile_offsets(
    lhs_offset: usize,
    rhs_offset: usize,
    position: &Position,
    dimensions: &Dimensions,
    #[comptime] config: Config,
) -> Offsets {
    let (row_count, column_count) = comptime![(config.tile.rows, config.tile.columns)];
    let column_stride = comptime![config.tile.column_stride()];
    let mut rows = Sequence::<usize>::new();
    #[unroll]
    for row in 0..row_count {
        let at = position.first_row + row;
        rows.push(lhs_offset + at.min(dimensions.m - 1) * dimensions.lhs.row);
    }
    let mut columns = Sequence::<usize>::new();
    #[unroll]
    for column in 0..column_count {
        let at = position.first_column + comptime![column * column_stride];
        columns.push(rhs_offset + at.min(dimensions.n - 1) * dimensions.rhs.column);
    }
    Offsets { rows, columns }
}

/// Returns accumulators that are 0.
#[cube]
fn new_accumulators(#[comptime] config: Config) -> Accumulators {
    let (rows, columns) = comptime![(config.tile.rows, config.tile.columns)];
    let mut sums = Sequence::<RuntimeCell<f32>>::new();
    #[unroll]
    for _ in 0..rows * columns {
        sums.push(RuntimeCell::new(0.0));
    }
    let mut row_sums = Sequence::<RuntimeCell<f32>>::new();
    if comptime![config.epilogue == EpilogueKind::RowSums] {
        #[unroll]
        for _ in 0..rows {
            row_sums.push(RuntimeCell::new(0.0));
        }
    }
    let mut max_magnitude = Sequence::<RuntimeCell<f32>>::new();
    if comptime![config.precision == Precision::F16] {
        max_magnitude.push(RuntimeCell::new(0.0));
    }
    Accumulators {
        sums,
        row_sums,
        max_magnitude,
    }
}

/// The `K_STEP` indices of `k` of an iteration. Those past the end are the last one, and their factor is 0.
#[derive(CubeType)]
struct Steps {
    indices: Sequence<usize>,
    /// The factors of all but the first index, which is never past the end.
    factors: Sequence<f32>,
}

/// Returns the indices from `start` on.
#[cube]
fn steps_from(start: usize, k: usize) -> Steps {
    let mut indices = Sequence::<usize>::new();
    indices.push(start);
    #[unroll]
    for step in 1..K_STEP {
        indices.push((start + step).min(k - 1));
    }
    let mut factors = Sequence::<f32>::new();
    #[unroll]
    for step in 1..K_STEP {
        factors.push(one_if_below(start + step, k));
    }
    Steps { indices, factors }
}

/// Returns 1 if `at` is below `end`, else 0.
#[cube]
fn one_if_below(at: usize, end: usize) -> f32 {
    let mut one = f32::new(0.0);
    if at < end {
        one = f32::new(1.0);
    }
    one
}

/// Adds the products of one iteration over `k`, from the index `start` on.
#[cube]
fn accumulate<E: Float>(
    lhs: &[f32],
    rhs: &[f32],
    offsets: &Offsets,
    accumulators: &Accumulators,
    start: usize,
    dimensions: &Dimensions,
    #[comptime] config: Config,
) {
    let (rows, columns) = comptime![(config.tile.rows, config.tile.columns)];
    let precision = comptime![config.precision];
    let steps = steps_from(start, dimensions.k);
    let lhs_values = load_lhs::<E>(lhs, offsets, &steps, accumulators, dimensions, config);
    #[unroll]
    for column in 0..columns {
        let mut rhs_values = Sequence::<E>::new();
        #[unroll]
        for step in 0..K_STEP {
            let value = rhs[offsets.columns[column] + steps.indices[step] * dimensions.rhs.row];
            rhs_values.push(to_operand::<E>(
                value,
                &accumulators.max_magnitude,
                precision,
            ));
        }
        #[unroll]
        for row in 0..rows {
            let sum = accumulators.sums.index(comptime![row * columns + column]);
            sum.store(
                sum.read()
                    + product::<E>(lhs_values[comptime![row * K_STEP]], rhs_values[0])
                    + product::<E>(lhs_values[comptime![row * K_STEP + 1]], rhs_values[1])
                    + product::<E>(lhs_values[comptime![row * K_STEP + 2]], rhs_values[2])
                    + product::<E>(lhs_values[comptime![row * K_STEP + 3]], rhs_values[3]),
            );
        }
    }
    if comptime![config.epilogue == EpilogueKind::RowSums] {
        add_row_sums::<E>(&lhs_values, accumulators, config);
    }
}

/// Returns the operands of `lhs`, row by row, with `K_STEP` values each.
#[cube]
fn load_lhs<E: Float>(
    lhs: &[f32],
    offsets: &Offsets,
    steps: &Steps,
    accumulators: &Accumulators,
    dimensions: &Dimensions,
    #[comptime] config: Config,
) -> Sequence<E> {
    let rows = comptime![config.tile.rows];
    let precision = comptime![config.precision];
    let mut values = Sequence::<E>::new();
    #[unroll]
    for row in 0..rows {
        #[unroll]
        for step in 0..K_STEP {
            let value = lhs[offsets.rows[row] + steps.indices[step] * dimensions.lhs.column];
            if comptime![step == 0] {
                values.push(to_operand::<E>(
                    value,
                    &accumulators.max_magnitude,
                    precision,
                ));
            } else {
                let value = value * steps.factors[comptime![step - 1]];
                values.push(to_operand::<E>(
                    value,
                    &accumulators.max_magnitude,
                    precision,
                ));
            }
        }
    }
    values
}

/// Adds the operands of `lhs` to the sums of their rows.
#[cube]
fn add_row_sums<E: Float>(
    lhs_values: &Sequence<E>,
    accumulators: &Accumulators,
    #[comptime] config: Config,
) {
    let rows = comptime![config.tile.rows];
    #[unroll]
    for row in 0..rows {
        let sum = accumulators.row_sums.index(row);
        sum.store(
            sum.read()
                + f32::cast_from(lhs_values[comptime![row * K_STEP]])
                + f32::cast_from(lhs_values[comptime![row * K_STEP + 1]])
                + f32::cast_from(lhs_values[comptime![row * K_STEP + 2]])
                + f32::cast_from(lhs_values[comptime![row * K_STEP + 3]]),
        );
    }
}

/// Writes the sums. In a tile that is not interleaved, a column past the edge has the value of the last column, which
/// is in the same tile, and overwrites it with itself: a branch per value would take a shader compiler seconds.
#[cube]
#[allow(
    clippy::collapsible_if,
    reason = "the outer condition is evaluated when the kernel is compiled, the inner one when it runs"
)]
fn store_tile(
    extra: &[f32],
    out: &mut [f32],
    second: &mut [f32],
    accumulators: &Accumulators,
    position: &Position,
    dimensions: &Dimensions,
    #[comptime] config: Config,
) {
    let (rows, columns) = comptime![(config.tile.rows, config.tile.columns)];
    let column_stride = comptime![config.tile.column_stride()];
    let (epilogue, precision) = comptime![(config.epilogue, config.precision)];
    let overflow = overflow_factor(&accumulators.max_magnitude, precision);
    #[unroll]
    for row in 0..rows {
        let to_row = (position.first_row + row).min(dimensions.m - 1);
        #[unroll]
        for column in 0..columns {
            let at = position.first_column + comptime![column * column_stride];
            let to_column = at.min(dimensions.n - 1);
            if comptime![!config.tile.interleaved] || at < dimensions.n {
                let sum = accumulators.sums.index(comptime![row * columns + column]);
                let mut value = sum.read();
                if comptime![precision == Precision::F16] {
                    value *= overflow;
                }
                let at = position.out_offset + to_row * dimensions.out.row + to_column;
                if comptime![epilogue == EpilogueKind::Bias || epilogue == EpilogueKind::BiasGelu] {
                    value += extra[to_column];
                }
                if comptime![epilogue == EpilogueKind::BiasGelu] {
                    second[at] = value;
                } else if comptime![epilogue == EpilogueKind::Add] {
                    // Unlike writing, adding the same value twice changes the result.
                    if position.first_row + row < dimensions.m
                        && position.first_column + comptime![column * column_stride] < dimensions.n
                    {
                        out[at] += value;
                    }
                } else {
                    out[at] = value;
                }
            }
        }
        if comptime![epilogue == EpilogueKind::RowSums] {
            if position.first_column == 0 {
                if comptime![precision == Precision::F16] {
                    second[to_row] = accumulators.row_sums.index(row).read() * overflow;
                } else {
                    second[to_row] = accumulators.row_sums.index(row).read();
                }
            }
        }
    }
}

/// Applies GELU or its derivative to the written tile. The loop is not unrolled, because GELU has many instructions.
#[cube]
fn apply_gelu(
    extra: &[f32],
    out: &mut [f32],
    second: &mut [f32],
    position: &Position,
    dimensions: &Dimensions,
    #[comptime] config: Config,
) {
    let (rows, columns) = comptime![(config.tile.rows, config.tile.columns)];
    let column_stride = comptime![config.tile.column_stride()];
    let epilogue = comptime![config.epilogue];
    if comptime![epilogue == EpilogueKind::BiasGelu || epilogue == EpilogueKind::GeluDerivative] {
        for to_row in position.first_row..(position.first_row + rows).min(dimensions.m) {
            for column in 0..columns {
                let to_column = position.first_column + column * column_stride;
                if to_column < dimensions.n {
                    let at = position.out_offset + to_row * dimensions.out.row + to_column;
                    if comptime![epilogue == EpilogueKind::BiasGelu] {
                        out[at] = gelu(second[at]);
                    } else {
                        out[at] *= gelu_derivative(extra[at]);
                    }
                }
            }
        }
    }
}
