//! The epilogues of a block, applied in registers before a value is written, and the sum of the parts of `k`.

pub(super) use super::super::EpilogueKind;
use crate::kernels::cube::gelu::{gelu_derivative_vector, gelu_vector};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

/// Applies the epilogue to `value` and writes it to `out` at the vector `at`. `column` is the vector of its columns in
/// a bias. [`EpilogueKind::RowSums`] concerns rows, not values.
#[cube]
pub(super) fn apply<N: Size>(
    value: Vector<f32, N>,
    extra: &[Vector<f32, N>],
    out: &mut [Vector<f32, N>],
    second: &mut [Vector<f32, N>],
    at: usize,
    column: usize,
    #[comptime] epilogue: EpilogueKind,
) {
    match comptime!(epilogue) {
        EpilogueKind::None | EpilogueKind::RowSums => out[at] = value,
        EpilogueKind::Bias => out[at] = value + extra[column],
        EpilogueKind::BiasGelu => {
            let pre_activation = value + extra[column];
            second[at] = pre_activation;
            out[at] = gelu_vector::<N>(pre_activation);
        }
        EpilogueKind::GeluDerivative => out[at] = value * gelu_derivative_vector::<N>(extra[at]),
        EpilogueKind::Add => out[at] += value,
    }
}

/// Dimensions of a product whose parts are summed up, and the place of the result in `out`.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct SplitDimensions {
    m: usize,
    n: usize,
    splits: usize,
    out_offset: usize,
    out_row: usize,
}

/// Adds the parts `[splits, m, n]` of a product in their order, with one thread for each vector of the result, and
/// applies the epilogue. With [`EpilogueKind::RowSums`] it also adds the row sums, `[splits, m]`, behind them.
#[cube(launch_unchecked)]
pub(super) fn sum_splits_kernel<N: Size>(
    parts: &[Vector<f32, N>],
    extra: &[Vector<f32, N>],
    out: &mut [Vector<f32, N>],
    second: &mut [Vector<f32, N>],
    dimensions: SplitDimensions,
    #[comptime] epilogue: EpilogueKind,
    #[comptime] width: usize,
) {
    let (m, n, splits) = (dimensions.m, dimensions.n, dimensions.splits);
    let vectors = m * n / width;
    if ABSOLUTE_POS < vectors {
        let sum = sum_parts::<N>(parts, ABSOLUTE_POS, vectors, splits);
        let row = ABSOLUTE_POS * width / n;
        let column = ABSOLUTE_POS * width % n;
        let at = (dimensions.out_offset + row * dimensions.out_row + column) / width;
        apply::<N>(sum, extra, out, second, at, column / width, epilogue);
    }
    // A product has at least as many values as rows.
    if comptime![epilogue == EpilogueKind::RowSums] && ABSOLUTE_POS < m / width {
        let first = splits * vectors + ABSOLUTE_POS;
        second[ABSOLUTE_POS] = sum_parts::<N>(parts, first, m / width, splits);
    }
}

/// Adds `splits` vectors from the index `first` on, at distances of `stride`.
#[cube]
fn sum_parts<N: Size>(
    parts: &[Vector<f32, N>],
    first: usize,
    stride: usize,
    splits: usize,
) -> Vector<f32, N> {
    let mut sum = parts[first];
    for split in 1..splits {
        sum += parts[first + split * stride];
    }
    sum
}
