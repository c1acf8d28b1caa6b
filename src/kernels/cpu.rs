//! The CPU device: every operation is the one of `reference.rs`. Values of a loss scaler are read without a copy.

use super::{AdamWScalars, BertOps, LossScaling, reference};
use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::TensorData;

impl BertOps for Flex {
    fn bert_adamw(
        parameter_a: FloatTensor<Self>,
        gradient_a: FloatTensor<Self>,
        moments_a: FloatTensor<Self>,
        parameter_b: FloatTensor<Self>,
        gradient_b: FloatTensor<Self>,
        moments_b: FloatTensor<Self>,
        clip: FloatTensor<Self>,
        scalars: [AdamWScalars; 2],
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let corrected = |scalars: AdamWScalars| match scalars.scaled {
            true => scalars.with_bias_corrections(values(&clip)),
            false => Some(scalars),
        };
        let [Some(scalars_a), Some(scalars_b)] = scalars.map(corrected) else {
            return (parameter_a, moments_a, parameter_b, moments_b);
        };
        let states = [
            (parameter_a, gradient_a, moments_a),
            (parameter_b, gradient_b, moments_b),
        ];
        reference::adamw_pair::<Self>(states, clip, [scalars_a, scalars_b])
    }

    fn bert_update_scale(
        squares: FloatTensor<Self>,
        state: FloatTensor<Self>,
        scaling: LossScaling,
    ) -> FloatTensor<Self> {
        let next = scaling.next_state(values::<1>(&squares)[0], values(&state));
        FloatTensor::<Self>::from_data(TensorData::from(next))
    }
}

/// Returns the first `N` values of a tensor.
fn values<const N: usize>(tensor: &FloatTensor<Flex>) -> [f32; N] {
    let tensor = tensor.to_contiguous();
    let all: &[f32] = tensor.storage();
    std::array::from_fn(|at| all[at])
}
