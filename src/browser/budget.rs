//! How much memory the device gives. WebGPU does not say, so it is asked for: buffers are made until a run's bytes are there or the
//! device is out of memory, and given back at once.

use burn::tensor::wgpu::wgpu;
use std::cell::Cell;

/// All that WebAssembly of 32 bits can address, in bytes.
const WASM_ROOM: u64 = 1 << 32;

/// Least bytes of the first buffer of a trial.
const LEAST_PIECE: u64 = 64 << 20;

/// Buffers of a trial that succeeds, where the device's largest buffer allows.
const PIECES: u64 = 16;

/// What is known about the memory of a device.
pub(super) struct Budget {
    gpu: Option<wgpu::Device>,
    /// Bytes that buffers of this page take already and a run uses again.
    held: Cell<u64>,
    /// Most bytes, those held among them, that a trial has shown to be there.
    had: Cell<u64>,
    /// Bytes at which the last trial was refused.
    refused_at: Cell<Option<u64>>,
}

impl Budget {
    /// Nothing is known yet; `gpu` is none on the CPU.
    pub(super) fn new(gpu: Option<wgpu::Device>) -> Self {
        Self {
            gpu,
            held: Cell::new(0),
            had: Cell::new(0),
            refused_at: Cell::new(None),
        }
    }

    /// From now on buffers of so many bytes are held. What was found out before is forgotten: other pages may have taken memory or given
    /// some back since.
    pub(super) fn holds(&self, bytes: u64) {
        self.held.set(bytes);
        self.had.set(0);
        self.refused_at.set(None);
    }

    /// Tries whether a run of `total` bytes finds room. None where it does; else the bytes that there are.
    pub(super) async fn lacks(&self, total: u64) -> Option<u64> {
        let Some(gpu) = &self.gpu else {
            return (total > WASM_ROOM).then_some(WASM_ROOM);
        };
        if total <= self.had.get().max(self.held.get()) {
            return None;
        }
        if let Some(room) = self.refused_at.get().filter(|&room| total > room) {
            return Some(room);
        }
        let more = total - self.held.get();
        let had = self.held.get() + trial(gpu, more).await;
        self.had.set(self.had.get().max(had));
        let lacking = (had < total).then_some(had);
        self.refused_at.set(lacking.or(self.refused_at.get()));
        lacking
    }

    /// Whether a run of `total` bytes fits as far as is known without a trial.
    pub(super) fn may_fit(&self, total: u64) -> bool {
        match self.gpu {
            None => total <= WASM_ROOM,
            Some(_) => self.refused_at.get().is_none_or(|room| total <= room),
        }
    }
}

/// Makes buffers of `bytes` in all and destroys them: how many bytes the device gave, to a [`PIECES`]th of a piece.
async fn trial(gpu: &wgpu::Device, bytes: u64) -> u64 {
    let mut piece = bytes
        .div_ceil(PIECES)
        .max(LEAST_PIECE)
        .min(gpu.limits().max_buffer_size);
    let least = (piece / PIECES).max(1);
    let mut made: Vec<wgpu::Buffer> = Vec::new();
    let mut had = 0;
    while had < bytes && piece >= least {
        // Sizes of storage buffers are multiples of 4.
        let size = piece.min(bytes - had).next_multiple_of(4);
        let scope = gpu.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = gpu.create_buffer(&wgpu::BufferDescriptor {
            label: Some("trial"),
            size,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        made.push(buffer);
        if scope.pop().await.is_some() {
            piece = size / 2;
        } else {
            had += size;
        }
    }
    // Dropping them would leave them to JavaScript's garbage collector.
    for buffer in made {
        buffer.destroy();
    }
    had.min(bytes)
}
