//! Packs an operand of a matrix product: copies it into the order in which the micro-kernel reads it.

use crate::simd::{LANES, load, store, transpose};

/// Copies `depth` groups of `count` values, which become groups of `WIDTH` with zeros behind. `strides` are the
/// distances between the values of a group and between groups.
#[inline(always)]
pub(crate) unsafe fn pack<const WIDTH: usize>(
    mut to: *mut f32,
    from: *const f32,
    strides: [usize; 2],
    count: usize,
    depth: usize,
) {
    // SAFETY: the caller's ranges are valid.
    unsafe {
        match strides {
            [1, group] if count == WIDTH => {
                let mut from = from;
                for _ in 0..depth {
                    copy_group::<WIDTH>(to, from);
                    (to, from) = (to.add(WIDTH), from.add(group));
                }
            }
            [value, 1] if count == WIDTH => pack_transposed::<WIDTH>(to, from, value, depth),
            [value, group] => {
                for step in 0..depth {
                    for index in 0..WIDTH {
                        let inside = index < count;
                        let place = index * value + step * group;
                        *to.add(index) = if inside { *from.add(place) } else { 0.0 };
                    }
                    to = to.add(WIDTH);
                }
            }
        }
    }
}

/// Copies `WIDTH` values, a multiple of four.
#[inline(always)]
unsafe fn copy_group<const WIDTH: usize>(to: *mut f32, from: *const f32) {
    let mut at = 0;
    while at < WIDTH {
        // SAFETY: the vector is inside of the group.
        unsafe { store(to.add(at), load(from.add(at))) };
        at += LANES;
    }
}

/// Packs groups whose values are `stride` apart, blocks of 4 × 4 values at a time.
#[inline(always)]
unsafe fn pack_transposed<const WIDTH: usize>(
    mut to: *mut f32,
    from: *const f32,
    stride: usize,
    depth: usize,
) {
    let row = |index: usize, step: usize| from.wrapping_add(index * stride + step);
    let mut step = 0;
    // SAFETY: the rows are inside of the operand.
    unsafe {
        while step + LANES <= depth {
            let mut at = 0;
            while at < WIDTH {
                let vector = |index: usize| load(row(at + index, step));
                let columns = transpose([vector(0), vector(1), vector(2), vector(3)]);
                for (index, column) in columns.into_iter().enumerate() {
                    store(to.add(index * WIDTH + at), column);
                }
                at += LANES;
            }
            to = to.add(LANES * WIDTH);
            step += LANES;
        }
        while step < depth {
            for index in 0..WIDTH {
                *to.add(index) = *row(index, step);
            }
            to = to.add(WIDTH);
            step += 1;
        }
    }
}
