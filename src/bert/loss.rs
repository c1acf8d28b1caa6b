//! Cross entropy with label smoothing.

use crate::kernels;
use burn::tensor::{Device, Tensor, TensorData};

/// Returns the target distribution of each row: `1 - smoothing` on its label, plus `smoothing` spread evenly over all
/// labels. It is equivalent to transformers' [`LabelSmoother`][hf].
///
/// # Shapes
/// `labels` `[batch]` → `[batch, num_labels]`.
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/trainer_pt_utils.py
pub fn targets(labels: &[usize], num_labels: usize, smoothing: f64, device: &Device) -> Tensor<2> {
    let spread = (smoothing / num_labels as f64) as f32;
    let mut values = vec![spread; labels.len() * num_labels];
    for (row, &label) in labels.iter().enumerate() {
        values[row * num_labels + label] += (1.0 - smoothing) as f32;
    }
    Tensor::from_data(TensorData::new(values, [labels.len(), num_labels]), device)
}

/// Returns the cross entropy of `logits` against `targets`, summed over the rows and divided by `rows`: the size of the
/// batch for a mean, or the rows of all batches whose gradients are accumulated, for the batch's share of their mean.
///
/// # Shapes
/// `logits` and `targets` `[batch, num_labels]` → `[1]`.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>, rows: usize) -> Tensor<1> {
    kernels::cross_entropy(logits, targets, 1.0 / rows as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(logits: Vec<f32>, label: usize, smoothing: f64) -> f32 {
        let device = Device::flex();
        let labels = logits.len();
        let logits = Tensor::from_data(TensorData::new(logits, [1, labels]), &device);
        cross_entropy(logits, targets(&[label], labels, smoothing, &device), 1).into_scalar()
    }

    #[test]
    fn equals_the_negative_log_probability() {
        assert!((loss(vec![0.0, 0.0], 1, 0.0) - std::f32::consts::LN_2).abs() < 1e-6);
        // -ln(e^2 / (e^1 + e^2 + e^3))
        assert!((loss(vec![1.0, 2.0, 3.0], 1, 0.0) - 1.407_606).abs() < 1e-5);
    }

    #[test]
    fn smoothing_matches_transformers() {
        // (1 - 0.1) * 1.407606 + 0.1 * mean(2.407606, 1.407606, 0.407606)
        assert!((loss(vec![1.0, 2.0, 3.0], 1, 0.1) - 1.407_606).abs() < 1e-5);
        // (1 - 0.2) * 0.126928 + 0.2 * (0.126928 + 2.126928) / 2
        assert!((loss(vec![2.0, 0.0], 0, 0.2) - 0.326_928).abs() < 1e-5);
    }
}
