//! Loss scaling, as [`torch.amp.GradScaler`]: its state is a tensor of nine values that stays on the device.
//!
//! The kernel that clips gradients writes the values, AdamW's kernel reads them, and they are the state of the next
//! update. [`LossScaling::next_state`] defines the arithmetic; the kernel in `cube/loss_scaling.rs` does the same.
//!
//! [`torch.amp.GradScaler`]: https://docs.pytorch.org/docs/stable/amp.html#torch.amp.GradScaler

use super::AdamWScalars;
use super::clipping::clip_factor;

/// Number of values in a scaler's state.
pub const SCALER_VALUES: usize = 9;

/// Index of the norm of all gradients, divided by the scale. It is not finite if they overflowed.
pub(super) const NORM: usize = 0;
/// Index of the factor that unscales and clips the gradients. It is 0 if they overflowed.
pub const COEFFICIENT: usize = 1;
/// Index of the flag that is 1, or 0 if the update is skipped.
pub const PROCEEDS: usize = 2;
/// Index of the scale of the next update's loss.
pub const SCALE: usize = 3;
/// Index of the number of updates since the scale changed (`_growth_tracker`).
pub(super) const GROWTH_TRACKER: usize = 4;
/// Index of AdamW's bias correction `1 - beta1^t`, where `t` counts the updates that were not skipped.
pub(super) const BIAS_CORRECTION1: usize = 5;
/// Index of AdamW's bias correction `1 - beta2^t`.
pub(super) const BIAS_CORRECTION2: usize = 6;
/// Index of the flag that is 1 after an update whose loss was not finite, or whose gradients overflow without a scale
/// too. No later update proceeds.
pub const DIVERGED: usize = 7;

/// Index of the number of updates, skipped ones included, as in the state of a clip.
pub(super) const SCALER_UPDATES: usize = SCALER_VALUES - 1;

/// Gradients that overflow at a scale below this overflow without a scale too.
pub(super) const MIN_SCALE: f32 = 1.0;

/// The arguments of `torch.amp.GradScaler`, of gradient clipping and of AdamW that the next state depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossScaling {
    /// The largest norm, as in [`clip_coefficient`](super::clip_coefficient). 0 does not clip.
    pub max_norm: f64,
    /// Decay of AdamW's first and second moment.
    pub betas: [f64; 2],
    /// Factor of the scale after `growth_interval` updates without an overflow.
    pub growth_factor: f64,
    /// Factor of the scale after an overflow.
    pub backoff_factor: f64,
    /// In updates.
    pub growth_interval: usize,
}

impl LossScaling {
    /// Returns the state after an update whose scaled gradients have this sum of squares.
    pub(super) fn next_state(
        &self,
        squares: f32,
        loss: f32,
        state: [f32; SCALER_VALUES],
    ) -> [f32; SCALER_VALUES] {
        let scale = state[SCALE];
        let norm = squares.sqrt() / scale;
        let mut next = state;
        next[NORM] = norm;
        next[SCALER_UPDATES] += 1.0;
        if !loss.is_finite() {
            next[DIVERGED] = 1.0;
        }
        if next[DIVERGED] > 0.0 || !squares.is_finite() {
            next[COEFFICIENT] = 0.0;
            next[PROCEEDS] = 0.0;
        }
        if next[DIVERGED] > 0.0 {
            return next;
        }
        if !squares.is_finite() {
            next[SCALE] = scale * self.backoff_factor as f32;
            next[GROWTH_TRACKER] = 0.0;
            if next[SCALE] < MIN_SCALE {
                next[DIVERGED] = 1.0;
            }
            return next;
        }
        next[COEFFICIENT] = clip_factor(norm, self.max_norm) / scale;
        next[PROCEEDS] = 1.0;
        next[GROWTH_TRACKER] += 1.0;
        if next[GROWTH_TRACKER] >= self.growth_interval as f32 {
            next[GROWTH_TRACKER] = 0.0;
            let grown = scale * self.growth_factor as f32;
            if grown.is_finite() {
                next[SCALE] = grown;
            }
        }
        // 1 - β^t = β (1 - β^(t-1)) + (1 - β). Computed as a difference, 1 - β^t would lose precision in f32.
        for (at, beta) in [BIAS_CORRECTION1, BIAS_CORRECTION2]
            .into_iter()
            .zip(self.betas)
        {
            next[at] = next[at] * beta as f32 + (1.0 - beta) as f32;
        }
        next
    }
}

impl AdamWScalars {
    /// Applies the bias corrections of a loss scaler. Returns `None` if the scaler skips the update.
    pub(super) fn with_bias_corrections(self, values: [f32; SCALER_VALUES]) -> Option<Self> {
        (values[PROCEEDS] > 0.0).then(|| Self {
            step_size: self.step_size / f64::from(values[BIAS_CORRECTION1]),
            bias_correction2_sqrt: f64::from(values[BIAS_CORRECTION2]).sqrt(),
            ..self
        })
    }
}
