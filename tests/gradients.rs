//! The gradient of the loss with respect to every parameter of a tiny BERT, against central differences: f32 logits of
//! the same network with one changed value, and the loss in f64.

mod common;

use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use common::{load, parameters, random_model, rows, tiny_config};
use pollster::block_on;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;
use webtune::bert::{BertConfig, BertForSequenceClassification, cross_entropy, read_all, targets};
use webtune::kernels::DropoutStream;
use webtune::tokens::{Batch, DataCollator, Example};

const NUM_LABELS: usize = 3;

/// The step of the five-point stencil. Its truncation error falls with the fourth power of the step; the rounding error
/// of the f32 logits grows with its inverse.
const STEP: f32 = 0.02;

/// Every parameter's shape and values, by name.
type Values = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn values(model: &BertForSequenceClassification) -> Values {
    let mut flat = parameters(model);
    let named = model.named_parameters().into_iter();
    named
        .map(|parameter| {
            let values = flat.remove(&parameter.name).unwrap();
            (parameter.name, (parameter.shape, values))
        })
        .collect()
}

fn model(config: &BertConfig, values: &Values) -> BertForSequenceClassification {
    let bytes: Vec<Vec<u8>> = values
        .values()
        .map(|(_, values)| {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        })
        .collect();
    let views = values
        .iter()
        .zip(&bytes)
        .map(|((name, (shape, _)), bytes)| {
            (
                name,
                TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
            )
        });
    let file = safetensors::serialize(views, None).unwrap();
    load(config, NUM_LABELS, file)
}

fn batch(rows: &[Example]) -> Batch {
    let encodings: Vec<_> = rows.iter().map(|row| &row.encoding).collect();
    DataCollator::longest(0, 0).collate(&encodings)
}

fn labels(rows: &[Example]) -> Vec<usize> {
    rows.iter().map(|row| row.label).collect()
}

/// Logits `[rows, NUM_LABELS]`, with the same dropout masks in each call.
fn logits(model: &BertForSequenceClassification, rows: &[Example]) -> Tensor<2> {
    model.forward_with_dropouts(&batch(rows), DropoutStream::new(5, 1))
}

/// The mean cross entropy, in f64 from f32 logits.
fn loss(model: &BertForSequenceClassification, rows: &[Example]) -> f64 {
    let logits: Vec<f32> = logits(model, rows)
        .inner()
        .into_data()
        .try_into_vec()
        .unwrap();
    let losses = logits.chunks(NUM_LABELS).zip(rows).map(|(logits, row)| {
        let sum: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
        sum.ln() - f64::from(logits[row.label])
    });
    losses.sum::<f64>() / rows.len() as f64
}

/// The gradient by autodiff, by name.
fn gradients(
    model: &BertForSequenceClassification,
    rows: &[Example],
) -> BTreeMap<String, Vec<f32>> {
    let targets = targets(&labels(rows), NUM_LABELS, 0.0, &model.device());
    let loss = cross_entropy(logits(model, rows), targets, rows.len() as f64);
    let gradients = GradientsParams::from_grads(loss.backward(), model);
    let named = model.named_parameters().into_iter();
    named
        .map(|parameter| {
            let values = parameter.gradient(&gradients);
            let values = values.unwrap_or_else(|| panic!("{} has no gradient", parameter.name));
            (parameter.name, block_on(read_all(values)).unwrap())
        })
        .collect()
}

/// The derivative by the five-point stencil.
fn difference(
    config: &BertConfig,
    values: &mut Values,
    (name, at): (&str, usize),
    rows: &[Example],
) -> f64 {
    let start = values[name].1[at];
    let mut moved = |steps: f32| {
        let value = &mut values.get_mut(name).unwrap().1[at];
        *value = start + steps * STEP;
        let distance = f64::from(*value) - f64::from(start);
        (loss(&model(config, values), rows), distance)
    };
    let mut difference = |steps| {
        let ((above, up), (below, down)) = (moved(steps), moved(-steps));
        (above - below) / (up - down)
    };
    let derivative = (4.0 * difference(1.0) - difference(2.0)) / 3.0;
    values.get_mut(name).unwrap().1[at] = start;
    derivative
}

