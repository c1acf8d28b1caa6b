//! The global norm over the gradients of all parameters, and the factor that clips it.
//!
//! burn clips each tensor by its own norm; transformers clips all of them by their global norm.

use crate::bert::BertForSequenceClassification;
use crate::kernels::{self, PartialSums};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The Euclidean norm over the gradients of all parameters, and the factor that limits it to `max_norm`, as in
/// PyTorch's [`clip_grad_norm_`]. The factor is 1 if `max_norm` is 0.
///
/// [`clip_grad_norm_`]: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
///
/// # Shapes
/// Returns `[2]`: norm and factor.
pub fn norm_and_clip(
    model: &BertForSequenceClassification,
    grads: &GradientsParams,
    max_norm: f64,
) -> Tensor<1> {
    kernels::clip_coefficient(sum_of_squares(model, grads), max_norm)
}

/// The sum of the squares of all gradients.
///
/// # Shapes
/// Returns `[1]`.
pub fn sum_of_squares(model: &BertForSequenceClassification, grads: &GradientsParams) -> Tensor<1> {
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
    let mut sums = Tensor::zeros([end.max(1)], &device);
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
    sums.sum()
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

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn clips_only_norms_above_the_maximum() {
        let coefficient = |norm: f32, max| {
            let squares = Tensor::from_floats([norm * norm], &Device::flex());
            let both: Vec<f32> = kernels::clip_coefficient(squares, max)
                .into_data()
                .try_into_vec()
                .unwrap();
            assert!((both[0] - norm).abs() < 1e-6);
            both[1]
        };
        assert!((coefficient(4.0, 1.0) - 0.25).abs() < 1e-6);
        assert_eq!(coefficient(0.5, 1.0), 1.0);
        assert_eq!(coefficient(4.0, 0.0), 1.0);
        assert_eq!(coefficient(0.0, 1.0), 1.0);
    }
}
