//! WebGPU: kernels of our own where burn's are slow or many, each one compared with the CPU device in the browser tests.
//!
//! None uses subgroups or atomics: every WebGPU adapter runs them. What suits an adapter that is a CPU and what suits a GPU differs in two
//! places, the products' tile and the rows' lanes.

mod adamw;
mod attention;
mod dropout;
mod embeddings;
mod gelu;
mod layer_norm;
mod layout;
mod linear;
mod lora;
mod loss;
mod matmul;
mod operand;
mod rows;
mod scaling;
mod squares;

use super::room::room_for;
use super::{
    AdamWScalars, BertOps, DropoutMask, HeadsShape, LossScaling, Precision, SquaresPlace,
    TablesShape,
};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{Bytes, FloatDType};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

impl BertOps for CubeBackend {
    fn bert_embeddings(
        words: FloatTensor<Self>,
        positions: FloatTensor<Self>,
        types: FloatTensor<Self>,
        ids: IntTensor<Self>,
        seq: usize,
    ) -> FloatTensor<Self> {
        embeddings::forward(words, positions, types, ids, seq)
    }

    fn bert_add_words(
        sum: FloatTensor<Self>,
        block: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first: usize,
    ) -> FloatTensor<Self> {
        embeddings::add_words(sum, block, ids, first)
    }

    fn bert_write(tensor: FloatTensor<Self>, values: Vec<f32>, start: usize) -> FloatTensor<Self> {
        write(tensor, values, start)
    }

    fn bert_words_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first: usize,
        shape: [usize; 2],
    ) -> FloatTensor<Self> {
        let table = Self::float_zeros(shape.into(), &grad.device, FloatDType::F32);
        embeddings::words_backward(grad, ids, table, first)
    }

    fn bert_places_backward(
        grad: FloatTensor<Self>,
        shape: TablesShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        embeddings::places_backward(grad, shape)
    }

    fn bert_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        linear::forward(input, weight, bias, precision)
    }

    fn bert_linear_input_grad(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        linear::input_grad(grad, weight, None, precision)
    }

    fn bert_linear_weight_grad(
        grad: FloatTensor<Self>,
        input: FloatTensor<Self>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        linear::weight_grad(grad, input, precision)
    }

    fn bert_linear_gelu(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        linear::forward_gelu(input, weight, bias, precision)
    }

    fn bert_linear_input_grad_gelu(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        middle: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        linear::input_grad(grad, weight, Some(middle), precision)
    }

    fn bert_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::forward(input)
    }

    fn bert_gelu_backward(input: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::backward(input, grad)
    }

    fn bert_lora_parts(
        base: FloatTensor<Self>,
        input: FloatTensor<Self>,
        lora_a: FloatTensor<Self>,
        lora_b: FloatTensor<Self>,
        start: usize,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        lora::forward(base, input, lora_a, lora_b, start, precision)
    }

    fn bert_lora_backward(
        grad: FloatTensor<Self>,
        input: FloatTensor<Self>,
        low: FloatTensor<Self>,
        lora_a: FloatTensor<Self>,
        lora_b: FloatTensor<Self>,
        start: usize,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        lora::backward(grad, input, low, lora_a, lora_b, start, precision)
    }

    fn bert_dropout(input: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        dropout::launch(input, mask)
    }

    fn bert_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
    ) -> FloatTensor<Self> {
        layer_norm::forward(input, None, weight, bias, eps, DropoutMask::NONE)
    }

    fn bert_layer_norm_backward(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        eps: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (input, _, weight, bias) =
            layer_norm::backward(input, None, weight, grad, eps, DropoutMask::NONE);
        (input, weight, bias)
    }

    fn bert_residual_layer_norm(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
    ) -> FloatTensor<Self> {
        layer_norm::forward(input, Some(residual), weight, bias, eps, mask)
    }

    fn bert_residual_layer_norm_backward(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        layer_norm::backward(input, Some(residual), weight, grad, eps, mask)
    }

    fn bert_attention_parts(
        projected: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: HeadsShape,
        mask: DropoutMask,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        attention::forward(projected, bias, shape, mask, precision)
    }

    fn bert_attention_backward(
        projected: FloatTensor<Self>,
        probs: FloatTensor<Self>,
        dropped: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        shape: HeadsShape,
        mask: DropoutMask,
        precision: Precision,
    ) -> FloatTensor<Self> {
        attention::backward(projected, probs, dropped, grad, shape, mask, precision)
    }

    fn bert_cross_entropy_parts(
        logits: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        scale: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        loss::cross_entropy(logits, targets, scale)
    }

    fn bert_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        other_parameter: FloatTensor<Self>,
        other_gradient: FloatTensor<Self>,
        other_moments: FloatTensor<Self>,
        clip: FloatTensor<Self>,
        scalars: [AdamWScalars; 2],
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let one = (parameter, gradient, moments);
        let other = (other_parameter, other_gradient, other_moments);
        adamw::step(one, other, clip, scalars)
    }

    fn bert_squares(
        sums: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        third: FloatTensor<Self>,
        fourth: FloatTensor<Self>,
        fifth: FloatTensor<Self>,
        sixth: FloatTensor<Self>,
        places: [SquaresPlace; 6],
    ) -> FloatTensor<Self> {
        let inputs = [first, second, third, fourth, fifth, sixth];
        squares::launch(sums, inputs, places)
    }

    fn bert_clip_coefficient(squares: FloatTensor<Self>, max_norm: f64) -> FloatTensor<Self> {
        squares::clip_coefficient(squares, max_norm)
    }

    fn bert_update_scale(
        squares: FloatTensor<Self>,
        state: FloatTensor<Self>,
        scaling: LossScaling,
    ) -> FloatTensor<Self> {
        scaling::update(squares, state, scaling)
    }
}

