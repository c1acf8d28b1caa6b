//! The comparison of updates whose loss or gradient norm is not finite: they and all later ones change nothing.
//!
//! WGSL compilers may assume that no value is infinite or NaN. The parameters of a diverged run depend on detecting it.

use super::updates::{ELEMENTS, Updates};
use super::{Check, compare_values, random, read};
use crate::Result;
use crate::kernels::{COEFFICIENT, SCALE};
use crate::train::{GradScaler, GradientClipper, INIT_SCALE, TrainingArguments};
use burn::tensor::{Device, Tensor};

const MAX_NORM: f64 = 2.0;

/// Sum of squares and loss of an update that is not finite.
const TROUBLES: [[f32; 2]; 4] = [
    [9.0, f32::NAN],
    [9.0, f32::INFINITY],
    [f32::NAN, 0.5],
    [f32::INFINITY, 0.5],
];

/// Compares clips and parameters over updates before, at and after one that is not finite, with and without a loss
/// scaler.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) if an operation of the device fails.
pub(super) async fn divergence(device: &Device) -> Result<[Check; 2]> {
    let found = Outcome::compute(device).await?;
    let expected = Outcome::compute(&Device::flex()).await?;
    let compare = |name: &str, found: &[f32], expected: &[f32]| {
        compare_values(name.to_string(), found, expected, 0.0)
    };
    Ok([
        compare("clips of a diverged run", &found.clips, &expected.clips),
        compare(
            "updates of a diverged run",
            &found.parameters,
            &expected.parameters,
        ),
    ])
}

/// What clips the gradients.
enum Clipping {
    Plain(GradientClipper),
    Scaled(GradScaler),
}

struct Outcome {
    /// The clip of each update without the norm, which is not finite in some.
    clips: Vec<f32>,
    /// Parameters and moments after each update.
    parameters: Vec<f32>,
}

impl Outcome {
    async fn compute(device: &Device) -> Result<Self> {
        let mut outcome = Self {
            clips: Vec::new(),
            parameters: Vec::new(),
        };
        for trouble in TROUBLES {
            let clipper = GradientClipper::new(MAX_NORM, device);
            outcome
                .run(Clipping::Plain(clipper), trouble, device)
                .await?;
            let arguments = TrainingArguments {
                max_grad_norm: MAX_NORM,
                ..TrainingArguments::default()
            };
            let scaler = GradScaler::new(&arguments, device);
            outcome
                .run(Clipping::Scaled(scaler), trouble, device)
                .await?;
        }
        Ok(outcome)
    }

    /// Does an update before `trouble`, that with it, and one after it.
    async fn run(
        &mut self,
        mut clipping: Clipping,
        trouble: [f32; 2],
        device: &Device,
    ) -> Result<()> {
        let scaled = matches!(clipping, Clipping::Scaled(_));
        let mut updates = Updates::new(scaled, device);
        for (seed, [squares, loss]) in (3..).zip([[4.0, 0.7], trouble, [1.0, 0.6]]) {
            let loss = Tensor::from_floats([loss], device);
            let (clip, scale) = match &mut clipping {
                Clipping::Plain(clipper) => (
                    clipper.update(Tensor::from_floats([squares], device), loss),
                    1.0,
                ),
                Clipping::Scaled(scaler) => {
                    let squares = squares * INIT_SCALE * INIT_SCALE;
                    let squares = Tensor::from_floats([squares], device);
                    (scaler.update(squares, loss), INIT_SCALE)
                }
            };
            let gradient = random([ELEMENTS], seed, device).mul_scalar(scale);
            updates = updates.step(&gradient, clip.clone());
            let mut clip = read(clip).await?;
            if scaled {
                // All values are about 1.
                clip[COEFFICIENT] *= INIT_SCALE;
                clip[SCALE] /= INIT_SCALE;
            }
            self.clips.extend(&clip[COEFFICIENT..]);
            self.parameters.extend(updates.read().await?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{CLIP_VALUES, SCALER_VALUES};

    #[test]
    fn nothing_changes_from_an_update_on_that_is_not_finite() {
        let outcome = pollster::block_on(Outcome::compute(&Device::flex())).unwrap();
        assert!(outcome.parameters.iter().all(|value| value.is_finite()));
        let per_run = (CLIP_VALUES - 1 + SCALER_VALUES - 1) * 3;
        assert_eq!(outcome.clips.len(), TROUBLES.len() * per_run);
        // Two parameters with their moments, three updates.
        let mut runs = outcome.parameters.chunks(3 * 6 * ELEMENTS);
        for [squares, _] in TROUBLES {
            for scaled in [false, true] {
                let run: Vec<&[f32]> = runs.next().unwrap().chunks(6 * ELEMENTS).collect();
                assert_eq!(run[0], run[1], "the update that is not finite");
                // A loss scaler continues after an overflow.
                let continues = scaled && !squares.is_finite();
                assert_eq!(run[1] != run[2], continues, "the update after it");
            }
        }
    }
}
