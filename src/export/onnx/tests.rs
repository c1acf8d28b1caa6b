//! Tests of the bytes: lengths, order of operations, and values. Whether a runtime computes the page's logits from them
//! is tested with onnxruntime in `tests/browser/onnx.spec.js`.

use super::proto::{DataType, ModelProto, TensorProto};
use super::{File, Precision};
use crate::bert::{
    BertConfig, BertForSequenceClassification, ClassifierPooling, LoadLimits, random_network,
    read_all,
};
use burn::tensor::Device;
use half::f16;
use pollster::block_on;
use prost::Message;
use std::collections::{HashMap, HashSet};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::F16, Precision::Int8];
const POOLINGS: [ClassifierPooling; 2] = [ClassifierPooling::Cls, ClassifierPooling::Mean];
const LABELS: usize = 3;

fn config() -> BertConfig {
    BertConfig {
        vocab_size: 40,
        hidden_size: 4,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 6,
        max_position_embeddings: 7,
        ..BertConfig::default()
    }
}

/// A network whose word embeddings are in blocks of at most `block` bytes.
fn network(block: u64) -> BertForSequenceClassification {
    let limits = LoadLimits {
        max_parameter_bytes: block,
        ..LoadLimits::default()
    };
    block_on(random_network(
        &config(),
        LABELS,
        2,
        &Device::flex(),
        limits,
    ))
    .unwrap()
}

fn file(pooling: ClassifierPooling, precision: Precision, largest: u64) -> File {
    let parameters = network(u64::MAX).merged_parameters();
    File::with_largest(&config(), pooling, LABELS, precision, parameters, largest).unwrap()
}

fn written(file: File) -> Vec<u8> {
    written_in_chunks(file, super::stream::CHUNK)
}

fn written_in_chunks(file: File, chunk: usize) -> Vec<u8> {
    let (len, mut bytes) = (file.len(), Vec::new());
    block_on(file.write_in_chunks(chunk, &mut |part| {
        bytes.extend_from_slice(part);
        Ok(())
    }))
    .unwrap();
    assert_eq!(bytes.len() as u64, len);
    bytes
}

fn whole(pooling: ClassifierPooling, precision: Precision) -> Vec<u8> {
    written(file(pooling, precision, u64::MAX))
}

fn bytes_of(tensor: &TensorProto) -> usize {
    let types = [
        DataType::Float,
        DataType::Float16,
        DataType::Int8,
        DataType::Int64,
    ];
    let has_type = |data_type: &DataType| Some(*data_type as i32) == tensor.data_type;
    let data_type = types.into_iter().find(has_type).unwrap();
    tensor.dims.iter().product::<i64>() as usize * data_type.size()
}

fn initializers(bytes: &[u8]) -> HashMap<String, TensorProto> {
    let graph = ModelProto::decode(bytes).unwrap().graph.unwrap();
    let named = |tensor: TensorProto| (tensor.name.clone().unwrap(), tensor);
    graph.initializer.into_iter().map(named).collect()
}

fn floats(tensor: &TensorProto) -> Vec<f32> {
    let bytes = tensor.raw_data.as_ref().unwrap().chunks_exact(4);
    bytes
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}

#[test]
fn a_file_has_its_length_and_decodes_to_a_graph_without_loose_ends() {
    for (pooling, precision) in POOLINGS
        .into_iter()
        .flat_map(|pooling| PRECISIONS.map(|precision| (pooling, precision)))
    {
        let case = format!("{pooling:?}, {precision:?}");
        let model = ModelProto::decode(whole(pooling, precision).as_slice()).unwrap();
        let graph = model.graph.unwrap();
        let names = |values: &[super::proto::ValueInfoProto]| -> Vec<String> {
            values
                .iter()
                .map(|value| value.name.clone().unwrap())
                .collect()
        };
        assert_eq!(
            names(&graph.input),
            ["input_ids", "attention_mask", "token_type_ids"]
        );
        assert_eq!(names(&graph.output), ["logits"]);

        let mut known: HashSet<String> = names(&graph.input).into_iter().collect();
        for tensor in &graph.initializer {
            assert_eq!(
                tensor.raw_data.as_ref().unwrap().len(),
                bytes_of(tensor),
                "{case}"
            );
            assert!(
                known.insert(tensor.name.clone().unwrap()),
                "{case}: {:?} twice",
                tensor.name
            );
        }
        let (mut read, mut nodes) = (HashSet::new(), HashSet::new());
        for node in &graph.node {
            assert!(
                nodes.insert(node.name.clone()),
                "{case}: {:?} twice",
                node.name
            );
            for input in &node.input {
                assert!(
                    known.contains(input),
                    "{case}: {:?} reads {input} before it is there",
                    node.name
                );
                read.insert(input.clone());
            }
            for output in &node.output {
                assert!(known.insert(output.clone()), "{case}: {output} twice");
            }
        }
        read.extend(names(&graph.output));
        let unread: Vec<&String> = known.difference(&read).collect();
        assert!(unread.is_empty(), "{case}: nothing reads {unread:?}");
    }
}

