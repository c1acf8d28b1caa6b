//! The gradients of all parameters together: their global norm and the factor that clips it.
//!
//! burn's own clipping scales each tensor by its own norm, which is another algorithm than the Trainer's.

use crate::bert::BertForSequenceClassification;
use crate::kernels::{self, SquaresPlace};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The Euclidean norm over the gradients of all parameters (`torch.nn.utils.clip_grad_norm_`), `[1]`.
pub fn global_norm(model: &BertForSequenceClassification, grads: &GradientsParams) -> Tensor<1> {
    let device = model.device().without_autodiff();
    let mut places = Places::new(grads);
    model.visit(&mut places);
    let mut squares = Squares {
        sums: Some(Tensor::zeros([places.sums.max(1)], &device)),
        places: Places::new(grads),
    };
    model.visit(&mut squares);
    squares
        .sums
        .map_or_else(|| Tensor::zeros([1], &device), |sums| sums.sum().sqrt())
}

/// What the gradients are multiplied by so that their norm is at most `max_norm`, `[1]`; 1 when `max_norm` is 0. PyTorch's epsilon
/// of 1e-6 included.
pub fn clip_coefficient(norm: Tensor<1>, max_norm: f64) -> Tensor<1> {
    if max_norm == 0.0 {
        return norm.ones_like();
    }
    (norm + 1e-6).recip().mul_scalar(max_norm).clamp_max(1.0)
}

/// Gives each gradient its place among the partial sums.
struct Places<'a> {
    grads: &'a GradientsParams,
    sums: usize,
}

impl<'a> Places<'a> {
    fn new(grads: &'a GradientsParams) -> Self {
        Self { grads, sums: 0 }
    }

    fn next<const D: usize>(
        &mut self,
        param: &Param<Tensor<D>>,
    ) -> Option<(Tensor<D>, SquaresPlace)> {
        let grad = self.grads.get::<D>(param.id)?;
        let place = SquaresPlace {
            offset: self.sums,
            sums: SquaresPlace::sums_of(grad.shape().num_elements()),
        };
        self.sums += place.sums;
        Some((grad, place))
    }
}

impl ModuleVisitor for Places<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.next(param);
    }
}

/// Fills the places.
struct Squares<'a> {
    places: Places<'a>,
    /// Taken out for each gradient: what nobody else holds is written in place.
    sums: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some((grad, place)) = self.places.next(param) {
            self.sums = self
                .sums
                .take()
                .map(|sums| kernels::squares(sums, grad, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn clips_only_what_is_longer() {
        let coefficient = |norm: f32, max| {
            clip_coefficient(Tensor::from_floats([norm], &Device::flex()), max).into_scalar::<f32>()
        };
        assert!((coefficient(4.0, 1.0) - 0.25).abs() < 1e-6);
        assert_eq!(coefficient(0.5, 1.0), 1.0);
        assert_eq!(coefficient(4.0, 0.0), 1.0);
        assert_eq!(coefficient(0.0, 1.0), 1.0);
    }
}
