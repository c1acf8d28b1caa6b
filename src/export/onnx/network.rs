//! The whole classifier as operations: embeddings, encoder, pooling and head.

use super::graph::Graph;
use super::layers::{layer, layer_norm};
use super::proto::{AttributeProto, DataType, Dimension, GraphProto, ValueInfoProto};
use crate::Result;
use crate::bert::{BertConfig, ClassifierPooling};

/// The inputs in the order of Optimum: integers `[batch_size, sequence_length]`.
const INPUTS: [&str; 3] = ["input_ids", "attention_mask", "token_type_ids"];
/// The output: f32 `[batch_size, num_labels]`.
const OUTPUT: &str = "logits";

/// Adds the operations of the network and returns the message without operations, constants and weights.
///
/// # Errors
/// [`Error::Export`](crate::Error::Export) for a missing parameter or an unknown activation.
pub(super) fn add(
    graph: &mut Graph,
    config: &BertConfig,
    pooling: ClassifierPooling,
    labels: usize,
) -> Result<GraphProto> {
    let [input_ids, attention_mask, token_type_ids] = INPUTS;
    let mut hidden = embeddings(graph, config, input_ids, token_type_ids)?;
    let bias = attention_bias(graph, attention_mask);
    for at in 0..config.num_hidden_layers {
        let module = format!("bert.encoder.layer.{at}");
        hidden = layer(graph, config, &module, &hidden, &bias)?;
    }
    let pooled = match pooling {
        ClassifierPooling::Cls => first_token(graph, &hidden)?,
        ClassifierPooling::Mean => mean_of_tokens(graph, &hidden, attention_mask),
    };
    let logits = graph.linear("classifier", &pooled)?;
    let [batch, length] = ["batch_size", "sequence_length"].map(Dimension::named);
    graph.op_to(OUTPUT, "logits", "Identity", &[&logits]);
    let input =
        |name| ValueInfoProto::tensor(name, DataType::Int64, vec![batch.clone(), length.clone()]);
    let sizes = vec![batch.clone(), Dimension::size(labels)];
    Ok(GraphProto {
        name: Some("main_graph".into()),
        input: INPUTS.map(input).into(),
        output: vec![ValueInfoProto::tensor(OUTPUT, DataType::Float, sizes)],
        ..GraphProto::default()
    })
}

/// The normalized sum of word, position and token type embeddings.
fn embeddings(graph: &mut Graph, config: &BertConfig, ids: &str, types: &str) -> Result<String> {
    let module = "bert.embeddings";
    let gather = |graph: &mut Graph, table: &str, ids: &str| {
        let axis = AttributeProto::int("axis", 0);
        graph.op(module, "Gather", &[table, ids], vec![axis])
    };
    let words = graph.embedding("bert.embeddings.word_embeddings", |graph, table| {
        gather(graph, table, ids)
    })?;
    let types = graph.embedding("bert.embeddings.token_type_embeddings", |graph, table| {
        gather(graph, table, types)
    })?;
    // Positions count from 0, so that they are the first rows.
    let bounds = vec![
        AttributeProto::int("start", 1),
        AttributeProto::int("end", 2),
    ];
    let length = graph.op(module, "Shape", &[ids], bounds);
    let zero = graph.integers(&[0]);
    let positions = graph.embedding("bert.embeddings.position_embeddings", |graph, table| {
        graph.op(module, "Slice", &[table, &zero, &length, &zero], Vec::new())
    })?;
    let sum = graph.op(module, "Add", &[&words, &types], Vec::new());
    let sum = graph.op(module, "Add", &[&sum, &positions], Vec::new());
    layer_norm(graph, config, "bert.embeddings.LayerNorm", &sum)
}

/// The term that is added to attention scores: 0 for a token, a large negative number for padding.
fn attention_bias(graph: &mut Graph, mask: &str) -> String {
    let module = "bert";
    let axes = graph.integers(&[1, 2]);
    let mask = graph.op(module, "Unsqueeze", &[mask, &axes], Vec::new());
    let mask = graph.cast(module, &mask, DataType::Float);
    let one = graph.number(1.0);
    let padding = graph.op(module, "Sub", &[&one, &mask], Vec::new());
    // As in src/bert/attention.rs: the sum with any score is finite, and its exponential is 0.
    let bias = graph.number(-1e30);
    graph.op(module, "Mul", &[&padding, &bias], Vec::new())
}

/// `tanh(W x + b)` of the first token.
fn first_token(graph: &mut Graph, hidden: &str) -> Result<String> {
    let module = "bert.pooler";
    let zero = graph.index(0);
    let axis = AttributeProto::int("axis", 1);
    let first = graph.op(module, "Gather", &[hidden, &zero], vec![axis]);
    let dense = graph.linear("bert.pooler.dense", &first)?;
    Ok(graph.op(module, "Tanh", &[&dense], Vec::new()))
}

/// The mean of the last hidden states, padding aside.
fn mean_of_tokens(graph: &mut Graph, hidden: &str, mask: &str) -> String {
    let module = "pooling";
    let keep = |keep| vec![AttributeProto::int("keepdims", keep)];
    let mask = graph.cast(module, mask, DataType::Float);
    let axis = graph.integers(&[1]);
    let tokens = graph.op(module, "ReduceSum", &[&mask, &axis], keep(1));
    // A row of padding only has a mean of 0.
    let one = graph.number(1.0);
    let tokens = graph.op(module, "Max", &[&tokens, &one], Vec::new());
    let shares = graph.op(module, "Div", &[&mask, &tokens], Vec::new());
    let shares = graph.op(module, "Unsqueeze", &[&shares, &axis], Vec::new());
    let mean = graph.op(module, "MatMul", &[&shares, hidden], Vec::new());
    graph.op(module, "Squeeze", &[&mean, &axis], Vec::new())
}
