//! What each parameter is called in a Hugging Face checkpoint, and its shape there.

use super::BertConfig;
use std::collections::BTreeMap;

/// The table that a device may be too small for.
pub(super) const WORDS: &str = "bert.embeddings.word_embeddings.weight";

/// The linear layers of an attention that are one here, in order.
const JOINED: [&str; 3] = ["query", "key", "value"];

/// Every parameter's name, with the `bert.` prefix, and its shape as PyTorch stores it.
pub(crate) fn expected_shapes(
    config: &BertConfig,
    num_labels: usize,
) -> BTreeMap<String, Vec<usize>> {
    let (hidden, middle) = (config.hidden_size, config.intermediate_size);
    let mut shapes = BTreeMap::new();
    let mut linear = |name: String, out: usize, input: usize| {
        shapes.insert(format!("{name}.weight"), vec![out, input]);
        shapes.insert(format!("{name}.bias"), vec![out]);
    };
    for layer in 0..config.num_hidden_layers {
        let at = |part: &str| format!("bert.encoder.layer.{layer}.{part}");
        for part in JOINED {
            linear(at(&format!("attention.self.{part}")), hidden, hidden);
        }
        linear(at("attention.output.dense"), hidden, hidden);
        linear(at("intermediate.dense"), middle, hidden);
        linear(at("output.dense"), hidden, middle);
    }
    linear("bert.pooler.dense".into(), hidden, hidden);
    linear("classifier".into(), num_labels, hidden);
    let norms = (0..config.num_hidden_layers).flat_map(|layer| {
        [
            format!("bert.encoder.layer.{layer}.attention.output.LayerNorm"),
            format!("bert.encoder.layer.{layer}.output.LayerNorm"),
        ]
    });
    for name in norms.chain(["bert.embeddings.LayerNorm".into()]) {
        shapes.insert(format!("{name}.weight"), vec![hidden]);
        shapes.insert(format!("{name}.bias"), vec![hidden]);
    }
    for (name, rows) in [
        ("word", config.vocab_size),
        ("position", config.max_position_embeddings),
        ("token_type", config.type_vocab_size),
    ] {
        shapes.insert(
            format!("bert.embeddings.{name}_embeddings.weight"),
            vec![rows, hidden],
        );
    }
    shapes
}

/// The name in a Hugging Face checkpoint of the parameter at a path in [`BertForSequenceClassification`](super::BertForSequenceClassification),
/// or the names of its equal parts, in order, where it joins several. All blocks of the word embeddings have the name of their table.
pub fn checkpoint_names(path: &[String]) -> Vec<String> {
    if let Some(at) = path.iter().position(|part| part == "word_embeddings") {
        return vec![checkpoint_name(&path[..=at])];
    }
    let joined = |part: &String| part == "query_key_value";
    if let Some(at) = path.iter().position(joined) {
        let one = |part: &str| {
            let mut path = path.to_vec();
            path[at] = format!("self.{part}");
            checkpoint_name(&path)
        };
        return JOINED.map(one).into();
    }
    vec![checkpoint_name(path)]
}

/// Where a checkpoint's tensor goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The parameter's name, that of the tensor unless it joins several.
    pub parameter: String,
    /// Which of the parameter's equal parts the tensor is.
    pub part: usize,
    /// How many parts that parameter has.
    pub parts: usize,
}

/// The parameter that the tensor of this name is, or is a part of: [`checkpoint_names`] the other way round.
pub(super) fn place_of(name: &str) -> Place {
    for (part, layer) in JOINED.iter().enumerate() {
        let path = format!(".attention.self.{layer}.");
        if name.contains(&path) {
            return Place {
                parameter: name.replace(&path, ".attention.self.query_key_value."),
                part,
                parts: JOINED.len(),
            };
        }
    }
    Place {
        parameter: name.into(),
        part: 0,
        parts: 1,
    }
}

fn checkpoint_name(path: &[String]) -> String {
    let mut name = path.join(".").replace("layer_norm", "LayerNorm");
    if name.starts_with("bert.encoder.") {
        name = name
            .replace(".attention.dense.", ".attention.output.dense.")
            .replace(".attention.LayerNorm.", ".attention.output.LayerNorm.");
        let segments: Vec<&str> = name.split('.').collect();
        // bert.encoder.layer.N.<part>.<weight|bias>
        if let [head @ .., part @ ("intermediate" | "output"), leaf] = segments.as_slice() {
            name = format!("{}.{part}.dense.{leaf}", head.join("."));
        } else if let [head @ .., "LayerNorm", leaf] = segments.as_slice()
            && head.len() == 4
        {
            name = format!("{}.output.LayerNorm.{leaf}", head.join("."));
        }
    }
    // The embeddings are bare matrices here and modules with a weight there.
    if name.ends_with("_embeddings") {
        name.push_str(".weight");
    }
    name
}
