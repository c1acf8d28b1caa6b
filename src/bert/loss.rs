//! Cross entropy, with transformers' label smoothing.

use crate::kernels;
use burn::tensor::{Device, Tensor, TensorData};

/// The target distribution of each row, `[batch, num_labels]`: `1 - smoothing` on its label and `smoothing` spread evenly over all
/// labels, which is what transformers' `LabelSmoother` amounts to.
pub fn targets(labels: &[usize], num_labels: usize, smoothing: f64, device: &Device) -> Tensor<2> {
    let spread = (smoothing / num_labels as f64) as f32;
    let mut values = vec![spread; labels.len() * num_labels];
    for (row, &label) in labels.iter().enumerate() {
        values[row * num_labels + label] += (1.0 - smoothing) as f32;
    }
    Tensor::from_data(TensorData::new(values, [labels.len(), num_labels]), device)
}

/// The cross entropy of `logits` against `targets`, both `[batch, num_labels]`, summed over the rows and divided by `rows`: `[1]`. `rows`
/// is the batch for a mean, and the rows of all batches whose gradients are accumulated for their share of that mean.
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
    fn is_minus_the_log_probability() {
        assert!((loss(vec![0.0, 0.0], 1, 0.0) - std::f32::consts::LN_2).abs() < 1e-6);
        // -ln(e^2 / (e^1 + e^2 + e^3))
        assert!((loss(vec![1.0, 2.0, 3.0], 1, 0.0) - 1.407_606).abs() < 1e-5);
    }

    #[test]
    fn smoothing_is_transformers() {
        // (1 - 0.1) * 1.407606 + 0.1 * mean(2.407606, 1.407606, 0.407606)
        assert!((loss(vec![1.0, 2.0, 3.0], 1, 0.1) - 1.407_606).abs() < 1e-5);
        // (1 - 0.2) * 0.126928 + 0.2 * (0.126928 + 2.126928) / 2
        assert!((loss(vec![2.0, 0.0], 0, 0.2) - 0.326_928).abs() < 1e-5);
    }
}
