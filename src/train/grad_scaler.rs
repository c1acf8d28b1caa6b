//! Loss scaling (Micikevicius et al., 2017), as `torch.amp.GradScaler` does it: the loss is multiplied by a scale before the way back, so that
//! small gradients survive being rounded to f16, and the gradients are divided by it again. Where they overflowed, the update is skipped and
//! the scale halved; after enough good updates it is doubled.
//!
//! PyTorch asks the GPU after each way back whether something overflowed. Here the decision is made on the device, by the kernel that clips
//! the gradients, and AdamW's kernel obeys it: nothing is waited for, and whoever reads the log sees what happened.

use super::TrainingArguments;
use crate::kernels::{self, LossScaling, PROCEEDS, SCALE, SCALER_VALUES};
use burn::tensor::{Device, Tensor, TensorData};

/// The first scale (`init_scale`).
pub const INIT_SCALE: f32 = 65_536.0;
/// A scale below this cannot be what gradients overflow from.
const LEAST_SCALE: f32 = 1.0;

/// The scale, and how it has fared.
#[derive(Debug)]
pub struct GradScaler {
    scaling: LossScaling,
    /// See [`kernels::update_scale`].
    state: Tensor<1>,
}

impl GradScaler {
    /// A scaler with PyTorch's defaults, for the clipping and the AdamW of these arguments, on a device without autodiff.
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

    /// A scaler of another pace.
    pub fn with(scaling: LossScaling, device: &Device) -> Self {
        let mut state = [0.0; SCALER_VALUES];
        state[SCALE] = INIT_SCALE;
        Self {
            scaling,
            state: Tensor::from_data(TensorData::from(state), device),
        }
    }

    /// What the loss is multiplied by, `[1]`, on the device with autodiff.
    pub fn scale(&self) -> Tensor<1> {
        Tensor::from_inner(self.state.clone().slice(SCALE..SCALE + 1))
    }

    /// Decides about an update whose scaled gradients have this sum of squares, `[1]`, and about the next scale: what
    /// [`AdamW::step`](super::AdamW::step) takes as `clip`.
    pub fn update(&mut self, squares: Tensor<1>) -> Tensor<1> {
        self.state = kernels::update_scale(squares, self.state.clone(), self.scaling);
        self.state.clone()
    }

    /// Whether a gradient norm that is not finite is only a scale that was too large: the values are those of [`update`](Self::update). When
    /// the scale has been halved below 1, the gradients themselves overflow.
    pub fn tolerates(values: &[f32]) -> bool {
        values[PROCEEDS] == 0.0 && values[SCALE] >= LEAST_SCALE
    }
}
