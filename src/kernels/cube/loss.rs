//! The cross entropy and its gradient in one dispatch. One thread computes it, because a batch has few rows and labels.

use super::{empty, workgroup_count, workgroup_dim};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

#[cube(launch_unchecked)]
fn cross_entropy_kernel(
    logits: &[f32],
    targets: &[f32],
    loss: &mut [f32],
    logits_grad: &mut [f32],
    rows: usize,
    labels: usize,
    scale: f32,
) {
    if ABSOLUTE_POS == 0 {
        let mut sum = f32::new(0.0);
        for row in 0..rows {
            let start = row * labels;
            let mut largest = logits[start];
            for label in 1..labels {
                largest = largest.max(logits[start + label]);
            }
            let mut total = f32::new(0.0);
            let mut weight = f32::new(0.0);
            for label in 0..labels {
                total += (logits[start + label] - largest).exp();
                weight += targets[start + label];
            }
            let log_total = total.ln();
            for label in 0..labels {
                let at = start + label;
                let shifted = logits[at] - largest;
                sum += targets[at] * (log_total - shifted);
                logits_grad[at] = (shifted.exp() / total * weight - targets[at]) * scale;
            }
        }
        loss[0] = sum * scale;
    }
}

/// Returns the loss `[1]` and its gradient with respect to the logits `[batch, num_labels]`.
pub(super) fn cross_entropy(
    logits: CubeTensor,
    targets: CubeTensor,
    scale: f64,
) -> (CubeTensor, CubeTensor) {
    let (logits, targets) = (into_contiguous(logits), into_contiguous(targets));
    let (rows, labels) = (logits.meta.shape()[0], logits.meta.shape()[1]);
    let (loss, logits_grad) = (empty(&logits, [1]), empty(&logits, [rows, labels]));
    // SAFETY: one thread accesses `rows * labels` values of three buffers and writes one value of the fourth.
    unsafe {
        cross_entropy_kernel::launch_unchecked(
            &loss.client,
            workgroup_count(1),
            workgroup_dim(),
            logits.into_buffer_arg(),
            targets.into_buffer_arg(),
            loss.clone().into_buffer_arg(),
            logits_grad.clone().into_buffer_arg(),
            rows,
            labels,
            scale as f32,
        );
    }
    (loss, logits_grad)
}
