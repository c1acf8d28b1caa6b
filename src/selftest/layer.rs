//! The comparison of one encoder layer with the CPU device at the shapes of a run, forward and backward.
//!
//! The start-up self-test is small, so it does not select the tiles of a run, and a driver can fail for large shapes
//! only. This check runs the kernels that the run is going to use, with its weights. It also compiles their pipelines.

use super::{Check, SelfTest, compare_values, fp16, largest};
use crate::Result;
use crate::bert::{BertForSequenceClassification, BertLayer, batch_tensors};
use crate::kernels::{self, Autocast, DropoutStream};
use crate::random::TorchGenerator;
use crate::tokens::Batch;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use std::collections::VecDeque;

/// FLOP that the CPU spends on the comparison, unless a single sequence needs more: about a second in a browser.
const MAX_FLOP: u64 = 10_000_000_000;
/// Gradients are compared relative to this share of the largest gradient, if their own values are smaller: that of a
/// key's bias is rounding error, because softmax is invariant to a constant.
const GRADIENT_FLOOR: f32 = 1e-3;

/// Compares the first encoder layer of `model`, with its weights and with dropout, with the CPU device: the output and
/// the gradients of the input and of every trainable parameter. `[batch, seq]` is the shape of the run's widest batch,
/// and `fp16` its precision. A network without layers has no checks.
///
/// The device computes the whole batch. Where the CPU would need more than [`MAX_FLOP`], it computes the first
/// sequences only, at least one. Sequences do not depend on each other, and the gradients of the output are 0 for the
/// others, so that both devices have the same weight gradients.
///
/// The buffers stay in the device's pool until the caller runs `memory_cleanup`.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) if `fp16` is set and the device does not support f16,
/// [`Error::Device`](crate::Error::Device) if an operation of the device fails.
pub async fn layer(
    model: &BertForSequenceClassification,
    [batch, seq]: [usize; 2],
    fp16: bool,
) -> Result<SelfTest> {
    let Some(layer) = model.bert.encoder.layer.first() else {
        return Ok(SelfTest::new(Vec::new()));
    };
    let affordable = MAX_FLOP / flop_per_sequence(layer, seq);
    let compared = affordable.min(batch as u64).max(1) as usize;
    let job = Job {
        batch,
        compared,
        seq,
        fp16,
    };
    let mut found = job.compute(layer, &model.device()).await?;
    let cpu = Device::flex().autodiff();
    let copy = copy_to(layer, &cpu).await?;
    let expected = job.compared_only().compute(&copy, &cpu).await?;
    // The output of the other sequences is not compared. The gradients of their inputs are 0.
    found.output.truncate(expected.output.len());
    Ok(SelfTest::new(found.compare(&expected, job)))
}

/// Returns the FLOP of the forward and the backward pass: 6 for each weight and token, and those of the attention.
fn flop_per_sequence(layer: &BertLayer, seq: usize) -> u64 {
    let [weights, seq, hidden_size] =
        [layer.num_params(), seq, hidden_size(layer)].map(|number| number as u64);
    6 * weights * seq + 12 * seq * seq * hidden_size
}

fn hidden_size(layer: &BertLayer) -> usize {
    layer.output.dense.weight.dims()[0]
}

/// The shape of the comparison.
#[derive(Debug, Clone, Copy)]
struct Job {
    /// Sequences that the device computes.
    batch: usize,
    /// Sequences whose results are compared.
    compared: usize,
    seq: usize,
    fp16: bool,
}

impl Job {
    /// The part of the job that the CPU computes.
    fn compared_only(self) -> Self {
        Self {
            batch: self.compared,
            ..self
        }
    }

