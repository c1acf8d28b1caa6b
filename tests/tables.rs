//! Word embeddings in blocks equal those in one table: outputs, gradients, updates, names. A weights file that is read
//! in chunks equals one that is read at once.

mod common;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use common::{options, parameters, rows, train};
use pollster::block_on;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;
use std::ops::Range;
use webtune::bert::{
    BertConfig, BertForSequenceClassification, LoadLimits, LoadReport, LoraConfig, TargetModules,
    WeightsLoader, cross_entropy, random_checkpoint, read_all, targets,
};
use webtune::io::{ByteSource, MemoryFile};
use webtune::kernels::DropoutStream;
use webtune::tokens::{DataCollator, Encoding, Example};
use webtune::train::{TrainingArguments, partial_sums_of_squares};
use webtune::{Error, Result};

const NUM_LABELS: usize = 3;
const WORDS: &str = "bert.embeddings.word_embeddings.weight";

/// The position embeddings are the largest parameter after the word embeddings: 18 rows of 4 values.
const PARAMETER: u64 = 4 * 18 * 4;

/// A network with dropout.
fn config() -> BertConfig {
    BertConfig {
        vocab_size: common::VOCAB_SIZE,
        hidden_size: 4,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 6,
        max_position_embeddings: 18,
        initializer_range: 0.5,
        ..BertConfig::default()
    }
}

fn in_blocks() -> LoadLimits {
    LoadLimits {
        max_parameter_bytes: PARAMETER,
        chunk_bytes: 28,
    }
}

fn load_from(
    source: &mut impl ByteSource,
    limits: LoadLimits,
) -> Result<(BertForSequenceClassification, LoadReport)> {
    let config = config();
    let loader = WeightsLoader {
        config: &config,
        own_labels: NUM_LABELS,
        num_labels: NUM_LABELS,
        seed: 4,
        device: &Device::flex().autodiff(),
        limits,
    };
    block_on(loader.load(source))
}

fn load(limits: LoadLimits) -> BertForSequenceClassification {
    let checkpoint = random_checkpoint(&config(), 3).unwrap();
    let mut file = MemoryFile::new("model.safetensors", checkpoint);
    load_from(&mut file, limits).unwrap().0
}

/// The network with its word embeddings in one table, and in blocks of 14, 14 and 12 rows.
fn both() -> [BertForSequenceClassification; 2] {
    let both = [LoadLimits::default(), in_blocks()].map(load);
    let blocks = |model: &BertForSequenceClassification| {
        let words = &model.bert.embeddings.word_embeddings;
        let rest = words.rest.iter().map(|block| block.dims()[0]);
        [words.first.dims()[0]].into_iter().chain(rest).collect()
    };
    let found: Vec<Vec<usize>> = both.iter().map(blocks).collect();
    assert_eq!(found, [vec![40], vec![14, 14, 12]]);
    both
}

/// Rows for the evaluation at the end of an epoch, which is not compared.
fn test() -> Vec<Example> {
    rows(2, NUM_LABELS, 7)
}

/// Logits, every gradient by name, and their global norm.
fn pass(model: &BertForSequenceClassification) -> (Vec<f32>, BTreeMap<String, Vec<f32>>, f32) {
    let rows = rows(8, NUM_LABELS, 11);
    let encodings: Vec<&Encoding> = rows.iter().map(|row| &row.encoding).collect();
    let labels: Vec<usize> = rows.iter().map(|row| row.label).collect();
    let batch = DataCollator::longest(0, 0).collate(&encodings);
    let logits = model.forward_with_dropouts(&batch, DropoutStream::new(5, 0));
    let targets = targets(&labels, NUM_LABELS, 0.0, &model.device());
    let loss = cross_entropy(logits.clone(), targets, rows.len() as f64);
    let grads = GradientsParams::from_grads(loss.backward(), model);
    let named = model.named_parameters().into_iter();
    let gradients = named.map(|one| {
        let gradient = one.gradient(&grads).unwrap();
        (one.name, block_on(read_all(gradient)).unwrap())
    });
    let gradients = gradients.collect();
    let norm = partial_sums_of_squares(model, &grads).sum().sqrt();
    (
        logits.into_data().try_into_vec().unwrap(),
        gradients,
        norm.into_scalar(),
    )
}

