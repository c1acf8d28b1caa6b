//! AdamW and the sum of squared gradients.

#[cfg(test)]
use super::scalar;
#[cfg(test)]
use crate::kernels::AdamWScalars;
use crate::kernels::PartialSums;
use burn::backend::Backend;
use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{FloatDType, Shape, Slice};

/// A parameter, its gradient and its moments.
#[cfg(test)]
type State<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// Returns parameter and moments after one update.
#[cfg(test)]
pub(in crate::kernels) fn adamw<B: Backend>(
    (parameter, gradient, moments): State<B>,
    clip: FloatTensor<B>,
    scalars: AdamWScalars,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let elements = gradient.shape().num_elements();
    let first = B::float_slice(moments.clone(), &[Slice::from(0..elements)]);
    let second = B::float_slice(moments, &[Slice::from(elements..2 * elements)]);
    let gradient = B::float_mul(gradient, B::float_slice(clip, &[Slice::from(1..2)]));
    let first = B::float_add(
        B::float_mul_scalar(first, scalar(scalars.beta1)),
        B::float_mul_scalar(gradient.clone(), scalar(1.0 - scalars.beta1)),
    );
    let squares = B::float_mul(gradient.clone(), gradient);
    let second = B::float_add(
        B::float_mul_scalar(second, scalar(scalars.beta2)),
        B::float_mul_scalar(squares, scalar(1.0 - scalars.beta2)),
    );
    let root = B::float_mul_scalar(
        B::float_sqrt(second.clone()),
        scalar(1.0 / scalars.bias_correction2_sqrt),
    );
    let denominator = B::float_add_scalar(root, scalar(scalars.eps));
    let update = B::float_div(
        B::float_mul_scalar(first.clone(), scalar(scalars.step_size)),
        denominator,
    );
    let decayed = B::float_mul_scalar(parameter, scalar(scalars.decay));
    let moments = B::float_cat(vec![first, second], 0);
    (B::float_sub(decayed, update), moments)
}

/// Writes the whole sum of a tensor's squares into its first partial sum, and 0 into the others.
pub(in crate::kernels) fn squares<B: Backend>(
    mut sums: FloatTensor<B>,
    inputs: [FloatTensor<B>; 6],
    ranges: [PartialSums; 6],
) -> FloatTensor<B> {
    for (input, range) in inputs.into_iter().zip(ranges) {
        if range.count > 0 {
            let sum = B::float_sum(B::float_mul(input.clone(), input));
            let first = Slice::from(range.offset..range.offset + 1);
            let all = Slice::from(range.offset..range.offset + range.count);
            let zeros = B::float_zeros(Shape::from([range.count]), &sums.device(), FloatDType::F32);
            sums = B::float_slice_assign(sums, &[all], zeros);
            sums = B::float_slice_assign(sums, &[first], sum);
        }
    }
    sums
}
