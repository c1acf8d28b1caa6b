//! AdamW updates of two random parameters, as the comparisons of clipping and loss scaling do them.

use super::{random, read};
use crate::Result;
use crate::kernels::{self, AdamWScalars, AdamWState, GROUPS};
use burn::tensor::{Device, Tensor};

/// Values of each parameter.
pub(super) const ELEMENTS: usize = 37;

/// Two parameters with their moments.
pub(super) struct Updates {
    /// Of each group. They differ in weight decay and learning rate.
    groups: [AdamWScalars; GROUPS],
    /// Parameter `[ELEMENTS]` and moments `[2 * ELEMENTS]`, of each.
    updated: [(Tensor<1>, Tensor<1>); 2],
}

impl Updates {
    /// Parameters before the first update. With `scaled`, the clip is that of a loss scaler, which corrects the bias.
    pub(super) fn new(scaled: bool, device: &Device) -> Self {
        Self {
            groups: std::array::from_fn(|group| AdamWScalars {
                beta1: 0.9,
                beta2: 0.999,
                decay: 0.999 - 0.01 * group as f64,
                step_size: 1e-2 * (group + 1) as f64,
                bias_correction2_sqrt: if scaled { 1.0 } else { 0.5 },
                eps: 1e-8,
                group,
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
        let groups = self.groups;
        let values = kernels::step_values(&groups);
        let values = Tensor::from_floats(values.as_slice(), &clip.device());
        let [a, b] = self.updated;
        let settings = kernels::adamw_settings(clip, values);
        let pair =
            [(a, groups[3]), (b, groups[1])].map(|((parameter, moments), scalars)| AdamWState {
                parameter,
                gradient: gradient.clone(),
                moments,
                scalars,
            });
        let updated = kernels::adamw(pair, settings);
        Self { groups, updated }
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
