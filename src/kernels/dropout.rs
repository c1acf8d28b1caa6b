//! Dropout masks that are computed, not stored: whether a value is kept follows from its position and a key by a hash, so that the
//! way back needs no memory of the way forth, and every device draws the same masks.

use burn::backend::{Backend, tensor::FloatTensor};
use burn::tensor::{Shape, TensorData};

/// Which values one dropout zeroes, and by what it scales the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutMask {
    /// A value is kept when its hash is at least this: `prob * 2³²`.
    pub threshold: u32,
    /// Sets this mask apart from all others.
    pub key: u32,
    /// `1 / (1 - prob)`.
    pub scale: f32,
}

impl DropoutMask {
    /// Keeps everything.
    pub const NONE: Self = Self {
        threshold: 0,
        key: 0,
        scale: 1.0,
    };

    /// Whether nothing is zeroed.
    pub fn is_none(self) -> bool {
        self.threshold == 0
    }

    /// What the value at `position` is multiplied by.
    pub fn factor(self, position: u32) -> f32 {
        if hash(position, self.key) >= self.threshold {
            self.scale
        } else {
            0.0
        }
    }
}

/// A stream of masks, one a dropout of a forward pass: the same seed, step and order of calls give the same masks.
#[derive(Debug, Clone)]
pub struct DropoutStream {
    key: u32,
    calls: u32,
}

impl DropoutStream {
    /// The stream of one forward pass, the `pass`th of a run.
    pub fn new(seed: u32, pass: u32) -> Self {
        Self {
            key: hash(pass, seed),
            calls: 0,
        }
    }

    /// The next mask, which zeroes a value with probability `prob`, in `[0, 1)`.
    pub fn mask(&mut self, prob: f64) -> DropoutMask {
        self.calls += 1;
        DropoutMask {
            threshold: (prob * 4_294_967_296.0) as u32,
            key: hash(self.calls, self.key),
            scale: (1.0 / (1.0 - prob)) as f32,
        }
    }
}

/// Multiplier of Knuth's multiplicative hash, odd and without a pattern: keys of neighbours lie far apart.
pub(super) const SPREAD: u32 = 0x9e37_79b9;
/// Multipliers of [`hash`].
pub(super) const MIX: (u32, u32) = (0x7feb_352d, 0x846c_a68b);

/// The finalizer `lowbias32` (Wellons, 2018) over position and key, with a second key-dependent round.
fn hash(position: u32, key: u32) -> u32 {
    let mixed = mix(position.wrapping_mul(SPREAD) ^ key);
    mix(mixed.wrapping_add(key))
}

fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(MIX.0);
    x ^= x >> 15;
    x = x.wrapping_mul(MIX.1);
    x ^ (x >> 16)
}

/// The mask as factors, for devices without a kernel of their own.
pub(super) fn mask_tensor<B: Backend>(
    shape: Shape,
    mask: DropoutMask,
    device: &B::Device,
) -> FloatTensor<B> {
    let factors: Vec<f32> = (0..shape.num_elements() as u32)
        .map(|position| mask.factor(position))
        .collect();
    B::float_from_data(TensorData::new(factors, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_share_asked_for_and_the_mean() {
        let mask = DropoutStream::new(42, 0).mask(0.1);
        let factors: Vec<f32> = (0..100_000).map(|position| mask.factor(position)).collect();
        let dropped = factors.iter().filter(|&&factor| factor == 0.0).count();
        assert!((9_700..10_300).contains(&dropped), "{dropped}");
        let mean = factors.iter().sum::<f32>() / factors.len() as f32;
        assert!((mean - 1.0).abs() < 0.005, "{mean}");
    }

    #[test]
    fn masks_of_one_pass_and_of_two_are_unrelated() {
        let mut first = DropoutStream::new(42, 0);
        let masks = [
            first.mask(0.5),
            first.mask(0.5),
            DropoutStream::new(42, 1).mask(0.5),
            DropoutStream::new(43, 0).mask(0.5),
        ];
        for (at, one) in masks.iter().enumerate() {
            for other in &masks[at + 1..] {
                let agree = (0..10_000)
                    .filter(|&position| one.factor(position) == other.factor(position))
                    .count();
                assert!((4_800..5_200).contains(&agree), "{agree}");
            }
        }
    }

    #[test]
    fn a_seed_and_a_pass_give_the_same_masks() {
        let stream = || DropoutStream::new(7, 3);
        assert_eq!(stream().mask(0.1), stream().mask(0.1));
        assert!(stream().mask(0.0).is_none());
    }
}