#[test]
fn a_model_over_the_limit_has_the_same_weights_in_a_second_file() {
    for precision in PRECISIONS {
        let inside = whole(ClassifierPooling::Cls, precision);
        let len = inside.len() as u64;
        assert!(
            file(ClassifierPooling::Cls, precision, len)
                .take_external_data()
                .is_none()
        );
        let mut model = file(ClassifierPooling::Cls, precision, len - 1);
        let data = model.take_external_data().unwrap();
        let name = data.name().to_string();
        assert_eq!(name, format!("{}_data", precision.file_name()));
        let (model, data) = (written(model), written(data));
        let expected = initializers(&inside);
        let found = initializers(&model);
        assert_eq!(found.len(), expected.len());
        let mut in_file = 0;
        for (tensor, found) in found {
            let Some(expected) = &expected[&tensor].raw_data else {
                panic!("{tensor} has no values");
            };
            if found.external_data.is_empty() {
                assert_eq!(found.raw_data.as_ref(), Some(expected), "{tensor}");
                continue;
            }
            let entry = |key: &str| {
                let mut entries = found.external_data.iter();
                entries
                    .find(|entry| entry.key.as_deref() == Some(key))
                    .unwrap()
                    .value
                    .clone()
                    .unwrap()
            };
            assert_eq!(entry("location"), name);
            let (offset, length): (usize, usize) = (
                entry("offset").parse().unwrap(),
                entry("length").parse().unwrap(),
            );
            assert_eq!(&data[offset..offset + length], expected, "{tensor}");
            in_file += length;
        }
        assert_eq!(in_file, data.len());
    }
}

#[test]
fn the_bytes_do_not_depend_on_chunks_and_blocks() {
    let in_blocks = network(192);
    assert_eq!(in_blocks.bert.embeddings.word_embeddings.rest.len(), 3);
    for precision in PRECISIONS {
        let expected = whole(ClassifierPooling::Cls, precision);
        for chunk in [1, 7, 44, 100] {
            let parameters = in_blocks.merged_parameters();
            let file = File::new(
                &config(),
                ClassifierPooling::Cls,
                LABELS,
                precision,
                parameters,
            )
            .unwrap();
            assert_eq!(
                written_in_chunks(file, chunk),
                expected,
                "{precision:?}, chunks of {chunk}"
            );
        }
    }
}

#[test]
fn the_values_are_those_of_the_parameters() {
    let [plain, half, quantized] =
        PRECISIONS.map(|precision| initializers(&whole(ClassifierPooling::Cls, precision)));
    for parameter in network(u64::MAX).merged_parameters() {
        let (name, shape) = (parameter.name().to_string(), parameter.shape().to_vec());
        let values = block_on(read_all(parameter.values())).unwrap();
        let is_linear = shape.len() == 2 && !name.contains("embeddings");
        let name = if is_linear {
            format!("{name}_transposed")
        } else {
            name
        };
        let [rows, columns] = [shape[0], shape.get(1).copied().unwrap_or(1)];
        // The value of a row and column is at this place of the file.
        let place = |row, column| {
            if is_linear {
                column * rows + row
            } else {
                row * columns + column
            }
        };
        let places: Vec<usize> = (0..rows * columns)
            .map(|at| place(at / columns, at % columns))
            .collect();

        let stored = floats(&plain[&name]);
        let stored: Vec<f32> = places.iter().map(|&place| stored[place]).collect();
        assert_eq!(stored, values, "{name}");
        if shape.len() == 1 || name.starts_with("classifier") {
            assert_eq!(half[&name], plain[&name]);
            assert_eq!(quantized[&name], plain[&name]);
            continue;
        }
        let bytes = half[&name].raw_data.as_ref().unwrap();
        for (&place, &value) in places.iter().zip(&values) {
            let found = f16::from_le_bytes([bytes[2 * place], bytes[2 * place + 1]]);
            assert_eq!(found, f16::from_f32(value), "{name}");
        }
        let integers = &quantized[&format!("{name}_quantized")];
        let scales = floats(&quantized[&format!("{name}_scale")]);
        let largest = if is_linear { 64 } else { 127 };
        for (row, values) in values.chunks(columns).enumerate() {
            let scale = scales[row];
            let mut seen = 0;
            for (column, value) in values.iter().enumerate() {
                let integer =
                    integers.raw_data.as_ref().unwrap()[places[row * columns + column]] as i8;
                let error = f32::from(integer) * scale - value;
                assert!(
                    error.abs() <= 0.501 * scale,
                    "{name}: {value} is {integer} times {scale}"
                );
                seen = seen.max(integer.unsigned_abs());
            }
            assert_eq!(seen, largest, "{name}");
        }
    }
}

#[test]
fn a_missing_parameter_is_refused() {
    let refusal = |config: &BertConfig, missing: &str| {
        let mut parameters = network(u64::MAX).merged_parameters();
        parameters.retain(|parameter| parameter.name() != missing);
        let file = File::new(
            config,
            ClassifierPooling::Cls,
            LABELS,
            Precision::F32,
            parameters,
        );
        file.err().map(|error| error.to_string())
    };
    assert_eq!(refusal(&config(), ""), None);
    let missing = "bert.pooler.dense.bias";
    assert!(refusal(&config(), missing).unwrap().contains(missing));
}
