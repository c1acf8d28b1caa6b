//! The matrix product as register tiles: each unit keeps a rectangle of the result in registers and walks along `k` four steps at a time,
//! so that `rows + columns` loads feed `rows * columns` multiplications and each sum is fetched once for four of them.
//!
//! Every product of the network is this kernel; what surrounds it (bias, GELU, a bias's gradient) is fused into its end. In mixed precision
//! registers and products are f16 and the sums f32; how f16 are rounded, WGSL leaves to the adapter.

use super::gelu::{gelu, gelu_slope};
use super::layout::{Lie, Side, Size};
use super::operand::{operand, product, room_for};
use super::{empty, is_cpu};
use crate::kernels::Precision;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;
use half::f16;

/// Steps along `k` at a time.
const STEPS: usize = 4;

/// What happens to a value of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Epilogue {
    /// Nothing.
    None,
    /// `extra` `[n]` is added.
    Bias,
    /// So it is; that goes to `second`, and its GELU to the result.
    BiasGelu,
    /// It is multiplied by the slope of GELU at `extra` `[m, n]`.
    GeluSlope,
    /// It is added to what the result holds already.
    Add,
    /// The sums of `lhs` along `k` go to `second` `[m]`: the gradient of a bias, beside that of its weight.
    RowSums,
}

/// The rectangle of a unit, and how units stand beside one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Tile {
    rows: usize,
    columns: usize,
    /// Units along the columns, and along the rows.
    cube: (u32, u32),
    /// Whether neighbouring units take neighbouring columns, which a GPU loads together; else each takes `columns` neighbours.
    spread: bool,
}

