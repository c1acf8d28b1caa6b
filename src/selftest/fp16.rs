//! The self-test of mixed precision: products of operands rounded to f16, overflow, and loss scaling.
//!
//! WGSL does not define the result of converting a value that exceeds the f16 range. Loss scaling depends on detecting
//! it.

use super::updates::{ELEMENTS, Updates};
use super::{
    Check, Kernel, SelfTest, attention, compare_values, compare_with_cpu, feed_forward, linear,
    lora, random, read, training_steps,
};
use crate::Result;
use crate::kernels::{self, Autocast, COEFFICIENT, LossScaling, SCALE};
use crate::train::{GradScaler, INIT_SCALE};
use burn::tensor::{Device, Tensor};

/// WGSL allows an adapter to round operands toward 0, or not at all: the relative error of each is below 2⁻¹⁰.
pub(super) const TOLERANCE: f64 = 2e-3;

/// Runs every check in f16 on `device` and on the CPU device, which rounds operands to f16 and multiplies in f32.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) if `device` does not support f16, [`Error::Device`](crate::Error::Device)
/// if an operation of the device fails.
pub async fn run_fp16(device: &Device) -> Result<SelfTest> {
    let kernels: [(&str, Kernel); 4] = [
        ("linear", linear),
        ("feed-forward", feed_forward),
        ("attention", attention),
        ("LoRA", lora),
    ];
    let mut checks = Vec::new();
    for (name, kernel) in kernels {
        let rounded = async |device: &Device| {
            let autocast = Autocast::new(device, true)?;
            let result = kernel(device);
            drop(autocast);
            read(result).await
        };
        let check = compare_with_cpu(in_f16(name), device, rounded).await?;
        checks.push(check.with_tolerance(TOLERANCE));
    }
    checks.push(overflow(device).await?);
    checks.push(large_products(device).await?);
    checks.extend(loss_scaling(device).await?);
    let steps = async |device: &Device| training_steps(device, true).await;
    let check = compare_with_cpu(in_f16("two training steps"), device, steps).await?;
    checks.push(check.with_tolerance(TOLERANCE));
    Ok(SelfTest::new(checks))
}

fn in_f16(name: &str) -> String {
    format!("{name}, fp16")
}

/// Checks that operands outside the f16 range give a result that is not finite, and that the largest f16 gives a finite
/// one.
async fn overflow(device: &Device) -> Result<Check> {
    let mut found = Vec::new();
    for row in [[65_504.0, 0.0], [0.0, 1e5], [-1e5, 1e5]] {
        let autocast = Autocast::new(device, true)?;
        let input = Tensor::from_floats([row], device);
        let weight = Tensor::from_floats([[1.0, 1.0]], device);
        let output = kernels::linear(input, weight, Tensor::zeros([1], device));
        drop(autocast);
        let output = read(output.flatten(0, 1)).await?;
        found.extend(output.iter().map(|value| f32::from(value.is_finite())));
    }
    let name = in_f16("overflow");
    Ok(compare_values(name, &found, &[1.0, 0.0, 0.0], 0.0))
}

/// Compares products beyond 65,504, which f16 cannot hold, of operands that it can hold.
async fn large_products(device: &Device) -> Result<Check> {
    let products = async |device: &Device| {
        let autocast = Autocast::new(device, true)?;
        let input = Tensor::from_floats([[300.0, 300.0], [60_000.0, 0.5], [-300.0, 2.0]], device);
        let weight = Tensor::from_floats([[300.0, 300.0], [60_000.0, -4.0]], device);
        let output = kernels::linear(input, weight, Tensor::zeros([2], device));
        drop(autocast);
        read(output.flatten(0, 1)).await
    };
    let check = compare_with_cpu(in_f16("products beyond 65,504"), device, products).await?;
    Ok(check.with_tolerance(TOLERANCE))
}

/// Compares the states of a loss scaler over finite and overflowing updates, and AdamW's updates. Neither needs f16.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) if an operation of the device fails.
pub(super) async fn loss_scaling(device: &Device) -> Result<[Check; 2]> {
    let found = ScaledUpdates::compute(device).await?;
    let expected = ScaledUpdates::compute(&Device::flex()).await?;
    let compare = |name: &str, found: &[f32], expected: &[f32]| {
        compare_values(name.to_string(), found, expected, 0.0)
    };
    Ok([
        compare("loss scale", &found.states, &expected.states),
        compare("scaled updates", &found.parameters, &expected.parameters),
    ])
}

struct ScaledUpdates {
    /// The scaler's state after each update, without the norm. Coefficient and scale are relative to the initial scale,
    /// so that all values are about 1.
    states: Vec<f32>,
    /// Parameters and moments after each update.
    parameters: Vec<f32>,
}

impl ScaledUpdates {
    async fn compute(device: &Device) -> Result<Self> {
        let scaling = LossScaling {
            max_norm: 2.0,
            betas: [0.9, 0.999],
            growth_factor: 2.0,
            backoff_factor: 0.5,
            growth_interval: 2,
        };
        let mut scaler = GradScaler::with(scaling, device);
        let mut updates = Updates::new(true, device);
        let mut outcome = Self {
            states: Vec::new(),
            parameters: Vec::new(),
        };
        let norms = [1.5, f32::INFINITY, 3.0, f32::NAN, 1.0, 4.0, 2.5];
        for (seed, norm) in (3..).zip(norms) {
            let scaled = norm * INIT_SCALE;
            let squares = Tensor::from_floats([scaled * scaled], device);
            let loss = Tensor::from_floats([0.5], device);
            let state = scaler.update(squares, loss);
            let gradient = random([ELEMENTS], seed, device).mul_scalar(scaled);
            updates = updates.step(&gradient, state.clone());
            let mut state = read(state).await?;
            state[COEFFICIENT] *= INIT_SCALE;
            state[SCALE] /= INIT_SCALE;
            outcome.states.extend(&state[COEFFICIENT..]);
            outcome.parameters.extend(updates.read().await?);
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::SCALER_VALUES;

    #[test]
    fn runs_all_f16_checks_on_the_cpu() {
        let report = pollster::block_on(run_fp16(&Device::flex())).unwrap();
        assert!(report.passed, "{report:?}");
        assert_eq!(report.checks.len(), 9);
    }

    #[test]
    fn an_overflow_changes_the_scale_but_no_parameter() {
        let updates = pollster::block_on(ScaledUpdates::compute(&Device::flex())).unwrap();
        assert!(updates.parameters.iter().all(|value| value.is_finite()));
        let values_at = |at: usize| -> Vec<f32> {
            updates
                .states
                .chunks(SCALER_VALUES - 1)
                .map(|state| state[at])
                .collect()
        };
        assert_eq!(values_at(1), [1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(values_at(2), [1.0, 0.5, 0.5, 0.25, 0.25, 0.5, 0.5]);
        let updates: Vec<&[f32]> = updates
            .parameters
            .chunks(updates.parameters.len() / 7)
            .collect();
        for (at, proceeds) in values_at(1).iter().enumerate().skip(1) {
            assert_eq!(updates[at] == updates[at - 1], *proceeds == 0.0);
        }
    }
}
