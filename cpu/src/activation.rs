//! The exact GELU and its derivative.

use crate::simd::fma;
use wide::{f32x4, i32x4};

const FRAC_1_SQRT_2: f32 = core::f32::consts::FRAC_1_SQRT_2;
const INV_SQRT_2PI: f32 = 0.398_942_3;

/// Computes `x Φ(x)`, the exact GELU.
#[inline(always)]
pub(crate) fn gelu(x: f32x4) -> f32x4 {
    x * normal_cdf(x)
}

/// Computes `Φ(x) + x φ(x)`, the derivative of the exact GELU.
#[inline(always)]
pub(crate) fn gelu_derivative(x: f32x4) -> f32x4 {
    let density = exp_non_positive(x * x * f32x4::splat(-0.5)) * f32x4::splat(INV_SQRT_2PI);
    fma(x, density, normal_cdf(x))
}

/// Computes `Φ(x)`, the distribution function of the standard normal.
#[inline(always)]
fn normal_cdf(x: f32x4) -> f32x4 {
    let half = f32x4::splat(0.5);
    fma(erf(x * f32x4::splat(FRAC_1_SQRT_2)), half, half)
}

/// Computes the error function as the rational function of Eigen's [`generic_fast_erf_float`][1], whose largest error
/// is a few units in the last place. Beyond ±4 it is ±1 in f32.
///
/// [1]: https://gitlab.com/libeigen/eigen/-/blob/master/unsupported/Eigen/src/SpecialFunctions/SpecialFunctionsImpl.h
#[inline(always)]
fn erf(x: f32x4) -> f32x4 {
    let x = clamp(x, 4.0);
    let squared = x * x;
    let numerator = polynomial(
        squared,
        [
            -2.726_142_3e-10,
            2.770_681_3e-8,
            -2.101_024e-6,
            -5.692_506_3e-5,
            -7.349_906_3e-4,
            -2.954_6e-3,
            -1.609_603_3e-2,
        ],
    );
    let denominator = polynomial(
        squared,
        [
            -1.456_607_2e-5,
            -2.133_740_5e-4,
            -1.682_827e-3,
            -7.373_329e-3,
            -1.426_474e-2,
        ],
    );
    x * numerator / denominator
}

/// Computes `exp(x)` for `x <= 0`, as [Cephes' `expf`](https://www.netlib.org/cephes/). Values below -87, whose result
/// would be subnormal, give 0. NaN stays NaN.
#[inline(always)]
pub(crate) fn exp_non_positive(x: f32x4) -> f32x4 {
    let lowest = f32x4::splat(-87.0);
    let underflows = x.simd_lt(lowest);
    let x = underflows.select(lowest, x);
    let power = (x * f32x4::LOG2_E).round_ties_even();
    let rest = fma(power, f32x4::splat(-0.693_359_4), x);
    let rest = fma(power, f32x4::splat(2.121_944_4e-4), rest);
    let series = polynomial(
        rest,
        [
            1.987_569_1e-4,
            1.398_2e-3,
            8.333_452e-3,
            4.166_579_6e-2,
            1.666_666_5e-1,
            5e-1,
        ],
    );
    let result = fma(series, rest * rest, rest) + f32x4::ONE;
    // Multiplies by a power of two: adds to the exponent.
    let exponent: i32x4 = power.fast_trunc_int() << 23;
    let bits: i32x4 = bits_of(result) + exponent;
    underflows.select(f32x4::ZERO, from_bits(bits))
}

/// Computes a polynomial; the coefficients begin with that of the highest power.
#[inline(always)]
fn polynomial<const N: usize>(x: f32x4, coefficients: [f32; N]) -> f32x4 {
    let mut sum = f32x4::splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = fma(sum, x, f32x4::splat(*coefficient));
    }
    sum
}

/// Limits values to `[-limit, limit]`. NaN stays NaN.
#[inline(always)]
fn clamp(x: f32x4, limit: f32) -> f32x4 {
    let (low, high) = (f32x4::splat(-limit), f32x4::splat(limit));
    let x = x.simd_lt(low).select(low, x);
    high.simd_lt(x).select(high, x)
}

#[inline(always)]
fn bits_of(values: f32x4) -> i32x4 {
    // SAFETY: both types are four 32-bit values.
    unsafe { core::mem::transmute(values) }
}

#[inline(always)]
fn from_bits(bits: i32x4) -> f32x4 {
    // SAFETY: both types are four 32-bit values.
    unsafe { core::mem::transmute(bits) }
}
