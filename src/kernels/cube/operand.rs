//! What a matrix product multiplies: values as they are, or rounded to f16.

use crate::kernels::Precision;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

/// What is at least this large rounds to no f16: half a step above the largest.
const NO_F16: f32 = 65_520.0;
/// Twice times `NO_F16`, beyond every f32.
const HUGE: f32 = 1e30;

/// A value as an operand, and in f16 a note of how large it is.
#[cube]
pub(super) fn operand<E: Float>(
    value: f32,
    largest: &Sequence<RuntimeCell<f32>>,
    #[comptime] precision: Precision,
) -> E {
    if comptime![precision == Precision::F16] {
        let largest = largest.index(0);
        largest.store(largest.read().max(value.abs()));
    }
    E::cast_from(value)
}

/// What the sums of a unit are multiplied by: 1, and where f16 had no room for one of its operands, infinity. WGSL leaves it open whether
/// such an operand becomes one by itself, and where it does not, no loss scaler would notice.
#[cube]
pub(super) fn room_for(
    largest: &Sequence<RuntimeCell<f32>>,
    #[comptime] precision: Precision,
) -> f32 {
    if comptime![precision == Precision::F16] {
        let mut room = f32::new(1.0);
        let largest = largest.index(0).read();
        if largest >= NO_F16 {
            // An infinity in a shader's text is an error.
            room = largest * HUGE * HUGE;
        }
        room
    } else {
        f32::new(1.0)
    }
}

/// A product in `E`, to be added up in f32. Multiplied as f32 it would be exact, as in a tensor core; but then Mesa's compiler drops the way
/// to f16 and back, as WGSL allows, and nothing is in f16 at all.
#[cube]
pub(super) fn product<E: Float>(left: E, right: E) -> f32 {
    f32::cast_from(left * right)
}
