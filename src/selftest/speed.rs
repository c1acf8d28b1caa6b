//! The time that one encoder layer takes on the CPU and on an adapter, forward and backward.
//!
//! The CPU goes first and decides how many sequences both compute, so that a slow machine does not spend longer than a
//! fast one. The adapter then computes only the largest product of the layer, as often as makes up the products of the
//! forward and the backward pass. If that alone takes longer than the whole layer on the CPU, the rest is neither
//! compiled nor computed: a software adapter takes two seconds for each of its products. What is compiled and allocated
//! for the first time is not timed.

use super::layer::flat;
use crate::Result;
use crate::bert::{BertConfig, BertEncoder, BertLayer};
use crate::hub::Clock;
use crate::kernels::{self, DropoutStream, GpuTile, KernelForm, KernelFormOverride};
use crate::random::TorchGenerator;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Tokens of a timed sequence, and the most sequences of a timed batch. While the page opens, the shapes of the run are
/// not known: these are the default `per_device_train_batch_size` and about the longest row of the default data set.
const SEQ: usize = 16;
const MAX_BATCH: usize = 8;
/// The CPU computes as many sequences as it can in this time.
const CPU_PASS_MS: f64 = 60.0;
/// The passes of a device are repeated for so long, after those that are not timed.
const TIMED_MS: f64 = 120.0;
/// The most repetitions of which the median is taken.
const MAX_REPETITIONS: usize = 5;
/// Passes are repeated before a value is read back until they take this long, because a browser rounds its clock to
/// 1 ms and a read-back takes a few.
const REPETITION_MS: f64 = 20.0;
const MAX_PASSES: usize = 16;
/// A device that takes so many times as long as the other one is timed once.
const CLEARLY: f64 = 2.0;
/// Milliseconds to wait for the products of an adapter, and for its layer after them. Drivers compile for seconds when
/// they see a kernel for the first time.
const PRODUCTS_WAIT_MS: f64 = 5_000.0;
const LAYER_WAIT_MS: f64 = 30_000.0;
/// A software adapter computes the product in a smaller tile than those of a run, which compiles in a tenth of the time
/// but takes up to three times as long. So an adapter that is hardly faster than the CPU is not taken; compiling a run
/// for it would take longer than what it gains.
const SOFTWARE_TILE: KernelForm = KernelForm::GpuTile(GpuTile::Eight);

/// The layer that is timed: that of the default model, MiniLM. Its weights are made up, because times do not depend on
/// them and the model is not there yet.
fn timed_config() -> BertConfig {
    BertConfig {
        vocab_size: 1,
        hidden_size: 384,
        num_hidden_layers: 1,
        num_attention_heads: 12,
        intermediate_size: 1536,
        max_position_embeddings: SEQ,
        type_vocab_size: 1,
        ..BertConfig::default()
    }
}

/// The time of one encoder layer, forward and backward, on the CPU and on an adapter.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeviceSpeed {
    /// Sequences of the batch.
    pub batch: usize,
    /// Tokens of each sequence.
    pub seq: usize,
    /// Milliseconds on the CPU.
    pub cpu_ms: f64,
    /// Milliseconds on the adapter, as `timed` says.
    pub adapter_ms: f64,
    /// What of the layer was timed on the adapter.
    pub timed: TimedPart,
}

/// What of a layer was timed on an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TimedPart {
    /// All of it.
    Layer,
    /// Its largest product, as often as makes up the multiplications of all of its products, as an estimate. This alone
    /// takes longer than the layer on the CPU.
    Products,
    /// Nothing: the time is that of the wait for it, in which the adapter may have compiled.
    Nothing,
}

/// Times one layer on the CPU device and on `adapter`, which is `software` or a GPU.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) if an operation of a device fails: the outer one is that of the CPU.
pub async fn device_speed(
    adapter: &Device,
    software: bool,
    clock: &impl Clock,
) -> Result<Result<DeviceSpeed>> {
    let config = timed_config();
    let mut on_cpu = DeviceLayer::new(&config, Device::flex(), None);
    let (batch, mut cpu_ms) = cpu_speed(&mut on_cpu, clock).await?;
    let on_adapter = async {
        let form = software.then_some(SOFTWARE_TILE);
        let mut on_adapter = DeviceLayer::new(&config, adapter.clone(), form);
        on_adapter.resize(batch);
        let (adapter_ms, timed) = adapter_speed(&on_adapter, &on_cpu, &mut cpu_ms, clock).await?;
        Ok(DeviceSpeed {
            batch,
            seq: SEQ,
            cpu_ms,
            adapter_ms,
            timed,
        })
    };
    Ok(on_adapter.await)
}

