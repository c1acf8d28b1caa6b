//! Which of two devices computes: the one that takes less time for a layer, unless it does not pass the self-test.

use super::protocol::{DeviceInfo, DeviceKind, DeviceReason, SelfTestView};
use super::{Adapter, DeviceErrors};
use crate::Result;
use crate::hub::Clock;
use crate::selftest::{self, DeviceSpeed, TimedPart};
use burn::tensor::Device;

/// What was measured on an open adapter and on the CPU, and which of the two is taken for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The device that is taken.
    pub kind: DeviceKind,
    /// Why.
    pub reason: DeviceReason,
    /// Both times; none if the adapter failed.
    pub speed: Option<DeviceSpeed>,
    /// The error of the adapter.
    pub failure: Option<String>,
    /// The self-test that the adapter has passed.
    pub tested: Option<SelfTestView>,
}

/// Times a layer on the CPU and on `device`, the adapter. It is tested only if it is faster, because the self-test of a
/// software adapter takes ten seconds.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) if an operation fails on the CPU.
pub async fn measure(
    device: &Device,
    errors: &dyn DeviceErrors,
    adapter: &Adapter,
    clock: &impl Clock,
) -> Result<Measured> {
    let software = adapter.is_software();
    let mut speed = selftest::device_speed(device, software, clock).await?;
    // An adapter that has not answered would not answer this question either.
    if !matches!(&speed, Ok(found) if found.timed == TimedPart::Nothing) {
        speed = errors.check().await.and(speed);
        // Buffers are reused for tensors of the same size only.
        device.memory_cleanup();
    }
    let self_test = async || {
        let started = clock.now();
        let report = selftest::run(device).await;
        let report = errors.check().await.and(report)?;
        Ok(SelfTestView::new(&report, clock.now() - started))
    };
    Ok(choose(software, speed, self_test).await)
}

/// Chooses by the times, and by the self-test of an adapter that is faster.
async fn choose(
    software: bool,
    speed: Result<DeviceSpeed>,
    self_test: impl AsyncFnOnce() -> Result<SelfTestView>,
) -> Measured {
    let cpu = |reason| Measured {
        kind: DeviceKind::Cpu,
        reason,
        speed: None,
        failure: None,
        tested: None,
    };
    let failed = |speed, error: crate::Error| Measured {
        speed,
        failure: Some(error.to_string()),
        ..cpu(DeviceReason::AdapterFailed)
    };
    let speed = match speed {
        Ok(speed) => speed,
        Err(error) => return failed(None, error),
    };
    if !adapter_is_faster(software, &speed) {
        return Measured {
            speed: Some(speed),
            ..cpu(DeviceReason::CpuFaster)
        };
    }
    match self_test().await {
        Ok(test) if test.passed => Measured {
            kind: DeviceKind::WebGpu,
            reason: DeviceReason::WebgpuFaster,
            speed: Some(speed),
            failure: None,
            tested: Some(test),
        },
        Ok(_) => Measured {
            speed: Some(speed),
            ..cpu(DeviceReason::SelfTestFailed)
        },
        Err(error) => failed(Some(speed), error),
    }
}

/// Whether the adapter is to be taken. Of two that are equally fast, a GPU is, because it leaves the CPU to the page; a
/// software adapter is not, because it computes on the CPU, with all of its cores.
fn adapter_is_faster(software: bool, speed: &DeviceSpeed) -> bool {
    let equal = speed.adapter_ms == speed.cpu_ms;
    speed.timed == TimedPart::Layer && (speed.adapter_ms < speed.cpu_ms || (equal && !software))
}

impl Measured {
    /// What the page shows of the CPU, if it is taken for `adapter`.
    pub fn cpu_info(&self, adapter: &Adapter) -> DeviceInfo {
        DeviceInfo {
            refusal: self.failure.clone(),
            speed: self.speed.clone(),
            ..DeviceInfo::cpu(self.reason, Ok(adapter))
        }
    }