/// The indices to check: those of the largest gradient, of the median, and of the smallest that is not 0.
fn indices(gradient: &[f32]) -> Vec<usize> {
    let mut candidates: Vec<usize> = (0..gradient.len())
        .filter(|&at| gradient[at] != 0.0)
        .collect();
    candidates.sort_by(|&a, &b| gradient[b].abs().total_cmp(&gradient[a].abs()));
    let mut chosen = vec![
        candidates[0],
        candidates[candidates.len() / 2],
        candidates[candidates.len() - 1],
    ];
    chosen.dedup();
    chosen
}

/// The maximum error of a gradient, relative to the largest one of its parameter. Measured: at most 5e-4.
const TOLERANCE: f64 = 1e-3;

fn check(config: &BertConfig) {
    // Rows of unequal lengths: the batch has padding.
    let rows = rows(6, NUM_LABELS, 21);
    assert!(batch(&rows).attention_mask.contains(&0));
    let start = random_model(config, NUM_LABELS, 20);
    let gradients = gradients(&start, &rows);
    let mut values = values(&start);
    let (mut worst, mut checked) = ((0.0, String::new()), 0);
    for (name, gradient) in &gradients {
        let largest = gradient
            .iter()
            .fold(0.0f32, |max, value| max.max(value.abs()));
        // The bias of the keys adds a constant to all scores of a query, which softmax cancels: the gradient is
        // rounding error.
        let vanishes = name.ends_with("key.bias");
        assert_eq!(largest < 1e-6, vanishes, "{name}: {largest}");
        for at in indices(gradient) {
            let found = f64::from(gradient[at]);
            let expected = difference(config, &mut values, (name, at), &rows);
            let deviation = (found - expected).abs() / f64::from(largest).max(0.01);
            let what = format!("{name}[{at}] is {found:.6}, differences give {expected:.6}");
            assert!(deviation < TOLERANCE, "{what}: {deviation:.1e} off");
            if deviation > worst.0 {
                worst = (deviation, what);
            }
            checked += 1;
        }
    }
    println!(
        "{checked} gradients; the worst: {}, {:.1e} off",
        worst.1, worst.0
    );
    assert_eq!(gradients.len(), 41);
}

#[test]
fn every_parameter_has_the_gradient_of_central_differences() {
    check(&tiny_config());
}

/// The masks are fixed, so that the loss is a differentiable function.
#[test]
fn every_parameter_has_the_gradient_of_central_differences_with_dropout() {
    check(&BertConfig {
        hidden_dropout_prob: 0.2,
        attention_probs_dropout_prob: 0.3,
        classifier_dropout: Some(0.1),
        ..tiny_config()
    });
}

/// Embedding rows of tokens that are not in the batch have a gradient of 0.
#[test]
fn embeddings_outside_the_batch_have_no_gradient() {
    let rows = rows(3, NUM_LABELS, 22);
    let batch = batch(&rows);
    let gradients = gradients(&random_model(&tiny_config(), NUM_LABELS, 23), &rows);
    let touched = |table: &str, row: usize| {
        let width = tiny_config().hidden_size;
        let gradient = &gradients[&format!("bert.embeddings.{table}_embeddings.weight")];
        gradient[row * width..(row + 1) * width]
            .iter()
            .any(|value| *value != 0.0)
    };
    let mut real = batch.input_ids.iter().zip(&batch.attention_mask);
    for word in 0..tiny_config().vocab_size {
        // The rows of padding are computed, but the attention mask excludes them.
        let used = real
            .clone()
            .any(|(id, mask)| *id == word as i32 && *mask == 1);
        assert_eq!(touched("word", word), used, "word {word}");
    }
    assert!(real.any(|(_, mask)| *mask == 0));
    let longest = rows
        .iter()
        .map(|row| row.encoding.input_ids.len())
        .max()
        .unwrap();
    for position in 0..tiny_config().max_position_embeddings {
        assert_eq!(
            touched("position", position),
            position < longest,
            "position {position}"
        );
    }
    assert!(touched("token_type", 0) && !touched("token_type", 1));
}
