//! Evaluation: logits, loss, probabilities and scikit-learn's metrics.

mod metrics;
mod predict;

pub use metrics::{ClassReport, Metrics, Misclassified};
pub use predict::{Evaluation, EvaluationOptions, evaluate, probabilities};
