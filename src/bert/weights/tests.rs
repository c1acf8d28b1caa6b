//! Variants of checkpoints: legacy names, other heads, shards, and files that are not a BERT.

use super::*;
use crate::bert::random_checkpoint;
use crate::io::MemoryFile;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

fn config() -> BertConfig {
    BertConfig {
        vocab_size: 11,
        hidden_size: 4,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 6,
        max_position_embeddings: 7,
        ..BertConfig::default()
    }
}

/// Returns a checkpoint with renamed and additional tensors.
fn file(rename: impl Fn(&str) -> String, additional: &[(&str, Vec<usize>)]) -> Vec<u8> {
    let bytes = random_checkpoint(&config(), 3).unwrap();
    let parsed = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = parsed
        .iter()
        .map(|(name, view)| (rename(name), view.shape().to_vec(), view.data().to_vec()))
        .collect();
    for (name, shape) in additional {
        let zeros = vec![0; 4 * shape.iter().product::<usize>()];
        tensors.push((name.to_string(), shape.clone(), zeros));
    }
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (name, view)
    });
    safetensors::serialize(views, None).unwrap()
}

fn load(bytes: Vec<u8>) -> Result<(BertForSequenceClassification, LoadReport)> {
    let config = config();
    let loader = WeightsLoader {
        config: &config,
        own_labels: 2,
        num_labels: 2,
        seed: 1,
        device: &Device::flex(),
        limits: LoadLimits::default(),
    };
    pollster::block_on(loader.load(&mut MemoryFile::new("model.safetensors", bytes)))
}

