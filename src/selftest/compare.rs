//! The thorough comparison of a device with the CPU device, which a visitor of the page can start.
//!
//! On a small BERT with padding and every dropout, it compares the logits, the gradient of every parameter, and every
//! parameter after three optimizer steps: of the whole network, and of LoRA with gradient checkpointing. It also
//! compares mean pooling with class weights, loss scaling, and updates that are not finite. The device stores the word
//! embeddings in three blocks, as it does if a buffer cannot hold the whole table. The CPU device stores them in one.

use super::divergence::divergence;
use super::fp16::loss_scaling;
use super::{Check, SelfTest, compare_values, largest, read};
use crate::Result;
use crate::bert::{
    BertConfig, BertForSequenceClassification, ClassifierPooling, CrossEntropy, LoadLimits,
    LoraConfig, TargetModules, balanced_class_weights, cross_entropy, random_network, read_all,
    targets,
};
use crate::kernels::DropoutStream;
use crate::tokens::{Batch, DataCollator, Encoding, Example};
use crate::train::{Event, Trainer, TrainerOptions, TrainingArguments};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

const LABELS: usize = 3;
const VOCABULARY: usize = 300;
/// Bytes of the largest parameter except the word embeddings: query, key and value. It splits the word embeddings into
/// three blocks.
const LARGEST: u64 = 4 * 3 * 48 * 48;
/// Bytes of the chunks in which weights are uploaded: every large tensor takes several.
const CHUNK_BYTES: u64 = 1000;
const GRADIENT: &str = "gradient of ";
const MERGED: &str = "logits with the adapters merged in";
const LORA: LoraConfig = LoraConfig {
    r: 5,
    lora_alpha: 10,
    target_modules: TargetModules::AllLinear,
};

/// Runs the comparison on `device` and on the CPU device.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) if an operation of the device fails.
pub async fn compare(device: &Device) -> Result<SelfTest> {
    let blocks = LoadLimits {
        max_parameter_bytes: LARGEST,
        chunk_bytes: CHUNK_BYTES,
    };
    let found = Outcome::compute(device, blocks).await?;
    let expected = Outcome::compute(&Device::flex(), LoadLimits::default()).await?;
    let mut checks: Vec<Check> = Vec::new();
    // The gradient of a key's bias is rounding error, because softmax is invariant to a constant. Its deviation is
    // small relative to the largest gradient, but not relative to itself.
    let gradients = expected
        .values
        .iter()
        .filter(|(name, _)| name.starts_with(GRADIENT));
    let floor = 1e-3 * gradients.fold(0.0_f32, |max, (_, values)| max.max(largest(values)));
    for ((name, found), (_, expected)) in found.values.iter().zip(&expected.values) {
        let floor = if name.starts_with(GRADIENT) {
            floor
        } else {
            0.0
        };
        checks.push(compare_values(name.clone(), found, expected, floor));
    }
    let compared = checks.len() == expected.values.len();
    checks.extend(loss_scaling(device).await?);
    checks.extend(divergence(device).await?);
    Ok(SelfTest {
        passed: compared && checks.iter().all(|check| check.passed),
        checks,
    })
}

/// The values that one device computed, by name.
struct Outcome {
    values: Vec<(String, Vec<f32>)>,
}

impl Outcome {
    async fn compute(device: &Device, limits: LoadLimits) -> Result<Self> {
        let device = device.clone().autodiff();
        let model = load(&device, limits).await?;
        let mut values = Vec::new();
        let logits = model.forward(&batch());
        values.push(("logits".to_string(), read(flat(logits)).await?));

        let logits = model.forward_with_dropouts(&batch(), DropoutStream::new(5, 0));
        let labels: Vec<usize> = examples().iter().map(|row| row.label).collect();
        let targets = targets(&labels, LABELS, 0.1, &device);
        let loss = cross_entropy(logits, targets, labels.len() as f64);
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        for parameter in model.named_parameters() {
            let values_read = match parameter.gradient(&grads) {
                Some(gradient) => read_all(gradient).await?,
                None => Vec::new(),
            };
            values.push((format!("{GRADIENT}{}", parameter.name), values_read));
        }

        values.extend(mean_pooled(&model, &labels, &device).await?);
        let with_lora = model.clone().with_lora(&LORA, 22);
        let mut parameters = three_steps(model, options()).await?.named_parameters();
        // LoRA and gradient checkpointing use kernels that full training does not use.
        let mut options = options();
        options.arguments.gradient_checkpointing = true;
        let trained = three_steps(with_lora, options).await?;
        parameters.extend(trained.adapter_parameters());
        parameters.extend(trained.classifier_parameters());
        let logits = trained.merged().forward(&batch());
        values.push((MERGED.to_string(), read(flat(logits)).await?));
        for parameter in parameters {
            let name = format!("{} after three steps", parameter.name);
            values.push((name, parameter.read().await?));
        }
        Ok(Self { values })
    }
}

