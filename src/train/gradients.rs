//! The global norm over the gradients of all parameters, and the factor that clips it.
//!
//! burn clips each tensor by its own norm; transformers clips all of them by their global norm.

use crate::bert::BertForSequenceClassification;
use crate::kernels::{self, CLIP_VALUES, PROCEEDS, PartialSums};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

/// Clips gradients by their global norm, and skips every update from the first one on whose loss or norm is not finite.
///
/// The result stays on the device: the host reads losses back later, and the parameters are then still those of the
/// last finite update.
#[derive(Debug)]
pub struct GradientClipper {
    max_norm: f64,
    /// `[CLIP_VALUES]`, see [`kernels::clip_coefficient`].
    state: Tensor<1>,
}

impl GradientClipper {
    /// Limits norms to `max_norm`, unless it is 0. `device` is without autodiff.
    pub fn new(max_norm: f64, device: &Device) -> Self {
        let mut state = [0.0; CLIP_VALUES];
        state[PROCEEDS] = 1.0;
        Self {
            max_norm,
            state: Tensor::from_data(TensorData::from(state), device),
        }
    }

    /// The state after the last update.
    ///
    /// # Shapes
    /// `[CLIP_VALUES]`.
    pub(super) fn state(&self) -> Tensor<1> {
        self.state.clone()
    }

    /// Continues from a [`state`](Self::state).
    pub(super) fn set_state(&mut self, state: Tensor<1>) {
        self.state = state;
    }

    /// Decides on an update from its loss and partial sums of the squares of its gradients. Returns the `clip` of
    /// [`AdamW::step`](super::AdamW::step): the norm, the factor that limits it, as in PyTorch's [`clip_grad_norm_`],
    /// and whether the update proceeds.
    ///
    /// [`clip_grad_norm_`]: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
    ///
    /// # Shapes
    /// `[n]` and `[1]` → `[CLIP_VALUES]`.
    pub fn update(&mut self, squares: Tensor<1>, loss: Tensor<1>) -> Tensor<1> {
        self.state = kernels::clip_coefficient(squares, loss, self.state.clone(), self.max_norm);
        self.state.clone()
    }
}

/// Partial sums of the squares of all gradients. Their total is the square of the global norm.
///
/// # Shapes
/// Returns `[n]`.
pub fn partial_sums_of_squares(
    model: &BertForSequenceClassification,
    grads: &GradientsParams,
) -> Tensor<1> {
    let device = model.device().without_autodiff();
    let mut all = Collector {
        grads,
        found: Vec::new(),
    };
    model.visit(&mut all);
    let mut places = Vec::new();
    let mut end = 0;
    for grad in &all.found {
        let count = PartialSums::count_for(grad.dims()[0]);
        places.push(PartialSums { offset: end, count });
        end += count;
    }
    if end == 0 {
        return Tensor::zeros([1], &device);
    }
    // Every partial sum is written.
    let mut sums = Tensor::empty([end], &device);
    for (grads, places) in all.found.chunks(6).zip(places.chunks(6)) {
        // A dispatch takes six tensors; the last dispatch may have fewer.
        let spare = |at: usize| {
            let grad = grads.get(at).cloned();
            grad.unwrap_or_else(|| Tensor::empty([1], &device))
        };
        let inputs = [0, 1, 2, 3, 4, 5].map(spare);
        let none = PartialSums {
            offset: end,
            count: 0,
        };
        let places = [0, 1, 2, 3, 4, 5].map(|at| places.get(at).copied().unwrap_or(none));
        sums = kernels::squares(sums, inputs, places);
    }
    sums
}

/// Collects every gradient, flat, in the order of the parameters.
struct Collector<'a> {
    grads: &'a GradientsParams,
    found: Vec<Tensor<1>>,
}

impl ModuleVisitor for Collector<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            self.found.push(grad.flatten(0, D - 1));
        }
    }
}
