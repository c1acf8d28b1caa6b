//! The operations of an optimizer step: gradient norm and clipping, the loss scaler's decision, AdamW.

use super::{BertOps, LossScaling};
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// The scalars of one AdamW update ([Loshchilov & Hutter, 2019], [`torch.optim.AdamW`]). Bias corrections are computed
/// in f64, as PyTorch does.
///
/// [Loshchilov & Hutter, 2019]: https://arxiv.org/abs/1711.05101
/// [`torch.optim.AdamW`]: https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWScalars {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// `1 - lr * weight_decay`, the factor of the parameter before the update.
    pub decay: f64,
    /// `lr / (1 - beta1^t)`.
    pub step_size: f64,
    /// `sqrt(1 - beta2^t)`, the divisor of the root of the second moment.
    pub bias_correction2_sqrt: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// Index of the parameter group, below [`GROUPS`].
    pub group: usize,
    /// Whether gradients are scaled. Then both bias corrections are 1 here and come from the values of
    /// [`update_scale`], which counts only the updates that are not skipped.
    pub scaled: bool,
}

/// A parameter with its gradient and its optimizer state.
#[derive(Debug)]
pub struct AdamWState {
    /// `[n]`.
    pub parameter: Tensor<1>,
    /// `[n]`.
    pub gradient: Tensor<1>,
    /// The first moments, then the second moments: `[2 n]`.
    pub moments: Tensor<1>,
    /// The scalars of its parameter group. `decay` and `step_size` may differ between the two of a pair.
    pub scalars: AdamWScalars,
}

/// The range of a tensor's partial sums in the output of [`squares`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartialSums {
    /// Index of the first.
    pub offset: usize,
    /// Number of partial sums, from [`PartialSums::count_for`]. With 0 the tensor is skipped.
    pub count: usize,
}

impl PartialSums {
    /// Values that a partial sum covers at most.
    pub const MAX_VALUES: usize = 4096;

    /// Returns the number of partial sums for a tensor of `elements` values.
    pub fn count_for(elements: usize) -> usize {
        elements.div_ceil(Self::MAX_VALUES).max(1)
    }
}

/// The parameter groups of an optimizer: with and without weight decay, each for the body and for pooler and
/// classifier.
pub const GROUPS: usize = 4;

/// The scalars that a GPU reads from a buffer: decay and step size of each group, and the divisor of the root of the
/// second moments. As arguments of AdamW's dispatches they would be different in every step, and cubecl would make a
/// new buffer for the arguments of each.
pub fn step_values(groups: &[AdamWScalars; GROUPS]) -> Vec<f32> {
    let of_group = |group: &AdamWScalars| [group.decay as f32, group.step_size as f32];
    let mut values: Vec<f32> = groups.iter().flat_map(of_group).collect();
    values.push(groups[0].bias_correction2_sqrt as f32);
    values
}

/// Returns what all calls of [`adamw`] of an update read: `clip`, the output of [`clip_coefficient`], or of
/// [`update_scale`] for scaled gradients, and the [`step_values`].
///
/// # Shapes
/// - `clip`: `[CLIP_VALUES]` or `[SCALER_VALUES]`
/// - `values`: `[2 * GROUPS + 1]`
/// - output: `clip` first; a GPU appends `values`
pub fn adamw_settings(clip: Tensor<1>, values: Tensor<1>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_adamw_settings(
        clip.into_dispatch(),
        values.into_dispatch(),
    ))
}

/// Applies one AdamW update to two parameters and returns each with its moments. Gradients are first multiplied by
/// `settings[COEFFICIENT]`. If `settings[PROCEEDS]` is 0, neither parameters nor moments change. Two parameters fit
/// into the 8 storage buffers that every WebGPU adapter can bind.
///
/// # Shapes
/// - `pair`: see [`AdamWState`]
/// - `settings`: the output of [`adamw_settings`]
/// - output: parameter `[n]` and moments `[2 n]`, of each
pub fn adamw(pair: [AdamWState; 2], settings: Tensor<1>) -> [(Tensor<1>, Tensor<1>); 2] {
    let scalars = [pair[0].scalars, pair[1].scalars];
    let [a, b] = pair;
    let (parameter_a, moments_a, parameter_b, moments_b) = Dispatch::bert_adamw(
        a.parameter.into_dispatch(),
        a.gradient.into_dispatch(),
        a.moments.into_dispatch(),
        b.parameter.into_dispatch(),
        b.gradient.into_dispatch(),
        b.moments.into_dispatch(),
        settings.into_dispatch(),
        scalars,
    );
    [(parameter_a, moments_a), (parameter_b, moments_b)].map(|(parameter, moments)| {
        (
            Tensor::from_dispatch(parameter),
            Tensor::from_dispatch(moments),
        )
    })
}

/// Writes partial sums of the squares of six tensors into their ranges of `sums`. A range is overwritten, so that its
/// total is the sum of the squares of its tensor. Six tensors fit into the storage buffers of one dispatch.
///
/// # Shapes
/// - `sums` and output: `[n]`
/// - `inputs`: any length each
pub fn squares(sums: Tensor<1>, inputs: [Tensor<1>; 6], ranges: [PartialSums; 6]) -> Tensor<1> {
    let [first, second, third, fourth, fifth, sixth] = inputs.map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::bert_squares(
        sums.into_dispatch(),
        first,
        second,
        third,
        fourth,
        fifth,
        sixth,
        ranges,
    ))
}

/// Computes the global gradient norm and the clip coefficient of an update from partial sums of all squares. The
/// coefficient is `min(1, max_norm / (norm + 1e-6))`, as in [`torch.nn.utils.clip_grad_norm_`][1], and 1 if `max_norm`
/// is 0.
///
/// The values, in order: the norm; the coefficient; 1, or 0 if the update is skipped, because its norm or its loss is
/// not finite or an earlier update was skipped; the number of updates. `state` is the result for the update before;
/// that of the first update is 0 except for its third value, which is 1.
///
/// # Shapes
/// - `squares`: `[n]`, `loss`: `[1]`
/// - `state` and output: `[CLIP_VALUES]`
///
/// [1]: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
pub fn clip_coefficient(
    squares: Tensor<1>,
    loss: Tensor<1>,
    state: Tensor<1>,
    max_norm: f64,
) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_clip_coefficient(
        squares.into_dispatch(),
        loss.into_dispatch(),
        state.into_dispatch(),
        max_norm,
    ))
}

/// Computes the next state of a loss scaler, as [`torch.amp.GradScaler`]. `squares` are partial sums of the squares of
/// all scaled gradients. A new scaler's state is 0 except for the scale.
///
/// The values, in order: the norm of the unscaled gradients; the factor that unscales and clips gradients; 1, or 0 if
/// gradients are not finite and the update is skipped; the next scale; updates since the scale changed; the two bias
/// corrections of AdamW; 1 from an update on whose loss is not finite, or whose gradients overflow at a scale below 2:
/// then this and every later update is skipped; the number of updates.
///
/// # Shapes
/// - `squares`: `[n]`, `loss`: `[1]`
/// - `state` and output: `[SCALER_VALUES]`
///
/// [`torch.amp.GradScaler`]: https://docs.pytorch.org/docs/stable/amp.html#torch.amp.GradScaler
pub fn update_scale(
    squares: Tensor<1>,
    loss: Tensor<1>,
    state: Tensor<1>,
    scaling: LossScaling,
) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_update_scale(
        squares.into_dispatch(),
        loss.into_dispatch(),
        state.into_dispatch(),
        scaling,
    ))
}
