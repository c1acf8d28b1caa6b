//! The exact GELU and its derivative, of one value: the products' kernel ends with them.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

const INV_SQRT_2: f32 = std::f32::consts::FRAC_1_SQRT_2;
const MINUS_HALF: f32 = -0.5;
const INV_SQRT_2PI: f32 = 0.398_942_3;

/// `Φ(x)`, the distribution function of the standard normal.
#[cube]
fn normal_cdf(x: f32) -> f32 {
    (Erf::erf(x * INV_SQRT_2) + 1.0) * 0.5
}

/// `x Φ(x)`.
#[cube]
pub(super) fn gelu(x: f32) -> f32 {
    x * normal_cdf(x)
}

/// `Φ(x) + x φ(x)`.
#[cube]
pub(super) fn gelu_slope(x: f32) -> f32 {
    let density = (x * x * MINUS_HALF).exp() * INV_SQRT_2PI;
    normal_cdf(x) + x * density
}
