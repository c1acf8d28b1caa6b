//! Compares a device with the CPU device: each check computes the same on both.
//!
//! A shader that fails a browser's validation raises no error and leaves stale data in its output ([cubecl#1641]), so
//! the page runs the self-test before it trains.
//!
//! [cubecl#1641]: https://github.com/tracel-ai/cubecl/issues/1641

mod compare;
mod divergence;
mod forms;
mod fp16;
mod layer;
mod speed;
mod updates;

pub use compare::compare;
pub use forms::{FormsOptions, forms};
pub use fp16::run_fp16;
pub use layer::layer;
pub use speed::{DeviceSpeed, TimedPart, device_speed};

use crate::bert::{BertConfig, BertForSequenceClassification, LoadLimits, random_network};
use crate::kernels::{self, DropoutStream, HeadsShape};
use crate::random::TorchGenerator;
use crate::tokens::{DataCollator, Encoding, Example};
use crate::train::{Event, Trainer, TrainerOptions, TrainingArguments};
use crate::{Error, Result};
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::Serialize;

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Check {
    /// Name of the computed quantity.
    pub name: String,
    /// Largest absolute difference, relative to the largest expected value.
    pub deviation: f64,
    /// Largest deviation that passes.
    pub tolerance: f64,
    /// Whether the deviation is at most the tolerance.
    pub passed: bool,
}

impl Check {
    /// Replaces the tolerance.
    fn with_tolerance(self, tolerance: f64) -> Self {
        Self {
            tolerance,
            passed: self.deviation <= tolerance,
            ..self
        }
    }
}

/// The outcome of all checks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SelfTest {
    /// Whether every check passed. The page refuses to train otherwise.
    pub passed: bool,
    /// The checks, in the order in which they ran.
    pub checks: Vec<Check>,
}

impl SelfTest {
    fn new(checks: Vec<Check>) -> Self {
        Self {
            passed: checks.iter().all(|check| check.passed),
            checks,
        }
    }

    /// Adds the checks of `other` whose names are not present yet.
    pub fn add(&mut self, other: Self) {
        self.passed &= other.passed;
        for check in other.checks {
            if self.checks.iter().all(|present| present.name != check.name) {
                self.checks.push(check);
            }
        }
    }
}

/// Sums in f32 that add in a different order deviate by less. Stale data deviates by far more.
const TOLERANCE: f64 = 1e-3;

/// Runs every check on `device` and on the CPU device.
///
/// # Errors
/// [`Error::Device`] if an operation of the device fails.
pub async fn run(device: &Device) -> Result<SelfTest> {
    let kernels: [(&str, Kernel); 4] = [
        ("linear", linear),
        ("feed-forward", feed_forward),
        ("attention", attention),
        ("embedding gradient", embedding_gradient),
    ];
    let mut checks = Vec::new();
    for (name, kernel) in kernels {
        let result = async |device: &Device| read(kernel(device)).await;
        checks.push(compare_with_cpu(name.into(), device, result).await?);
    }
    let steps = async |device: &Device| training_steps(device, false).await;
    checks.push(compare_with_cpu("two training steps".into(), device, steps).await?);
    Ok(SelfTest::new(checks))
}

/// The computation of a check.
type Kernel = fn(&Device) -> Tensor<1>;

/// Compares the results of `compute` on `device` and on the CPU device.
async fn compare_with_cpu(
    name: String,
    device: &Device,
    compute: impl AsyncFn(&Device) -> Result<Vec<f32>>,
) -> Result<Check> {
    let found = compute(device).await?;
    let expected = compute(&Device::flex()).await?;
    Ok(compare_values(name, &found, &expected, 0.0))
}

async fn read(tensor: Tensor<1>) -> Result<Vec<f32>> {
    Ok(tensor.into_data_async().await?.try_into_vec()?)
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |max, value| value.abs().max(max))
}

/// Compares values. Deviations are relative to the largest expected magnitude, or to `floor` if that is larger. Two
/// different numbers of values do not pass, and neither do none.
fn compare_values(name: String, found: &[f32], expected: &[f32], floor: f32) -> Check {
    let scale = largest(expected).max(floor).max(f32::MIN_POSITIVE);
    let comparable = found.len() == expected.len() && !expected.is_empty();
    let mut deviation: f64 = if comparable { 0.0 } else { f64::INFINITY };
    for (found, expected) in found.iter().zip(expected) {
        let relative = f64::from((found - expected).abs() / scale);
        deviation = if relative.is_nan() {
            f64::INFINITY
        } else {
            deviation.max(relative)
        };
    }
    // JSON cannot represent infinity.
    let deviation = deviation.min(f64::MAX);
    Check {
        name,
        deviation,
        tolerance: TOLERANCE,
        passed: deviation <= TOLERANCE,
    }
}

