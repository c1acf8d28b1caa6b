//! Cross entropy with label smoothing and class weights.

use crate::kernels;
use burn::tensor::{Device, Tensor, TensorData};
use std::rc::Rc;

/// The options of [`torch.nn.CrossEntropyLoss`][torch].
///
/// [torch]: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CrossEntropy {
    /// Share of the target distribution that is spread over all classes (`label_smoothing`).
    pub label_smoothing: f64,
    /// A weight for each class (`weight`); none if all are 1.
    pub class_weights: Option<Rc<[f64]>>,
}

impl CrossEntropy {
    /// Returns the targets of each row: `1 - label_smoothing` on its label, plus `label_smoothing` spread evenly over
    /// all labels; each times the weight of its class. Without class weights it is equivalent to transformers'
    /// [`LabelSmoother`][hf].
    ///
    /// # Shapes
    /// `labels` `[batch]` → `[batch, num_labels]`.
    ///
    /// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/trainer_pt_utils.py
    pub fn targets(&self, labels: &[usize], num_labels: usize, device: &Device) -> Tensor<2> {
        let smoothing = self.label_smoothing;
        let spread = smoothing / num_labels as f64;
        let row: Vec<f32> = (0..num_labels)
            .map(|class| (spread * self.class_weight(class)) as f32)
            .collect();
        let mut values = row.repeat(labels.len());
        for (row, &label) in labels.iter().enumerate() {
            let of_label = (1.0 - smoothing) * self.class_weight(label);
            values[row * num_labels + label] += of_label as f32;
        }
        Tensor::from_data(TensorData::new(values, [labels.len(), num_labels]), device)
    }

    /// Returns the divisor of a mean over rows with these labels: the sum of the weights of their classes, or their
    /// number without class weights.
    pub fn weight(&self, labels: impl Iterator<Item = usize>) -> f64 {
        labels.map(|label| self.class_weight(label)).sum()
    }

    fn class_weight(&self, class: usize) -> f64 {
        let weights = self.class_weights.as_ref();
        weights.map_or(1.0, |weights| weights[class])
    }
}

/// Returns the weights of the classes under which each class that occurs counts the same:
/// `rows / (classes * rows of the class)`, as scikit-learn's [`compute_class_weight("balanced")`][sklearn]. `classes`
/// are those that occur; one that does not has the weight 1.
///
/// [sklearn]: https://scikit-learn.org/stable/modules/generated/sklearn.utils.class_weight.compute_class_weight.html
pub fn balanced_class_weights(labels: impl Iterator<Item = usize>, num_labels: usize) -> Vec<f64> {
    let mut counts = vec![0usize; num_labels];
    for label in labels {
        counts[label] += 1;
    }
    let rows: usize = counts.iter().sum();
    let classes = counts.iter().filter(|&&count| count > 0).count();
    let weight = |count: usize| rows as f64 / (classes as f64 * count as f64);
    counts
        .into_iter()
        .map(|count| if count == 0 { 1.0 } else { weight(count) })
        .collect()
}

/// Returns the targets of rows without class weights; see [`CrossEntropy::targets`].
///
/// # Shapes
/// `labels` `[batch]` → `[batch, num_labels]`.
pub fn targets(labels: &[usize], num_labels: usize, smoothing: f64, device: &Device) -> Tensor<2> {
    let loss = CrossEntropy {
        label_smoothing: smoothing,
        class_weights: None,
    };
    loss.targets(labels, num_labels, device)
}

/// Returns the cross entropy of `logits` against `targets`, summed over the rows and divided by `weight`: that of the
/// rows of the batch for a mean, or of the rows of all batches whose gradients are accumulated, for the share of the
/// batch in their mean. It is the number of rows, or with class weights [`CrossEntropy::weight`].
///
/// # Shapes
/// `logits` and `targets` `[batch, num_labels]` → `[1]`.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>, weight: f64) -> Tensor<1> {
    kernels::cross_entropy(logits, targets, 1.0 / weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(logits: Vec<f32>, label: usize, smoothing: f64) -> f32 {
        let device = Device::flex();
        let labels = logits.len();
        let logits = Tensor::from_data(TensorData::new(logits, [1, labels]), &device);
        cross_entropy(logits, targets(&[label], labels, smoothing, &device), 1.0).into_scalar()
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

    #[test]
    fn balanced_weights_are_those_of_scikit_learn() {
        // compute_class_weight("balanced", classes=[0, 2, 3], y=[0, 0, 0, 2, 2, 3])
        let labels = [0, 2, 0, 3, 2, 0];
        let found = balanced_class_weights(labels.into_iter(), 5);
        assert_eq!(found, [2.0 / 3.0, 1.0, 1.0, 2.0, 1.0]);
    }
}
