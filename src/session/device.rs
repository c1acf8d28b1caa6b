//! The device, and its comparisons with the CPU.

use super::protocol::{DeviceInfo, DeviceKind, SelfTestView, SessionEvent};
use super::{DeviceErrors, Listener, Session};
use crate::bert::{BertForSequenceClassification, LoadLimits};
use crate::hub::{Clock, Environment, LoadEvent};
use crate::selftest::{self, FormsOptions, SelfTest};
use crate::train::{MemoryBudget, MemoryProbe};
use crate::{Error, Result};
use burn::tensor::Device;
use std::rc::Rc;

/// A device that computes.
pub struct Compute<M: MemoryProbe> {
    /// burn's handle.
    pub device: Device,
    /// What the page shows about it.
    pub info: DeviceInfo,
    /// What is known about its memory.
    pub memory: MemoryBudget<M>,
    /// The errors that its operations do not return.
    pub errors: Rc<dyn DeviceErrors>,
    /// What the start-up self-test has found, if it ran before the device was chosen.
    pub tested: Option<SelfTestView>,
}

impl DeviceInfo {
    /// The sizes in which a network is loaded.
    pub fn limits(&self) -> LoadLimits {
        match self.max_storage_buffer_binding_size {
            Some(binding) => LoadLimits::for_binding_size(binding),
            None => LoadLimits::chunked(),
        }
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// What computes.
    pub fn device(&self) -> &DeviceInfo {
        &self.compute.info
    }

    /// Compares kernels and one tiny training step with the CPU, unless that was done when the device was chosen.
    /// Training is refused until this has passed.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails outright.
    pub async fn self_test(&mut self) -> Result<SelfTestView> {
        if let Some(view) = self.compute.tested.take() {
            self.self_test = Some(SelfTest {
                passed: view.passed,
                checks: view.checks.clone(),
            });
            return Ok(view);
        }
        let started = self.clock.now();
        let report = selftest::run(&self.compute.device).await;
        let report = self.checked(report).await?;
        let view = SelfTestView::new(&report, self.clock.now() - started);
        self.self_test = Some(report);
        Ok(view)
    }

    /// Compares every parameter of a tiny BERT and every form of the kernels that the kind of adapter can have with the
    /// CPU, also in f16 where the device has it.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails outright.
    pub(super) async fn compare(&self, listener: &dyn Listener) -> Result<SelfTestView> {
        listener.event(SessionEvent::Load(LoadEvent::Phase { phase: "compare" }));
        let started = self.clock.now();
        let device = &self.compute.device;
        let blocks = !self.compute.info.software;
        let forms = |fp16| FormsOptions { fp16, blocks };
        let mut report = selftest::compare(device).await?;
        if self.compute.info.kind == DeviceKind::WebGpu {
            report.add(selftest::forms(device, forms(false)).await?);
        }
        if self.compute.info.shader_f16 {
            report.add(selftest::run_fp16(device).await?);
            report.add(selftest::forms(device, forms(true)).await?);
        }
        // Buffers are reused for tensors of the same size only.
        device.memory_cleanup();
        Ok(SelfTestView::new(&report, self.clock.now() - started))
    }

    /// Refuses training on a device that has not passed its self-test.
    pub(super) fn check_self_test(&self) -> Result<()> {
        if self.self_test.as_ref().is_some_and(|test| test.passed) {
            return Ok(());
        }
        Err(Error::Device(
            "This device did not compute what the CPU computes in the start-up self-test, so nothing is trained on it. \
             Update the browser or the graphics driver, or open the page with ?device=cpu."
                .into(),
        ))
    }

    /// Compares one encoder layer with the CPU, forward and backward, at the widest batch of a run, `[batch, seq]`, and
    /// frees the buffers of the comparison. The CPU is not compared with itself.
    ///
    /// # Errors
    /// [`Error::Device`] where they differ: the run must not start.
    pub(super) async fn check_layer(
        &self,
        model: &BertForSequenceClassification,
        widest: [usize; 2],
        fp16: bool,
    ) -> Result<()> {
        if self.compute.info.kind == DeviceKind::Cpu {
            return Ok(());
        }
        let report = selftest::layer(model, widest, fp16).await;
        self.compute.device.memory_cleanup();
        refuse_layer(&self.checked(report).await?)
    }

    /// Compares f16 products with the CPU once, and refuses `fp16` where they differ or the device has none.
    pub(super) async fn check_fp16(&mut self) -> Result<()> {
        let name = self.compute.info.name.clone();
        let refuse = |expected: String| {
            Err(Error::Setting {
                field: "fp16".into(),
                value: "true".into(),
                expected,
            })
        };
        if !self.compute.info.shader_f16 {
            return refuse(format!(
                "{name} cannot compute in 16 bits; it takes a GPU whose adapter has shader-f16"
            ));
        }
        if self.fp16_test.is_none() {
            let report = selftest::run_fp16(&self.compute.device).await;
            self.fp16_test = Some(self.checked(report).await?);
        }
        let checks = self.fp16_test.iter().flat_map(|test| &test.checks);
        let failed: Vec<&str> = checks
            .filter(|check| !check.passed)
            .map(|check| check.name.as_str())
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        refuse(format!(
            "{name} does not compute in 16 bits what the CPU computes ({}); train without it",
            failed.join("; ")
        ))
    }
}

/// Refuses a run whose layer differs from the CPU's.
fn refuse_layer(report: &SelfTest) -> Result<()> {
    let differing = report.checks.iter().filter(|check| !check.passed);
    let names: Vec<&str> = differing.map(|check| check.name.as_str()).collect();
    if report.passed && names.is_empty() {
        return Ok(());
    }
    let mut named = names[..names.len().min(3)].join("; ");
    if let more @ 1.. = names.len().saturating_sub(3) {
        named += &format!("; and {more} more");
    }
    Err(Error::Device(format!(
        "This device does not compute what the CPU computes at the shapes of this run, so nothing was started \
         ({named}). Use a smaller per_device_train_batch_size or max_length, update the browser or the graphics \
         driver, or open the page with ?device=cpu."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::Check;

    #[test]
    fn a_refusal_names_the_checks_that_failed() {
        let check = |name: &str, passed| Check {
            name: name.into(),
            deviation: 0.5,
            tolerance: 1e-3,
            passed,
        };
        let report = |failed: &[&str]| SelfTest {
            passed: failed.is_empty(),
            checks: [check("output", true)]
                .into_iter()
                .chain(failed.iter().map(|name| check(name, false)))
                .collect(),
        };
        let refusal = |failed: &[&str]| refuse_layer(&report(failed)).unwrap_err().to_string();
        assert!(refuse_layer(&report(&[])).is_ok());
        let message = refusal(&["gradient of input"]);
        assert!(
            message.contains("started (gradient of input). Use"),
            "{message}"
        );
        let message = refusal(&["a", "b", "c", "d", "e"]);
        assert!(
            message.contains("started (a; b; c; and 2 more). Use"),
            "{message}"
        );
    }
}
