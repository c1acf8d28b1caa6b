//! Evaluation: logits, loss, probabilities and scikit-learn's metrics.

pub mod baselines;
mod evaluator;
mod metrics;
mod predict;

pub use evaluator::{EvaluationEvent, Evaluator};
pub use metrics::{ClassReport, Metrics, Misclassified};
pub use predict::{Evaluation, EvaluationOptions, evaluate, probabilities};
