//! Multi-head attention, forward and backward: one task for each head of each sequence.

use crate::activation::exp_non_positive;
use crate::dropout::Dropout;
use crate::gemm::{Epilogue, GEMM_SCRATCH, Gemm, Operand};
use crate::simd::{LANES, fma, for_row, load_some, store_some};
use crate::{divide, split};
use core::ptr;
use wide::f32x4;

/// What forward and backward pass share. A row of `projected` is a token's query, key and value, concatenated.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// `[batch * seq, 3 * heads * head_size]`.
    pub projected: *const f32,
    /// Sequences.
    pub batch: usize,
    /// Tokens of a sequence.
    pub seq: usize,
    /// Heads of a token.
    pub heads: usize,
    /// Values of a head.
    pub head_size: usize,
    /// Factor of the scores.
    pub scale: f32,
    /// Applied to the probabilities.
    pub dropout: Dropout,
}

/// Computes `dropout(softmax(query × keyᵀ * scale + bias)) × value`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Attention {
    /// Operands and shape.
    pub shape: Heads,
    /// `[batch, seq]`, added to every score of a key.
    pub bias: *const f32,
    /// `[batch, heads, seq, seq]`.
    pub probs: *mut f32,
    /// `[batch, heads, seq, seq]`, after dropout; the same as `probs` if there is none.
    pub dropped: *mut f32,
    /// `[batch * seq, heads * head_size]`.
    pub context: *mut f32,
}

/// Computes the gradient of `projected`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct AttentionBackward {
    /// Operands and shape.
    pub shape: Heads,
    /// From the forward pass.
    pub probs: *const f32,
    /// From the forward pass.
    pub dropped: *const f32,
    /// `[batch * seq, heads * head_size]`.
    pub grad: *const f32,
    /// `[batch * seq, 3 * heads * head_size]`.
    pub projected_grad: *mut f32,
}

/// One head of one sequence.
#[derive(Clone, Copy)]
struct Task {
    /// Flat index of the probability of query 0 and key 0.
    probs: usize,
    /// Flat index in `projected` of the first query's first value.
    query: usize,
    /// Flat index in `context` of the first token's first value.
    context: usize,
    sequence: usize,
}

impl Heads {
    /// Multiplications of the forward pass.
    pub(crate) fn products(&self) -> usize {
        2 * self.batch * self.heads * self.seq * self.seq * self.head_size
    }

    /// Number of values that a part needs as scratch memory.
    pub fn scratch(&self) -> usize {
        GEMM_SCRATCH + self.seq * self.seq
    }

    fn width(&self) -> usize {
        self.heads * self.head_size
    }

    fn tasks(&self, part: usize, parts: usize) -> impl Iterator<Item = Task> + '_ {
        split(self.batch * self.heads, part, parts).map(|task| {
            let sequence = divide(task, self.heads);
            let head = task - sequence * self.heads;
            let (token, column) = (sequence * self.seq, head * self.head_size);
            Task {
                probs: task * self.seq * self.seq,
                query: token * 3 * self.width() + column,
                context: token * self.width() + column,
                sequence,
            }
        })
    }

    /// The query (`part` 0), key (1) or value (2) of a task, `[seq, head_size]`.
    unsafe fn operand(&self, task: Task, part: usize) -> Operand {
        let width = self.width();
        // SAFETY: the head is inside of `projected`.
        let start = unsafe { self.projected.add(task.query + part * width) };
        Operand::row_major(start, 3 * width)
    }

    /// A product of operands of a head: `[m, k]` and `[k, n]`.
    unsafe fn product(
        [a, b]: [Operand; 2],
        c: *mut f32,
        c_stride: usize,
        [m, n, k]: [usize; 3],
        scratch: *mut f32,
    ) {
        let product = Gemm {
            a,
            b,
            c,
            c_stride,
            m,
            n,
            k,
            epilogue: Epilogue::Store,
        };
        // SAFETY: by the caller's contract.
        unsafe { product.compute(scratch, 0, 1) }
    }
}

impl Attention {
    /// Computes the heads that belong to `part` of `parts`.
    ///
    /// # Safety
    /// All pointers are valid for the shapes; `scratch` holds [`Heads::scratch`] values of this part alone.
    pub(crate) unsafe fn compute(&self, scratch: *mut f32, part: usize, parts: usize) {
        let shape = &self.shape;
        let (seq, size, width) = (shape.seq, shape.head_size, shape.width());
        for task in shape.tasks(part, parts) {
            // SAFETY: the task's values are inside of all tensors.
            unsafe {
                let [query, key, value] = [0, 1, 2].map(|part| shape.operand(task, part));
                let probs = self.probs.add(task.probs);
                let operands = [query, key.transposed()];
                Heads::product(operands, probs, seq, [seq, seq, size], scratch);
                let bias = self.bias.add(task.sequence * seq);
                for row in 0..seq {
                    softmax(probs.add(row * seq), bias, seq, shape.scale);
                }
                let dropped = self.dropped.add(task.probs);
                if !ptr::eq(dropped, probs) {
                    for_row(seq * seq, |at, count| {
                        let values = load_some(probs.add(at), count);
                        let values = shape.dropout.apply(values, task.probs + at);
                        store_some(dropped.add(at), values, count);
                    });
                }
                let operands = [Operand::row_major(dropped, seq), value];
                let context = self.context.add(task.context);
                Heads::product(operands, context, width, [seq, size, seq], scratch);
            }
        }
    }
}

