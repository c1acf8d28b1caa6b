//! What the visitor asks for (`?device=`), what the browser grants, and why the CPU is taken where there is no adapter.
//! `device_speed.rs` chooses where there is one.

use super::protocol::{DeviceInfo, DeviceKind, DeviceReason};
use crate::{Error, Result};
use std::fmt;

/// Names of adapters that compute on the CPU, in lower case, as parts of an architecture or a description.
const SOFTWARE: [&str; 4] = ["swiftshader", "llvmpipe", "lavapipe", "basic render driver"];

/// What the visitor asks for (`?device=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The faster of the devices that there are.
    Auto,
    /// The WebGPU adapter, whatever it is.
    WebGpu,
    /// The CPU. The browser is not asked for an adapter, so that a driver that does not answer delays nothing.
    Cpu,
}

impl DeviceChoice {
    /// The choice of a word of the address; a word that is no choice is [`DeviceChoice::Auto`].
    pub fn new(word: &str) -> Self {
        match word {
            "webgpu" => Self::WebGpu,
            "cpu" => Self::Cpu,
            _ => Self::Auto,
        }
    }
}

/// A WebGPU adapter, as its `GPUAdapterInfo` describes it. Browsers leave out what would identify the visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adapter {
    /// e.g. `nvidia`.
    pub vendor: String,
    /// e.g. `ampere`.
    pub architecture: String,
    /// The name of the driver or the card; usually empty.
    pub description: String,
    /// Whether the browser says that it is software.
    pub is_fallback: bool,
}

impl Adapter {
    /// Whether it computes on the CPU.
    pub fn is_software(&self) -> bool {
        let text = format!("{} {}", self.architecture, self.description).to_lowercase();
        self.is_fallback || SOFTWARE.iter().any(|name| text.contains(name))
    }

    /// The name that the page shows, e.g. `nvidia ampere` or `google swiftshader (software)`.
    pub fn name(&self) -> String {
        let name = format!("{} {}", self.vendor, self.architecture);
        let name = match (name.trim(), self.description.as_str()) {
            ("", "") => "unnamed WebGPU adapter",
            ("", description) => description,
            (name, _) => name,
        };
        let suffix = if self.is_software() {
            " (software)"
        } else {
            ""
        };
        format!("{name}{suffix}")
    }
}

/// Why there is no WebGPU device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The browser has no WebGPU.
    WebGpu,
    /// The browser grants no adapter.
    Adapter,
    /// The adapter refuses a device.
    Device {
        /// Its name.
        adapter: String,
        /// What it answers.
        problem: String,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::WebGpu => formatter.write_str(
                "This browser has no WebGPU. Use a current Chrome, Edge, Safari or Firefox on a page served over https \
                 or from localhost.",
            ),
            Self::Adapter => formatter.write_str(
                "The browser has WebGPU but granted no GPU adapter: hardware acceleration is off, or the driver is on \
                 the browser's blocklist (see chrome://gpu).",
            ),
            Self::Device { adapter, problem } => {
                write!(formatter, "The adapter {adapter} refused a WebGPU device: {problem}.")
            }
        }
    }
}

/// Why the CPU is taken where there is no adapter, or where the browser is not asked for one.
///
/// # Errors
/// [`Error::Device`] when the visitor asks for WebGPU.
pub fn without_adapter(choice: DeviceChoice, missing: &Missing) -> Result<DeviceReason> {
    match (choice, missing) {
        (DeviceChoice::Cpu, _) => Ok(DeviceReason::Requested),
        (DeviceChoice::WebGpu, missing) => Err(Error::Device(missing.to_string())),
        (DeviceChoice::Auto, Missing::WebGpu) => Ok(DeviceReason::NoWebgpu),
        (DeviceChoice::Auto, Missing::Adapter) => Ok(DeviceReason::NoAdapter),
        (DeviceChoice::Auto, Missing::Device { .. }) => Ok(DeviceReason::DeviceRefused),
    }
}

/// How the CPU device computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuForm {
    /// Whether its kernels have the instructions of relaxed SIMD.
    pub relaxed_simd: bool,
    /// The number of threads.
    pub threads: usize,
}

impl CpuForm {
    /// The kernels that are a part of this module, which every browser can run.
    pub const LINKED: Self = Self {
        relaxed_simd: false,
        threads: 1,
    };

    /// The name of the device.
    pub fn name(self) -> String {
        let simd = if self.relaxed_simd {
            "relaxed SIMD"
        } else {
            "SIMD"
        };
        match self.threads {
            1 => format!("CPU (WebAssembly {simd}, one thread)"),
            threads => format!("CPU (WebAssembly {simd}, {threads} threads)"),
        }
    }
}

impl DeviceInfo {
    /// The CPU device, and what was found of WebGPU.
    pub fn cpu(reason: DeviceReason, found: Result<&Adapter, &Missing>) -> Self {
        let (adapter, refusal) = match found {
            Ok(adapter) => (Some(adapter.name()), None),
            Err(Missing::Device { adapter, problem }) => {
                (Some(adapter.clone()), Some(problem.clone()))
            }
            Err(_) => (None, None),
        };
        Self {
            kind: DeviceKind::Cpu,
            name: CpuForm::LINKED.name(),
            vendor: String::new(),
            architecture: String::new(),
            software: true,
            reason,
            adapter,
            software_adapter: found.is_ok_and(Adapter::is_software),
            refusal,
            speed: None,
            max_storage_buffer_binding_size: None,
            max_buffer_size: None,
            // Rounding to f16 only costs time on the CPU.
            shader_f16: false,
        }
    }

