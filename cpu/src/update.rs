//! AdamW and the sum of squared gradients.

use crate::simd::{LANES, fma, for_part, load, load_some, store_some};
use crate::split;
use wide::f32x4;

/// Updates a parameter and its moments in place, as
/// [`torch.optim.AdamW`](https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html). Where the gradient and
/// both moments are 0, the update is 0 and only the decay remains: nothing else is written.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct AdamW {
    /// `[len]`.
    pub parameter: *mut f32,
    /// `[len]`.
    pub first_moment: *mut f32,
    /// `[len]`.
    pub second_moment: *mut f32,
    /// `[len]`.
    pub gradient: *const f32,
    /// Number of values.
    pub len: usize,
    /// Factor of the gradient.
    pub clip: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// `1 - beta1`.
    pub one_minus_beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// `1 - beta2`.
    pub one_minus_beta2: f32,
    /// Factor of the parameter before the update.
    pub decay: f32,
    /// `lr / (1 - beta1^t)`.
    pub step_size: f32,
    /// `1 / sqrt(1 - beta2^t)`.
    pub inverse_correction: f32,
    /// Added to the denominator.
    pub eps: f32,
}

impl AdamW {
    /// Updates the values that belong to `part` of `parts`.
    ///
    /// # Safety
    /// All pointers are valid for `len` values and not aliased.
    pub(crate) unsafe fn compute(&self, part: usize, parts: usize) {
        for_part(self.len, part, parts, |at, count| {
            // SAFETY: all indices are below `len`.
            unsafe {
                let gradient = load_some(self.gradient.add(at), count);
                let first = load_some(self.first_moment.add(at), count);
                let second = load_some(self.second_moment.add(at), count);
                // The rows of word embeddings that no batch has had: half of MiniLM's values.
                if !(gradient | first | second).simd_ne(f32x4::ZERO).any() {
                    if self.decay != 1.0 {
                        let parameter = load_some(self.parameter.add(at), count);
                        let decayed = parameter * f32x4::splat(self.decay);
                        store_some(self.parameter.add(at), decayed, count);
                    }
                    return;
                }
                let state = [load_some(self.parameter.add(at), count), first, second];
                let [parameter, first, second] = self.update(state, gradient);
                store_some(self.parameter.add(at), parameter, count);
                store_some(self.first_moment.add(at), first, count);
                store_some(self.second_moment.add(at), second, count);
            }
        });
    }

    #[inline(always)]
    fn update(&self, [parameter, first, second]: [f32x4; 3], gradient: f32x4) -> [f32x4; 3] {
        let gradient = gradient * f32x4::splat(self.clip);
        let first = fma(
            first,
            f32x4::splat(self.beta1),
            gradient * f32x4::splat(self.one_minus_beta1),
        );
        let second = fma(
            second,
            f32x4::splat(self.beta2),
            gradient * gradient * f32x4::splat(self.one_minus_beta2),
        );
        let root = second.sqrt() * f32x4::splat(self.inverse_correction);
        let update = first * f32x4::splat(self.step_size) / (root + f32x4::splat(self.eps));
        let parameter = parameter * f32x4::splat(self.decay) - update;
        [parameter, first, second]
    }
}

/// Values of a partial sum: the order of the additions does not depend on the number of parts.
const CHUNK: usize = 4096;

/// Writes the sum of the squares of each chunk of a tensor.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Squares {
    /// `[len]`.
    pub input: *const f32,
    /// Number of values.
    pub len: usize,
    /// As many as [`Squares::chunks`].
    pub sums: *mut f32,
}

impl Squares {
    /// Returns the number of partial sums of `len` values.
    pub fn chunks(len: usize) -> usize {
        len.div_ceil(CHUNK)
    }

    /// Sums the chunks that belong to `part` of `parts`.
    ///
    /// # Safety
    /// `input` is valid for `len` values and `sums` for the number of chunks.
    pub(crate) unsafe fn compute(&self, part: usize, parts: usize) {
        for chunk in split(Self::chunks(self.len), part, parts) {
            let (start, end) = (chunk * CHUNK, ((chunk + 1) * CHUNK).min(self.len));
            let mut sums = [f32x4::ZERO; 4];
            let mut at = start;
            // SAFETY: all indices are below `len`.
            unsafe {
                while at + 4 * LANES <= end {
                    for (index, sum) in sums.iter_mut().enumerate() {
                        let values = load(self.input.add(at + index * LANES));
                        *sum = fma(values, values, *sum);
                    }
                    at += 4 * LANES;
                }
                let mut total = ((sums[0] + sums[1]) + (sums[2] + sums[3])).reduce_add();
                for at in at..end {
                    let value = *self.input.add(at);
                    total += value * value;
                }
                *self.sums.add(chunk) = total;
            }
        }
    }
}
