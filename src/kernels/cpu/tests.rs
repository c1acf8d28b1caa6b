//! Every operation of the CPU device against its definition in burn's primitives.

use super::super::{
    AdamWScalars, BertOps, DropoutMask, HeadsShape, PartialSums, Precision, reference,
};
use crate::kernels::DropoutStream;
use crate::random::TorchGenerator;
use burn::backend::Flex;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::TensorData;

type Floats = FloatTensor<Flex>;

/// Batches of one and of several rows of tiles, and widths that are no multiple of a vector or a tile.
const SHAPES: [[usize; 3]; 4] = [[1, 2, 4], [30, 48, 96], [13, 37, 21], [245, 16, 400]];

/// Normal values.
fn normal<const D: usize>(shape: [usize; D], seed: u32) -> Floats {
    let len = shape.iter().product();
    let values = TorchGenerator::new(seed).normal(len, 1.0);
    Floats::from_data(TensorData::new(values, shape))
}

fn values(tensor: Floats) -> Vec<f32> {
    let data = tensor.to_contiguous().into_data();
    data.try_into_vec().expect("the tensor is f32")
}

/// Compares relative to the largest value.
#[track_caller]
fn assert_equal(found: Floats, expected: Floats) {
    assert_eq!(found.layout().shape(), expected.layout().shape());
    let (found, expected) = (values(found), values(expected));
    let largest = expected
        .iter()
        .fold(1e-3_f32, |most, value| most.max(value.abs()));
    for (at, (a, b)) in found.iter().zip(&expected).enumerate() {
        assert!(
            (a - b).abs() <= 4e-6 * largest,
            "{at}: {a} instead of {b}, largest {largest}"
        );
    }
}

fn masks() -> [DropoutMask; 2] {
    [DropoutMask::NONE, DropoutStream::new(7, 1).mask(0.3)]
}

#[test]
fn linear_layers_and_their_gradients_equal_the_reference() {
    let f32 = Precision::F32;
    for [m, k, n] in SHAPES {
        let (input, weight) = (normal([m, k], 1), normal([n, k], 2));
        let (bias, grad) = (normal([n], 3), normal([m, n], 4));
        let expected = reference::linear::<Flex>(input.clone(), weight.clone(), bias.clone(), f32);
        let found = Flex::bert_linear(input.clone(), weight.clone(), bias.clone(), f32);
        assert_equal(found, expected.clone());
        let (pre_activation, activation) =
            Flex::bert_linear_gelu(input.clone(), weight.clone(), bias, f32);
        assert_equal(pre_activation, expected.clone());
        assert_equal(activation, reference::gelu::<Flex>(expected));
        let expected = reference::product::<Flex>(grad.clone(), weight.clone(), f32);
        assert_equal(
            Flex::bert_linear_input_grad(grad.clone(), weight.clone(), f32),
            expected,
        );
        let (weight_grad, bias_grad) =
            Flex::bert_linear_weight_grad(grad.clone(), input.clone(), f32);
        let expected = reference::linear_weight_grad::<Flex>(grad.clone(), input.clone(), f32);
        assert_equal(weight_grad, expected.0);
        assert_equal(bias_grad, expected.1);
        let product = reference::product::<Flex>(grad.clone(), weight.clone(), f32);
        let derivative = reference::gelu_derivative::<Flex>(input.clone());
        let expected =
            <Flex as burn::backend::ops::FloatTensorOps<Flex>>::float_mul(product, derivative);
        assert_equal(
            Flex::bert_linear_input_grad_gelu(grad, weight, input, f32),
            expected,
        );
    }
}

#[test]
fn operands_may_be_transposed_views() {
    let (input, weight, bias) = (normal([12, 7], 1), normal([12, 9], 2), normal([9], 3));
    let (input, weight) = (input.transpose(0, 1), weight.transpose(0, 1));
    let found = Flex::bert_linear(input.clone(), weight.clone(), bias.clone(), Precision::F32);
    assert_equal(
        found,
        reference::linear::<Flex>(input, weight, bias, Precision::F32),
    );
}

#[test]
fn gelu_and_its_derivative_equal_the_reference() {
    let (input, grad) = (normal([31, 7], 1), normal([31, 7], 2));
    let expected = reference::gelu::<Flex>(input.clone());
    assert_equal(Flex::bert_gelu(input.clone()), expected);
    let derivative = reference::gelu_derivative::<Flex>(input.clone());
    let expected =
        <Flex as burn::backend::ops::FloatTensorOps<Flex>>::float_mul(grad.clone(), derivative);
    assert_equal(Flex::bert_gelu_backward(input, grad), expected);
}

