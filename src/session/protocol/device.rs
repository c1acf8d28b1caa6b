//! What the page shows of the program and the device.

use crate::selftest::{Check, DeviceSpeed, SelfTest};
use crate::settings::{Preset, SETTINGS, Setting, presets};
use serde::Serialize;

/// The program: its version, settings and presets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DescribeResult {
    /// Version of the crate.
    pub version: &'static str,
    /// Every setting.
    #[cfg_attr(test, ts(as = "Vec<Setting>"))]
    pub settings: &'static [Setting],
    /// Named sets of values.
    pub presets: Vec<Preset>,
}

impl DescribeResult {
    /// Describes this build.
    pub fn new() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            settings: SETTINGS,
            presets: presets(),
        }
    }
}

impl Default for DescribeResult {
    fn default() -> Self {
        Self::new()
    }
}

/// Kinds of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A WebGPU adapter.
    WebGpu,
    /// The CPU.
    Cpu,
}

/// Why a device was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum DeviceReason {
    /// The visitor asks for it.
    Requested,
    /// WebGPU: a layer takes less time on the adapter than on the CPU, and the self-test has passed.
    WebgpuFaster,
    /// The CPU: a layer takes less time on it than on the adapter.
    CpuFaster,
    /// The CPU: the adapter is faster, but does not compute what the CPU computes.
    SelfTestFailed,
    /// The CPU: an operation failed on the adapter while it was timed or tested.
    AdapterFailed,
    /// The CPU: the browser has no WebGPU.
    NoWebgpu,
    /// The CPU: the browser grants no adapter.
    NoAdapter,
    /// The CPU: the adapter refuses a device.
    DeviceRefused,
}

/// What computes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeviceInfo {
    /// Kind.
    pub kind: DeviceKind,
    /// For the header, e.g. `nvidia ampere`, `google swiftshader (software)`, `CPU (WebAssembly SIMD, one thread)`.
    pub name: String,
    /// As the adapter reports it; empty on the CPU.
    pub vendor: String,
    /// As the adapter reports it; empty on the CPU.
    pub architecture: String,
    /// A software adapter computes on the CPU: it is slow and is not a GPU.
    pub software: bool,
    /// Why it was chosen.
    pub reason: DeviceReason,
    /// Name of the WebGPU adapter, also if the CPU is used; null where there is none or the browser was not asked.
    pub adapter: Option<String>,
    /// Whether `adapter` is software, also if the CPU is used.
    pub software_adapter: bool,
    /// What the adapter answered when it refused a device, or the error of the operation that failed on it.
    pub refusal: Option<String>,
    /// The times that decided; null where nothing was timed.
    pub speed: Option<DeviceSpeed>,
    /// Bytes of the largest tensor that a kernel can bind; null on the CPU.
    pub max_storage_buffer_binding_size: Option<u64>,
    /// Bytes of the largest buffer; null on the CPU.
    pub max_buffer_size: Option<u64>,
    /// Whether kernels can compute in f16.
    pub shader_f16: bool,
}

/// A comparison of the device with the CPU.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "SelfTest"))]
pub struct SelfTestView {
    /// Training is refused unless every check passed.
    pub passed: bool,
    /// In the order in which they ran.
    pub checks: Vec<Check>,
    /// How long it took, in milliseconds.
    pub ms: f64,
}

impl SelfTestView {
    pub(crate) fn new(report: &SelfTest, ms: f64) -> Self {
        Self {
            passed: report.passed,
            checks: report.checks.clone(),
            ms,
        }
    }
}

/// An open device and its start-up self-test.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OpenResult {
    /// What computes.
    pub device: DeviceInfo,
    /// Kernels and one tiny training step, on this device and on the CPU.
    pub self_test: SelfTestView,
}
