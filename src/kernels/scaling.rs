//! What a loss scaler decides about an update, as seven values that stay on the device: the kernel that clips the gradients writes them,
//! AdamW's reads them, and they are the scaler's state for the update after. What they mean is written here once, in plain Rust.

use super::AdamWScalars;

/// How many values a scaler has.
pub const SCALER_VALUES: usize = 7;

/// The norm of all gradients, divided by the scale: not finite where they overflowed.
pub(super) const NORM: usize = 0;
/// What the gradients are multiplied by: divided by the scale, and clipped; 0 where they overflowed.
pub const COEFFICIENT: usize = 1;
/// 1, or 0 for an update that is skipped.
pub const PROCEEDS: usize = 2;
/// What the next update's loss is multiplied by.
pub const SCALE: usize = 3;
/// Updates since the scale changed (`_growth_tracker`).
pub(super) const GROWTH_TRACKER: usize = 4;
/// AdamW's bias corrections, `1 - beta1^t` and `1 - beta2^t` after `t` updates that were not skipped.
pub(super) const BIAS_CORRECTION1: usize = 5;
pub(super) const BIAS_CORRECTION2: usize = 6;

/// PyTorch's epsilon beside a norm that is divided by.
pub(super) const NORM_EPS: f64 = 1e-6;

/// What a scaler goes by: `torch.amp.GradScaler`'s arguments, and those of the clipping and of the AdamW that it decides about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossScaling {
    /// As in [`clip_coefficient`](super::clip_coefficient).
    pub max_norm: f64,
    /// AdamW's.
    pub betas: [f64; 2],
    /// What the scale is multiplied by after `growth_interval` updates without an overflow.
    pub growth_factor: f64,
    /// What it is multiplied by after an overflow.
    pub backoff_factor: f64,
    /// Updates.
    pub growth_interval: usize,
}

impl LossScaling {
    /// The values after an update whose scaled gradients have this sum of squares.
    pub(super) fn after(&self, squares: f32, before: [f32; SCALER_VALUES]) -> [f32; SCALER_VALUES] {
        let scale = before[SCALE];
        let norm = squares.sqrt() / scale;
        let mut after = before;
        after[NORM] = norm;
        if !squares.is_finite() {
            after[COEFFICIENT] = 0.0;
            after[PROCEEDS] = 0.0;
            after[SCALE] = scale * self.backoff_factor as f32;
            after[GROWTH_TRACKER] = 0.0;
            return after;
        }
        let clip = if self.max_norm > 0.0 {
            (self.max_norm as f32 / (norm + NORM_EPS as f32)).min(1.0)
        } else {
            1.0
        };
        after[COEFFICIENT] = clip / scale;
        after[PROCEEDS] = 1.0;
        after[GROWTH_TRACKER] += 1.0;
        if after[GROWTH_TRACKER] >= self.growth_interval as f32 {
            after[GROWTH_TRACKER] = 0.0;
            let grown = scale * self.growth_factor as f32;
            if grown.is_finite() {
                after[SCALE] = grown;
            }
        }
        // 1 - β^t = β (1 - β^(t-1)) + (1 - β): as a difference of two f32 it would lose its digits.
        for (at, beta) in [BIAS_CORRECTION1, BIAS_CORRECTION2]
            .into_iter()
            .zip(self.betas)
        {
            after[at] = after[at] * beta as f32 + (1.0 - beta) as f32;
        }
        after
    }
}

impl AdamWScalars {
    /// The scalars of an update that a scaler decided about, whose bias corrections it keeps; none for one that is skipped.
    pub(super) fn decided(self, values: [f32; SCALER_VALUES]) -> Option<Self> {
        (values[PROCEEDS] > 0.0).then(|| Self {
            step_size: self.step_size / f64::from(values[BIAS_CORRECTION1]),
            bias_correction2_sqrt: f64::from(values[BIAS_CORRECTION2]).sqrt(),
            ..self
        })
    }
}