/// Returns normally distributed values.
fn random<const D: usize>(shape: [usize; D], seed: u32, device: &Device) -> Tensor<D> {
    let values = TorchGenerator::new(seed).normal(shape.iter().product(), 1.0);
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn linear(device: &Device) -> Tensor<1> {
    let input = random([37, 48], 1, device);
    kernels::linear(input, random([20, 48], 2, device), random([20], 3, device)).flatten(0, 1)
}

/// Returns the values of `output` and the gradient of `input`, where the loss is `sum(output * weights)`.
fn output_and_gradient(input: Tensor<2>, output: Tensor<2>, weights: Tensor<2>) -> Tensor<1> {
    let grads = (output.clone() * weights).sum().backward();
    let tensors = [Some(output.inner()), input.grad(&grads)];
    let flat = tensors
        .into_iter()
        .flatten()
        .map(|tensor| tensor.flatten(0, 1));
    Tensor::cat(flat.collect(), 0)
}

fn feed_forward(device: &Device) -> Tensor<1> {
    let device = &device.clone().autodiff();
    let input = random([13, 24], 4, device).require_grad();
    let inner = (random([40, 24], 5, device), random([40], 6, device));
    let outer = (random([24, 40], 7, device), random([24], 8, device));
    let output = kernels::feed_forward(input.clone(), inner, outer);
    output_and_gradient(input, output, random([13, 24], 9, device))
}

fn attention(device: &Device) -> Tensor<1> {
    let device = &device.clone().autodiff();
    let shape = HeadsShape {
        batch: 2,
        seq: 9,
        heads: 3,
        head_size: 16,
    };
    let projected = random([18, 3 * 48], 4, device).require_grad();
    let mask = DropoutStream::new(1, 1).mask(0.1);
    let output = kernels::attention(projected.clone(), random([2, 9], 5, device), shape, mask);
    output_and_gradient(projected, output, random([18, 48], 6, device))
}

fn lora(device: &Device) -> Tensor<1> {
    let device = &device.clone().autodiff();
    let input = random([11, 20], 4, device).require_grad();
    let base = random([11, 30], 5, device);
    let (lora_a, lora_b) = (random([5, 20], 6, device), random([12, 5], 7, device));
    let output = kernels::lora(base, input.clone(), lora_a, lora_b, 9);
    output_and_gradient(input, output, random([11, 30], 8, device))
}

fn embedding_gradient(device: &Device) -> Tensor<1> {
    let device = &device.clone().autodiff();
    let tables = [11, 5, 2].map(|rows| random([rows, 8], rows as u32, device).require_grad());
    let ids = Tensor::<1, Int>::from_data(TensorData::from([3, 0, 3, 10, 3, 7]), device);
    let [word_embeddings, position_embeddings, token_type_embeddings] = tables.clone();
    let sum = kernels::embeddings(
        word_embeddings,
        position_embeddings,
        token_type_embeddings,
        ids,
        3,
    );
    let grads = (sum * random([6, 8], 9, device)).sum().backward();
    let gradients = tables.iter().filter_map(|table| table.grad(&grads));
    Tensor::cat(gradients.map(|grad| grad.flatten(0, 1)).collect(), 0)
}

/// The configuration of the network that the self-test trains.
fn tiny_config() -> BertConfig {
    BertConfig {
        vocab_size: 40,
        hidden_size: 32,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 64,
        max_position_embeddings: 16,
        initializer_range: 0.1,
        ..BertConfig::default()
    }
    .without_dropout()
}

/// Trains two steps on sequences of different lengths. Returns losses, gradient norms and the weights of the
/// classifier.
async fn training_steps(device: &Device, fp16: bool) -> Result<Vec<f32>> {
    let config = tiny_config();
    let device = device.clone().autodiff();
    let model = random_network(&config, 2, 10, &device, LoadLimits::default()).await?;
    let rows = (0..4)
        .map(|row| Example {
            encoding: Encoding {
                input_ids: (0..4 + 2 * row).map(|at| (7 * at + row) % 40).collect(),
                truncated: false,
            },
            label: row as usize % 2,
        })
        .collect();
    let options = TrainerOptions {
        arguments: TrainingArguments {
            per_device_train_batch_size: 4,
            learning_rate: 1e-3,
            weight_decay: 0.01,
            max_steps: 2,
            fp16,
            ..TrainingArguments::default()
        },
        collator: DataCollator::longest(16, 0),
        shuffle: false,
    };
    let mut trainer = Trainer::new(model, rows, [].into(), options)?;
    let mut values = Vec::new();
    for _ in 0..2 {
        match trainer.step().await {
            Ok(Event::Step { logs, .. }) => {
                for log in logs {
                    values.extend([log.loss as f32, log.grad_norm as f32]);
                }
            }
            Ok(_) => {}
            // A device that computes something else fails the check.
            Err(Error::LostUpdate { .. } | Error::Diverged { .. }) => values.push(f32::NAN),
            Err(error) => return Err(error),
        }
        // There are no rows to evaluate.
        trainer.skip_evaluation();
    }
    values.extend(read(classifier_weight(&trainer.model()?)).await?);
    if values.is_empty() {
        return Err(Error::Device("The self-test computed nothing.".into()));
    }
    Ok(values)
}

fn classifier_weight(model: &BertForSequenceClassification) -> Tensor<1> {
    model.classifier.weight.val().inner().flatten(0, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_all_checks_on_the_cpu() {
        let report = pollster::block_on(run(&Device::flex())).unwrap();
        assert!(report.passed, "{report:?}");
        assert_eq!(report.checks.len(), 5);
    }

    #[test]
    fn checks_of_the_same_name_are_added_once() {
        let check = |name: &str, found| compare_values(name.into(), &[found], &[1.0], 0.0);
        let report = SelfTest::new;
        let mut all = report(vec![check("a", 1.0)]);
        all.add(report(vec![check("a", 1.0), check("b", 1.0)]));
        assert!(all.passed);
        all.add(report(vec![check("c", 2.0)]));
        assert!(!all.passed);
        let names: Vec<_> = all.checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn stale_data_fails_the_check() {
        assert!(!compare_values("x".into(), &[0.0, 0.0], &[1.0, 2.0], 0.0).passed);
        assert!(!compare_values("x".into(), &[1.0, f32::NAN], &[1.0, 2.0], 0.0).passed);
        assert!(!compare_values("x".into(), &[1.0], &[1.0, 2.0], 0.0).passed);
        assert!(!compare_values("x".into(), &[], &[], 0.0).passed);
        assert!(compare_values("x".into(), &[1.0, 2.0001], &[1.0, 2.0], 0.0).passed);
    }
}