/// `E` is what the operands are rounded to: f32 leaves them as they are, and no trace in the shader.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
#[allow(
    clippy::collapsible_if,
    reason = "the outer ones are decided when the kernel is built, and what is inside is then not there"
)]
fn matmul_kernel<E: Float>(
    lhs: &[f32],
    rhs: &[f32],
    extra: &[f32],
    out: &mut [f32],
    second: &mut [f32],
    lhs_lie: Lie,
    rhs_lie: Lie,
    out_lie: Lie,
    heads: usize,
    m: usize,
    n: usize,
    k: usize,
    #[comptime] tile: Tile,
    #[comptime] epilogue: Epilogue,
    #[comptime] precision: Precision,
) {
    let (rows, columns) = comptime![(tile.rows, tile.columns)];
    let apart = comptime![if tile.spread { tile.cube.0 as usize } else { 1 }];
    let between = comptime![if tile.spread { 1 } else { tile.columns }];
    let batch = CUBE_POS_Z as usize / heads;
    let head = CUBE_POS_Z as usize % heads;
    let lhs_start = lhs_lie.start + batch * lhs_lie.batch + head * lhs_lie.head;
    let rhs_start = rhs_lie.start + batch * rhs_lie.batch + head * rhs_lie.head;
    let out_start = out_lie.start + batch * out_lie.batch + head * out_lie.head;
    let first_row = ABSOLUTE_POS_Y as usize * rows;
    let first_column = CUBE_POS_X as usize * comptime![tile.columns * tile.cube.0 as usize]
        + UNIT_POS_X as usize * between;
    if first_row < m && first_column < n {
        // Rows and columns past the edge read the last one and are not written: the loop has no branch.
        // Sequences, not arrays: each element is a variable of its own, which every compiler keeps in a register.
        let mut lhs_at = Sequence::<usize>::new();
        #[unroll]
        for row in 0..rows {
            lhs_at.push(lhs_start + (first_row + row).min(m - 1) * lhs_lie.row);
        }
        let mut rhs_at = Sequence::<usize>::new();
        #[unroll]
        for column in 0..columns {
            let at = first_column + comptime![column * apart];
            rhs_at.push(rhs_start + at.min(n - 1) * rhs_lie.column);
        }
        let mut sums = Sequence::<RuntimeCell<f32>>::new();
        #[unroll]
        for _ in 0..rows * columns {
            sums.push(RuntimeCell::new(0.0));
        }
        let mut row_sums = Sequence::<RuntimeCell<f32>>::new();
        if comptime![epilogue == Epilogue::RowSums] {
            #[unroll]
            for _ in 0..rows {
                row_sums.push(RuntimeCell::new(0.0));
            }
        }
        let mut largest = Sequence::<RuntimeCell<f32>>::new();
        if comptime![precision == Precision::F16] {
            largest.push(RuntimeCell::new(0.0));
        }
        for block in 0..k.div_ceil(STEPS) {
            // Steps past the end read the last one and count nothing.
            let at = block * STEPS;
            let (at_1, at_2, at_3) = (
                (at + 1).min(k - 1),
                (at + 2).min(k - 1),
                (at + 3).min(k - 1),
            );
            let keep_1 = one_below(at + 1, k);
            let keep_2 = one_below(at + 2, k);
            let keep_3 = one_below(at + 3, k);
            let mut left = Sequence::<E>::new();
            #[unroll]
            for row in 0..rows {
                left.push(operand::<E>(
                    lhs[lhs_at[row] + at * lhs_lie.column],
                    &largest,
                    precision,
                ));
                left.push(operand::<E>(
                    lhs[lhs_at[row] + at_1 * lhs_lie.column] * keep_1,
                    &largest,
                    precision,
                ));
                left.push(operand::<E>(
                    lhs[lhs_at[row] + at_2 * lhs_lie.column] * keep_2,
                    &largest,
                    precision,
                ));
                left.push(operand::<E>(
                    lhs[lhs_at[row] + at_3 * lhs_lie.column] * keep_3,
                    &largest,
                    precision,
                ));
            }
            #[unroll]
            for column in 0..columns {
                let right_0 =
                    operand::<E>(rhs[rhs_at[column] + at * rhs_lie.row], &largest, precision);
                let right_1 = operand::<E>(
                    rhs[rhs_at[column] + at_1 * rhs_lie.row],
                    &largest,
                    precision,
                );
                let right_2 = operand::<E>(
                    rhs[rhs_at[column] + at_2 * rhs_lie.row],
                    &largest,
                    precision,
                );
                let right_3 = operand::<E>(
                    rhs[rhs_at[column] + at_3 * rhs_lie.row],
                    &largest,
                    precision,
                );
                #[unroll]
                for row in 0..rows {
                    let sum = sums.index(comptime![row * columns + column]);
                    sum.store(
                        sum.read()
                            + product::<E>(left[comptime![row * STEPS]], right_0)
                            + product::<E>(left[comptime![row * STEPS + 1]], right_1)
                            + product::<E>(left[comptime![row * STEPS + 2]], right_2)
                            + product::<E>(left[comptime![row * STEPS + 3]], right_3),
                    );
                }
            }
            if comptime![epilogue == Epilogue::RowSums] {
                #[unroll]
                for row in 0..rows {
                    let sum = row_sums.index(row);
                    sum.store(
                        sum.read()
                            + f32::cast_from(left[comptime![row * STEPS]])
                            + f32::cast_from(left[comptime![row * STEPS + 1]])
                            + f32::cast_from(left[comptime![row * STEPS + 2]])
                            + f32::cast_from(left[comptime![row * STEPS + 3]]),
                    );
                }
            }
        }
        let room = room_for(&largest, precision);
        // Where a unit's columns are neighbours, those past an edge have the very sum of the last one, which is in the same tile: they are
        // written over it. Hundreds of branches would take a compiler seconds.
        #[unroll]
        for row in 0..rows {
            let to_row = (first_row + row).min(m - 1);
            #[unroll]
            for column in 0..columns {
                let at = first_column + comptime![column * apart];
                let to_column = at.min(n - 1);
                if comptime![!tile.spread] || at < n {
                    let mut value = sums.index(comptime![row * columns + column]).read();
                    if comptime![precision == Precision::F16] {
                        value *= room;
                    }
                    let at = out_start + to_row * out_lie.row + to_column;
                    if comptime![epilogue == Epilogue::Bias || epilogue == Epilogue::BiasGelu] {
                        value += extra[to_column];
                    }
                    if comptime![epilogue == Epilogue::BiasGelu] {
                        second[at] = value;
                    } else if comptime![epilogue == Epilogue::Add] {
                        // Adding twice is not what writing twice is.
                        if first_row + row < m && first_column + comptime![column * apart] < n {
                            out[at] += value;
                        }
                    } else {
                        out[at] = value;
                    }
                }
            }
            if comptime![epilogue == Epilogue::RowSums] {
                if first_column == 0 {
                    if comptime![precision == Precision::F16] {
                        second[to_row] = row_sums.index(row).read() * room;
                    } else {
                        second[to_row] = row_sums.index(row).read();
                    }
                }
            }
        }
        // In a loop of its own, not unrolled: GELU is many instructions.
        if comptime![epilogue == Epilogue::BiasGelu || epilogue == Epilogue::GeluSlope] {
            for to_row in first_row..(first_row + rows).min(m) {
                for column in 0..columns {
                    let to_column = first_column + column * apart;
                    if to_column < n {
                        let at = out_start + to_row * out_lie.row + to_column;
                        if comptime![epilogue == Epilogue::BiasGelu] {
                            out[at] = gelu(second[at]);
                        } else {
                            out[at] *= gelu_slope(extra[at]);
                        }
                    }
                }
            }
        }
    }
}

