//! An ONNX file before it is written: its messages, whose lengths are known, and the weights that are read back when
//! it is written.

use super::graph::Graph;
use super::proto::{
    GRAPH_INITIALIZER, GraphProto, MODEL_GRAPH, ModelProto, OperatorSetIdProto, TENSOR_RAW_DATA,
};
use super::weights::{Stored, Weight};
use super::{Precision, network, stream};
use crate::Result;
use crate::bert::{BertConfig, ClassifierPooling, MergedParameter};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

/// `LayerNormalization` exists since version 17 of ONNX's operators; Optimum and transformers.js have versions around
/// it, and every onnxruntime since 1.12 has it.
const OPSET: i64 = 17;
/// The version of the file format that came with these operators.
const IR_VERSION: i64 = 8;

/// The largest file that protobuf can read: lengths are signed 32-bit integers.
pub const LARGEST_FILE: u64 = i32::MAX as u64;

/// An ONNX file, or the file of its weights, before it is written.
pub struct File {
    name: String,
    /// What precedes the weights.
    head: Vec<u8>,
    weights: Vec<Framed>,
    len: u64,
    external: Option<Box<File>>,
}

/// A weight, and the bytes before each of its tensors.
pub(super) struct Framed {
    pub weight: Weight,
    pub frames: Vec<Vec<u8>>,
}

impl Framed {
    fn new(weight: Weight) -> Self {
        let frames = weight.tensors.iter().map(tensor_frame).collect();
        Self { weight, frames }
    }

    fn len(&self) -> u64 {
        let frames: usize = self.frames.iter().map(Vec::len).sum();
        let values: u64 = self.weight.tensors.iter().map(Stored::len).sum();
        frames as u64 + values
    }
}

impl File {
    /// Describes a classifier of `labels` classes whose parameters have the names of a checkpoint. Weights are inside
    /// of the file up to [`LARGEST_FILE`], else in a second one.
    ///
    /// # Errors
    /// [`Error::Export`](crate::Error::Export) for a missing parameter or an activation that ONNX cannot compute.
    pub fn new(
        config: &BertConfig,
        pooling: ClassifierPooling,
        labels: usize,
        precision: Precision,
        parameters: Vec<MergedParameter>,
    ) -> Result<Self> {
        Self::with_largest(config, pooling, labels, precision, parameters, LARGEST_FILE)
    }

    /// As [`new`](Self::new), with the weights in a second file if one file would be larger than `largest` bytes.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_largest(
        config: &BertConfig,
        pooling: ClassifierPooling,
        labels: usize,
        precision: Precision,
        parameters: Vec<MergedParameter>,
        largest: u64,
    ) -> Result<Self> {
        let mut graph = Graph::new(precision, parameters);
        let message = network::add(&mut graph, config, pooling, labels)?;
        let message = GraphProto {
            node: graph.nodes,
            initializer: graph.constants,
            ..message
        };
        let mut weights: Vec<Framed> = graph.weights.into_iter().map(Framed::new).collect();
        // Short tensors are read back together.
        weights.sort_by_key(|framed| framed.weight.parameter.shape().len() > 1);
        let inside = Self::with_weights_inside(precision.file_name(), &message, weights);
        if inside.len <= largest {
            return Ok(inside);
        }
        Ok(inside.with_external_data(message))
    }

    fn with_weights_inside(name: &str, graph: &GraphProto, weights: Vec<Framed>) -> Self {
        let weights_len: u64 = weights.iter().map(Framed::len).sum();
        let graph = graph.encode_to_vec();
        let mut head = model().encode_to_vec();
        encode_key(MODEL_GRAPH, WireType::LengthDelimited, &mut head);
        encode_varint(graph.len() as u64 + weights_len, &mut head);
        head.extend(graph);
        Self {
            name: name.into(),
            len: head.len() as u64 + weights_len,
            head,
            weights,
            external: None,
        }
    }

    /// Moves the weights into a second file, with the name that transformers.js expects.
    fn with_external_data(self, mut graph: GraphProto) -> Self {
        let (data, mut len, mut weights) = (format!("{}_data", self.name), 0, self.weights);
        for Framed { weight, frames } in &mut weights {
            for (tensor, frame) in weight.tensors.iter().zip(frames) {
                let message = tensor.message().in_file(&data, len, tensor.len());
                graph.initializer.push(message);
                len += tensor.len();
                frame.clear();
            }
        }
        let model = ModelProto {
            graph: Some(graph),
            ..model()
        };
        let head = model.encode_to_vec();
        Self {
            name: self.name,
            len: head.len() as u64,
            head,
            weights: Vec::new(),
            external: Some(Box::new(Self {
                name: data,
                head: Vec::new(),
                weights,
                len,
                external: None,
            })),
        }
    }

    /// The name of the file; one of its weights must be beside it under its own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the file.
    #[expect(clippy::len_without_is_empty, reason = "no file is empty")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Takes the second file, which has the weights of a model that is too large for one.
    pub fn take_external_data(&mut self) -> Option<Self> {
        self.external.take().map(|file| *file)
    }

    /// Reads the weights back from the device, one after the other, and writes the file front to back.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) if the device fails, and the errors of `write`.
    pub async fn write(self, write: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.write_in_chunks(stream::CHUNK, write).await
    }

    /// Reads at most `chunk` values back at once, or one row where that is longer.
    pub(super) async fn write_in_chunks(
        self,
        chunk: usize,
        write: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        if !self.head.is_empty() {
            write(&self.head)?;
        }
        stream::write(self.weights, chunk, write).await
    }
}

/// The model without its graph.
fn model() -> ModelProto {
    ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some(env!("CARGO_PKG_NAME").into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        graph: None,
        opset_import: vec![OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(OPSET),
        }],
    }
}

/// The bytes between a graph's fields and the values of one of its initializers.
fn tensor_frame(tensor: &Stored) -> Vec<u8> {
    let (message, values) = (tensor.message().encode_to_vec(), tensor.len());
    let mut raw_data = Vec::new();
    encode_key(TENSOR_RAW_DATA, WireType::LengthDelimited, &mut raw_data);
    encode_varint(values, &mut raw_data);
    let mut frame = Vec::new();
    encode_key(GRAPH_INITIALIZER, WireType::LengthDelimited, &mut frame);
    encode_varint((message.len() + raw_data.len()) as u64 + values, &mut frame);
    frame.extend(message);
    frame.extend(raw_data);
    frame
}
