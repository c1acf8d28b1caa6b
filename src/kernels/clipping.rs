//! Gradient clipping, and the decision whether an update proceeds: its state is a tensor of four values that stays on
//! the device.
//!
//! The host reads losses back only once every few updates. An update whose loss or gradient norm is not finite must
//! therefore be skipped on the device, together with all later ones, so that the parameters stay those of the last
//! finite update. The state also counts the updates, so that the host notices when the device has lost one and the values
//! that it reads are old. [`next_clip`] defines the arithmetic; the kernel in `cube/clipping.rs` does the same.

use super::loss_scaling::{COEFFICIENT, NORM, PROCEEDS};

/// Number of values in the state of a clip: norm, coefficient, 1 or 0 for whether the update proceeds, and the number of
/// updates. A loss scaler's state begins with the same first three and ends with the same last one.
pub const CLIP_VALUES: usize = 4;

/// Index of the number of updates, skipped ones included.
pub(super) const UPDATES: usize = CLIP_VALUES - 1;

/// Added to the norm before `max_norm` is divided by it, as `torch.nn.utils.clip_grad_norm_` does.
pub(super) const NORM_EPS: f64 = 1e-6;

/// Returns `min(1, max_norm / (norm + 1e-6))`, or 1 if `max_norm` is 0.
pub(super) fn clip_factor(norm: f32, max_norm: f64) -> f32 {
    if max_norm > 0.0 {
        (max_norm as f32 / (norm + NORM_EPS as f32)).min(1.0)
    } else {
        1.0
    }
}

/// Returns the state after an update with this sum of squares and loss.
pub(super) fn next_clip(
    squares: f32,
    loss: f32,
    state: [f32; CLIP_VALUES],
    max_norm: f64,
) -> [f32; CLIP_VALUES] {
    let norm = squares.sqrt();
    let mut next = [0.0; CLIP_VALUES];
    next[NORM] = norm;
    next[UPDATES] = state[UPDATES] + 1.0;
    if squares.is_finite() && loss.is_finite() && state[PROCEEDS] > 0.0 {
        next[COEFFICIENT] = clip_factor(norm, max_norm);
        next[PROCEEDS] = 1.0;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: [f32; CLIP_VALUES] = [0.0, 0.0, 1.0, 0.0];

    #[test]
    fn clips_only_norms_above_the_maximum() {
        let coefficient = |norm: f32, max| {
            let [found, coefficient, proceeds, _] = next_clip(norm * norm, 0.5, FIRST, max);
            assert!((found - norm).abs() < 1e-6);
            assert_eq!(proceeds, 1.0);
            coefficient
        };
        assert!((coefficient(4.0, 1.0) - 0.25).abs() < 1e-6);
        assert_eq!(coefficient(0.5, 1.0), 1.0);
        assert_eq!(coefficient(4.0, 0.0), 1.0);
        assert_eq!(coefficient(0.0, 1.0), 1.0);
    }

    #[test]
    fn no_update_proceeds_after_one_that_was_not_finite() {
        for (squares, loss) in [
            (f32::NAN, 0.5),
            (f32::INFINITY, 0.5),
            (1.0, f32::NAN),
            (1.0, f32::INFINITY),
            (1.0, f32::NEG_INFINITY),
        ] {
            let skipped = next_clip(squares, loss, FIRST, 1.0);
            assert_eq!(skipped[1..], [0.0, 0.0, 1.0]);
            assert_eq!(next_clip(4.0, 0.5, skipped, 1.0), [2.0, 0.0, 0.0, 2.0]);
        }
    }
}
