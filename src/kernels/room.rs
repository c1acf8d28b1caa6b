//! Room for the widest batch: on the GPU, buffers are used again for tensors of their own size only, so that what a run takes can be told
//! before it begins. Batches are of many widths, though, and each width would have a set of buffers of its own: while a [`BatchRoom`]
//! lives, the tensors of its batch get buffers that the widest batch of the run fits into too.

use std::cell::Cell;

thread_local! {
    static NOW: Cell<Option<Shapes>> = const { Cell::new(None) };
}

/// Rows and tokens, of the batch at hand and of the widest.
#[derive(Debug, Clone, Copy)]
struct Shapes {
    batch: [usize; 2],
    widest: [usize; 2],
}

/// The batch that is computed now; at its end tensors are as large as they are.
#[derive(Debug)]
pub struct BatchRoom {
    before: Option<Shapes>,
}

impl BatchRoom {
    /// A batch of `[rows, tokens]` in a run whose widest is `widest`.
    pub fn new(batch: [usize; 2], widest: [usize; 2]) -> Self {
        Self {
            before: NOW.replace(Some(Shapes { batch, widest })),
        }
    }
}

impl Drop for BatchRoom {
    fn drop(&mut self) {
        NOW.set(self.before.take());
    }
}

/// Values that a buffer for a tensor of this shape has room for: as many as the tensor has, or as many as the widest batch's, where it is
/// one of a batch: `[rows * tokens, width]`, or `[rows, heads, tokens, tokens]`.
#[cfg_attr(
    not(feature = "gpu"),
    allow(dead_code, reason = "the CPU frees what it frees")
)]
pub(super) fn room_for(shape: &[usize]) -> usize {
    let values = shape.iter().product();
    let Some(Shapes {
        batch: [rows, tokens],
        widest: [most_rows, most_tokens],
    }) = NOW.get()
    else {
        return values;
    };
    let widest = match *shape {
        [all, width] if all == rows * tokens => most_rows * most_tokens * width,
        [of, heads, from, to] if (of, from, to) == (rows, tokens, tokens) => {
            most_rows * heads * most_tokens * most_tokens
        }
        _ => values,
    };
    widest.max(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tensors_of_a_batch_get_more_room_and_only_while_it_lasts() {
        let shapes: [&[usize]; 4] = [&[12, 5], &[2, 3, 6, 6], &[7, 5], &[12]];
        let rooms = || shapes.map(room_for);
        let exact = [60, 216, 35, 12];
        assert_eq!(rooms(), exact);
        let outer = BatchRoom::new([2, 6], [2, 10]);
        assert_eq!(rooms(), [100, 600, 35, 12]);
        {
            // Wider than was said: no less room than it needs.
            let _inner = BatchRoom::new([2, 6], [1, 6]);
            assert_eq!(rooms(), exact);
        }
        assert_eq!(rooms(), [100, 600, 35, 12]);
        drop(outer);
        assert_eq!(rooms(), exact);
    }
}