impl AttentionBackward {
    /// Computes the heads that belong to `part` of `parts`. The gradient of softmax is
    /// `probs * (grad - sum(probs * grad))`, where the sum is over the keys.
    ///
    /// # Safety
    /// As for [`Attention::compute`].
    pub(crate) unsafe fn compute(&self, scratch: *mut f32, part: usize, parts: usize) {
        let shape = &self.shape;
        let (seq, size, width) = (shape.seq, shape.head_size, shape.width());
        // SAFETY: the scratch memory holds both, the task's values are inside of all tensors.
        unsafe {
            let scores = scratch.add(GEMM_SCRATCH);
            for task in shape.tasks(part, parts) {
                let [query, key, value] = [0, 1, 2].map(|part| shape.operand(task, part));
                let grad = Operand::row_major(self.grad.add(task.context), width);
                let dropped = Operand::row_major(self.dropped.add(task.probs), seq);
                let to = |part: usize| self.projected_grad.add(task.query + part * width);
                let (narrow, wide) = ([seq, size, seq], [seq, seq, size]);
                let operands = [dropped.transposed(), grad];
                Heads::product(operands, to(2), 3 * width, narrow, scratch);
                Heads::product([grad, value.transposed()], scores, seq, wide, scratch);
                for row in 0..seq {
                    self.softmax_grad(scores.add(row * seq), task.probs + row * seq);
                }
                let scores = Operand::row_major(scores, seq);
                Heads::product([scores, key], to(0), 3 * width, narrow, scratch);
                let operands = [scores.transposed(), query];
                Heads::product(operands, to(1), 3 * width, narrow, scratch);
            }
        }
    }

    /// Replaces the gradients of a row of dropped probabilities by those of the unscaled scores. `at` is the row's flat
    /// index in the probabilities.
    unsafe fn softmax_grad(&self, row: *mut f32, at: usize) {
        let (seq, scale) = (self.shape.seq, f32x4::splat(self.shape.scale));
        let mut dot = f32x4::ZERO;
        // SAFETY: the row is inside of the tensors.
        unsafe {
            for_row(seq, |key, count| {
                let grad = load_some(row.add(key), count);
                let grad = self.shape.dropout.apply(grad, at + key);
                store_some(row.add(key), grad, count);
                dot = fma(load_some(self.probs.add(at + key), count), grad, dot);
            });
            let dot = f32x4::splat(dot.reduce_add());
            for_row(seq, |key, count| {
                let probs = load_some(self.probs.add(at + key), count);
                let grad = probs * (load_some(row.add(key), count) - dot) * scale;
                store_some(row.add(key), grad, count);
            });
        }
    }
}

/// Replaces a row of scores by `softmax(scores * scale + bias)`.
unsafe fn softmax(row: *mut f32, bias: *const f32, len: usize, scale: f32) {
    let mut highest = f32::NEG_INFINITY;
    let mut sum = f32x4::ZERO;
    // SAFETY: row and bias have `len` values.
    unsafe {
        for_row(len, |at, count| {
            let scores = load_some(row.add(at), count);
            let scores = fma(scores, f32x4::splat(scale), load_some(bias.add(at), count));
            store_some(row.add(at), scores, count);
            for (index, value) in scores.to_array().into_iter().enumerate() {
                if index < count && value > highest {
                    highest = value;
                }
            }
        });
        for_row(len, |at, count| {
            let scores = load_some(row.add(at), count) - f32x4::splat(highest);
            let powers = exp_non_positive(scores);
            store_some(row.add(at), powers, count);
            sum += first(powers, count);
        });
        let factor = f32x4::ONE / f32x4::splat(sum.reduce_add());
        for_row(len, |at, count| {
            store_some(row.add(at), load_some(row.add(at), count) * factor, count);
        });
    }
}

/// Sets all but the first `count` values to 0.
#[inline(always)]
fn first(values: f32x4, count: usize) -> f32x4 {
    if count == LANES {
        return values;
    }
    let is_inside = |at: usize| if at < count { 1.0 } else { 0.0 };
    values * f32x4::new([is_inside(0), is_inside(1), is_inside(2), is_inside(3)])
}
