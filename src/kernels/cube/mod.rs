//! The operations on WebGPU, as CubeCL kernels. `selftest::forms` compares each one with the CPU device, in every form
//! that a device can select.
//!
//! CubeCL calls a workgroup a *cube* and a thread a *unit*: `CUBE_POS` is the index of a workgroup, `UNIT_POS` that of
//! a thread in it, and `ABSOLUTE_POS` that of a thread in the dispatch. `#[comptime]` parameters are constants of the
//! compiled shader.
//!
//! No kernel uses subgroups or atomics, so every WebGPU adapter runs them. The [`KernelForm`] decides three choices:
//! the tile of a matrix product (`matmul.rs`), the threads of a row (`row_reduction.rs`), and whether one dispatch
//! computes the attention of a short sequence (`attention.rs`).

mod adamw;
mod attention;
mod clipping;
mod dropout;
mod embeddings;
mod gelu;
mod layer_norm;
mod linear;
mod lora;
mod loss;
mod loss_scaling;
mod matmul;
mod operand;
mod row_reduction;
mod softmax;
mod squares;
mod strides;

use super::activation_padding::activation_len;
use super::kernel_form::overridden_form;
use super::{
    AdamWScalars, BertOps, DropoutMask, EmbeddingsShape, HeadsShape, KernelForm, LossScaling,
    PartialSums, Precision,
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
        word_embeddings: FloatTensor<Self>,
        position_embeddings: FloatTensor<Self>,
        token_type_embeddings: FloatTensor<Self>,
        ids: IntTensor<Self>,
        seq: usize,
    ) -> FloatTensor<Self> {
        embeddings::forward(
            word_embeddings,
            position_embeddings,
            token_type_embeddings,
            ids,
            seq,
        )
    }

    fn bert_add_word_embeddings(
        sum: FloatTensor<Self>,
        block: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first_row: usize,
    ) -> FloatTensor<Self> {
        embeddings::add_word_embeddings(sum, block, ids, first_row)
    }

    fn bert_write(tensor: FloatTensor<Self>, values: Vec<f32>, start: usize) -> FloatTensor<Self> {
        write(tensor, values, start)
    }

    fn bert_word_embeddings_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first_row: usize,
        shape: [usize; 2],
    ) -> FloatTensor<Self> {
        let table = Self::float_zeros(shape.into(), &grad.device, FloatDType::F32);
        embeddings::word_embeddings_backward(grad, ids, table, first_row)
    }

    fn bert_position_type_backward(
        grad: FloatTensor<Self>,
        shape: EmbeddingsShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        embeddings::position_type_backward(grad, shape)
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
        pre_activation: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        linear::input_grad(grad, weight, Some(pre_activation), precision)
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
        low_rank: FloatTensor<Self>,
        lora_a: FloatTensor<Self>,
        lora_b: FloatTensor<Self>,
        start: usize,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        lora::backward(grad, input, low_rank, lora_a, lora_b, start, precision)
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
        with_weight: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let none = DropoutMask::NONE;
        let (input, _, weight, bias) =
            layer_norm::backward(input, None, weight, grad, eps, none, with_weight);
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
        with_weight: bool,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        layer_norm::backward(input, Some(residual), weight, grad, eps, mask, with_weight)
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

    fn bert_adamw_settings(
        clip: FloatTensor<Self>,
        values: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        adamw::settings(clip, values)
    }

    fn bert_adamw(
        parameter_a: FloatTensor<Self>,
        gradient_a: FloatTensor<Self>,
        moments_a: FloatTensor<Self>,
        parameter_b: FloatTensor<Self>,
        gradient_b: FloatTensor<Self>,
        moments_b: FloatTensor<Self>,
        settings: FloatTensor<Self>,
        scalars: [AdamWScalars; 2],
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let a = (parameter_a, gradient_a, moments_a);
        let b = (parameter_b, gradient_b, moments_b);
        adamw::step(a, b, settings, scalars)
    }

    fn bert_squares(
        sums: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        third: FloatTensor<Self>,
        fourth: FloatTensor<Self>,
        fifth: FloatTensor<Self>,
        sixth: FloatTensor<Self>,
        ranges: [PartialSums; 6],
    ) -> FloatTensor<Self> {
        let inputs = [first, second, third, fourth, fifth, sixth];
        squares::launch(sums, inputs, ranges)
    }

    fn bert_clip_coefficient(
        squares: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        state: FloatTensor<Self>,
        max_norm: f64,
    ) -> FloatTensor<Self> {
        clipping::clip_coefficient(squares, loss, state, max_norm)
    }

    fn bert_update_scale(
        squares: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        state: FloatTensor<Self>,
        scaling: LossScaling,
    ) -> FloatTensor<Self> {
        loss_scaling::update(squares, loss, state, scaling)
    }
}

