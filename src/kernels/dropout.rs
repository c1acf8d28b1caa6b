//! Dropout masks from a counter-based generator ([Salmon et al., 2011]): whether a value is kept is a hash of its index
//! and the mask's key. The backward pass recomputes the mask instead of storing it, and all devices draw the same
//! masks.
//!
//! [Salmon et al., 2011]: https://doi.org/10.1145/2063384.2063405

use burn::backend::{Backend, tensor::FloatTensor};
use burn::tensor::{Shape, TensorData};

/// The mask of one inverted dropout: the values that it sets to 0, and the factor of the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutMask {
    /// `prob * 2³²`. A value is kept if its hash is at least this.
    pub threshold: u32,
    /// Key of the forward pass. All masks of a pass have the same, so that a device gets it once.
    pub pass: u32,
    /// Number of the mask in its forward pass, from 1 on.
    pub call: u32,
    /// `1 / (1 - prob)`.
    pub scale: f32,
}

impl DropoutMask {
    /// The mask that keeps every value.
    pub const NONE: Self = Self {
        threshold: 0,
        pass: 0,
        call: 0,
        scale: 1.0,
    };

    /// Returns whether the mask keeps every value.
    pub fn is_none(self) -> bool {
        self.threshold == 0
    }

    /// Returns the key of the mask's hash, different for each mask.
    pub fn key(self) -> u32 {
        hash(self.call, self.pass)
    }

    /// Returns the factor of the value at the flat index `position`: 0 or [`scale`](Self::scale).
    pub fn factor(self, position: u32) -> f32 {
        if hash(position, self.key()) >= self.threshold {
            self.scale
        } else {
            0.0
        }
    }
}

/// The masks of one forward pass, one for each dropout. The same seed, pass and order of calls give the same masks.
#[derive(Debug, Clone)]
pub struct DropoutStream {
    key: u32,
    calls: u32,
}

impl DropoutStream {
    /// Creates the stream of the run's forward pass number `pass`.
    pub fn new(seed: u32, pass: u32) -> Self {
        Self {
            key: hash(pass, seed),
            calls: 0,
        }
    }

    /// Returns the next mask, which drops a value with probability `prob`, in `[0, 1)`.
    pub fn mask(&mut self, prob: f64) -> DropoutMask {
        self.calls += 1;
        DropoutMask {
            threshold: (prob * 4_294_967_296.0) as u32,
            pass: self.key,
            call: self.calls,
            scale: (1.0 / (1.0 - prob)) as f32,
        }
    }
}

/// Multiplier of Knuth's multiplicative hash (2³² divided by the golden ratio): it maps adjacent indices far apart.
pub(super) const KNUTH_MULTIPLIER: u32 = 0x9e37_79b9;
/// Multipliers of [`mix`].
pub(super) const MIX_MULTIPLIERS: (u32, u32) = (0x7feb_352d, 0x846c_a68b);

/// Hashes an index with a key: two rounds of [`mix`], both dependent on the key.
fn hash(position: u32, key: u32) -> u32 {
    let mixed = mix(position.wrapping_mul(KNUTH_MULTIPLIER) ^ key);
    mix(mixed.wrapping_add(key))
}

/// The integer hash [`lowbias32`](https://nullprogram.com/blog/2018/07/31/) (Wellons, 2018).
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(MIX_MULTIPLIERS.0);
    x ^= x >> 15;
    x = x.wrapping_mul(MIX_MULTIPLIERS.1);
    x ^ (x >> 16)
}

/// Returns the mask as a tensor of factors, for devices without a dropout kernel.
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
    fn keeps_the_expected_share_and_the_mean() {
        let mask = DropoutStream::new(42, 0).mask(0.1);
        let factors: Vec<f32> = (0..100_000).map(|position| mask.factor(position)).collect();
        let dropped = factors.iter().filter(|&&factor| factor == 0.0).count();
        assert!((9_700..10_300).contains(&dropped), "{dropped}");
        let mean = factors.iter().sum::<f32>() / factors.len() as f32;
        assert!((mean - 1.0).abs() < 0.005, "{mean}");
    }

    #[test]
    fn masks_are_independent_between_calls_passes_and_seeds() {
        let mut first = DropoutStream::new(42, 0);
        let masks = [
            first.mask(0.5),
            first.mask(0.5),
            DropoutStream::new(42, 1).mask(0.5),
            DropoutStream::new(43, 0).mask(0.5),
        ];
        for (at, a) in masks.iter().enumerate() {
            for b in &masks[at + 1..] {
                let agree = (0..10_000)
                    .filter(|&position| a.factor(position) == b.factor(position))
                    .count();
                assert!((4_800..5_200).contains(&agree), "{agree}");
            }
        }
    }

    #[test]
    fn the_same_seed_and_pass_give_the_same_masks() {
        let stream = || DropoutStream::new(7, 3);
        assert_eq!(stream().mask(0.1), stream().mask(0.1));
        assert!(stream().mask(0.0).is_none());
    }
}
