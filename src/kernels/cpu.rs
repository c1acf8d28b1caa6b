//! The CPU device: computes with the vector kernels of `webtune-cpu`, and with `reference.rs` where there is none: for
//! f16, and for rows whose width is no multiple of four.

mod attention;
mod execute;
mod layer_norm;
mod linear;
mod lora;
mod tensors;
mod update;

#[cfg(test)]
mod tests;

pub use execute::{Compute, RunInParts, Threads, use_kernels, use_threads};

use super::clipping::next_clip;
use super::{
    AdamWScalars, BertOps, CLIP_VALUES, DropoutMask, HeadsShape, LossScaling, PartialSums,
    Precision, reference,
};
use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::TensorData;
use tensors::{Values, dims, first_values};
use webtune_cpu::{DropoutJob, Epilogue, Gelu, Job};

impl BertOps for Flex {
    fn bert_word_embeddings_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        first_row: usize,
        shape: [usize; 2],
    ) -> FloatTensor<Self> {
        update::word_embeddings_backward(grad, ids, first_row, shape)
    }

    fn bert_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        if precision == Precision::F16 {
            return reference::linear::<Self>(input, weight, bias, precision);
        }
        let bias = Values::of_len(bias, dims(&weight)[0]);
        linear::forward(input, weight, Epilogue::Bias { bias: bias.start() })
    }

    fn bert_linear_input_grad(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        match precision {
            Precision::F16 => reference::product::<Self>(grad, weight, precision),
            Precision::F32 => linear::input_grad(grad, weight, Epilogue::Store),
        }
    }

    fn bert_linear_weight_grad(
        grad: FloatTensor<Self>,
        input: FloatTensor<Self>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        match precision {
            Precision::F16 => reference::linear_weight_grad::<Self>(grad, input, precision),
            Precision::F32 => linear::weight_grad(grad, input),
        }
    }

    fn bert_linear_gelu(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        match precision {
            Precision::F16 => {
                let pre_activation = reference::linear::<Self>(input, weight, bias, precision);
                let activation = Self::bert_gelu(pre_activation.clone());
                (pre_activation, activation)
            }
            Precision::F32 => linear::forward_gelu(input, weight, bias),
        }
    }

    fn bert_linear_input_grad_gelu(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        pre_activation: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        if precision == Precision::F16 {
            let grad = reference::product::<Self>(grad, weight, precision);
            return Self::bert_gelu_backward(pre_activation, grad);
        }
        let len = dims(&grad)[0] * dims(&weight)[1];
        let input = Values::of_len(pre_activation, len);
        let input = input.start();
        linear::input_grad(grad, weight, Epilogue::GeluGrad { input })
    }

    fn bert_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu(input, None)
    }

    fn bert_gelu_backward(input: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu(input, Some(grad))
    }

    fn bert_lora_parts(
        base: FloatTensor<Self>,
        input: FloatTensor<Self>,
        lora_a: FloatTensor<Self>,
        lora_b: FloatTensor<Self>,
        start: usize,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        match precision {
            Precision::F16 => {
                reference::lora::<Self>(base, input, lora_a, lora_b, start, precision)
            }
            Precision::F32 => lora::forward(base, input, lora_a, lora_b, start),
        }
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
        match precision {
            Precision::F16 => reference::lora_backward::<Self>(
                grad, input, low_rank, lora_a, lora_b, start, precision,
            ),
            Precision::F32 => lora::backward(grad, input, low_rank, lora_a, lora_b, start),
        }
    }

    fn bert_dropout(input: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        if mask.is_none() {
            return input;
        }
        let shape = input.shape();
        let input = Values::new(input);
        tensors::output(shape, |output| {
            execute::run(&Job::Dropout(DropoutJob {
                input: input.start(),
                output,
                len: input.len(),
                mask: mask.into(),
            }));
        })
    }

    fn bert_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
    ) -> FloatTensor<Self> {
        if !layer_norm::has_kernel(&weight) {
            return reference::layer_norm::<Self>(input, weight, bias, eps);
        }
        layer_norm::forward(input, None, weight, bias, eps, DropoutMask::NONE)
    }

    fn bert_layer_norm_backward(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        eps: f64,
        _with_weight: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        if !layer_norm::has_kernel(&weight) {
            return reference::layer_norm_backward::<Self>(input, weight, grad, eps);
        }
        let (input_grad, _, weight_grad, bias_grad) =
            layer_norm::backward(input, None, weight, grad, eps, DropoutMask::NONE);
        (input_grad, weight_grad, bias_grad)
    }

    fn bert_residual_layer_norm(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
    ) -> FloatTensor<Self> {
        if !layer_norm::has_kernel(&weight) {
            let sum = reference::sum_with_dropout::<Self>(input, residual, mask);
            return reference::layer_norm::<Self>(sum, weight, bias, eps);
        }
        layer_norm::forward(input, Some(residual), weight, bias, eps, mask)
    }

    fn bert_residual_layer_norm_backward(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
        _with_weight: bool,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        if !layer_norm::has_kernel(&weight) {
            return reference::residual_layer_norm_backward::<Self>(
                input, residual, weight, grad, eps, mask,
            );
        }
        layer_norm::backward(input, Some(residual), weight, grad, eps, mask)
    }

    fn bert_attention_parts(
        projected: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: HeadsShape,
        mask: DropoutMask,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        match precision {
            Precision::F16 => reference::attention::<Self>(projected, bias, shape, mask, precision),
            Precision::F32 => attention::forward(projected, bias, shape, mask),
        }
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
        match precision {
            Precision::F16 => reference::attention_backward::<Self>(
                projected, probs, dropped, grad, shape, mask, precision,
            ),
            Precision::F32 => attention::backward(projected, probs, dropped, grad, shape, mask),
        }
    }

    fn bert_adamw(
        parameter_a: FloatTensor<Self>,
        gradient_a: FloatTensor<Self>,
        moments_a: FloatTensor<Self>,
        parameter_b: FloatTensor<Self>,
        gradient_b: FloatTensor<Self>,
        moments_b: FloatTensor<Self>,
        clip: FloatTensor<Self>,
        scalars: [AdamWScalars; 2],
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let [a, b] = scalars;
        let (parameter_a, moments_a) = update::adamw(parameter_a, gradient_a, moments_a, &clip, a);
        let (parameter_b, moments_b) = update::adamw(parameter_b, gradient_b, moments_b, &clip, b);
        (parameter_a, moments_a, parameter_b, moments_b)
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
        update::squares(sums, [first, second, third, fourth, fifth, sixth], ranges)
    }

    /// Returns the clip: the scalars are arguments of AdamW's kernel.
    fn bert_adamw_settings(
        clip: FloatTensor<Self>,
        _values: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        clip
    }

    fn bert_clip_coefficient(
        squares: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        state: FloatTensor<Self>,
        max_norm: f64,
    ) -> FloatTensor<Self> {
        let (squares, [loss]) = (update::total(squares), first_values(&loss));
        let state = first_values::<CLIP_VALUES>(&state);
        let next = next_clip(squares, loss, state, max_norm);
        FloatTensor::<Self>::from_data(TensorData::from(next))
    }

    fn bert_update_scale(
        squares: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        state: FloatTensor<Self>,
        scaling: LossScaling,
    ) -> FloatTensor<Self> {
        let (squares, [loss]) = (update::total(squares), first_values(&loss));
        let next = scaling.next_state(squares, loss, first_values(&state));
        FloatTensor::<Self>::from_data(TensorData::from(next))
    }
}

impl From<DropoutMask> for webtune_cpu::Dropout {
    fn from(mask: DropoutMask) -> Self {
        Self {
            threshold: mask.threshold,
            key: mask.key(),
            scale: mask.scale,
        }
    }
}

/// Computes the exact GELU, or with `grad` the gradient of its input.
fn gelu(input: FloatTensor<Flex>, grad: Option<FloatTensor<Flex>>) -> FloatTensor<Flex> {
    let shape = input.shape();
    let len = shape.num_elements();
    let input = Values::new(input);
    let grad = grad.map(|grad| Values::of_len(grad, len));
    tensors::output(shape, |output| {
        execute::run(&Job::Gelu(Gelu {
            input: input.start(),
            grad: Values::start_or_null(grad.as_ref()),
            output,
            len,
        }));
    })
}