/// Units a cube of an element-wise kernel.
const UNITS: u32 = 64;
/// Most cubes in one dimension that WebGPU guarantees (`maxComputeWorkgroupsPerDimension`).
const MOST_CUBES: u32 = 65_535;

/// Whether the adapter is a CPU: it runs as few units at a time as its vectors have values. (SwiftShader 4, llvmpipe 8; the smallest of
/// any GPU's largest is 16.)
fn is_cpu(tensor: &CubeTensor) -> bool {
    tensor.client.properties().hardware.plane_size_max <= 8
}

/// Cubes enough for one unit per element; the kernel leaves out the units past the end.
fn cubes_for(elements: usize) -> CubeCount {
    let cubes = elements.div_ceil(UNITS as usize) as u32;
    let rows = cubes.div_ceil(MOST_CUBES).max(1);
    CubeCount::Static(cubes.div_ceil(rows), rows, 1)
}

fn cube_dim() -> CubeDim {
    CubeDim::new_1d(UNITS)
}

/// A new tensor beside `like`, its rows one behind another, in a buffer with [room](crate::kernels::BatchRoom) for the widest batch.
fn empty(like: &CubeTensor, shape: impl Into<burn::tensor::Shape>) -> CubeTensor {
    let shape = shape.into();
    let (values, room) = (shape.num_elements(), room_for(&shape));
    let bytes = |values: usize| (values * like.dtype.size()) as u64;
    let buffer = like.client.empty(bytes(room) as usize);
    let buffer = buffer.offset_end(bytes(room - values));
    CubeTensor::new_contiguous(
        like.client.clone(),
        like.device.clone(),
        shape,
        buffer,
        like.dtype,
    )
}

/// The tensor's own buffer when nobody else reads it, else a copy, to be written to.
fn writable(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous(tensor);
    if tensor.handle.can_mut() {
        tensor
    } else {
        tensor.copy()
    }
}

/// Writes to a part of a tensor's buffer. The queue copies the values itself: no kernel runs, and no buffer is left over.
fn write(tensor: CubeTensor, values: Vec<f32>, start: usize) -> CubeTensor {
    let tensor = writable(tensor);
    let bytes = |values: usize| (values * size_of::<f32>()) as u64;
    let rest = tensor.meta.num_elements() - start - values.len();
    let handle = tensor.handle.clone().offset_start(bytes(start));
    let handle = handle.offset_end(bytes(rest));
    tensor.client.write(&handle, Bytes::from_elems(values));
    // cubecl gathers up to 32 writes, each with its values: of large ones the heap should hold one at a time. A failure shows when the
    // tensor is read.
    let _ = tensor.client.flush();
    tensor
}