    /// A WebGPU adapter that the visitor asks for. Its limits and features are known once its device is open.
    pub fn webgpu(adapter: &Adapter) -> Self {
        Self {
            kind: DeviceKind::WebGpu,
            name: adapter.name(),
            vendor: adapter.vendor.clone(),
            architecture: adapter.architecture.clone(),
            software: adapter.is_software(),
            reason: DeviceReason::Requested,
            adapter: Some(adapter.name()),
            software_adapter: adapter.is_software(),
            refusal: None,
            speed: None,
            max_storage_buffer_binding_size: None,
            max_buffer_size: None,
            shader_f16: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(vendor: &str, architecture: &str, description: &str) -> Adapter {
        Adapter {
            vendor: vendor.into(),
            architecture: architecture.into(),
            description: description.into(),
            is_fallback: false,
        }
    }

    #[test]
    fn without_an_adapter_the_cpu_is_taken_unless_webgpu_is_asked_for() {
        let refused = Missing::Device {
            adapter: "nvidia ampere".into(),
            problem: "it is lost".into(),
        };
        for (missing, reason, sentence) in [
            (Missing::WebGpu, DeviceReason::NoWebgpu, "has no WebGPU"),
            (
                Missing::Adapter,
                DeviceReason::NoAdapter,
                "granted no GPU adapter",
            ),
            (
                refused,
                DeviceReason::DeviceRefused,
                "nvidia ampere refused a WebGPU device: it is lost",
            ),
        ] {
            let reason_of = |choice| without_adapter(choice, &missing);
            assert_eq!(reason_of(DeviceChoice::Auto), Ok(reason));
            assert_eq!(reason_of(DeviceChoice::Cpu), Ok(DeviceReason::Requested));
            let error = reason_of(DeviceChoice::WebGpu).unwrap_err();
            assert_eq!(error.code(), "device");
            assert!(error.to_string().contains(sentence), "{error}");
        }
    }

    #[test]
    fn the_cpu_device_names_its_instructions_and_threads() {
        assert_eq!(CpuForm::LINKED.name(), "CPU (WebAssembly SIMD, one thread)");
        let relaxed = |threads| CpuForm {
            relaxed_simd: true,
            threads,
        };
        assert_eq!(
            relaxed(1).name(),
            "CPU (WebAssembly relaxed SIMD, one thread)"
        );
        assert_eq!(
            relaxed(8).name(),
            "CPU (WebAssembly relaxed SIMD, 8 threads)"
        );
    }

    #[test]
    fn words_of_the_address_are_choices() {
        assert_eq!(DeviceChoice::new("webgpu"), DeviceChoice::WebGpu);
        assert_eq!(DeviceChoice::new("cpu"), DeviceChoice::Cpu);
        for word in ["auto", "", "gpu"] {
            assert_eq!(DeviceChoice::new(word), DeviceChoice::Auto);
        }
    }

    #[test]
    fn software_is_recognized_and_named() {
        for software in [
            adapter("google", "swiftshader", ""),
            adapter("mesa", "", "llvmpipe (LLVM 19.1.7, 256 bits)"),
            adapter("", "", "Microsoft Basic Render Driver"),
            Adapter {
                is_fallback: true,
                ..adapter("nvidia", "ampere", "")
            },
        ] {
            assert!(software.is_software(), "{software:?}");
            assert!(software.name().ends_with(" (software)"));
        }
        let gpu = adapter("apple", "metal-3", "Apple M2");
        assert!(!gpu.is_software());
        assert_eq!(gpu.name(), "apple metal-3");
        assert_eq!(adapter("", "", "Mali-G78").name(), "Mali-G78");
        assert_eq!(adapter("", "", "").name(), "unnamed WebGPU adapter");
    }

    #[test]
    fn the_cpu_device_names_the_adapter_that_is_not_used() {
        let software = adapter("google", "swiftshader", "");
        let info = DeviceInfo::cpu(DeviceReason::CpuFaster, Ok(&software));
        assert_eq!(
            info.adapter.as_deref(),
            Some("google swiftshader (software)")
        );
        assert!(info.software_adapter);
        let refused = Missing::Device {
            adapter: "nvidia ampere".into(),
            problem: "it is lost".into(),
        };
        let info = DeviceInfo::cpu(DeviceReason::DeviceRefused, Err(&refused));
        assert_eq!(
            (info.adapter.as_deref(), info.refusal.as_deref()),
            (Some("nvidia ampere"), Some("it is lost"))
        );
        let info = DeviceInfo::cpu(DeviceReason::NoWebgpu, Err(&Missing::WebGpu));
        assert_eq!((info.adapter, info.refusal), (None, None));
        assert!(!info.software_adapter);
    }
}
