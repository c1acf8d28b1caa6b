//! AdamW updates of two random parameters, as the comparisons of clipping and loss scaling do them.

use super::{random, read};
use crate::Result;
use crate::kernels::{self, AdamWScalars, AdamWState};
use burn::tensor::{Device, Tensor};

/// Values of each parameter.
pub(super) const ELEMENTS: usize = 37;

/// Two parameters with their moments.
pub(super) struct Updates {
    /// Of each parameter: their groups differ in weight decay and learning rate.
    scalars: [AdamWScalars; 2],
    /// Parameter `[ELEMENTS]` and moments `[2 * ELEMENTS]`, of each.
    updated: [(Tensor<1>, Tensor<1>); 2],
}

impl Updates {
    /// Parameters before the first update. With `scaled`, the clip is that of a loss scaler, which corrects the bias.
    pub(super) fn new(scaled: bool, device: &Device) -> Self {
        Self {
            scalars: [(0.999, 1e-2), (0.97, 3e-2)].map(|(decay, step_size)| AdamWScalars {
                beta1: 0.9,
                beta2: 0.999,
                decay,
                step_size,
                bias_correction2_sqrt: if scaled { 1.0 } else { 0.5 },
                eps: 1e-8,
                scaled,
            }),
            updated: [1, 2].map(|seed| {
                let parameter = random([ELEMENTS], seed, device);
                (parameter, Tensor::zeros([2 * ELEMENTS], device))
            }),
        }
    }

    /// Updates both parameters with one gradient. It takes the tensors, so that the kernel overwrites their buffers as
    /// in a run.
    ///
    /// # Shapes
    /// `gradient`: `[ELEMENTS]`, `clip`: `[CLIP_VALUES]` or `[SCALER_VALUES]`
    pub(super) fn step(self, gradient: &Tensor<1>, clip: Tensor<1>) -> Self {
        let scalars = self.scalars;
        let [a, b] = self.updated;
        let pair =
            [(a, scalars[0]), (b, scalars[1])].map(|((parameter, moments), scalars)| AdamWState {
                parameter,
                gradient: gradient.clone(),
                moments,
                scalars,
            });
        let updated = kernels::adamw(pair, clip);
        Self { scalars, updated }
    }

    /// Reads back the parameters and moments.
    pub(super) async fn read(&self) -> Result<Vec<f32>> {
        let mut values = Vec::new();
        for (parameter, moments) in &self.updated {
            values.extend(read(parameter.clone()).await?);
            values.extend(read(moments.clone()).await?);
        }
        Ok(values)
    }
}