/// Threads of a workgroup in all kernels but matmul.
const WORKGROUP_SIZE: u32 = 64;
/// Workgroups per dimension of a dispatch that every WebGPU adapter supports (`maxComputeWorkgroupsPerDimension`).
const MAX_WORKGROUPS: u32 = 65_535;

/// Returns the form of the kernels that write `tensor`: that of the override, or that of the adapter.
///
/// Software adapters are detected by a maximum subgroup size of at most 8. SwiftShader has 4 and llvmpipe 8, the width
/// of their vector registers. No GPU has a maximum below 16.
fn kernel_form(tensor: &CubeTensor) -> KernelForm {
    let of_adapter = || {
        let software = tensor.client.properties().hardware.plane_size_max <= 8;
        if software {
            KernelForm::Software
        } else {
            KernelForm::Gpu
        }
    };
    overridden_form().unwrap_or_else(of_adapter)
}

/// Returns enough workgroups for one thread per element. Kernels skip threads past the last element.
fn workgroup_count(elements: usize) -> CubeCount {
    let count = elements.div_ceil(WORKGROUP_SIZE as usize) as u32;
    let rows = count.div_ceil(MAX_WORKGROUPS).max(1);
    CubeCount::Static(count.div_ceil(rows), rows, 1)
}

fn workgroup_dim() -> CubeDim {
    CubeDim::new_1d(WORKGROUP_SIZE)
}

/// Allocates a contiguous tensor on the device and with the type of `like`.
fn empty(like: &CubeTensor, shape: impl Into<burn::tensor::Shape>) -> CubeTensor {
    let shape = shape.into();
    let len = shape.num_elements();
    allocate(like, shape, len)
}

/// Allocates an activation of a batch, or its gradient: a tensor as [`empty`], in a buffer that also fits the one of
/// the widest batch. See [`ActivationPadding`](crate::kernels::ActivationPadding).
fn empty_activation(like: &CubeTensor, shape: impl Into<burn::tensor::Shape>) -> CubeTensor {
    let shape = shape.into();
    let len = activation_len(&shape);
    allocate(like, shape, len)
}

/// Allocates a tensor at the start of a buffer of `len` values.
fn allocate(like: &CubeTensor, shape: burn::tensor::Shape, len: usize) -> CubeTensor {
    let bytes = |len: usize| (len * like.dtype.size()) as u64;
    let buffer = like.client.empty(bytes(len) as usize);
    let buffer = buffer.offset_end(bytes(len - shape.num_elements()));
    CubeTensor::new_contiguous(
        like.client.clone(),
        like.device.clone(),
        shape,
        buffer,
        like.dtype,
    )
}

/// Returns a contiguous tensor that may be overwritten: the tensor itself if no other tensor shares its buffer,
/// otherwise a copy.
fn writable(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous(tensor);
    if tensor.handle.can_mut() {
        tensor
    } else {
        tensor.copy()
    }
}

/// Implements [`write`](crate::kernels::write). The queue copies the values itself, without a kernel or a temporary
/// buffer.
fn write(tensor: CubeTensor, values: Vec<f32>, start: usize) -> CubeTensor {
    let tensor = writable(tensor);
    let bytes = |len: usize| (len * size_of::<f32>()) as u64;
    let rest = tensor.meta.num_elements() - start - values.len();
    let handle = tensor.handle.clone().offset_start(bytes(start));
    let handle = handle.offset_end(bytes(rest));
    tensor.client.write(&handle, Bytes::from_elems(values));
    // cubecl collects up to 32 writes with their values. Flushing keeps one large write at a time in the heap. An error
    // is reported when the tensor is read.
    let _ = tensor.client.flush();
    tensor
}
