//! The CPU device: burn's primitives. What a loss scaler decides is read where it lies.

use super::{AdamWScalars, BertOps, LossScaling, plain};
use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::TensorData;

impl BertOps for Flex {
    fn bert_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        other_parameter: FloatTensor<Self>,
        other_gradient: FloatTensor<Self>,
        other_moments: FloatTensor<Self>,
        clip: FloatTensor<Self>,
        scalars: [AdamWScalars; 2],
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let decided = |scalars: AdamWScalars| match scalars.scaled {
            true => scalars.decided(values(&clip)),
            false => Some(scalars),
        };
        let [Some(scalars), Some(other_scalars)] = scalars.map(decided) else {
            return (parameter, moments, other_parameter, other_moments);
        };
        let (parameter, moments) =
            plain::adamw::<Self>(parameter, gradient, moments, clip.clone(), scalars);
        let (other_parameter, other_moments) = plain::adamw::<Self>(
            other_parameter,
            other_gradient,
            other_moments,
            clip,
            other_scalars,
        );
        (parameter, moments, other_parameter, other_moments)
    }

    fn bert_update_scale(
        squares: FloatTensor<Self>,
        state: FloatTensor<Self>,
        scaling: LossScaling,
    ) -> FloatTensor<Self> {
        let after = scaling.after(values::<1>(&squares)[0], values(&state));
        FloatTensor::<Self>::from_data(TensorData::from(after))
    }
}

/// The first values of a tensor that lies in one piece.
fn values<const N: usize>(tensor: &FloatTensor<Flex>) -> [f32; N] {
    let tensor = tensor.to_contiguous();
    let all: &[f32] = tensor.storage();
    std::array::from_fn(|at| all[at])
}
