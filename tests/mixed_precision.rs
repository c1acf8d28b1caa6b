//! Mixed precision: matrix products of operands rounded to f16, against a reference in f64; and loss scaling:
//! updates equal those without it, an overflow changes only the scale, and the scale grows again.

mod common;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use common::{options, parameters, random_model, rows, tiny_config, train};
use half::f16;
use pollster::block_on;
use std::collections::BTreeMap;
use webtune::Error;
use webtune::bert::{BertForSequenceClassification, cross_entropy, targets};
use webtune::evaluate::evaluate;
use webtune::kernels::{Autocast, DIVERGED, LossScaling, PROCEEDS};
use webtune::random::TorchGenerator;
use webtune::tokens::DataCollator;
use webtune::train::{
    AdamW, GradScaler, GradientClipper, Trainer, TrainingArguments, partial_sums_of_squares,
};

const INIT_SCALE: f32 = 65_536.0;
const LABELS: usize = 3;

fn matrix(shape: [usize; 2], seed: u32, device: &Device) -> (Vec<f32>, Tensor<2>) {
    let values = TorchGenerator::new(seed).normal(shape[0] * shape[1], 1.0);
    let tensor = Tensor::from_data(TensorData::new(values.clone(), shape), device);
    (values, tensor)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

/// `[m, k] × [k, n]` of operands rounded to f16, accumulated in f64.
fn product(lhs: &[f32], rhs: &[f32], [m, n, k]: [usize; 3]) -> Vec<f64> {
    let half = |value: f32| f16::from_f32(value).to_f64();
    let one = |row: usize, column: usize| {
        (0..k)
            .map(|at| half(lhs[row * k + at]) * half(rhs[at * n + column]))
            .sum()
    };
    (0..m * n).map(|at| one(at / n, at % n)).collect()
}

fn transposed(values: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    (0..rows * columns)
        .map(|at| values[at % rows * columns + at / rows])
        .collect()
}

fn same(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0f64, |most, one| most.max(one.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let off = (f64::from(*found) - expected).abs() / largest;
        assert!(off < 1e-6, "{found} instead of {expected}");
    }
}

#[test]
fn forward_and_backward_products_have_rounded_operands() {
    let device = Device::flex().autodiff();
    let [m, n, k] = [5, 7, 33];
    let (input, input_tensor) = matrix([m, k], 1, &device);
    let (weight, weight_tensor) = matrix([n, k], 2, &device);
    let (gradient, gradient_tensor) = matrix([m, n], 3, &device);
    let input_tensor = input_tensor.require_grad();
    let weight_tensor = weight_tensor.require_grad();
    let bias = Tensor::<1>::zeros([n], &device).require_grad();
    let autocast = Autocast::new(&device, true).unwrap();
    let output =
        webtune::kernels::linear(input_tensor.clone(), weight_tensor.clone(), bias.clone());
    // The backward pass has the precision of its forward pass, even if autocast has ended.
    drop(autocast);
    let grads = (output.clone() * gradient_tensor).sum().backward();
    same(
        &values(output.inner()),
        &product(&input, &transposed(&weight, [n, k]), [m, n, k]),
    );
    same(
        &values(input_tensor.grad(&grads).unwrap()),
        &product(&gradient, &weight, [m, k, n]),
    );
    same(
        &values(weight_tensor.grad(&grads).unwrap()),
        &product(&transposed(&gradient, [m, n]), &input, [n, k, m]),
    );
    same(
        &values(bias.grad(&grads).unwrap()),
        &product(&vec![1.0; m], &gradient, [1, n, m]),
    );
}

#[test]
fn values_above_the_range_of_f16_are_infinite() {
    let device = Device::flex();
    let one = |value: f32| {
        let input = Tensor::from_data(TensorData::new(vec![value], [1, 1]), &device);
        let weight = Tensor::from_data(TensorData::new(vec![1.0f32], [1, 1]), &device);
        let _autocast = Autocast::new(&device, true).unwrap();
        values(webtune::kernels::linear(
            input,
            weight,
            Tensor::zeros([1], &device),
        ))[0]
    };
    assert_eq!(one(65_504.0), 65_504.0);
    assert_eq!(one(1e5), f32::INFINITY);
    assert_eq!(one(2.0f32.powi(-26)), 0.0);
}

#[test]
fn only_evaluations_with_fp16_round_their_operands() {
    let model = random_model(&tiny_config(), LABELS, 5);
    let rows = rows(6, LABELS, 1);
    let logits = |fp16| {
        let options = options(TrainingArguments {
            fp16,
            ..Default::default()
        });
        let found = block_on(evaluate(
            &model.valid(),
            &rows,
            &options.evaluation(),
            &mut |_, _| (),
        ));
        found.unwrap().logits
    };
    let (plain, rounded) = (logits(false), logits(true));
    assert_ne!(plain, rounded);
    for (plain, rounded) in plain.iter().flatten().zip(rounded.iter().flatten()) {
        assert!((plain - rounded).abs() < 0.02, "{plain} {rounded}");
    }
    assert_eq!(logits(false), plain);
}

/// The gradients of one batch, multiplied by `scale`.
fn gradients(model: &BertForSequenceClassification, scale: f32, seed: u32) -> GradientsParams {
    let rows = rows(4, LABELS, seed);
    let encodings: Vec<_> = rows.iter().map(|row| &row.encoding).collect();
    let labels: Vec<_> = rows.iter().map(|row| row.label).collect();
    let batch = DataCollator::longest(32, 0).collate(&encodings);
    let targets = targets(&labels, LABELS, 0.0, &model.device());
    let loss = cross_entropy(model.forward(&batch), targets, labels.len() as f64);
    GradientsParams::from_grads((loss * scale).backward(), model)
}

fn arguments(fp16: bool) -> TrainingArguments {
    TrainingArguments {
        weight_decay: 0.1,
        max_grad_norm: 0.7,
        // With the default of 1e-8 AdamW would scale the rounding errors of the keys' bias to full updates.
        adam_epsilon: 1e-6,
        fp16,
        ..Default::default()
    }
}

/// Updates with gradients that are multiplied by the scaler's scale; those of the updates in `overflows` are infinite.
struct Scaled {
    model: BertForSequenceClassification,
    optimizer: AdamW,
    scaler: GradScaler,
    /// The values of the last update's clip.
    last: Vec<f32>,
}

impl Scaled {
    fn new(growth_interval: usize) -> Self {
        let arguments = arguments(true);
        let scaling = LossScaling {
            max_norm: arguments.max_grad_norm,
            betas: [arguments.adam_beta1, arguments.adam_beta2],
            growth_factor: 2.0,
            backoff_factor: 0.5,
            growth_interval,
        };
        Self {
            model: random_model(&tiny_config(), LABELS, 3),
            optimizer: AdamW::new(&arguments),
            scaler: GradScaler::with(scaling, &Device::flex()),
            last: Vec::new(),
        }
    }

    fn scale(&self) -> f32 {
        values(self.scaler.scale().inner())[0]
    }

    /// Does one update and returns its gradient norm.
    fn update(self, seed: u32, overflows: bool) -> (Self, f32) {
        let Self {
            model,
            mut optimizer,
            mut scaler,
            ..
        } = self;
        let scale = if overflows {
            f32::INFINITY
        } else {
            values(scaler.scale().inner())[0]
        };
        let grads = gradients(&model, scale, seed);
        let clip = scaler.update(partial_sums_of_squares(&model, &grads), loss(0.5));
        let last = values(clip.clone());
        let norm = last[0];
        let model = optimizer.step(model, grads, clip, 1e-2);
        let next = Self {
            model,
            optimizer,
            scaler,
            last,
        };
        (next, norm)
    }
}

/// A loss on the device.
fn loss(value: f32) -> Tensor<1> {
    Tensor::from_floats([value], &Device::flex())
}

fn close(found: &BTreeMap<String, Vec<f32>>, expected: &BTreeMap<String, Vec<f32>>) {
    for (name, expected) in expected {
        for (found, expected) in found[name].iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-5,
                "{name}: {found} instead of {expected}"
            );
        }
    }
}