#[test]
fn dropout_equals_the_reference() {
    for mask in masks() {
        let input = normal([17, 9], 1);
        let expected = reference::dropout::<Flex>(input.clone(), mask);
        assert_equal(Flex::bert_dropout(input, mask), expected);
    }
}

#[test]
fn layer_norm_and_its_gradients_equal_the_reference() {
    for (width, mask) in [48, 36, 10]
        .into_iter()
        .flat_map(|width| masks().map(|mask| (width, mask)))
    {
        let [input, residual, grad] = [1, 2, 3].map(|seed| normal([13, width], seed));
        let (weight, bias) = (normal([width], 4), normal([width], 5));
        let sum = reference::sum_with_dropout::<Flex>(input.clone(), residual.clone(), mask);
        let expected =
            reference::layer_norm::<Flex>(sum.clone(), weight.clone(), bias.clone(), 1e-12);
        let found = Flex::bert_residual_layer_norm(
            input.clone(),
            residual.clone(),
            weight.clone(),
            bias.clone(),
            1e-12,
            mask,
        );
        assert_equal(found, expected.clone());
        assert_equal(
            Flex::bert_layer_norm(sum.clone(), weight.clone(), bias, 1e-12),
            expected,
        );
        let expected = reference::residual_layer_norm_backward::<Flex>(
            input.clone(),
            residual.clone(),
            weight.clone(),
            grad.clone(),
            1e-12,
            mask,
        );
        let found = Flex::bert_residual_layer_norm_backward(
            input,
            residual,
            weight.clone(),
            grad.clone(),
            1e-12,
            mask,
            true,
        );
        assert_equal(found.0, expected.0);
        assert_equal(found.1, expected.1.clone());
        assert_equal(found.2, expected.2.clone());
        assert_equal(found.3, expected.3.clone());
        let found = Flex::bert_layer_norm_backward(sum, weight, grad, 1e-12, true);
        assert_equal(found.0, expected.1);
        assert_equal(found.1, expected.2);
        assert_equal(found.2, expected.3);
    }
}

#[test]
fn attention_and_its_gradient_equal_the_reference() {
    for (seq, mask) in [1, 5, 16, 33]
        .into_iter()
        .flat_map(|seq| masks().map(|mask| (seq, mask)))
    {
        let (batch, heads, head_size) = (2, 3, 10);
        let shape = HeadsShape {
            batch,
            seq,
            heads,
            head_size,
        };
        let width = heads * head_size;
        let projected = normal([batch * seq, 3 * width], 1);
        let grad = normal([batch * seq, width], 2);
        // The second half of the second sequence is padding.
        let bias = (0..batch * seq).map(|at| if at > seq + seq / 2 { -1e30 } else { 0.0_f32 });
        let bias = TensorData::new(bias.collect::<Vec<_>>(), [batch, seq]);
        let bias = Floats::from_data(bias);
        let f32 = Precision::F32;
        let expected =
            reference::attention::<Flex>(projected.clone(), bias.clone(), shape, mask, f32);
        let found = Flex::bert_attention_parts(projected.clone(), bias.clone(), shape, mask, f32);
        assert_equal(found.0, expected.0);
        assert_equal(found.1.clone(), expected.1.clone());
        assert_equal(found.2.clone(), expected.2.clone());
        let padding = values(found.1)
            .chunks(seq)
            .last()
            .and_then(|row| row.last().copied());
        assert!(
            seq < 5 || padding == Some(0.0),
            "padding has a probability of {padding:?}"
        );
        let found = Flex::bert_attention_backward(
            projected.clone(),
            expected.1.clone(),
            expected.2.clone(),
            grad.clone(),
            shape,
            mask,
            f32,
        );
        let expected = reference::attention_backward::<Flex>(
            projected, expected.1, expected.2, grad, shape, mask, f32,
        );
        assert_equal(found, expected);
    }
}