/// Returns what `work` returns, or none if that takes longer than `ms`.
async fn within<T>(ms: f64, clock: &impl Clock, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut over = pin!(clock.sleep(ms));
    poll_fn(|context| {
        if let Poll::Ready(result) = work.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        over.as_mut().poll(context).map(|()| None)
    })
    .await
}

/// A part of an encoder layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of it, forward and backward.
    Layer,
    /// Its largest product, forward.
    Product,
}

/// A layer on a device.
trait TimedLayer {
    /// Sets the number of sequences.
    fn resize(&mut self, batch: usize);

    /// Returns how many times the multiplications of [`Part::Product`] are those of all products with weights, forward
    /// and backward.
    fn products(&self) -> usize;

    /// Computes a part `passes` times, and waits until it has been computed.
    async fn compute(&self, part: Part, passes: usize) -> Result<()>;
}

/// Returns the number of sequences that the CPU computes in [`CPU_PASS_MS`], and the time of its layer with them.
async fn cpu_speed(layer: &mut impl TimedLayer, clock: &impl Clock) -> Result<(usize, f64)> {
    layer.resize(1);
    layer.compute(Part::Layer, 1).await?;
    let of_one = time_of(layer, Part::Layer, 1, clock).await?;
    let batch = ((CPU_PASS_MS / of_one) as usize).clamp(1, MAX_BATCH);
    layer.resize(batch);
    Ok((batch, layer_time(layer, f64::INFINITY, clock).await?))
}

/// Returns the time of the adapter's layer; or of its products, if they alone exceed `cpu_ms`; or of the wait.
/// An adapter that may be faster has the CPU timed again, because other programs may have had the CPU before.
async fn adapter_speed(
    layer: &impl TimedLayer,
    cpu: &impl TimedLayer,
    cpu_ms: &mut f64,
    clock: &impl Clock,
) -> Result<(f64, TimedPart)> {
    let products = within(
        PRODUCTS_WAIT_MS,
        clock,
        products_time(layer, *cpu_ms, clock),
    )
    .await;
    let Some(products_ms) = products.transpose()? else {
        return Ok((PRODUCTS_WAIT_MS, TimedPart::Nothing));
    };
    if products_ms <= *cpu_ms {
        *cpu_ms = cpu_ms.min(layer_time(cpu, f64::INFINITY, clock).await?);
    }
    if products_ms > *cpu_ms {
        return Ok((products_ms, TimedPart::Products));
    }
    let cpu_ms = *cpu_ms;
    let whole = async {
        layer.compute(Part::Layer, 1).await?;
        layer_time(layer, cpu_ms, clock).await
    };
    let whole = within(LAYER_WAIT_MS, clock, whole).await.transpose()?;
    Ok(whole.map_or((LAYER_WAIT_MS, TimedPart::Nothing), |ms| {
        (ms, TimedPart::Layer)
    }))
}

/// Returns the time of a layer's products. It is measured twice if it exceeds `enough`.
async fn products_time(layer: &impl TimedLayer, enough: f64, clock: &impl Clock) -> Result<f64> {
    let count = layer.products();
    let products = async || -> Result<f64> {
        let of_one = time_of(layer, Part::Product, count, clock).await?;
        Ok(of_one * count as f64)
    };
    layer.compute(Part::Product, 1).await?;
    let ms = products().await?;
    if ms <= enough {
        return Ok(ms);
    }
    // Another program may have had the adapter.
    Ok(ms.min(products().await?))
}

/// Returns the median time of a layer; or the first time if it is clearly more than `enough`.
async fn layer_time(layer: &impl TimedLayer, enough: f64, clock: &impl Clock) -> Result<f64> {
    let started = clock.now();
    let first = time_of(layer, Part::Layer, 1, clock).await?;
    if first > CLEARLY * enough {
        return Ok(first);
    }
    let passes = ((REPETITION_MS / first) as usize).clamp(1, MAX_PASSES);
    let mut times = Vec::new();
    if passes == 1 {
        times.push(first);
    }
    while times.is_empty() || (times.len() < MAX_REPETITIONS && clock.now() - started < TIMED_MS) {
        times.push(time_of(layer, Part::Layer, passes, clock).await?);
    }
    times.sort_by(f64::total_cmp);
    // The lower one of the two in the middle, because other programs only make a pass longer.
    Ok(times[(times.len() - 1) / 2])
}