#[test]
fn scaled_updates_equal_updates_without_a_scale() {
    let mut model = random_model(&tiny_config(), LABELS, 3);
    let mut plain = AdamW::new(&arguments(false));
    let mut clipper = GradientClipper::new(0.7, &Device::flex());
    let mut scaled = Scaled::new(2000);
    for seed in 0..5 {
        let grads = gradients(&model, 1.0, seed);
        let clip = clipper.update(partial_sums_of_squares(&model, &grads), loss(0.5));
        let expected = values(clip.clone())[0];
        model = plain.step(model, grads, clip, 1e-2);
        let (next, norm) = scaled.update(seed, false);
        assert!((norm - expected).abs() < 1e-4 * expected);
        scaled = next;
    }
    assert_eq!(scaled.scale(), INIT_SCALE);
    close(&parameters(&scaled.model), &parameters(&model));
}

#[test]
fn an_overflow_changes_only_the_scale() {
    let mut clean = Scaled::new(2000);
    let mut other = Scaled::new(2000);
    for seed in 0..4 {
        let before = parameters(&other.model);
        let (next, norm) = other.update(100 + seed, true);
        assert!(!norm.is_finite());
        assert_eq!(parameters(&next.model), before);
        assert_eq!(next.scale(), INIT_SCALE / 2.0f32.powi(seed as i32 + 1));
        (other, clean) = (next.update(seed, false).0, clean.update(seed, false).0);
    }
    // The moments and the step count do not change either: later updates equal those of a run without an overflow.
    close(&parameters(&other.model), &parameters(&clean.model));
}