    /// What the page shows of the adapter, if it is taken: `info`, with the reason and the times.
    pub fn adapter_info(&self, info: DeviceInfo) -> DeviceInfo {
        DeviceInfo {
            reason: self.reason,
            speed: self.speed.clone(),
            ..info
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::hub::testing::FakeClock;
    use crate::session::NoDeviceErrors;
    use pollster::block_on;

    fn speed(cpu_ms: f64, adapter_ms: f64) -> DeviceSpeed {
        DeviceSpeed {
            batch: 8,
            seq: 16,
            cpu_ms,
            adapter_ms,
            timed: TimedPart::Layer,
        }
    }

    fn test(passed: bool) -> Result<SelfTestView> {
        Ok(SelfTestView {
            passed,
            checks: Vec::new(),
            ms: 120.0,
        })
    }

    /// The choice for a device whose self-test has this result.
    fn chosen(software: bool, speed: &DeviceSpeed, test: Result<SelfTestView>) -> Measured {
        block_on(choose(software, Ok(speed.clone()), async || test))
    }

    /// The choice for a device that is not tested.
    fn untested(software: bool, speed: Result<DeviceSpeed>) -> Measured {
        block_on(choose(software, speed, async || panic!("it is tested")))
    }

    #[test]
    fn the_faster_device_is_taken_whether_the_adapter_is_software_or_not() {
        for software in [false, true] {
            let faster = speed(100.0, 99.0);
            let found = chosen(software, &faster, test(true));
            let expected = Measured {
                kind: DeviceKind::WebGpu,
                reason: DeviceReason::WebgpuFaster,
                speed: Some(faster),
                failure: None,
                tested: Some(test(true).unwrap()),
            };
            assert_eq!(found, expected);
            let slower = speed(100.0, 101.0);
            let found = untested(software, Ok(slower.clone()));
            let expected = Measured {
                kind: DeviceKind::Cpu,
                reason: DeviceReason::CpuFaster,
                speed: Some(slower),
                failure: None,
                tested: None,
            };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn of_two_that_are_equally_fast_a_gpu_is_taken_and_software_is_not() {
        let equal = speed(100.0, 100.0);
        assert_eq!(chosen(false, &equal, test(true)).kind, DeviceKind::WebGpu);
        let found = untested(true, Ok(equal));
        assert_eq!(
            (found.kind, found.reason),
            (DeviceKind::Cpu, DeviceReason::CpuFaster)
        );
    }

    #[test]
    fn an_adapter_without_the_time_of_a_whole_layer_is_not_taken() {
        let of = |timed| DeviceSpeed {
            timed,
            ..speed(100.0, 1.0)
        };
        let [part, nothing] = [TimedPart::Products, TimedPart::Nothing].map(of);
        for slow in [part, nothing, speed(100.0, f64::NAN), speed(f64::NAN, 1.0)] {
            assert_eq!(untested(false, Ok(slow)).reason, DeviceReason::CpuFaster);
        }
    }

    #[test]
    fn a_faster_adapter_with_other_results_is_not_taken() {
        let faster = speed(100.0, 2.0);
        let found = chosen(false, &faster, test(false));
        assert_eq!(
            (found.kind, found.reason),
            (DeviceKind::Cpu, DeviceReason::SelfTestFailed)
        );
        assert_eq!((found.speed, found.tested), (Some(faster), None));
    }

    #[test]
    fn an_adapter_that_fails_is_not_taken_and_its_error_is_kept() {
        let error = || Error::Device("it is lost".into());
        let faster = speed(100.0, 2.0);
        let while_timed = untested(false, Err(error()));
        assert_eq!(while_timed.speed, None);
        let while_tested = chosen(false, &faster, Err(error()));
        assert_eq!(while_tested.speed, Some(faster));
        for found in [while_timed, while_tested] {
            assert_eq!(
                (found.kind, found.reason),
                (DeviceKind::Cpu, DeviceReason::AdapterFailed)
            );
            assert!(
                found
                    .failure
                    .is_some_and(|failure| failure.contains("it is lost"))
            );
        }
    }

    #[test]
    fn the_page_is_told_the_reason_the_times_and_the_error() {
        let adapter = Adapter {
            vendor: "nvidia".into(),
            architecture: "ampere".into(),
            ..Adapter::default()
        };
        let info = untested(false, Ok(speed(100.0, 300.0))).cpu_info(&adapter);
        assert_eq!(
            (info.kind, info.reason),
            (DeviceKind::Cpu, DeviceReason::CpuFaster)
        );
        assert_eq!(info.adapter.as_deref(), Some("nvidia ampere"));
        assert_eq!(
            (info.speed, info.refusal),
            (Some(speed(100.0, 300.0)), None)
        );
        let failed = untested(false, Err(Error::Device("it is lost".into())));
        let info = failed.cpu_info(&adapter);
        assert!(
            info.refusal
                .is_some_and(|refusal| refusal.contains("it is lost"))
        );
        let faster = chosen(false, &speed(100.0, 2.0), test(true));
        let info = faster.adapter_info(DeviceInfo::webgpu(&adapter));
        let expected = DeviceInfo {
            reason: DeviceReason::WebgpuFaster,
            speed: Some(speed(100.0, 2.0)),
            ..DeviceInfo::webgpu(&adapter)
        };
        assert_eq!(info, expected);
    }

    #[test]
    fn a_device_is_measured_and_tested() {
        // The clock stands still, so that both are equally fast.
        let clock = FakeClock::default();
        let adapter = Adapter::default();
        let device = Device::flex();
        let found = block_on(measure(&device, &NoDeviceErrors, &adapter, &clock)).unwrap();
        assert_eq!(
            (found.kind, found.reason),
            (DeviceKind::WebGpu, DeviceReason::WebgpuFaster)
        );
        assert!(
            found
                .tested
                .is_some_and(|test| test.passed && !test.checks.is_empty())
        );
        assert_eq!(
            found.speed.map(|speed| (speed.batch, speed.cpu_ms)),
            Some((8, 0.0))
        );
    }
}
