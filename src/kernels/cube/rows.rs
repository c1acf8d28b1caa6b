//! How a row is worked on: by one unit on an adapter that is a CPU, whose barriers are dear, by a whole cube on a GPU, whose units load
//! neighbours together. Kernels are written once for both: `lanes` units take every `lanes`th value of a row, and add up what they found.

use super::{UNITS, is_cpu};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

/// Halvings from `UNITS` to 1.
const HALVINGS: usize = UNITS.ilog2() as usize;

/// Units that share a row.
pub(super) fn lanes(tensor: &CubeTensor) -> usize {
    if is_cpu(tensor) { 1 } else { UNITS as usize }
}

/// The row of this unit, and the first of its values there.
#[cube]
pub(super) fn place(#[comptime] lanes: usize) -> (usize, usize) {
    if comptime![lanes == 1] {
        (ABSOLUTE_POS, 0usize)
    } else {
        (CUBE_POS, UNIT_POS as usize)
    }
}

/// What is made of two units' finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fold {
    Sum,
    Largest,
}

/// The sum of what the units of a row found. All of them must ask.
#[cube]
pub(super) fn sum(value: f32, #[comptime] lanes: usize) -> f32 {
    fold(value, lanes, Fold::Sum)
}

/// The largest of what the units of a row found. All of them must ask.
#[cube]
pub(super) fn largest(value: f32, #[comptime] lanes: usize) -> f32 {
    fold(value, lanes, Fold::Largest)
}

/// A tree in shared memory; nothing at all where a row has one unit.
#[cube]
fn fold(value: f32, #[comptime] lanes: usize, #[comptime] how: Fold) -> f32 {
    let mut result = value;
    if comptime![lanes > 1] {
        let mut shared = Shared::<[f32]>::new_slice(lanes);
        let unit = UNIT_POS as usize;
        shared[unit] = value;
        sync_cube();
        #[unroll]
        for halving in 0..HALVINGS {
            let half = comptime![lanes >> (halving + 1)];
            if unit < half {
                let other = shared[unit + half];
                if comptime![how == Fold::Sum] {
                    shared[unit] += other;
                } else {
                    shared[unit] = shared[unit].max(other);
                }
            }
            sync_cube();
        }
        result = shared[0];
        sync_cube();
    }
    result
}
