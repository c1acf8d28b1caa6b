//! Opens the device: the GPU adapter that the browser grants, or the CPU with the reason for it.

use super::gpu_errors::GpuErrors;
use super::memory::{self, GpuProbe};
use crate::session::protocol::{DeviceInfo, DeviceKind};
use crate::session::{Compute, DeviceErrors, NoDeviceErrors};
use crate::{Error, Result};
use burn::tensor::Device;
use burn::tensor::wgpu::wgpu;
use burn_cubecl::cubecl::config::memory::PersistentMemory;
use burn_cubecl::cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
use js_sys::{Promise, Reflect};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// An open device.
pub(super) struct Opened {
    /// burn's handle.
    pub device: Device,
    /// What the page shows about it.
    pub info: DeviceInfo,
    /// WebGPU's handle; none on the CPU.
    pub gpu: Option<wgpu::Device>,
}

impl Opened {
    /// The device of a session.
    pub(super) fn compute(self) -> Compute<GpuProbe> {
        let errors: Rc<dyn DeviceErrors> = match &self.gpu {
            Some(gpu) => Rc::new(GpuErrors::of(gpu.clone())),
            None => Rc::new(NoDeviceErrors),
        };
        Compute {
            errors,
            memory: memory::budget(self.gpu, self.info.max_storage_buffer_binding_size),
            device: self.device,
            info: self.info,
        }
    }
}

/// Opens `webgpu` or `cpu`, or with any other word the first of them that there is.
///
/// # Errors
/// [`Error::Device`] when `webgpu` was asked for and there is none.
pub(super) async fn open(choice: &str) -> Result<Opened> {
    match choice {
        "cpu" => Ok(cpu(None)),
        "webgpu" => webgpu().await.map_err(Error::Device),
        _ => match webgpu().await {
            Ok(opened) => Ok(opened),
            Err(reason) => Ok(cpu(Some(reason))),
        },
    }
}

fn cpu(fallback: Option<String>) -> Opened {
    let info = DeviceInfo {
        kind: DeviceKind::Cpu,
        name: "CPU (WebAssembly SIMD, one thread)".into(),
        vendor: String::new(),
        architecture: String::new(),
        software: true,
        fallback,
        max_storage_buffer_binding_size: None,
        max_buffer_size: None,
        // Rounding to f16 only costs time on the CPU.
        shader_f16: false,
    };
    Opened {
        device: Device::flex(),
        info,
        gpu: None,
    }
}

async fn webgpu() -> Result<Opened, String> {
    let navigator = get(&js_sys::global(), "navigator");
    let gpu = get(&navigator, "gpu");
    if gpu.is_undefined() || gpu.is_null() {
        return Err(
            "This browser has no WebGPU. Use a current Chrome, Edge, Safari or Firefox on a page served over https \
             or from localhost."
                .into(),
        );
    }
    let adapter = request_adapter(&gpu).await;
    let adapter = adapter.filter(|adapter| !adapter.is_null() && !adapter.is_undefined());
    let Some(adapter) = adapter else {
        return Err(
            "The browser has WebGPU but granted no GPU adapter: hardware acceleration is off, or the driver is on \
             the browser's blocklist (see chrome://gpu)."
                .into(),
        );
    };
    let mut info = describe(&get(&adapter, "info"));
    reuse_buffers_of_one_size();
    // burn requests the limits and features of the adapter, not WebGPU's defaults.
    let opened = Device::wgpu_options().init_with_setup_async().await;
    let (device, setup) = opened.map_err(|error| {
        format!(
            "The adapter {} refused a WebGPU device: {error}.",
            info.name
        )
    })?;
    let limits = setup.device.limits();
    info.max_storage_buffer_binding_size = Some(limits.max_storage_buffer_binding_size);
    info.max_buffer_size = Some(limits.max_buffer_size);
    info.shader_f16 = setup.device.features().contains(wgpu::Features::SHADER_F16);
    Ok(Opened {
        device,
        info,
        gpu: Some(setup.device),
    })
}

/// Reuses a buffer only for tensors of its exact size. cubecl's default for the web puts small tensors into any larger
/// free buffer, which takes half as much memory again as a run needs and makes the memory plan wrong.
fn reuse_buffers_of_one_size() {
    let mut config = CubeClRuntimeConfig::default();
    config.memory.persistent_memory = PersistentMemory::Enforced;
    // The second device of a page finds it set already.
    let _ = CubeClRuntimeConfig::try_set(config);
}

async fn request_adapter(gpu: &JsValue) -> Option<JsValue> {
    let request: js_sys::Function = get(gpu, "requestAdapter").dyn_into().ok()?;
    let options = js_sys::Object::new();
    Reflect::set(
        &options,
        &"powerPreference".into(),
        &"high-performance".into(),
    )
    .ok()?;
    let promise: Promise = request.call1(gpu, &options).ok()?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()
}

/// Describes an adapter by its `GPUAdapterInfo`, in which browsers leave out what would identify the visitor.
fn describe(info: &JsValue) -> DeviceInfo {
    let text = |name: &str| get(info, name).as_string().unwrap_or_default();
    let (vendor, architecture) = (text("vendor"), text("architecture"));
    let software = get(info, "isFallbackAdapter").is_truthy()
        || ["swiftshader", "llvmpipe", "lavapipe"]
            .iter()
            .any(|name| architecture.contains(name) || text("description").contains(name));
    let mut name = [vendor.as_str(), architecture.as_str()].join(" ");
    let description = text("description");
    if name.trim().is_empty() {
        name = if description.is_empty() {
            "unnamed WebGPU adapter".into()
        } else {
            description
        };
    }
    let suffix = if software { " (software)" } else { "" };
    DeviceInfo {
        kind: DeviceKind::WebGpu,
        name: format!("{}{suffix}", name.trim()),
        vendor,
        architecture,
        software,
        fallback: None,
        max_storage_buffer_binding_size: None,
        max_buffer_size: None,
        shader_f16: false,
    }
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}
