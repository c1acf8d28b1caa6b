//! Fused operations that burn computes too slowly or not exactly enough: embeddings, linear layers, GELU, attention,
//! layer normalization, LoRA, cross entropy, gradient clipping and AdamW.
//!
//! The functions of this module take burn tensors and call [`BertOps`], a trait that extends burn's backends. It has
//! four parts:
//!
//! - `reference.rs` defines each operation in burn's primitives.
//! - `cpu.rs` computes the same on the CPU device, with the vector kernels of the crate `webtune-cpu`.
//! - `cube/` computes the same on WebGPU, with kernels written in [CubeCL](https://github.com/tracel-ai/cubecl).
//! - `autodiff.rs` has the backward pass of each operation.
//!
//! Code outside this module does not depend on the device. Matrices are row-major, and `[m, k]` has `m` rows.

mod activation_padding;
mod autocast;
mod autodiff;
mod clipping;
mod cpu;
#[cfg(feature = "gpu")]
mod cube;
mod dropout;
mod kernel_form;
mod loss_scaling;
mod network;
mod ops;
#[cfg(feature = "gpu")]
mod product_timer;
mod reference;
mod update;

pub use activation_padding::ActivationPadding;
pub use autocast::{Autocast, Precision, supports_f16};
pub use clipping::CLIP_VALUES;
pub use cpu::{Compute, RunInParts, Threads, use_kernels, use_threads};
pub use dropout::{DropoutMask, DropoutStream};
pub use kernel_form::{BlockSize, BlockTile, GpuTile, KernelForm, KernelFormOverride, LinearPass};
pub use loss_scaling::{COEFFICIENT, DIVERGED, LossScaling, PROCEEDS, SCALE, SCALER_VALUES};
pub use network::{
    EmbeddingsShape, HeadsShape, add_word_embeddings, attention, cross_entropy, dropout,
    embeddings, feed_forward, gelu, layer_norm, linear, lora, residual_layer_norm, with_gradient,
    write,
};
pub use ops::BertOps;
#[cfg(feature = "gpu")]
pub use product_timer::{ProductTimer, ProductTimes};
pub use update::{
    AdamWScalars, AdamWState, GROUPS, PartialSums, adamw, adamw_settings, clip_coefficient,
    squares, step_values, update_scale,
};
