//! Staging: the threads of a workgroup copy a part of an operand from global to workgroup memory.
//!
//! A thread copies a *patch* of 4 × 4 values with four loads of four values along the dimension that is contiguous in
//! global memory. If that is `k`, it transposes the patch in registers.

use super::{Contiguous, K_BLOCK, Staging, VECTOR};
use crate::kernels::Precision;
use crate::kernels::cube::operand::{F16_OVERFLOW, HUGE};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

/// Four values, in workgroup memory and in registers.
pub(super) type Vec4 = Vector<f32, Const<4>>;

/// The matrix of an operand and the place of the workgroup in it. *Outer* are the rows of `lhs` and the columns of
/// `rhs`.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Source {
    pub offset: usize,
    pub outer_stride: usize,
    pub outer_len: usize,
    pub outer_start: usize,
    pub k_stride: usize,
    pub k_len: usize,
}

/// The indices of `k` that are staged: [`K_BLOCK`] from `start` on. Those from `end` on are staged as 0.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Steps {
    pub start: usize,
    pub end: usize,
}

/// Copies a patch. Rows and columns past the edge are copies of the last ones, which are not written to the result.
#[cube]
pub(super) fn stage<E: Float, N: Size>(
    values: &[Vector<f32, N>],
    tile: &mut Shared<[Vec4]>,
    patch: usize,
    source: &Source,
    steps: &Steps,
    #[comptime] staging: Staging,
) {
    let (outer_patch, k_patch) = patch_position(patch, staging);
    let outer = source.outer_start + outer_patch * VECTOR;
    let k = steps.start + k_patch * VECTOR;
    let loaded = match comptime!(staging.contiguous) {
        Contiguous::Outer => load_outer::<N>(values, outer, k, source),
        Contiguous::K => load_k::<N>(values, outer, k, source),
        Contiguous::Neither => load_values::<N>(values, outer, k, source),
    };
    #[unroll]
    for step in 0..VECTOR {
        let value = select(k + step < steps.end, loaded[step], Vec4::new(0.0));
        let at = (k_patch * VECTOR + step) * comptime![staging.pitch()] + outer_patch;
        tile[at] = rounded::<E>(value, staging.precision);
    }
}

/// Returns the patch's index along the outer dimension and along `k`. Adjacent threads have patches that are adjacent
/// in global memory.
#[cube]
fn patch_position(patch: usize, #[comptime] staging: Staging) -> (usize, usize) {
    let (outer, k) = comptime![(staging.outer / VECTOR, K_BLOCK / VECTOR)];
    if comptime![staging.contiguous == Contiguous::K] {
        (patch / k, patch % k)
    } else {
        (patch % outer, patch / outer)
    }
}

/// Loads a patch along the outer dimension, whose length is a multiple of 4: a vector for each index of `k`.
#[cube]
fn load_outer<N: Size>(
    values: &[Vector<f32, N>],
    outer: usize,
    k: usize,
    source: &Source,
) -> Sequence<Vec4> {
    let first = source.offset + outer.min(source.outer_len - VECTOR);
    let mut loaded = Sequence::<Vec4>::new();
    #[unroll]
    for step in 0..VECTOR {
        let at = first + (k + step).min(source.k_len - 1) * source.k_stride;
        loaded.push(Vec4::cast_from(values[at / VECTOR]));
    }
    loaded
}

/// Loads a patch along `k`, whose length is a multiple of 4, and transposes it.
#[cube]
fn load_k<N: Size>(
    values: &[Vector<f32, N>],
    outer: usize,
    k: usize,
    source: &Source,
) -> Sequence<Vec4> {
    let first = source.offset + k.min(source.k_len - VECTOR);
    let mut loaded = Sequence::<Vec4>::new();
    #[unroll]
    for row in 0..VECTOR {
        let at = first + (outer + row).min(source.outer_len - 1) * source.outer_stride;
        loaded.push(Vec4::cast_from(values[at / VECTOR]));
    }
    let mut transposed = Sequence::<Vec4>::new();
    #[unroll]
    for step in 0..VECTOR {
        let mut column = Vec4::new(loaded[0].extract(step));
        #[unroll]
        for row in 1..VECTOR {
            column.insert(row, loaded[row].extract(step));
        }
        transposed.push(column);
    }
    transposed
}

/// Loads the values of a patch one by one, for dimensions that are no multiples of 4.
#[cube]
fn load_values<N: Size>(
    values: &[Vector<f32, N>],
    outer: usize,
    k: usize,
    source: &Source,
) -> Sequence<Vec4> {
    let mut loaded = Sequence::<Vec4>::new();
    #[unroll]
    for step in 0..VECTOR {
        let first = source.offset + (k + step).min(source.k_len - 1) * source.k_stride;
        let last = source.outer_len - 1;
        let mut column =
            Vec4::new(values[first + outer.min(last) * source.outer_stride].extract(0usize));
        #[unroll]
        for row in 1..VECTOR {
            let at = first + (outer + row).min(last) * source.outer_stride;
            column.insert(row, values[at].extract(0usize));
        }
        loaded.push(column);
    }
    loaded
}

/// Rounds operands to the precision of the product. A value that f16 cannot hold is infinite, as IEEE 754 rounds it;
/// WGSL does not define the result of its conversion.
#[cube]
fn rounded<E: Float>(values: Vec4, #[comptime] precision: Precision) -> Vec4 {
    if comptime![precision == Precision::F16] {
        let narrow = Vec4::cast_from(Vector::<E, Const<4>>::cast_from(values));
        // WGSL rejects a literal infinity.
        let infinite = values * Vec4::new(HUGE) * Vec4::new(HUGE);
        let overflows = values.abs().greater_equal(&Vec4::new(F16_OVERFLOW));
        select_many(overflows, infinite, narrow)
    } else {
        values
    }
}
