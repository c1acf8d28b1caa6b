//! The memory of the device behind the page, for [`MemoryBudget`].

use crate::train::{DeviceMemory, MemoryBudget, MemoryProbe};
use burn::tensor::wgpu::wgpu;

/// All that WebAssembly of 32 bits can address, in bytes.
const WASM_ADDRESS_SPACE: u64 = 1 << 32;

/// The budget of a device.
type Budget = MemoryBudget<GpuProbe>;

/// The budget of a device that binds tensors of at most `max_binding` bytes; `gpu` is none on the CPU.
pub(super) fn budget(gpu: Option<wgpu::Device>, max_binding: Option<u64>) -> Budget {
    let memory = match gpu {
        Some(gpu) => DeviceMemory::Probe(GpuProbe(gpu)),
        None => DeviceMemory::Fixed(WASM_ADDRESS_SPACE),
    };
    MemoryBudget::new(memory, max_binding)
}

/// Allocates buffers of a WebGPU device on trial.
pub(super) struct GpuProbe(wgpu::Device);

impl MemoryProbe for GpuProbe {
    type Buffer = wgpu::Buffer;

    fn max_buffer_size(&self) -> u64 {
        self.0.limits().max_buffer_size
    }

    async fn allocate(&self, bytes: u64) -> Option<wgpu::Buffer> {
        let scope = self.0.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.0.create_buffer(&wgpu::BufferDescriptor {
            label: Some("trial"),
            size: bytes,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        if scope.pop().await.is_some() {
            buffer.destroy();
            return None;
        }
        Some(buffer)
    }

    fn free(&self, buffer: wgpu::Buffer) {
        // A dropped buffer would live until JavaScript's garbage collector runs.
        buffer.destroy();
    }
}
