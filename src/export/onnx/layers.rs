//! The encoder's layers as operations, under the names of transformers' modules.

use super::activation::activation;
use super::graph::Graph;
use super::proto::AttributeProto;
use crate::Result;
use crate::bert::BertConfig;

/// Adds one layer and returns its output.
///
/// # Shapes
/// `hidden` `[batch, seq, hidden_size]`, `bias` `[batch, 1, 1, seq]` of attention scores
/// → `[batch, seq, hidden_size]`.
pub(super) fn layer(
    graph: &mut Graph,
    config: &BertConfig,
    module: &str,
    hidden: &str,
    bias: &str,
) -> Result<String> {
    let context = attention(
        graph,
        config,
        &format!("{module}.attention.self"),
        hidden,
        bias,
    )?;
    let attended = residual(
        graph,
        config,
        &format!("{module}.attention.output"),
        &context,
        hidden,
    )?;
    let intermediate = format!("{module}.intermediate");
    let inner = graph.linear(&format!("{intermediate}.dense"), &attended)?;
    let inner = activation(graph, &intermediate, config.activation(), &inner);
    residual(
        graph,
        config,
        &format!("{module}.output"),
        &inner,
        &attended,
    )
}

/// Adds a linear layer, the residual connection and LayerNorm.
fn residual(
    graph: &mut Graph,
    config: &BertConfig,
    module: &str,
    input: &str,
    residual: &str,
) -> Result<String> {
    let output = graph.linear(&format!("{module}.dense"), input)?;
    let sum = graph.op(module, "Add", &[&output, residual], Vec::new());
    layer_norm(graph, config, &format!("{module}.LayerNorm"), &sum)
}

/// Normalizes over the last dimension.
pub(super) fn layer_norm(
    graph: &mut Graph,
    config: &BertConfig,
    module: &str,
    input: &str,
) -> Result<String> {
    let weight = graph.vector(&format!("{module}.weight"))?;
    let bias = graph.vector(&format!("{module}.bias"))?;
    let attributes = vec![
        AttributeProto::int("axis", -1),
        AttributeProto::float("epsilon", config.layer_norm_eps as f32),
    ];
    Ok(graph.op(
        module,
        "LayerNormalization",
        &[input, &weight, &bias],
        attributes,
    ))
}

fn attention(
    graph: &mut Graph,
    config: &BertConfig,
    module: &str,
    hidden: &str,
    bias: &str,
) -> Result<String> {
    let [query, key, value] = ["query", "key", "value"].map(|part| format!("{module}.{part}"));
    let query = graph.linear(&query, hidden)?;
    let scale = graph.number(1.0 / (config.head_size() as f32).sqrt());
    let query = graph.op(module, "Mul", &[&query, &scale], Vec::new());
    let query = heads(graph, config, module, &query, &[0, 2, 1, 3]);
    let key = graph.linear(&key, hidden)?;
    let key = heads(graph, config, module, &key, &[0, 2, 3, 1]);
    let value = graph.linear(&value, hidden)?;
    let value = heads(graph, config, module, &value, &[0, 2, 1, 3]);

    let scores = graph.op(module, "MatMul", &[&query, &key], Vec::new());
    let scores = graph.op(module, "Add", &[&scores, bias], Vec::new());
    let axis = AttributeProto::int("axis", -1);
    let probabilities = graph.op(module, "Softmax", &[&scores], vec![axis]);
    let context = graph.op(module, "MatMul", &[&probabilities, &value], Vec::new());
    let order = AttributeProto::ints("perm", &[0, 2, 1, 3]);
    let context = graph.op(module, "Transpose", &[&context], vec![order]);
    // A size of 0 keeps that of the input.
    let shape = graph.integers(&[0, 0, config.hidden_size as i64]);
    Ok(graph.op(module, "Reshape", &[&context, &shape], Vec::new()))
}

/// Splits the last dimension into heads and puts the dimensions batch, token, head, value in another order.
fn heads(
    graph: &mut Graph,
    config: &BertConfig,
    module: &str,
    input: &str,
    order: &[i64],
) -> String {
    let (heads, size) = (config.num_attention_heads as i64, config.head_size() as i64);
    let shape = graph.integers(&[0, 0, heads, size]);
    let split = graph.op(module, "Reshape", &[input, &shape], Vec::new());
    let order = AttributeProto::ints("perm", order);
    graph.op(module, "Transpose", &[&split], vec![order])
}
