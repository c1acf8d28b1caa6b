//! Opens the device: asks the browser for an adapter, and takes it or the CPU.

use super::clock::BrowserClock;
use super::cpu_module::{self, CpuKernels};
use super::gpu_errors::GpuErrors;
use super::memory::{self, GpuProbe};
use crate::Result;
use crate::session::protocol::{DeviceInfo, DeviceKind, SelfTestView};
use crate::session::{
    Adapter, Compute, CpuForm, DeviceChoice, DeviceErrors, Missing, NoDeviceErrors, measure,
    without_adapter,
};
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
    /// The self-test of an adapter that was measured.
    pub tested: Option<SelfTestView>,
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
            tested: self.tested,
        }
    }
}

/// Opens the device of `webgpu`, `cpu` or any other word, which stands for `auto`: the faster of the two. The CPU
/// device computes with the `kernels` that the browser can run.
///
/// # Errors
/// [`crate::Error::Device`] when `webgpu` was asked for and there is none.
pub(super) async fn open(choice: &str, kernels: Option<&CpuKernels>) -> Result<Opened> {
    let choice = DeviceChoice::new(choice);
    let found = match choice {
        DeviceChoice::Cpu => Err(Missing::Adapter),
        _ => open_adapter().await,
    };
    match found {
        Ok((opened, adapter)) if choice == DeviceChoice::Auto => {
            // Before the measurement, so that the CPU is timed with the kernels that a run would have.
            let form = cpu_module::load(kernels).await;
            faster(opened, &adapter, form).await
        }
        Ok((opened, _)) => Ok(opened),
        Err(missing) => {
            let reason = without_adapter(choice, &missing)?;
            let form = cpu_module::load(kernels).await;
            Ok(cpu(DeviceInfo::cpu(reason, Err(&missing)), form))
        }
    }
}

/// Measures an adapter and the CPU, and closes the adapter if the CPU is taken.
async fn faster(mut opened: Opened, adapter: &Adapter, form: CpuForm) -> Result<Opened> {
    let Some(gpu) = &opened.gpu else {
        return Ok(opened);
    };
    let errors = GpuErrors::of(gpu.clone());
    let measured = measure(&opened.device, &errors, adapter, &BrowserClock).await?;
    if measured.kind == DeviceKind::Cpu {
        errors.close();
        return Ok(cpu(measured.cpu_info(adapter), form));
    }
    opened.info = measured.adapter_info(opened.info);
    opened.tested = measured.tested;
    Ok(opened)
}

fn cpu(mut info: DeviceInfo, form: CpuForm) -> Opened {
    info.name = form.name();
    Opened {
        device: Device::flex(),
        info,
        gpu: None,
        tested: None,
    }
}

/// The adapter that the browser grants.
async fn find_adapter() -> Result<Adapter, Missing> {
    let navigator = get(&js_sys::global(), "navigator");
    let gpu = get(&navigator, "gpu");
    if gpu.is_undefined() || gpu.is_null() {
        return Err(Missing::WebGpu);
    }
    let adapter = request_adapter(&gpu).await;
    let adapter = adapter.filter(|adapter| !adapter.is_null() && !adapter.is_undefined());
    let info = get(&adapter.ok_or(Missing::Adapter)?, "info");
    let text = |name: &str| get(&info, name).as_string().unwrap_or_default();
    Ok(Adapter {
        vendor: text("vendor"),
        architecture: text("architecture"),
        description: text("description"),
        is_fallback: get(&info, "isFallbackAdapter").is_truthy(),
    })
}

/// Opens the adapter that the browser grants.
async fn open_adapter() -> Result<(Opened, Adapter), Missing> {
    let adapter = find_adapter().await?;
    match webgpu(DeviceInfo::webgpu(&adapter)).await {
        Ok(opened) => Ok((opened, adapter)),
        Err(problem) => Err(Missing::Device {
            adapter: adapter.name(),
            problem,
        }),
    }
}

/// Opens WebGPU, or returns what the adapter answered.
async fn webgpu(mut info: DeviceInfo) -> Result<Opened, String> {
    reuse_buffers_of_one_size();
    // burn requests the limits and features of the adapter, not WebGPU's defaults.
    let opened = Device::wgpu_options().init_with_setup_async().await;
    let (device, setup) = opened.map_err(|error| error.to_string())?;
    let limits = setup.device.limits();
    info.max_storage_buffer_binding_size = Some(limits.max_storage_buffer_binding_size);
    info.max_buffer_size = Some(limits.max_buffer_size);
    info.shader_f16 = setup.device.features().contains(wgpu::Features::SHADER_F16);
    Ok(Opened {
        device,
        info,
        gpu: Some(setup.device),
        tested: None,
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

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}