fn values(model: &BertForSequenceClassification) -> BTreeMap<String, Vec<f32>> {
    let named = model.named_parameters().into_iter();
    named
        .map(|parameter| {
            (
                parameter.name.clone(),
                pollster::block_on(parameter.read()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn legacy_names_and_names_without_prefix_load_the_same_network() {
    let (expected, _) = load(file(str::to_string, &[])).unwrap();
    let legacy = |name: &str| {
        name.replace("LayerNorm.weight", "LayerNorm.gamma")
            .replace("LayerNorm.bias", "LayerNorm.beta")
    };
    let unprefixed = |name: &str| name.trim_start_matches("bert.").to_string();
    for bytes in [
        file(legacy, &[]),
        file(unprefixed, &[]),
        file(|name| unprefixed(&legacy(name)), &[]),
    ] {
        let (found, report) = load(bytes).unwrap();
        assert_eq!(values(&found), values(&expected));
        assert!(report.skipped.is_empty() && !report.has_classifier);
    }
}

#[test]
fn heads_of_other_tasks_are_skipped_and_reported() {
    let others = [
        ("cls.predictions.bias", vec![11]),
        ("cls.seq_relationship.weight", vec![2, 4]),
        ("qa_outputs.weight", vec![2, 4]),
        ("classifier.weight", vec![5, 4]),
        ("classifier.bias", vec![5]),
    ];
    let (model, report) = load(file(str::to_string, &others)).unwrap();
    let mut names = others.map(|(name, _)| name);
    names.sort();
    assert_eq!(report.skipped, names);
    assert!(!report.has_classifier);
    assert_eq!(model.num_labels(), 2);
    // A weight that fits is skipped with a bias that does not.
    let others = [
        ("classifier.weight", vec![2, 4]),
        ("classifier.bias", vec![3]),
    ];
    let (_, report) = load(file(str::to_string, &others)).unwrap();
    assert!(!report.has_classifier);
    assert_eq!(report.skipped, ["classifier.bias", "classifier.weight"]);
}

/// Returns a checkpoint in two files that alternate in tensors, and its index.
fn shards() -> (ShardIndex, Vec<(String, Vec<u8>)>) {
    let whole = file(str::to_string, &[("cls.predictions.bias", vec![11])]);
    let parsed = SafeTensors::deserialize(&whole).unwrap();
    let mut map = serde_json::Map::new();
    let files = [0, 1].map(|at| {
        let name = format!("model-0000{}-of-00002.safetensors", at + 1);
        let views: Vec<_> = parsed.iter().skip(at).step_by(2).collect();
        map.extend(
            views
                .iter()
                .map(|(tensor, _)| (tensor.to_string(), name.as_str().into())),
        );
        (name, safetensors::serialize(views, None).unwrap())
    });
    let index = serde_json::json!({ "weight_map": map }).to_string();
    (ShardIndex::from_json(&index).unwrap(), files.into())
}

fn load_shards(
    index: &ShardIndex,
    files: &[(String, Vec<u8>)],
) -> Result<(BertForSequenceClassification, LoadReport)> {
    let config = config();
    let loader = WeightsLoader {
        config: &config,
        own_labels: 2,
        num_labels: 2,
        seed: 1,
        device: &Device::flex(),
        limits: LoadLimits::default(),
    };
    let open = async |name: &str| {
        let (_, bytes) = files.iter().find(|(file, _)| file == name).unwrap();
        Ok(MemoryFile::new(name, bytes.clone()))
    };
    pollster::block_on(loader.load_shards(index, open))
}

#[test]
fn shards_load_the_same_network() {
    let (expected, whole) =
        load(file(str::to_string, &[("cls.predictions.bias", vec![11])])).unwrap();
    let (index, files) = shards();
    let (found, report) = load_shards(&index, &files).unwrap();
    assert_eq!(values(&found), values(&expected));
    assert_eq!(report.tensors, whole.tensors);
    assert_eq!(report.skipped, ["cls.predictions.bias"]);
    assert_eq!(report.dtype, "F32");
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(report.bytes, bytes as u64);
}

#[test]
fn an_index_may_lack_tensors_but_its_files_may_not() {
    let (index, mut files) = shards();
    let (expected, _) = load_shards(&index, &files).unwrap();
    let without = |name: &str| {
        let map: serde_json::Map<_, _> = index
            .tensors()
            .filter(|tensor| *tensor != name)
            .map(|tensor| (tensor.to_string(), index.file_of(tensor).into()))
            .collect();
        let text = serde_json::json!({ "weight_map": map }).to_string();
        ShardIndex::from_json(&text).unwrap()
    };
    let shorter = without("bert.embeddings.LayerNorm.bias");
    let (found, _) = load_shards(&shorter, &files).unwrap();
    assert_eq!(values(&found), values(&expected));
    files[1].1 = files[0].1.clone();
    let error = load_shards(&index, &files).unwrap_err().to_string();
    assert!(error.contains("the index says that it is here"), "{error}");
}

/// Returns a checkpoint without the tensors that `lacks` accepts.
fn without(lacks: impl Fn(&str) -> bool, additional: &[(&str, Vec<usize>)]) -> Vec<u8> {
    let bytes = file(str::to_string, additional);
    let parsed = SafeTensors::deserialize(&bytes).unwrap();
    let views = parsed.iter().filter(|(name, _)| !lacks(name));
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn a_missing_pooler_is_drawn_before_the_classifier() {
    let is_pooler = |name: &str| name.contains("pooler");
    let (model, report) = load(without(is_pooler, &[("cls.predictions.bias", vec![11])])).unwrap();
    assert!(!report.has_pooler && !report.has_classifier);
    let mut generator = TorchGenerator::new(1);
    let pooler = generator.normal(16, 0.02);
    let classifier = generator.normal(8, 0.02);
    let found = values(&model);
    assert_eq!(found["bert.pooler.dense.weight"], pooler);
    assert_eq!(found["bert.pooler.dense.bias"], [0.0; 4]);
    assert_eq!(found["classifier.weight"], classifier);
    // Everything else is the file's.
    let (whole, report) = load(file(str::to_string, &[])).unwrap();
    assert!(report.has_pooler);
    for (name, expected) in values(&whole) {
        if !is_pooler(&name) && !name.starts_with(CLASSIFIER_PREFIX) {
            assert_eq!(found[&name], expected, "{name}");
        }
    }
    // A run draws both again with its own seed.
    assert_eq!(
        values(&model.clone().with_new_pooler(Some(2), 0.02, 1)),
        found
    );
    let other = values(&model.clone().with_new_pooler(Some(3), 0.02, 2));
    assert_eq!(other["classifier.weight"].len(), 12);
    assert_ne!(other["bert.pooler.dense.weight"], pooler);
    // A classifier that the checkpoint has is kept beside a new pooler.
    let kept = values(&model.with_new_pooler(None, 0.02, 2));
    assert_eq!(kept["classifier.weight"], classifier);
    assert_eq!(
        kept["bert.pooler.dense.weight"],
        other["bert.pooler.dense.weight"]
    );
}

#[test]
fn shards_without_a_pooler_load_the_same_network() {
    let whole = without(|name| name.contains("pooler"), &[]);
    let (expected, _) = load(whole.clone()).unwrap();
    let parsed = SafeTensors::deserialize(&whole).unwrap();
    let name = "model-00001-of-00001.safetensors";
    let map: serde_json::Map<_, _> = parsed
        .iter()
        .map(|(tensor, _)| (tensor.into(), name.into()))
        .collect();
    let index = serde_json::json!({ "weight_map": map }).to_string();
    let index = ShardIndex::from_json(&index).unwrap();
    let (found, report) = load_shards(&index, &[(name.to_string(), whole)]).unwrap();
    assert!(!report.has_pooler);
    assert_eq!(values(&found), values(&expected));
}

#[test]
fn the_missing_half_of_a_layer_is_drawn() {
    let [weight, bias] = ["bert.pooler.dense.weight", "bert.pooler.dense.bias"];
    let (whole, _) = load(file(str::to_string, &[])).unwrap();
    let (model, report) = load(without(|name| name == bias, &[])).unwrap();
    assert!(report.has_pooler);
    let found = values(&model);
    assert_eq!(found[weight], values(&whole)[weight]);
    assert_eq!(found[bias], [0.0; 4]);
    let (model, report) = load(without(|name| name == weight, &[])).unwrap();
    assert!(!report.has_pooler);
    assert_eq!(
        values(&model)[weight],
        TorchGenerator::new(1).normal(16, 0.02)
    );
    assert_eq!(values(&model)[bias], values(&whole)[bias]);
    let (model, report) = load(file(str::to_string, &[("classifier.weight", vec![2, 4])])).unwrap();
    assert!(report.has_classifier);
    assert_eq!(values(&model)["classifier.weight"], [0.0; 8]);
}

#[test]
fn unknown_tensors_are_skipped_and_missing_ones_are_refused() {
    let unknown = [
        ("encoder.block.0.weight", vec![2]),
        ("linear.weight", vec![3, 4]),
        ("bert.encoder.layer.1.output.dense.bias", vec![4]),
    ];
    let (model, report) = load(file(str::to_string, &unknown)).unwrap();
    let mut names = unknown.map(|(name, _)| name);
    names.sort();
    assert_eq!(report.skipped, names);
    let (expected, _) = load(file(str::to_string, &[])).unwrap();
    assert_eq!(values(&model), values(&expected));
    let lacks = without(|name| name.contains("token_type"), &[]);
    let error = load(lacks).unwrap_err().to_string();
    assert!(
        error.contains("token_type") && error.contains("is missing"),
        "{error}"
    );
}

#[test]
fn a_head_of_another_size_than_the_dataset_s_is_drawn_with_its_labels() {
    let (config, device) = (config(), Device::flex());
    let loader = |num_labels| WeightsLoader {
        config: &config,
        own_labels: 5,
        num_labels,
        seed: 1,
        device: &device,
        limits: LoadLimits::default(),
    };
    let own = [
        ("classifier.weight", vec![5, 4]),
        ("classifier.bias", vec![5]),
    ];
    for (head, labels, expected) in [(&own[..], 3, 5), (&[][..], 3, 3), (&[][..], 5, 5)] {
        let mut source = MemoryFile::new("model.safetensors", file(str::to_string, head));
        let (model, report) = pollster::block_on(loader(labels).load(&mut source)).unwrap();
        assert_eq!(model.num_labels(), expected);
        assert_eq!(report.has_classifier, !head.is_empty());
    }
}

#[test]
fn doubles_are_read_as_floats() {
    let whole = file(str::to_string, &[]);
    let parsed = SafeTensors::deserialize(&whole).unwrap();
    let doubles: Vec<(String, Vec<usize>, Vec<u8>)> = parsed
        .iter()
        .map(|(name, view)| {
            let floats = view.data().as_chunks().0.iter();
            let bytes =
                floats.flat_map(|&bytes| f64::from(f32::from_le_bytes(bytes)).to_le_bytes());
            (name.to_string(), view.shape().to_vec(), bytes.collect())
        })
        .collect();
    let views = doubles.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F64, shape.clone(), bytes).unwrap();
        (name, view)
    });
    let (found, report) = load(safetensors::serialize(views, None).unwrap()).unwrap();
    assert_eq!(report.dtype, "F64");
    assert_eq!(values(&found), values(&load(whole).unwrap().0));
}
