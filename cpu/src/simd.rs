//! Vectors of four f32: loads, stores, fused multiply-add, and the functions that `wide` lacks.
//!
//! Inner loops have no `array::map`, because a compiler may call it instead of inlining it.

use crate::split;
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

/// Calls `work` with the index of each group of four values, and how many values it has.
#[inline(always)]
pub(crate) fn for_row(len: usize, work: impl FnMut(usize, usize)) {
    for_part(len, 0, 1, work);
}

/// Calls `work` as [`for_row`] does, with the groups that belong to `part` of `parts`.
#[inline(always)]
pub(crate) fn for_part(len: usize, part: usize, parts: usize, mut work: impl FnMut(usize, usize)) {
    for group in split(len / LANES, part, parts) {
        work(group * LANES, LANES);
    }
    let whole = len / LANES * LANES;
    if part + 1 == parts && whole < len {
        work(whole, len - whole);
    }
}

/// Loads `count` values, at most four; the others are 0.
///
/// # Safety
/// `from` is valid for reads of `count` values.
#[inline(always)]
pub(crate) unsafe fn load_some(from: *const f32, count: usize) -> f32x4 {
    // SAFETY: by the caller's contract.
    unsafe {
        if count == LANES {
            return load(from);
        }
        let mut values = [0.0; LANES];
        let mut at = 0;
        while at < count && at < LANES {
            *values.as_mut_ptr().add(at) = *from.add(at);
            at += 1;
        }
        f32x4::new(values)
    }
}

/// Stores the first `count` values, at most four.
///
/// # Safety
/// `to` is valid for writes of `count` values.
#[inline(always)]
pub(crate) unsafe fn store_some(to: *mut f32, values: f32x4, count: usize) {
    // SAFETY: by the caller's contract.
    unsafe {
        if count == LANES {
            return store(to, values);
        }
        let values = values.to_array();
        let mut at = 0;
        while at < count && at < LANES {
            *to.add(at) = *values.as_ptr().add(at);
            at += 1;
        }
    }
}
