//! The kernels of `webtune-cpu` as a WebAssembly module of their own, for instructions that not every browser has.
//!
//! `cargo xtask build` links it with an imported memory, which is that of the page's module, so that tensors are not
//! copied. It has no data in that memory, and no heap. Whoever instantiates it sets the exported `__stack_pointer` to
//! the end of a block of memory that is its stack.

#![cfg_attr(target_arch = "wasm32", no_std)]

use webtune_cpu::Job;

/// Computes part of a job.
///
/// # Safety
/// As for [`Job::compute`]. `job` is valid for reads and was made by the same version of `webtune-cpu`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compute(job: *const Job, scratch: *mut f32, part: usize, parts: usize) {
    // SAFETY: by the contract of this function.
    unsafe { (*job).compute(scratch, part, parts) }
}

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
