//! Dropout on the device. The hash is that of [`DropoutMask`], so the masks are the same as on the CPU.

use super::{empty_activation, workgroup_count, workgroup_dim};
use crate::kernels::DropoutMask;
use crate::kernels::dropout::{KNUTH_MULTIPLIER, MIX_MULTIPLIERS};
use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// The integer hash `lowbias32`, as in `kernels/dropout.rs`.
#[cube]
fn mix(value: u32) -> u32 {
    let mut x = value;
    x ^= x >> 16;
    x *= MIX_MULTIPLIERS.0;
    x ^= x >> 15;
    x *= MIX_MULTIPLIERS.1;
    x ^ (x >> 16)
}

/// [`DropoutMask`] as a kernel takes it.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Mask {
    threshold: u32,
    key: u32,
    scale: f32,
}

/// Converts a mask to a kernel argument.
pub(super) fn mask_arg(mask: DropoutMask) -> MaskLaunch {
    MaskLaunch::new(mask.threshold, mask.key, mask.scale)
}

/// Returns the factor of the value at the flat index `position`: 0 or `1 / (1 - prob)`.
#[cube]
pub(super) fn keep_factor(position: usize, mask: &Mask) -> f32 {
    let mixed = mix((position as u32 * KNUTH_MULTIPLIER) ^ mask.key);
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

/// Implements [`dropout`](crate::kernels::dropout()).
pub(super) fn launch(input: CubeTensor, mask: DropoutMask) -> CubeTensor {
    if mask.is_none() {
        return input;
    }
    let input = into_contiguous(input);
    let output = empty_activation(&input, input.shape());
    let elements = input.meta.num_elements();
    // SAFETY: both buffers hold `elements` values, and no thread exceeds them.
    unsafe {
        dropout_kernel::launch_unchecked(
            &output.client,
            workgroup_count(elements),
            workgroup_dim(),
            input.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            elements,
            mask_arg(mask),
        );
    }
    output
}
