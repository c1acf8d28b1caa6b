//! Dropout on the device. The hash is that of [`DropoutMask`], so the masks are the same as on the CPU.
//!
//! The key of a forward pass is in a buffer that all dispatches of the pass read. As a scalar of a dispatch it would
//! change the dispatch's arguments in every step, and cubecl would make a new buffer for them each time.

use super::{empty_activation, workgroup_count, workgroup_dim};
use crate::kernels::DropoutMask;
use crate::kernels::dropout::{KNUTH_MULTIPLIER, MIX_MULTIPLIERS};
use burn::backend::TensorMetadata;
use burn::tensor::{Bytes, DType};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use std::cell::RefCell;

thread_local! {
    static PASS: RefCell<Option<Pass>> = const { RefCell::new(None) };
}

/// The forward pass whose key is on the device.
struct Pass {
    key: u32,
    /// `[1]`.
    tensor: CubeTensor,
}

/// Returns the key of a mask's forward pass, `[1]`, on the device of `like`. Without dropout its value is arbitrary.
pub(super) fn pass_key(like: &CubeTensor, mask: DropoutMask) -> CubeTensor {
    PASS.with_borrow_mut(|pass| {
        let current = pass
            .take_if(|pass| pass.tensor.device == like.device)
            .unwrap_or_else(|| Pass {
                key: 0,
                tensor: new_key(like),
            });
        let current = match mask.is_none() || mask.pass == current.key {
            true => current,
            false => {
                // The queue copies the value after all dispatches before it.
                let bytes = Bytes::from_elems(vec![mask.pass]);
                current.tensor.client.write(&current.tensor.handle, bytes);
                Pass {
                    key: mask.pass,
                    ..current
                }
            }
        };
        pass.insert(current).tensor.clone()
    })
}

/// Returns a tensor that holds the key 0.
fn new_key(like: &CubeTensor) -> CubeTensor {
    let handle = like.client.create(Bytes::from_elems(vec![0_u32]));
    let (client, device) = (like.client.clone(), like.device.clone());
    CubeTensor::new_contiguous(client, device, [1].into(), handle, DType::U32)
}

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

/// Hashes an index with a key, as in `kernels/dropout.rs`.
#[cube]
fn hash(position: u32, key: u32) -> u32 {
    let mixed = mix((position * KNUTH_MULTIPLIER) ^ key);
    mix(mixed + key)
}

/// The constants of a [`DropoutMask`] as a kernel takes them. They are the same in every step.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct MaskArgs {
    threshold: u32,
    call: u32,
    scale: f32,
}

/// Converts a mask to a kernel argument.
pub(super) fn mask_args(mask: DropoutMask) -> MaskArgsLaunch {
    MaskArgsLaunch::new(mask.threshold, mask.call, mask.scale)
}

/// A mask in a kernel.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Mask {
    threshold: u32,
    key: u32,
    scale: f32,
}

/// Returns the mask of a forward pass with the key `pass[0]`. Without dropout it is not used.
#[cube]
pub(super) fn mask_of(pass: &[u32], args: MaskArgs, #[comptime] with_dropout: bool) -> Mask {
    let mut key = 0u32;
    if comptime![with_dropout] {
        key = hash(args.call, pass[0]);
    }
    Mask {
        threshold: args.threshold,
        key,
        scale: args.scale,
    }
}

/// Returns the factor of the value at the flat index `position`: 0 or `1 / (1 - prob)`.
#[cube]
pub(super) fn keep_factor(position: usize, mask: &Mask) -> f32 {
    let mut factor = f32::new(0.0);
    if hash(position as u32, mask.key) >= mask.threshold {
        factor = mask.scale;
    }
    factor
}

#[cube(launch_unchecked)]
fn dropout_kernel(
    input: &[f32],
    pass: &[u32],
    output: &mut [f32],
    elements: usize,
    args: MaskArgs,
) {
    if ABSOLUTE_POS < elements {
        let mask = mask_of(pass, args, true);
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
    let pass = pass_key(&input, mask);
    // SAFETY: both buffers hold `elements` values, and no thread exceeds them. The key is one value.
    unsafe {
        dropout_kernel::launch_unchecked(
            &output.client,
            workgroup_count(elements),
            workgroup_dim(),
            input.into_buffer_arg(),
            pass.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            elements,
            mask_args(mask),
        );
    }
    output
}