/// Logits of the mean of the hidden states, and gradients through it of a loss with class weights.
async fn mean_pooled(
    model: &BertForSequenceClassification,
    labels: &[usize],
    device: &Device,
) -> Result<Vec<(String, Vec<f32>)>> {
    let model = model.clone().with_pooling(ClassifierPooling::Mean);
    let weights = balanced_class_weights(labels.iter().copied(), LABELS);
    let loss = CrossEntropy {
        label_smoothing: 0.1,
        class_weights: Some(weights.into()),
    };
    let logits = model.forward_with_dropouts(&batch(), DropoutStream::new(6, 0));
    let targets = loss.targets(labels, LABELS, device);
    let weight = loss.weight(labels.iter().copied());
    let output = cross_entropy(logits.clone(), targets, weight);
    let grads = GradientsParams::from_grads(output.backward(), &model);
    let mut values = vec![(
        "logits with mean pooling".to_string(),
        read(flat(logits)).await?,
    )];
    for parameter in model.named_parameters() {
        let is_compared = ["encoder.layer.1.output.LayerNorm", "classifier"]
            .iter()
            .any(|name| parameter.name.contains(name));
        if let Some(gradient) = parameter.gradient(&grads).filter(|_| is_compared) {
            let name = format!("{GRADIENT}{} with mean pooling", parameter.name);
            values.push((name, read_all(gradient).await?));
        }
    }
    Ok(values)
}

async fn three_steps(
    model: BertForSequenceClassification,
    options: TrainerOptions,
) -> Result<BertForSequenceClassification> {
    let mut trainer = Trainer::new(model, examples().into(), [].into(), options)?;
    while let Event::Step { .. } = trainer.step().await? {
        // There are no rows to evaluate.
        trainer.skip_evaluation();
    }
    trainer.model()
}

fn flat(tensor: Tensor<2>) -> Tensor<1> {
    tensor.inner().flatten(0, 1)
}

fn config() -> BertConfig {
    BertConfig {
        vocab_size: VOCABULARY,
        hidden_size: 48,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 96,
        max_position_embeddings: 20,
        initializer_range: 0.1,
        ..BertConfig::default()
    }
}

async fn load(device: &Device, limits: LoadLimits) -> Result<BertForSequenceClassification> {
    random_network(&config(), LABELS, 20, device, limits).await
}

/// Examples of 5, 8, 11, 14 and 17 tokens.
fn examples() -> Vec<Example> {
    (0..5)
        .map(|row| Example {
            encoding: Encoding {
                input_ids: (0..5 + 3 * row)
                    .map(|at| (37 * at + 7 * row) % VOCABULARY as u32)
                    .collect(),
                truncated: false,
            },
            label: row as usize % LABELS,
        })
        .collect()
}

fn batch() -> Batch {
    let examples = examples();
    let rows: Vec<&Encoding> = examples.iter().map(|row| &row.encoding).collect();
    DataCollator::longest(20, 0).collate(&rows)
}

fn options() -> TrainerOptions {
    TrainerOptions {
        arguments: TrainingArguments {
            per_device_train_batch_size: 5,
            learning_rate: 1e-3,
            weight_decay: 0.01,
            max_steps: 3,
            // With the default of 1e-8, AdamW turns the rounding errors of the key biases into full steps.
            adam_epsilon: 1e-6,
            ..TrainingArguments::default()
        },
        collator: DataCollator::longest(20, 0),
        shuffle: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_every_parameter_on_the_cpu() {
        let report = pollster::block_on(compare(&Device::flex())).unwrap();
        assert!(report.passed, "{report:?}");
        let parameters = 2 * 16 + 5 + 2 + 2;
        let adapters = 2 * (2 * 6 + 1);
        assert_eq!(
            report.checks.len(),
            2 + 2 * parameters + adapters + 2 + 2 + 2 + (1 + 4)
        );
    }
}