#[test]
fn low_rank_updates_and_their_gradients_equal_the_reference() {
    let (m, k, n, rank, start) = (13, 24, 10, 3, 7);
    let (base, input) = (normal([m, n + 9], 1), normal([m, k], 2));
    let (lora_a, lora_b) = (normal([rank, k], 3), normal([n, rank], 4));
    let f32 = Precision::F32;
    let arguments = || (base.clone(), input.clone(), lora_a.clone(), lora_b.clone());
    let (a, b, c, d) = arguments();
    let expected = reference::lora::<Flex>(a, b, c, d, start, f32);
    let (a, b, c, d) = arguments();
    let found = Flex::bert_lora_parts(a, b, c, d, start, f32);
    assert_equal(found.0, expected.0);
    assert_equal(found.1.clone(), expected.1);
    let (grad, input, lora_a, lora_b) = arguments();
    let low_rank = found.1;
    let expected = reference::lora_backward::<Flex>(
        grad.clone(),
        input.clone(),
        low_rank.clone(),
        lora_a.clone(),
        lora_b.clone(),
        start,
        f32,
    );
    let found = Flex::bert_lora_backward(grad, input, low_rank, lora_a, lora_b, start, f32);
    assert_equal(found.0, expected.0);
    assert_equal(found.1, expected.1);
    assert_equal(found.2, expected.2);
}

#[test]
fn the_gradient_of_word_embeddings_equals_the_reference() {
    let ids: Vec<i64> = vec![3, 0, 11, 3, 7, 29, 4, 11];
    let ids = || IntTensor::<Flex>::from_data(TensorData::new(ids.clone(), [8]));
    let grad = normal([8, 6], 1);
    for (first_row, rows) in [(0, 30), (0, 8), (8, 22)] {
        let shape = [rows, 6];
        let expected =
            reference::word_embeddings_backward::<Flex>(grad.clone(), ids(), first_row, shape);
        let found = Flex::bert_word_embeddings_backward(grad.clone(), ids(), first_row, shape);
        assert_equal(found, expected);
    }
}

#[test]
fn updates_equal_the_reference_and_are_in_place() {
    let scalars = AdamWScalars {
        beta1: 0.9,
        beta2: 0.999,
        decay: 0.99,
        step_size: 0.01,
        bias_correction2_sqrt: 0.05,
        eps: 1e-8,
        group: 0,
        scaled: false,
    };
    let clip = || Floats::from_data(TensorData::from([2.0_f32, 0.5, 1.0, 3.0]));
    let moments = |len: usize| {
        let moments = values(normal([2 * len], 3)).into_iter().map(f32::abs);
        Floats::from_data(TensorData::new(moments.collect::<Vec<_>>(), [2 * len]))
    };
    for len in [1, 4, 1031] {
        let (parameter, gradient) = (normal([len], 1), normal([len], 2));
        let state = (parameter.clone(), gradient.clone(), moments(len));
        let expected = reference::adamw::<Flex>(state, clip(), scalars);
        let shared = super::update::adamw(
            parameter.clone(),
            gradient.clone(),
            moments(len),
            &clip(),
            scalars,
        );
        assert_equal(parameter.clone(), normal([len], 1));
        assert_equal(shared.0, expected.0.clone());
        let address = parameter.storage::<f32>().as_ptr();
        let found = super::update::adamw(parameter, gradient, moments(len), &clip(), scalars);
        assert_eq!(found.0.storage::<f32>().as_ptr(), address);
        assert_equal(found.0, expected.0);
        assert_equal(found.1, expected.1);
    }
    let skipped = Floats::from_data(TensorData::from([2.0_f32, 0.5, 0.0, 3.0]));
    let (parameter, moments_before) = (normal([5], 1), moments(5));
    let found = super::update::adamw(
        parameter.clone(),
        normal([5], 2),
        moments_before.clone(),
        &skipped,
        scalars,
    );
    assert_eq!(values(found.0), values(parameter));
    assert_eq!(values(found.1), values(moments_before));
}

#[test]
fn sums_of_squares_equal_the_reference() {
    let inputs = [3, 4096, 10_000, 1, 1, 1].map(|len| normal([len], len as u32));
    let ranges = std::array::from_fn(|at| PartialSums {
        offset: 2 * at,
        count: if at < 3 { 2 } else { 0 },
    });
    // The ranges are overwritten.
    let before = || normal([12], 7);
    let expected = reference::squares::<Flex>(before(), inputs.clone(), ranges);
    assert_equal(super::update::squares(before(), inputs, ranges), expected);
}