    async fn compute(self, layer: &BertLayer, device: &Device) -> Result<Outcome> {
        let hidden_size = hidden_size(layer);
        let shape = [self.batch * self.seq, hidden_size];
        let len = shape[0] * shape[1];
        let input = TorchGenerator::new(1).normal(len, 1.0);
        let mut gradient =
            TorchGenerator::new(2).normal(self.compared * self.seq * hidden_size, 1.0);
        gradient.resize(len, 0.0);
        let on_device = |values| Tensor::<2>::from_data(TensorData::new(values, shape), device);
        let (input, gradient) = (on_device(input).require_grad(), on_device(gradient));
        let (_, bias) = batch_tensors(&self.padded_batch(), device);
        let autocast = Autocast::new(device, self.fp16)?;
        let mut dropouts = Some(DropoutStream::new(3, 0));
        let output = layer.forward(input.clone(), bias, &mut dropouts);
        drop(autocast);
        let grads = kernels::with_gradient(output.clone(), gradient).backward();
        let mut gradients = vec![("input".to_string(), input.grad(&grads).map(flat))];
        let mut visitor = GradientVisitor {
            grads,
            path: Vec::new(),
            found: Vec::new(),
        };
        layer.visit(&mut visitor);
        gradients.extend(visitor.found);
        let mut outcome = Outcome {
            output: read(flat(output.inner())).await?,
            gradients: Vec::new(),
        };
        for (name, gradient) in gradients {
            // A frozen parameter has none.
            if let Some(gradient) = gradient {
                outcome.gradients.push((name, read(gradient).await?));
            }
        }
        Ok(outcome)
    }

    /// A batch whose rows all end with padding. Its ids are not used.
    fn padded_batch(self) -> Batch {
        let padding = self.seq / 8;
        let mut row = vec![1; self.seq - padding];
        row.resize(self.seq, 0);
        Batch {
            batch: self.batch,
            seq: self.seq,
            input_ids: vec![0; self.batch * self.seq],
            attention_mask: row.repeat(self.batch),
        }
    }
}

pub(super) fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let len = tensor.shape().num_elements();
    tensor.reshape([len])
}

async fn read(tensor: Tensor<1>) -> Result<Vec<f32>> {
    super::read(tensor).await
}

/// The results of one device.
struct Outcome {
    output: Vec<f32>,
    /// By the name of the parameter. The first one is that of the input.
    gradients: Vec<(String, Vec<f32>)>,
}

impl Outcome {
    fn compare(&self, expected: &Self, job: Job) -> Vec<Check> {
        let precision = if job.fp16 { "fp16" } else { "f32" };
        let name = |quantity: &str| {
            let Job { batch, seq, .. } = job;
            format!("encoder layer, {batch} × {seq} tokens: {quantity}, {precision}")
        };
        let mut checks = vec![compare_values(
            name("output"),
            &self.output,
            &expected.output,
            0.0,
        )];
        let floor = expected.gradients.iter();
        let floor = floor.fold(0.0_f32, |max, (_, values)| max.max(largest(values)));
        for (at, (quantity, expected)) in expected.gradients.iter().enumerate() {
            let found = self.gradients.get(at).filter(|(name, _)| name == quantity);
            let found = found
                .map(|(_, values)| values.as_slice())
                .unwrap_or_default();
            let (compared, others) = found.split_at(expected.len().min(found.len()));
            let name = name(&format!("gradient of {quantity}"));
            let mut check = compare_values(name, compared, expected, floor * GRADIENT_FLOOR);
            if others.iter().any(|&value| value != 0.0) {
                check.deviation = f64::MAX;
            }
            checks.push(check);
        }
        let tolerance = if job.fp16 {
            fp16::TOLERANCE
        } else {
            super::TOLERANCE
        };
        let with_tolerance = |check: Check| check.with_tolerance(tolerance);
        checks.into_iter().map(with_tolerance).collect()
    }
}

/// Collects the gradients of a layer's parameters under the names of their fields.
struct GradientVisitor {
    grads: Gradients,
    path: Vec<String>,
    found: Vec<(String, Option<Tensor<1>>)>,
}

