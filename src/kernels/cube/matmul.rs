//! The matrix product as register tiles: each unit keeps a rectangle of the result in registers and walks along `k`, so that
//! `rows + columns` loads feed `rows * columns` multiplications. Neighbouring units take neighbouring columns.

use super::empty;
use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Units of a cube along the columns and along the rows.
const CUBE: (u32, u32) = (8, 8);

/// `out = lhs × rhs (+ bias)`. Leading dimensions are batches; strides may be anything in `lhs` and `rhs`.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn matmul_kernel(
    lhs: &Tensor<f32>,
    rhs: &Tensor<f32>,
    bias: &[f32],
    out: &mut [f32],
    m: usize,
    n: usize,
    k: usize,
    #[comptime] rank: usize,
    #[comptime] rows: usize,
    #[comptime] columns: usize,
    #[comptime] with_bias: bool,
) {
    let mut batch = CUBE_POS_Z as usize;
    let out_start = batch * m * n;
    let mut lhs_start = 0usize;
    let mut rhs_start = 0usize;
    #[unroll]
    for leading in 0..rank - 2 {
        let dim = comptime![rank - 3 - leading];
        let at = batch % lhs.shape(dim);
        batch /= lhs.shape(dim);
        lhs_start += at * lhs.stride(dim);
        rhs_start += at * rhs.stride(dim);
    }
    let (lhs_row, lhs_k) = (
        lhs.stride(comptime![rank - 2]),
        lhs.stride(comptime![rank - 1]),
    );
    let (rhs_k, rhs_column) = (
        rhs.stride(comptime![rank - 2]),
        rhs.stride(comptime![rank - 1]),
    );

    let first_row = ABSOLUTE_POS_Y as usize * rows;
    let first_column =
        CUBE_POS_X as usize * comptime![columns * CUBE.0 as usize] + UNIT_POS_X as usize;
    if first_row < m && first_column < n {
        // Rows and columns past the edge read the last one and are not written: the loop has no branch.
        // Sequences, not arrays: each element is a variable of its own, which every compiler keeps in a register.
        let mut lhs_at = Sequence::<usize>::new();
        #[unroll]
        for row in 0..rows {
            lhs_at.push(lhs_start + (first_row + row).min(m - 1) * lhs_row);
        }
        let mut rhs_at = Sequence::<usize>::new();
        #[unroll]
        for column in 0..columns {
            let at = first_column + comptime![column * CUBE.0 as usize];
            rhs_at.push(rhs_start + at.min(n - 1) * rhs_column);
        }
        let mut sums = Sequence::<RuntimeCell<f32>>::new();
        #[unroll]
        for _ in 0..rows * columns {
            sums.push(RuntimeCell::new(0.0));
        }
        for step in 0..k {
            let mut left = Sequence::<f32>::new();
            #[unroll]
            for row in 0..rows {
                left.push(lhs[lhs_at[row] + step * lhs_k]);
            }
            #[unroll]
            for column in 0..columns {
                let right = rhs[rhs_at[column] + step * rhs_k];
                #[unroll]
                for row in 0..rows {
                    let sum = sums.index(comptime![row * columns + column]);
                    sum.store(sum.read() + left[row] * right);
                }
            }
        }
        #[unroll]
        for column in 0..columns {
            let at = first_column + comptime![column * CUBE.0 as usize];
            if at < n {
                let mut shift = f32::new(0.0);
                if comptime![with_bias] {
                    shift = bias[at];
                }
                #[unroll]
                for row in 0..rows {
                    let to = first_row + row;
                    if to < m {
                        let sum = sums.index(comptime![row * columns + column]);
                        out[out_start + to * n + at] = sum.read() + shift;
                    }
                }
            }
        }
    }
}

/// `lhs × rhs`, plus `bias` `[n]` on every row where there is one. Equal leading dimensions.
pub(super) fn launch(lhs: CubeTensor, rhs: CubeTensor, bias: Option<CubeTensor>) -> CubeTensor {
    let mut shape = lhs.shape();
    let rank = shape.num_dims();
    let (m, k, n) = (shape[rank - 2], shape[rank - 1], rhs.shape()[rank - 1]);
    shape[rank - 1] = n;
    let out = empty(&lhs, shape.clone());
    let batches: usize = shape.iter().take(rank - 2).product();
    let (rows, columns) = tile(m, n, batches);
    let with_bias = bias.is_some();
    // A binding must be there even where the kernel does not read it, and not one that is bound already.
    // A binding must be there even where the kernel does not read it, and not one that is bound already.
    let bias = bias.map_or_else(|| empty(&lhs, [1]), into_contiguous);
    let cubes = |len: usize, tile: usize, units: u32| len.div_ceil(tile * units as usize) as u32;
    let count = CubeCount::Static(
        cubes(n, columns, CUBE.0),
        cubes(m, rows, CUBE.1),
        batches as u32,
    );
    // SAFETY: reads are clamped to the last row and column, writes stop before `m` and `n`.
    unsafe {
        matmul_kernel::launch_unchecked(
            &out.client,
            count,
            CubeDim::new_2d(CUBE.0, CUBE.1),
            lhs.into_tensor_arg(),
            rhs.into_tensor_arg(),
            bias.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            m,
            n,
            k,
            rank,
            rows,
            columns,
            with_bias,
        );
    }
    out
}

/// Rows and columns that a unit computes. Measured on SwiftShader (128 × 384 × 1536): 8 × 8 does 2.2 GFLOP/s, 4 × 4 does 1.4, a
/// variant through shared memory 1.1.
fn tile(m: usize, n: usize, batches: usize) -> (usize, usize) {
    const ENOUGH_UNITS: usize = 512;
    let units = |rows: usize, columns: usize| m.div_ceil(rows) * n.div_ceil(columns) * batches;
    if units(8, 8) >= ENOUGH_UNITS {
        (8, 8)
    } else if units(4, 4) >= ENOUGH_UNITS {
        (4, 4)
    } else {
        (2, 2)
    }
}