/// Returns the milliseconds of one of `passes` passes.
async fn time_of(
    layer: &impl TimedLayer,
    part: Part,
    passes: usize,
    clock: &impl Clock,
) -> Result<f64> {
    let started = clock.now();
    layer.compute(part, passes).await?;
    Ok((clock.now() - started) / passes as f64)
}

/// A layer with its input.
struct DeviceLayer {
    layer: BertLayer,
    device: Device,
    /// That of the product, unless the device chooses it.
    form: Option<KernelForm>,
    input: Tensor<2>,
    gradient: Tensor<2>,
    bias: Tensor<2>,
}

impl DeviceLayer {
    /// The layer of `config`, which has one.
    fn new(config: &BertConfig, device: Device, form: Option<KernelForm>) -> Self {
        let device = device.autodiff();
        let layer = BertEncoder::lazy(config, &device).layer.swap_remove(0);
        let values = TorchGenerator::new(3).normal(PATTERN, config.initializer_range as f32);
        let layer = layer.map(&mut MadeUp(values));
        let [input, gradient, bias] = inputs(&layer, 1, &device);
        Self {
            layer,
            device,
            form,
            input,
            gradient,
            bias,
        }
    }

    /// Returns the value of a part that is computed last: the gradient of the first bias, or a product.
    fn pass(&self, part: Part) -> Option<Tensor<1>> {
        match part {
            Part::Layer => {
                // As in a network, where the layer before needs the gradient of the input.
                let input = self.input.clone().require_grad();
                let mut dropouts = Some(DropoutStream::new(3, 0));
                let output = self.layer.forward(input, self.bias.clone(), &mut dropouts);
                let grads = kernels::with_gradient(output, self.gradient.clone()).backward();
                let first = &self.layer.attention.self_attention.query_key_value;
                first.bias.val().grad(&grads)
            }
            Part::Product => {
                let _form = self.form.map(KernelFormOverride::new);
                let (weight, bias) = self.layer.intermediate.dense.parameters();
                let [input, weight] = [self.input.clone(), weight].map(Tensor::inner);
                Some(flat(kernels::linear(input, weight, bias.inner())))
            }
        }
    }
}

/// Different values of a parameter. Drawing each of a layer's values would take longer than computing the layer.
const PATTERN: usize = 4093;

/// Replaces the values of parameters by these, repeated.
struct MadeUp(Vec<f32>);

impl ModuleMapper for MadeUp {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, _) = param.consume();
        let shape = tensor.shape();
        let values = self.0.iter().cycle().take(shape.num_elements()).copied();
        let data = TensorData::new(values.collect::<Vec<f32>>(), shape);
        let tensor = Tensor::from_data(data, &tensor.device());
        Param::initialized(id, tensor.require_grad())
    }
}

/// Returns the input of a layer, the gradient of its output and the bias of its attention scores.
fn inputs(layer: &BertLayer, batch: usize, device: &Device) -> [Tensor<2>; 3] {
    let hidden_size = layer.output.dense.weight.dims()[0];
    let shape = [batch * SEQ, hidden_size];
    let normal = |seed| {
        let values = TorchGenerator::new(seed).normal(shape[0] * shape[1], 1.0);
        Tensor::from_data(TensorData::new(values, shape), device)
    };
    [normal(1), normal(2), Tensor::zeros([batch, SEQ], device)]
}

impl TimedLayer for DeviceLayer {
    fn resize(&mut self, batch: usize) {
        [self.input, self.gradient, self.bias] = inputs(&self.layer, batch, &self.device);
    }

    fn products(&self) -> usize {
        let [intermediate_size, hidden_size] = self.layer.intermediate.dense.weight.dims();
        // Those of the attention (query, key, value, output) and the two of the feed-forward network. The gradients of
        // input and weight take as many multiplications each as the product.
        3 * (4 * hidden_size + 2 * intermediate_size) / intermediate_size
    }

    async fn compute(&self, part: Part, passes: usize) -> Result<()> {
        let mut last = None;
        for _ in 0..passes {
            last = self.pass(part);
        }
        // A device computes in the order of the calls, so the last value arrives when everything before is computed.
        if let Some(gradient) = last {
            super::read(gradient).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
