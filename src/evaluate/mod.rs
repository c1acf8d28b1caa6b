//! Evaluation: logits, loss, probabilities and scikit-learn's metrics.

pub mod baselines;
mod embedder;
mod evaluator;
mod metrics;
mod predict;

pub use embedder::Embedder;
pub use evaluator::{EvaluationEvent, Evaluator};
pub use metrics::{ClassReport, Metrics, Misclassified};
pub use predict::{Evaluation, EvaluationOptions, evaluate, probabilities};