/// 1 where `at` is below `end`, else 0.
#[cube]
fn one_below(at: usize, end: usize) -> f32 {
    let mut one = f32::new(0.0);
    if at < end {
        one = f32::new(1.0);
    }
    one
}

/// `out = lhs × rhs` in `precision`, with `epilogue` and the tensors that it reads and writes. All of them must be unlike one another.
#[allow(
    clippy::too_many_arguments,
    reason = "the three sides of a product, and how it is done"
)]
pub(super) fn launch(
    lhs: Side,
    rhs: Side,
    out: Side,
    size: Size,
    precision: Precision,
    epilogue: Epilogue,
    extra: Option<&CubeTensor>,
    second: Option<&CubeTensor>,
) {
    let Size {
        batches,
        heads,
        m,
        n,
        k,
    } = size;
    let tile = match epilogue {
        // It has a branch for each value.
        Epilogue::Add => Tile {
            rows: 4,
            columns: 4,
            cube: (8, 8),
            spread: !is_cpu(out.tensor),
        },
        _ => tile(out.tensor, size),
    };
    // A binding must be there even where the kernel does not use it, and not one that is bound already.
    let spare = || empty(out.tensor, [1]);
    let extra = extra.cloned().unwrap_or_else(spare);
    let second = second.cloned().unwrap_or_else(spare);
    let cubes = |len: usize, tile: usize, units: u32| len.div_ceil(tile * units as usize) as u32;
    let count = CubeCount::Static(
        cubes(n, tile.columns, tile.cube.0),
        cubes(m, tile.rows, tile.cube.1),
        (batches * heads) as u32,
    );
    let launch = match precision {
        Precision::F32 => matmul_kernel::launch_unchecked::<f32>,
        Precision::F16 => matmul_kernel::launch_unchecked::<f16>,
    };
    // SAFETY: reads are clamped to the last row and column, writes stop before `m` and `n`.
    unsafe {
        launch(
            &out.tensor.client,
            count,
            CubeDim::new_2d(tile.cube.0, tile.cube.1),
            lhs.tensor.clone().into_buffer_arg(),
            rhs.tensor.clone().into_buffer_arg(),
            extra.into_buffer_arg(),
            out.tensor.clone().into_buffer_arg(),
            second.into_buffer_arg(),
            lhs.layout.launch(),
            rhs.layout.launch(),
            out.layout.launch(),
            heads,
            m,
            n,
            k,
            tile,
            epilogue,
            precision,
        );
    }
}

/// What suits the adapter. On a CPU loads are slow, registers spill cheaply, and few cores are soon busy, so one large tile does for all
/// sizes, and one pipeline an epilogue. Measured on SwiftShader, 128 × 384 × 1536, in GFLOP/s: 8 × 8 one step at a time 1.6, four steps
/// 2.1, 16 × 8 2.5, 16 × 16 3.5; eight steps gain nothing more in the whole and take twice as long to build; shared memory 1.1. A GPU wants
/// many units first; no GPU has been measured.
fn tile(tensor: &CubeTensor, size: Size) -> Tile {
    const ENOUGH_UNITS: usize = 2048;
    if is_cpu(tensor) {
        return Tile {
            rows: 16,
            columns: 16,
            cube: (4, 4),
            spread: false,
        };
    }
    let batches = size.batches * size.heads;
    let units = |side: usize| size.m.div_ceil(side) * size.n.div_ceil(side) * batches;
    let side = [8, 4].into_iter().find(|&side| units(side) >= ENOUGH_UNITS);
    let side = side.unwrap_or(2);
    Tile {
        rows: side,
        columns: side,
        cube: (8, 8),
        spread: true,
    }
}
