//! The CPU device: every operation is the one of `reference.rs`. Values of a clip or a
//! loss scaler are read without a copy.

use super::clipping::next_clip;
use super::{AdamWScalars, BertOps, CLIP_VALUES, LossScaling, PROCEEDS, reference};
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
            false => {
                let clip = values::<CLIP_VALUES>(&clip);
                (clip[PROCEEDS] > 0.0).then_some(scalars)
            }
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

    fn bert_clip_coefficient(
        squares: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        state: FloatTensor<Self>,
        max_norm: f64,
    ) -> FloatTensor<Self> {
        let ([squares], [loss]) = (values(&squares), values(&loss));
        let next = next_clip(squares, loss, values(&state), max_norm);
        FloatTensor::<Self>::from_data(TensorData::from(next))
    }

    fn bert_update_scale(
        squares: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        state: FloatTensor<Self>,
        scaling: LossScaling,
    ) -> FloatTensor<Self> {
        let ([squares], [loss]) = (values(&squares), values(&loss));
        let next = scaling.next_state(squares, loss, values(&state));
        FloatTensor::<Self>::from_data(TensorData::from(next))
    }
}

/// Returns the first `N` values of a tensor.
fn values<const N: usize>(tensor: &FloatTensor<Flex>) -> [f32; N] {
    let tensor = tensor.to_contiguous();
    let all: &[f32] = tensor.storage();
    std::array::from_fn(|at| all[at])
}
