//! Inverted dropout, whose mask is a hash of each value's index.

use crate::simd::{for_part, load_some, store_some};
use wide::{f32x4, u32x4};

/// The mask of an inverted dropout. The hash is `mix(mix(index * KNUTH_MULTIPLIER ^ key) + key)`, where `mix` is
/// [`lowbias32`](https://nullprogram.com/blog/2018/07/31/).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    /// A value is kept if its hash is at least this. 0 keeps every value.
    pub threshold: u32,
    /// Key of the hash.
    pub key: u32,
    /// Factor of the values that are kept.
    pub scale: f32,
}

const KNUTH_MULTIPLIER: u32 = 0x9e37_79b9;
const MIX_MULTIPLIERS: (u32, u32) = (0x7feb_352d, 0x846c_a68b);

impl Dropout {
    /// Applies the mask to four values, whose flat indices begin with `at`.
    #[inline(always)]
    pub(crate) fn apply(self, values: f32x4, at: usize) -> f32x4 {
        if self.threshold == 0 {
            return values;
        }
        values * self.factors(at)
    }

    #[inline(always)]
    fn factors(self, at: usize) -> f32x4 {
        let key = u32x4::splat(self.key);
        let index = u32x4::splat(at as u32) + u32x4::new([0, 1, 2, 3]);
        let hash = mix(mix((index * u32x4::splat(KNUTH_MULTIPLIER)) ^ key) + key);
        let is_kept = hash.max(u32x4::splat(self.threshold)).simd_eq(hash);
        let factors = is_kept & u32x4::splat(self.scale.to_bits());
        // SAFETY: both types are four 32-bit values.
        unsafe { core::mem::transmute::<u32x4, f32x4>(factors) }
    }
}

#[inline(always)]
fn mix(x: u32x4) -> u32x4 {
    let x = (x ^ (x >> 16)) * u32x4::splat(MIX_MULTIPLIERS.0);
    let x = (x ^ (x >> 15)) * u32x4::splat(MIX_MULTIPLIERS.1);
    x ^ (x >> 16)
}

/// Applies a mask to a tensor.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct DropoutJob {
    /// The values.
    pub input: *const f32,
    /// As many values.
    pub output: *mut f32,
    /// Number of values.
    pub len: usize,
    /// The mask.
    pub mask: Dropout,
}

impl DropoutJob {
    /// Computes the values that belong to `part` of `parts`.
    ///
    /// # Safety
    /// `input` and `output` are valid for `len` values.
    pub(crate) unsafe fn compute(&self, part: usize, parts: usize) {
        for_part(self.len, part, parts, |at, count| {
            // SAFETY: all indices are below `len`.
            unsafe {
                let values = self.mask.apply(load_some(self.input.add(at), count), at);
                store_some(self.output.add(at), values, count);
            }
        });
    }
}
