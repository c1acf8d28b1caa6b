//! Allocates activation buffers at the size of the widest batch.
//!
//! On the GPU a buffer is reused only for a tensor of exactly its size, so that peak memory is known before training.
//! Batches differ in width, and without padding each width would have its own set of buffers. While an
//! [`ActivationPadding`] lives, the activations of a batch get buffers that also fit those of the run's widest batch.
//!
//! The padding is behind a tensor's values. No operation reads or writes it. Kernels request it by
//! `cube::empty_activation`; everything else, such as a weight gradient, gets a buffer of its own size.

use std::cell::Cell;

thread_local! {
    static CURRENT: Cell<Option<BatchShapes>> = const { Cell::new(None) };
}

/// `[rows, tokens]` of the current batch and of the widest batch.
#[derive(Debug, Clone, Copy)]
struct BatchShapes {
    batch: [usize; 2],
    widest: [usize; 2],
}

/// A guard that pads new activation buffers. Dropping it restores the padding that was in effect before.
#[derive(Debug)]
pub struct ActivationPadding {
    previous: Option<BatchShapes>,
}

impl ActivationPadding {
    /// Pads the activations of a batch of `[rows, tokens]` to those of the widest batch of the run.
    pub fn new(batch: [usize; 2], widest: [usize; 2]) -> Self {
        Self {
            previous: CURRENT.replace(Some(BatchShapes { batch, widest })),
        }
    }
}

impl Drop for ActivationPadding {
    fn drop(&mut self) {
        CURRENT.set(self.previous.take());
    }
}

/// Returns the number of values to allocate for an activation of `shape`, or for the gradient of one.
///
/// Activations of shape `[rows * tokens, width]` and `[rows, heads, tokens, tokens]` get the size that they have in the
/// widest batch. Those of the pooler and the classifier, `[rows, width]`, are small and keep their size. The caller
/// knows that the tensor is an activation: a weight gradient may have the same shape.
#[cfg_attr(
    not(feature = "gpu"),
    allow(dead_code, reason = "the CPU device does not pool its buffers")
)]
pub(super) fn activation_len(shape: &[usize]) -> usize {
    let len = shape.iter().product();
    let Some(BatchShapes {
        batch: [rows, tokens],
        widest: [max_rows, max_tokens],
    }) = CURRENT.get()
    else {
        return len;
    };
    let widest = match *shape {
        [all, width] if all == rows * tokens => max_rows * max_tokens * width,
        [batch, heads, queries, keys] if (batch, queries, keys) == (rows, tokens, tokens) => {
            max_rows * heads * max_tokens * max_tokens
        }
        _ => len,
    };
    widest.max(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_are_padded_while_the_guard_lives() {
        let shapes: [&[usize]; 4] = [&[12, 5], &[2, 3, 6, 6], &[2, 5], &[12]];
        let lengths = || shapes.map(activation_len);
        let unpadded = [60, 216, 10, 12];
        assert_eq!(lengths(), unpadded);
        let outer = ActivationPadding::new([2, 6], [2, 10]);
        assert_eq!(lengths(), [100, 600, 10, 12]);
        {
            // The batch is wider than the stated maximum: its buffers still hold all values.
            let _inner = ActivationPadding::new([2, 6], [1, 6]);
            assert_eq!(lengths(), unpadded);
        }
        assert_eq!(lengths(), [100, 600, 10, 12]);
        drop(outer);
        assert_eq!(lengths(), unpadded);
    }
}
