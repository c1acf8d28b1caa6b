//! Vector kernels of webtune's CPU device.
//!
//! A kernel is a [`Job`]: pointers into tensors, and shapes. A job can be split into parts, which different threads may
//! compute: each value is computed by one part, in the same order for any number of parts, so that results do not
//! depend on the number of threads. Matrices are row-major, `[m, k]` has `m` rows.
//!
//! The crate has no dependency on burn and none on the standard library, because it is built in two ways: as a part of
//! webtune, and as WebAssembly modules of a few kilobytes that share webtune's memory (`cpu/module`). The modules have
//! instructions that not every browser has, and a browser refuses a module as a whole for one instruction that it
//! lacks.
#![no_std]

mod activation;
mod attention;
mod columns;
mod dropout;
mod gemm;
mod layer_norm;
mod pack;
mod simd;
mod team;
mod update;

#[cfg(test)]
mod tests;

pub use attention::{Attention, AttentionBackward, Heads};
pub use columns::{ColumnSums, Gelu};
pub use dropout::{Dropout, DropoutJob};
pub use gemm::{Epilogue, GEMM_SCRATCH, Gemm, Operand};
pub use layer_norm::{LayerNorm, LayerNormBackward, LayerNormWeights, Rows};
pub use team::{Sleep, Team};
pub use update::{AdamW, Squares};

use core::ops::Range;

/// A kernel with its operands.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub enum Job {
    /// A matrix product.
    Gemm(Gemm),
    /// Forward pass of the attention.
    Attention(Attention),
    /// Backward pass of the attention.
    AttentionBackward(AttentionBackward),
    /// Forward pass of LayerNorm.
    LayerNorm(LayerNorm),
    /// Gradients of LayerNorm's input.
    LayerNormBackward(LayerNormBackward),
    /// Gradients of LayerNorm's weight and bias.
    LayerNormWeights(LayerNormWeights),
    /// Element-wise GELU, or its gradient.
    Gelu(Gelu),
    /// Dropout.
    Dropout(DropoutJob),
    /// Sums of columns.
    ColumnSums(ColumnSums),
    /// Sums of squares.
    Squares(Squares),
    /// An update of a parameter.
    AdamW(AdamW),
}

impl Job {
    /// Returns the number of values that a part needs as scratch memory.
    pub fn scratch(&self) -> usize {
        match self {
            Self::Gemm(_) => GEMM_SCRATCH,
            Self::Attention(attention) => attention.shape.scratch(),
            Self::AttentionBackward(attention) => attention.shape.scratch(),
            _ => 0,
        }
    }

    /// Returns into how many parts a team of `threads` threads splits the job: one for each thread, fewer if they would
    /// take less time than waking a thread, and two for each thread if they are long, so that a thread that is
    /// interrupted leaves some to the others. Each part of a product packs an operand anew.
    pub fn parts(&self, threads: usize) -> usize {
        let time = self.nanoseconds();
        match threads > 1 && time >= 2 * threads * LONG_PART {
            true => 2 * threads,
            false => (time / SHORTEST_PART).clamp(1, threads.max(1)),
        }
    }

    /// Estimates the time of the job on one thread.
    fn nanoseconds(&self) -> usize {
        match self {
            Self::Gemm(job) => job.m * job.n * job.k / 16,
            Self::Attention(job) => job.shape.products() / 4,
            Self::AttentionBackward(job) => job.shape.products() / 2,
            Self::LayerNorm(job) => job.rows.rows * job.rows.width,
            Self::LayerNormBackward(job) => job.rows.rows * job.rows.width,
            Self::LayerNormWeights(job) => job.rows.rows * job.rows.width,
            Self::Gelu(job) => 2 * job.len,
            Self::Dropout(job) => job.len,
            Self::ColumnSums(job) => job.rows * job.width / 2,
            Self::Squares(job) => job.len / 4,
            Self::AdamW(job) => job.len,
        }
    }

    /// Computes `part` of `parts`.
    ///
    /// # Safety
    /// The operands are valid for the shapes, and what is written is not aliased. `scratch` holds
    /// [`scratch`](Self::scratch) values that no other part uses.
    pub unsafe fn compute(&self, scratch: *mut f32, part: usize, parts: usize) {
        // SAFETY: by the contract of this method.
        unsafe {
            match self {
                Self::Gemm(job) => job.compute(scratch, part, parts),
                Self::Attention(job) => job.compute(scratch, part, parts),
                Self::AttentionBackward(job) => job.compute(scratch, part, parts),
                Self::LayerNorm(job) => job.compute(part, parts),
                Self::LayerNormBackward(job) => job.compute(part, parts),
                Self::LayerNormWeights(job) => job.compute(part, parts),
                Self::Gelu(job) => job.compute(part, parts),
                Self::Dropout(job) => job.compute(part, parts),
                Self::ColumnSums(job) => job.compute(part, parts),
                Self::Squares(job) => job.compute(part, parts),
                Self::AdamW(job) => job.compute(part, parts),
            }
        }
    }
}

/// Nanoseconds of a part that are worth a thread.
const SHORTEST_PART: usize = 5_000;
/// Nanoseconds of a part from which a thread has two.
const LONG_PART: usize = 300_000;

/// The range of `len` items that belongs to `part` of `parts`.
///
/// Here and elsewhere a division cannot panic: the message of a panic would be data, and `cpu/module` has none.
fn split(len: usize, part: usize, parts: usize) -> Range<usize> {
    let end = |part| divide(len * part, parts);
    end(part)..end(part + 1)
}

/// Divides by a number that is not 0.
fn divide(number: usize, divisor: usize) -> usize {
    number.checked_div(divisor).unwrap_or(0)
}
