//! Vectors of four f32: loads, stores, fused multiply-add, and the functions that `wide` lacks.
//!
//! Inner loops have no `array::map`, because a compiler may call it instead of inlining it.

use wide::f32x4;

/// Values of a vector.
pub(crate) const LANES: usize = 4;

/// Loads four values.
///
/// # Safety
/// `from` is valid for reads of four values.
#[inline(always)]
pub(crate) unsafe fn load(from: *const f32) -> f32x4 {
    // SAFETY: by the contract of this function; no alignment is needed.
    unsafe { from.cast::<f32x4>().read_unaligned() }
}

/// Stores four values.
///
/// # Safety
/// `to` is valid for writes of four values.
#[inline(always)]
pub(crate) unsafe fn store(to: *mut f32, values: f32x4) {
    // SAFETY: by the contract of this function; no alignment is needed.
    unsafe { to.cast::<f32x4>().write_unaligned(values) }
}

/// Returns four times the value at `from`.
///
/// # Safety
/// `from` is valid for a read.
#[inline(always)]
pub(crate) unsafe fn splat(from: *const f32) -> f32x4 {
    // SAFETY: by the contract of this function.
    f32x4::splat(unsafe { *from })
}

/// Returns `a * b + c`, rounded once where the target has such an instruction.
#[inline(always)]
pub(crate) fn fma(a: f32x4, b: f32x4, c: f32x4) -> f32x4 {
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    {
        use core::arch::wasm32::{f32x4_relaxed_madd, v128};
        use core::mem::transmute;
        // SAFETY: both types are four f32 without invalid values.
        unsafe {
            let (a, b): (v128, v128) = (transmute(a), transmute(b));
            transmute::<v128, f32x4>(f32x4_relaxed_madd(a, b, transmute::<f32x4, v128>(c)))
        }
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "relaxed-simd")))]
    {
        a.mul_add(b, c)
    }
}

/// Transposes a block of 4 × 4 values.
#[inline(always)]
pub(crate) fn transpose(rows: [f32x4; 4]) -> [f32x4; 4] {
    f32x4::transpose(rows)
}
