//! Logits become a loss, probabilities, and the metrics of a report.

mod metrics;
mod predict;

pub use metrics::{ClassReport, Metrics, Misclassified};
pub use predict::{Evaluation, EvaluationOptions, evaluate, probabilities};