#[test]
fn blocks_have_the_names_and_values_of_one_table() {
    let [whole, blocks] = both();
    let shapes = |model: &BertForSequenceClassification| {
        let named = model.named_parameters().into_iter();
        named.map(|one| (one.name, one.shape)).collect::<Vec<_>>()
    };
    assert_eq!(shapes(&blocks), shapes(&whole));
    assert_eq!(shapes(&blocks)[0], (WORDS.to_string(), vec![40, 4]));
    assert_eq!(parameters(&blocks), parameters(&whole));
    assert_eq!(blocks.num_params(), whole.num_params());
    assert_eq!(blocks.bert.embeddings.word_embeddings.vocab_size(), 40);
}

#[test]
fn blocks_have_the_outputs_and_gradients_of_one_table() {
    let [
        (logits, gradients, norm),
        (in_blocks, of_blocks, norm_of_blocks),
    ] = both().map(|model| pass(&model));
    assert_eq!(in_blocks, logits);
    assert_eq!(of_blocks, gradients);
    // Every block has a gradient.
    for rows in [0..14, 14..28, 28..40] {
        let values = &gradients[WORDS][4 * rows.start..4 * rows.end];
        assert!(values.iter().any(|value| *value != 0.0), "{rows:?}");
    }
    // The sum of squares has another order.
    assert!((norm_of_blocks / norm - 1.0).abs() < 1e-6);
}

#[test]
fn blocks_have_the_updates_of_one_table() {
    for gradient_checkpointing in [false, true] {
        let trained = both().map(|model| {
            let arguments = TrainingArguments {
                per_device_train_batch_size: 4,
                gradient_accumulation_steps: 2,
                learning_rate: 1e-2,
                weight_decay: 0.1,
                max_steps: 4,
                gradient_checkpointing,
                // The norms differ in their last bit, and so would the clipping factors.
                max_grad_norm: 0.0,
                ..TrainingArguments::default()
            };
            let rows = rows(12, NUM_LABELS, 6);
            let run = train(model, rows, test(), options(arguments));
            let losses: Vec<f64> = run.logs.iter().map(|log| log.loss).collect();
            (losses, parameters(&run.trainer.model().unwrap()))
        });
        assert_eq!(trained[1], trained[0]);
        let before = parameters(&load(LoadLimits::default()));
        assert_ne!(trained[0].1[WORDS], before[WORDS]);
    }
}

#[test]
fn frozen_blocks_do_not_change() {
    let lora = LoraConfig {
        r: 2,
        lora_alpha: 4,
        target_modules: TargetModules::QueryValue,
    };
    let arguments = TrainingArguments {
        learning_rate: 1e-2,
        max_steps: 2,
        ..TrainingArguments::default()
    };
    let before = parameters(&load(in_blocks()));
    for model in [
        load(in_blocks()).with_lora(&lora, 1),
        load(in_blocks()).freeze(true, 0),
        load(in_blocks()).head_only(),
    ] {
        let rows = rows(8, NUM_LABELS, 6);
        let run = train(model, rows, test(), options(arguments.clone()));
        let trained = parameters(&run.trainer.model().unwrap());
        assert_eq!(trained[WORDS], before[WORDS]);
        assert_ne!(trained["classifier.weight"], before["classifier.weight"]);
    }
}

/// A file that records the ranges that are read.
struct Watched {
    file: MemoryFile,
    reads: Vec<Range<u64>>,
}

impl ByteSource for Watched {
    fn name(&self) -> &str {
        self.file.name()
    }

    async fn size(&mut self) -> Result<Option<u64>> {
        self.file.size().await
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        self.reads.push(range.clone());
        self.file.read(range).await
    }
}

