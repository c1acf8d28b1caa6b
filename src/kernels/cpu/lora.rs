//! Low-rank updates of a linear layer.

use super::execute::run;
use super::linear::product;
use super::tensors::{Values, dims, output};
use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use webtune_cpu::{Epilogue, Gemm, Job, Operand};

/// Adds `(input × lora_aᵀ) × lora_bᵀ` to columns of `base`. Also returns `input × lora_aᵀ`.
pub(super) fn forward(
    base: FloatTensor<Flex>,
    input: FloatTensor<Flex>,
    lora_a: FloatTensor<Flex>,
    lora_b: FloatTensor<Flex>,
    start: usize,
) -> (FloatTensor<Flex>, FloatTensor<Flex>) {
    let ([m, width], [_, k]) = (dims(&base), dims(&input));
    let [n, rank] = dims(&lora_b);
    assert!(
        start + n <= width,
        "the update is inside of the layer's output"
    );
    let low_rank = {
        let (input, lora_a) = (
            Values::of_len(input, m * k),
            Values::of_len(lora_a, rank * k),
        );
        let a = Operand::row_major(input.start(), k);
        let b = Operand::row_major(lora_a.start(), k).transposed();
        output([m, rank], |c| {
            product([a, b], c, [m, rank, k], Epilogue::Store)
        })
    };
    let (base, factor, lora_b) = (
        Values::new(base),
        Values::new(low_rank.clone()),
        Values::new(lora_b),
    );
    let sum = output([m, width], |c| {
        // SAFETY: both have `m * width` values. `start` is inside of the first row.
        let c_start = unsafe {
            base.start().copy_to_nonoverlapping(c, m * width);
            c.add(start)
        };
        run(&Job::Gemm(Gemm {
            a: Operand::row_major(factor.start(), rank),
            b: Operand::row_major(lora_b.start(), rank).transposed(),
            c: c_start,
            c_stride: width,
            m,
            n,
            k: rank,
            epilogue: Epilogue::Accumulate,
        }));
    });
    (sum, low_rank)
}

/// Returns the gradients of `input`, `lora_a` and `lora_b`.
pub(super) fn backward(
    grad: FloatTensor<Flex>,
    input: FloatTensor<Flex>,
    low_rank: FloatTensor<Flex>,
    lora_a: FloatTensor<Flex>,
    lora_b: FloatTensor<Flex>,
    start: usize,
) -> (FloatTensor<Flex>, FloatTensor<Flex>, FloatTensor<Flex>) {
    let ([m, width], [_, k], [n, rank]) = (dims(&grad), dims(&input), dims(&lora_b));
    assert!(
        start + n <= width,
        "the update is inside of the layer's output"
    );
    let (grad, input) = (Values::new(grad), Values::of_len(input, m * k));
    let (low_rank, lora_a) = (
        Values::of_len(low_rank, m * rank),
        Values::of_len(lora_a, rank * k),
    );
    let lora_b = Values::new(lora_b);
    // SAFETY: `start` is inside of the first row.
    let grad = Operand::row_major(unsafe { grad.start().add(start) }, width);
    let b_grad = output([n, rank], |c| {
        let b = Operand::row_major(low_rank.start(), rank);
        product([grad.transposed(), b], c, [n, rank, m], Epilogue::Store);
    });
    let low_rank_values = Values::new(output([m, rank], |c| {
        let b = Operand::row_major(lora_b.start(), rank);
        product([grad, b], c, [m, rank, n], Epilogue::Store);
    }));
    let low_rank_grad = Operand::row_major(low_rank_values.start(), rank);
    let a_grad = output([rank, k], |c| {
        let b = Operand::row_major(input.start(), k);
        product(
            [low_rank_grad.transposed(), b],
            c,
            [rank, k, m],
            Epilogue::Store,
        );
    });
    let input_grad = output([m, k], |c| {
        let b = Operand::row_major(lora_a.start(), k);
        product([low_rank_grad, b], c, [m, k, rank], Epilogue::Store);
    });
    (input_grad, a_grad, b_grad)
}
