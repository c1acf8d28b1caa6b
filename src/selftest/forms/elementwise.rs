//! Kernels of one form, at lengths below, at and above the 64 threads of a workgroup.

use super::{Group, Quantity, Seeds, gradients};
use crate::kernels::{self, DropoutStream};
use burn::tensor::{Device, Int, Tensor, TensorData};

const SHAPES: [[usize; 2]; 6] = [[1, 1], [1, 63], [8, 8], [5, 13], [2, 64], [10, 100]];
/// More values than one dimension of a dispatch has threads, 65,535 × 64.
const MANY_VALUES: [usize; 2] = [1025, 4096];
/// `[rows, labels]`.
const LOGITS: [[usize; 2]; 4] = [[1, 2], [3, 3], [70, 5], [2, 130]];
const WIDTHS: [usize; 5] = [1, 63, 64, 65, 130];

pub(super) fn groups() -> Vec<Group> {
    let name = format!("dropout of {} values", MANY_VALUES[0] * MANY_VALUES[1]);
    vec![
        Group::new("GELU", None, SHAPES, gelu),
        Group::new("dropout", None, SHAPES, dropout),
        Group::new(&name, None, [MANY_VALUES], dropout_of_many),
        Group::new("cross entropy", None, LOGITS, cross_entropy),
        Group::new("embeddings", None, WIDTHS, embeddings),
    ]
}

fn gelu(device: &Device, mut seeds: Seeds, shape: [usize; 2]) -> Vec<Quantity> {
    let input = seeds.parameter(shape, device);
    let output = kernels::gelu(input.clone());
    let grads = gradients(&output, &mut seeds);
    vec![
        ("output", output.inner().flatten(0, 1)),
        ("gradient", grads.matrix(&input)),
    ]
}

fn dropout(device: &Device, mut seeds: Seeds, shape: [usize; 2]) -> Vec<Quantity> {
    let input = seeds.parameter(shape, device);
    let mask = DropoutStream::new(3, shape[1] as u32).mask(0.3);
    let output = kernels::dropout(input.clone(), mask);
    let grads = gradients(&output, &mut seeds);
    vec![
        ("output", output.inner().flatten(0, 1)),
        ("gradient", grads.matrix(&input)),
    ]
}

fn dropout_of_many(device: &Device, _: Seeds, shape: [usize; 2]) -> Vec<Quantity> {
    let len = shape[0] * shape[1];
    let values: Vec<f32> = (0..len).map(|at| (at % 251) as f32 / 251.0).collect();
    let input = Tensor::<2>::from_data(TensorData::new(values, shape), device);
    let output = kernels::dropout(input, DropoutStream::new(4, 0).mask(0.3));
    vec![("output", output.inner().flatten(0, 1))]
}

fn cross_entropy(device: &Device, mut seeds: Seeds, shape: [usize; 2]) -> Vec<Quantity> {
    let logits = seeds.parameter(shape, device);
    let targets = seeds.tensor(shape, device);
    // `scale` is not 1 over the number of rows, so that gradients are about 1.
    let loss = kernels::cross_entropy(logits.clone(), targets, 0.7);
    let grads = loss.backward();
    let gradient = logits.grad(&grads).map(|grad| grad.flatten(0, 1));
    let quantities = [("loss", Some(loss.inner())), ("gradient", gradient)];
    let present = |(name, tensor): (_, Option<_>)| tensor.map(|tensor| (name, tensor));
    quantities.into_iter().filter_map(present).collect()
}

/// A table in two blocks. The tokens select rows of both, some of them several times.
fn embeddings(device: &Device, mut seeds: Seeds, width: usize) -> Vec<Quantity> {
    const BLOCKS: [usize; 2] = [11, 7];
    const SEQ: usize = 6;
    let tokens = 4 * SEQ;
    let rows = BLOCKS[0] + BLOCKS[1];
    let ids: Vec<i32> = (0..tokens)
        .map(|at| ((at * at + 3) % rows) as i32)
        .collect();
    let ids = Tensor::<1, Int>::from_data(TensorData::from(ids.as_slice()), device);
    let [first, second] = BLOCKS.map(|rows| seeds.parameter([rows, width], device));
    let [positions, types] = [8, 2].map(|rows| seeds.parameter([rows, width], device));
    let sum = kernels::embeddings(
        first.clone(),
        positions.clone(),
        types.clone(),
        ids.clone(),
        SEQ,
    );
    let output = kernels::add_word_embeddings(sum, second.clone(), ids, BLOCKS[0]);
    let grads = gradients(&output, &mut seeds);
    vec![
        ("output", output.inner().flatten(0, 1)),
        ("gradient of the first block of words", grads.matrix(&first)),
        (
            "gradient of the second block of words",
            grads.matrix(&second),
        ),
        ("gradient of positions", grads.matrix(&positions)),
        ("gradient of token types", grads.matrix(&types)),
    ]
}
