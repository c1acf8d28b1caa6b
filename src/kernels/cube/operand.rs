//! Operands of a matrix product in its precision, and the detection of f16 overflow.

use crate::kernels::Precision;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

/// The smallest magnitude that rounds to infinity in f16: half a unit in the last place above the largest f16, 65,504.
pub(super) const F16_OVERFLOW: f32 = 65_520.0;
/// Twice multiplied with `F16_OVERFLOW`, it exceeds every f32.
pub(super) const HUGE: f32 = 1e30;

/// Converts a value to an operand. In f16 it also tracks the largest magnitude of a thread's operands.
#[cube]
pub(super) fn to_operand<E: Float>(
    value: f32,
    max_magnitude: &Sequence<RuntimeCell<f32>>,
    #[comptime] precision: Precision,
) -> E {
    if comptime![precision == Precision::F16] {
        let max_magnitude = max_magnitude.index(0);
        max_magnitude.store(max_magnitude.read().max(value.abs()));
    }
    E::cast_from(value)
}

/// Returns 1, or infinity if an operand exceeded the f16 range, so that the loss scaler detects the overflow. WGSL does
/// not define the result of converting such a value to f16.
#[cube]
pub(super) fn overflow_factor(
    max_magnitude: &Sequence<RuntimeCell<f32>>,
    #[comptime] precision: Precision,
) -> f32 {
    if comptime![precision == Precision::F16] {
        let mut factor = f32::new(1.0);
        let max_magnitude = max_magnitude.index(0).read();
        if max_magnitude >= F16_OVERFLOW {
            // WGSL rejects a literal infinity.
            factor = max_magnitude * HUGE * HUGE;
        }
        factor
    } else {
        f32::new(1.0)
    }
}

/// Multiplies two operands in f32. The product of two f16 values is exact in f32, as in a tensor core, and it cannot
/// overflow. A shader compiler may remove the conversion of an operand to f16 and back, as that of Mesa 25.0 does (that
/// of Mesa 22.3 does not): WGSL allows it, and an operand that is not rounded is only more exact.
#[cube]
pub(super) fn product<E: Float>(lhs: E, rhs: E) -> f32 {
    f32::cast_from(lhs) * f32::cast_from(rhs)
}
