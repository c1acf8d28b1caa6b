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

/// Copies `WIDTH` values, 6 or 8, in two vectors, which overlap if there are 6.
#[inline(always)]
unsafe fn copy_group<const WIDTH: usize>(to: *mut f32, from: *const f32) {
    // SAFETY: both vectors are inside of the group.
    unsafe {
        store(to, load(from));
        store(to.add(WIDTH - LANES), load(from.add(WIDTH - LANES)));
    }
}

/// Packs groups whose values are `stride` apart, four groups at a time.
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
            let second = WIDTH - LANES;
            let vector = |index: usize| load(row(index, step));
            let low = transpose([vector(0), vector(1), vector(2), vector(3)]);
            let high = transpose([
                vector(second),
                vector(second + 1),
                vector(second + 2),
                vector(second + 3),
            ]);
            for index in 0..LANES {
                store(to, low[index]);
                store(to.add(second), high[index]);
                to = to.add(WIDTH);
            }
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
