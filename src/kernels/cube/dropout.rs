//! The masks of [`crate::kernels::DropoutMask`] on the device: the same hash, so the same masks as on the CPU.

use super::{cube_dim, cubes_for, empty};
use crate::kernels::DropoutMask;
use crate::kernels::dropout::{MIX, SPREAD};
use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

#[cube]
fn mix(value: u32) -> u32 {
    let mut x = value;
    x ^= x >> 16;
    x *= MIX.0;
    x ^= x >> 15;
    x *= MIX.1;
    x ^ (x >> 16)
}

/// [`DropoutMask`], as a kernel takes it.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Mask {
    threshold: u32,
    key: u32,
    scale: f32,
}

/// Hands a mask to a kernel.
pub(super) fn mask_arg(mask: DropoutMask) -> MaskLaunch {
    MaskLaunch::new(mask.threshold, mask.key, mask.scale)
}

/// What the value at `position` is multiplied by.
#[cube]
pub(super) fn keep_factor(position: usize, mask: &Mask) -> f32 {
    let mixed = mix((position as u32 * SPREAD) ^ mask.key);
    let hash = mix(mixed + mask.key);
    let mut factor = f32::new(0.0);
    if hash >= mask.threshold {
        factor = mask.scale;
    }
    factor
}

#[cube(launch_unchecked)]
fn dropout_kernel(input: &[f32], output: &mut [f32], elements: usize, mask: Mask) {
    if ABSOLUTE_POS < elements {
        output[ABSOLUTE_POS] = input[ABSOLUTE_POS] * keep_factor(ABSOLUTE_POS, &mask);
    }
}

/// See [`dropout`](crate::kernels::dropout()).
pub(super) fn launch(input: CubeTensor, mask: DropoutMask) -> CubeTensor {
    if mask.is_none() {
        return input;
    }
    let input = into_contiguous(input);
    let output = empty(&input, input.shape());
    let elements = input.meta.num_elements();
    // SAFETY: both buffers hold `elements` values, and no unit goes past them.
    unsafe {
        dropout_kernel::launch_unchecked(
            &output.client,
            cubes_for(elements),
            cube_dim(),
            input.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            elements,
            mask_arg(mask),
        );
    }
    output
}
