//! Loss scaling ([Micikevicius et al., 2017](https://arxiv.org/abs/1710.03740)), as in
//! [`torch.amp.GradScaler`](https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling): the loss is multiplied by
//! a scale before the backward pass, so that small gradients do not underflow in f16, and the gradients are divided by
//! it. If they overflow, the update is skipped and the scale halved; after enough updates without an overflow it is
//! doubled.
//!
//! PyTorch reads back from the GPU after each backward pass whether a gradient overflowed. Here the kernel that clips
//! the gradients decides on the device, and AdamW's kernel follows it: no read-back stalls the queue, and the log shows
//! what happened. A loss that is not finite, or gradients that overflow at a scale below 1, end the run: this and every
//! later update is skipped, so that the parameters stay finite.

use super::TrainingArguments;
use crate::kernels::{self, LossScaling, SCALE, SCALER_VALUES};
use burn::tensor::{Device, Tensor, TensorData};

/// The scale of the first update (`init_scale`).
pub const INIT_SCALE: f32 = 65_536.0;

/// The loss scale and its state, on the device.
#[derive(Debug)]
pub struct GradScaler {
    scaling: LossScaling,
    /// `[SCALER_VALUES]`, see [`kernels::update_scale`].
    state: Tensor<1>,
}

impl GradScaler {
    /// A scaler with PyTorch's defaults and the clipping and AdamW of these arguments. `device` is without autodiff.
    pub fn new(arguments: &TrainingArguments, device: &Device) -> Self {
        let scaling = LossScaling {
            max_norm: arguments.max_grad_norm,
            betas: [arguments.adam_beta1, arguments.adam_beta2],
            growth_factor: 2.0,
            backoff_factor: 0.5,
            growth_interval: 2000,
        };
        Self::with(scaling, device)
    }

    /// A scaler with these parameters. `device` is without autodiff.
    pub fn with(scaling: LossScaling, device: &Device) -> Self {
        let mut state = [0.0; SCALER_VALUES];
        state[SCALE] = INIT_SCALE;
        Self {
            scaling,
            state: Tensor::from_data(TensorData::from(state), device),
        }
    }

    /// The loss scale on the device with autodiff.
    ///
    /// # Shapes
    /// `[1]`.
    pub fn scale(&self) -> Tensor<1> {
        Tensor::from_inner(self.state.clone().slice(SCALE..SCALE + 1))
    }

    /// The state after the last update.
    ///
    /// # Shapes
    /// `[SCALER_VALUES]`.
    pub(super) fn state(&self) -> Tensor<1> {
        self.state.clone()
    }

    /// Continues from a [`state`](Self::state).
    pub(super) fn set_state(&mut self, state: Tensor<1>) {
        self.state = state;
    }

    /// Decides on an update from its loss and partial sums of the squares of its scaled gradients, and computes the
    /// next scale. Returns the `clip` of [`AdamW::step`](super::AdamW::step).
    ///
    /// # Shapes
    /// `[n]` and `[1]` → `[SCALER_VALUES]`.
    pub fn update(&mut self, squares: Tensor<1>, loss: Tensor<1>) -> Tensor<1> {
        self.state = kernels::update_scale(squares, loss, self.state.clone(), self.scaling);
        self.state.clone()
    }
}