/// A random checkpoint with changed values, in another dtype.
fn checkpoint(dtype: Dtype, change: impl Fn(&str, &mut [f32])) -> Vec<u8> {
    let bytes = random_checkpoint(&config(), 3).unwrap();
    let parsed = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors: Vec<_> = parsed
        .iter()
        .map(|(name, view)| {
            let mut values: Vec<f32> = view
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|&four| f32::from_le_bytes(four))
                .collect();
            change(name, &mut values);
            let bytes: Vec<u8> = match dtype {
                Dtype::F16 => values
                    .iter()
                    .flat_map(|&value| half::f16::from_f32(value).to_le_bytes())
                    .collect(),
                Dtype::BF16 => values
                    .iter()
                    .flat_map(|&value| half::bf16::from_f32(value).to_le_bytes())
                    .collect(),
                _ => values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect(),
            };
            (name.to_string(), view.shape().to_vec(), bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(dtype, shape.clone(), bytes).unwrap();
        (name, view)
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn a_file_read_in_chunks_equals_a_file_read_at_once() {
    for (dtype, size) in [(Dtype::F32, 4), (Dtype::F16, 2), (Dtype::BF16, 2)] {
        let bytes = checkpoint(dtype, |_, _| ());
        let load = |limits| {
            let file = MemoryFile::new("model.safetensors", bytes.clone());
            let mut file = Watched {
                file,
                reads: Vec::new(),
            };
            let (model, report) = load_from(&mut file, limits).unwrap();
            (parameters(&model), report, file.reads)
        };
        let (expected, whole, _) = load(LoadLimits::default());
        for (max_parameter_bytes, chunk_bytes) in [
            (u64::MAX, 4),
            (u64::MAX, 100),
            (PARAMETER, 28),
            (PARAMETER, 1),
        ] {
            let (found, report, reads) = load(LoadLimits {
                max_parameter_bytes,
                chunk_bytes,
            });
            assert_eq!((found, &report), (expected.clone(), &whole));
            // The first two reads are the length of the header and the header.
            let weights = &reads[2..];
            let longest = weights.iter().map(|range| range.end - range.start).max();
            assert_eq!(longest, Some((chunk_bytes / 4).max(1) * size));
            for pair in reads.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
            }
            assert_eq!(reads.last().unwrap().end, bytes.len() as u64);
        }
    }
}

#[test]
fn a_value_that_is_not_finite_is_found_in_every_chunk() {
    for (tensor, at) in [
        (WORDS, 150),
        ("bert.encoder.layer.1.attention.self.key.weight", 9),
    ] {
        let bytes = checkpoint(Dtype::F32, |name, values| {
            if name == tensor {
                values[at] = f32::NAN;
            }
        });
        let mut file = MemoryFile::new("model.safetensors", bytes);
        let error = load_from(&mut file, in_blocks()).err().unwrap();
        let Error::Tensor {
            tensor: found,
            problem,
            ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!(found, tensor);
        assert!(problem.contains("NaN"), "{problem}");
    }
}

#[test]
fn a_tensor_that_cannot_be_split_is_refused_before_it_is_read() {
    let refused = |max_position_embeddings, parameter| {
        let config = BertConfig {
            max_position_embeddings,
            ..config()
        };
        let mut file = Watched {
            file: MemoryFile::new("model.safetensors", random_checkpoint(&config, 3).unwrap()),
            reads: Vec::new(),
        };
        let loader = WeightsLoader {
            config: &config,
            own_labels: NUM_LABELS,
            num_labels: NUM_LABELS,
            seed: 4,
            device: &Device::flex(),
            limits: LoadLimits {
                max_parameter_bytes: parameter,
                ..LoadLimits::default()
            },
        };
        let error = block_on(loader.load(&mut file)).err().unwrap();
        assert!(file.reads.is_empty(), "{error}");
        let Error::Tensor {
            tensor, problem, ..
        } = error
        else {
            panic!("{error}");
        };
        for part in [
            format!("may have {parameter} here"),
            "another device".into(),
        ] {
            assert!(problem.contains(&part), "{problem}");
        }
        let bytes = problem.split_whitespace().nth(1).unwrap();
        (tensor, bytes.parse::<u64>().unwrap())
    };
    let positions = "bert.embeddings.position_embeddings.weight";
    assert_eq!(refused(18, PARAMETER - 1), (positions.into(), 288));
    // Query, key and value are one parameter.
    let key = "bert.encoder.layer.0.attention.self.key.weight";
    assert_eq!(refused(4, 191), (key.into(), 3 * 64));
    // The word embeddings can be split, but not one row of them.
    assert_eq!(refused(1, 15).1, 16);
}