impl ModuleVisitor for GradientVisitor {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(&self.grads).map(flat);
        self.found.push((self.path.join("."), gradient));
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
}

/// Copies a layer to another device.
async fn copy_to(layer: &BertLayer, device: &Device) -> Result<BertLayer> {
    let mut tensors = Tensors(Vec::new());
    layer.visit(&mut tensors);
    let mut copies = Copies {
        device: device.clone(),
        values: VecDeque::new(),
    };
    for tensor in tensors.0 {
        copies.values.push_back(read(tensor).await?);
    }
    Ok(layer.clone().map(&mut copies))
}

/// Collects the values of a module's parameters.
struct Tensors(Vec<Tensor<1>>);

impl ModuleVisitor for Tensors {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(flat(param.val().inner()));
    }
}

/// Replaces a module's parameters by copies on `device` of the same values, in the order of [`Tensors`].
struct Copies {
    device: Device,
    values: VecDeque<Vec<f32>>,
}

impl ModuleMapper for Copies {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, _) = param.consume();
        let values = self.values.pop_front().unwrap_or_default();
        let copy = Tensor::from_data(TensorData::new(values, tensor.shape()), &self.device);
        let copy = copy.set_require_grad(tensor.is_require_grad());
        Param::initialized(id, copy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::{BertConfig, LoadLimits, LoraConfig, TargetModules, random_network};

    fn model() -> BertForSequenceClassification {
        let config = BertConfig {
            vocab_size: 40,
            hidden_size: 24,
            num_hidden_layers: 2,
            num_attention_heads: 3,
            intermediate_size: 56,
            max_position_embeddings: 20,
            initializer_range: 0.1,
            ..BertConfig::default()
        };
        let device = Device::flex().autodiff();
        let network = random_network(&config, 2, 2, &device, LoadLimits::default());
        pollster::block_on(network).unwrap()
    }

    #[test]
    fn compares_output_input_gradient_and_every_trainable_parameter() {
        let names = |model: &BertForSequenceClassification| {
            let report = pollster::block_on(layer(model, [3, 17], false)).unwrap();
            assert!(report.passed, "{report:?}");
            let names = report.checks.into_iter().map(|check| check.name);
            names.collect::<Vec<_>>()
        };
        let full = names(&model());
        assert_eq!(full.len(), 2 + 12, "{full:?}");
        assert_eq!(full[0], "encoder layer, 3 × 17 tokens: output, f32");
        assert_eq!(
            full[1],
            "encoder layer, 3 × 17 tokens: gradient of input, f32"
        );
        let config = LoraConfig {
            r: 2,
            lora_alpha: 4,
            target_modules: TargetModules::QueryValue,
        };
        let lora = names(&model().with_lora(&config, 3));
        assert_eq!(lora.len(), 2 + 4, "{lora:?}");
        assert!(lora[2].contains("lora"), "{lora:?}");
    }

    #[test]
    fn the_cpu_may_compute_fewer_sequences() {
        let model = model();
        let layer = &model.bert.encoder.layer[0];
        let cpu = Device::flex().autodiff();
        let job = Job {
            batch: 4,
            compared: 2,
            seq: 9,
            fp16: false,
        };
        let (mut found, expected) = pollster::block_on(async {
            let found = job.compute(layer, &cpu).await.unwrap();
            let expected = job.compared_only().compute(layer, &cpu).await.unwrap();
            (found, expected)
        });
        assert_eq!(found.output.len(), 2 * expected.output.len());
        found.output.truncate(expected.output.len());
        let passed = |found: &Outcome| {
            let checks = found.compare(&expected, job);
            checks.iter().all(|check| check.passed)
        };
        assert!(passed(&found));
        // A gradient in a sequence whose output has none.
        *found.gradients[0].1.last_mut().unwrap() = 1e-6;
        assert!(!passed(&found));
    }
}