#[test]
fn the_scale_grows_after_the_growth_interval() {
    let mut run = Scaled::new(3);
    let mut scales = Vec::new();
    for (seed, overflows) in [false, false, true, false, false, false, false, false, false]
        .into_iter()
        .enumerate()
    {
        run = run.update(seed as u32, overflows).0;
        scales.push(run.scale() / INIT_SCALE);
    }
    assert_eq!(scales, [1.0, 1.0, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 2.0]);
}

/// A network with gradients so large that they overflow at the first scales.
fn model_with_large_gradients() -> BertForSequenceClassification {
    let config = tiny_config();
    let mut draw = TorchGenerator::new(8);
    random_model(&config, LABELS, 3)
        .with_head(
            draw.normal(LABELS * config.hidden_size, 40.0),
            vec![0.0; LABELS],
        )
        .unwrap()
}

fn run_with_large_gradients(
    gradient_checkpointing: bool,
    gradient_accumulation_steps: usize,
) -> common::Run {
    let arguments = TrainingArguments {
        num_train_epochs: 2.0,
        gradient_checkpointing,
        gradient_accumulation_steps,
        per_device_train_batch_size: 4,
        ..arguments(true)
    };
    train(
        model_with_large_gradients(),
        rows(32, LABELS, 1),
        rows(4, LABELS, 2),
        options(arguments),
    )
}

#[test]
fn a_run_continues_after_overflows() {
    for accumulation in [1, 2] {
        let run = run_with_large_gradients(false, accumulation);
        let finite: Vec<bool> = run
            .logs
            .iter()
            .map(|log| log.grad_norm.is_finite())
            .collect();
        assert!(!finite[0], "the first scale overflows");
        let first = finite.iter().position(|&finite| finite).unwrap();
        assert!(finite[first..].iter().all(|&finite| finite), "{finite:?}");
        assert!(run.logs.iter().all(|log| log.loss.is_finite()));
        assert_eq!(run.logs.len(), run.trainer.state().max_steps);
        // The network changes after the skipped updates, not in them.
        let before = parameters(&model_with_large_gradients());
        assert_ne!(parameters(&run.trainer.model().unwrap()), before);
    }
}

#[test]
fn checkpointed_gradients_are_scaled_alike() {
    let [whole, by_layer] =
        [false, true].map(|checkpointing| run_with_large_gradients(checkpointing, 1));
    for (whole, by_layer) in whole.logs.iter().zip(&by_layer.logs) {
        assert!((whole.loss - by_layer.loss).abs() < 1e-5);
        assert_eq!(whole.grad_norm.is_finite(), by_layer.grad_norm.is_finite());
    }
}

#[test]
fn an_overflow_at_every_scale_is_a_diverged_run() {
    let config = tiny_config();
    let model = random_model(&config, LABELS, 3)
        .with_head(
            vec![f32::NAN; LABELS * config.hidden_size],
            vec![0.0; LABELS],
        )
        .unwrap();
    let options = options(arguments(true));
    let mut trainer = Trainer::new(model, rows(8, LABELS, 1).into(), [].into(), options).unwrap();
    let error = block_on(trainer.step()).unwrap_err();
    assert!(
        matches!(error, Error::Diverged { what: "loss", .. }),
        "{error}"
    );
    assert_eq!(trainer.state().global_step, 0);
    assert_eq!(block_on(trainer.step()).unwrap_err(), error);
}

#[test]
fn no_update_proceeds_after_an_overflow_without_a_scale() {
    let mut run = Scaled::new(2000);
    // 17 halvings of 65,536 give 0.5: at a scale below 1 the gradients overflow by themselves.
    for seed in 0..16 {
        run = run.update(seed, true).0;
        assert_eq!(run.last[DIVERGED], 0.0, "scale {}", run.scale());
    }
    run = run.update(16, true).0;
    let (scale, before) = (run.scale(), parameters(&run.model));
    assert_eq!((scale, run.last[DIVERGED]), (0.5, 1.0));
    run = run.update(17, false).0;
    assert_eq!(run.last[PROCEEDS], 0.0);
    assert_eq!((run.scale(), parameters(&run.model)), (scale, before));
}

#[test]
fn no_update_proceeds_after_a_loss_that_is_not_finite() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut run = Scaled::new(2000).update(1, false).0;
        let before = parameters(&run.model);
        for (seed, value) in [(2, value), (3, 0.5)] {
            let grads = gradients(&run.model, run.scale(), seed);
            let squares = partial_sums_of_squares(&run.model, &grads);
            let clip = run.scaler.update(squares, loss(value));
            assert_eq!(values(clip.clone())[DIVERGED], 1.0);
            run.model = run.optimizer.step(run.model, grads, clip, 1e-2);
            assert_eq!(parameters(&run.model), before);
        }
        assert_eq!(run.scale(), INIT_SCALE);
    }
}
