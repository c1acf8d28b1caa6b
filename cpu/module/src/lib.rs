//! The kernels of `webtune-cpu` as a WebAssembly module of their own, for instructions that not every browser has:
//! relaxed SIMD, and the atomic instructions of threads.
//!
//! `cargo xtask build` links it with an imported memory, which is that of the page's module, so that tensors are not
//! copied. It has no data in that memory, and no heap. Whoever instantiates it sets the exported `__stack_pointer` to
//! the end of a block of memory that is its stack. Each thread has an instance of its own.

#![cfg_attr(target_arch = "wasm32", no_std)]

use webtune_cpu::Job;
#[cfg(feature = "threads")]
use {
    core::sync::atomic::AtomicU32,
    webtune_cpu::{Sleep, Team},
};

// Functions of the page: Rust's instructions for them are not stable
// (https://github.com/rust-lang/rust/issues/77839), and a call costs nothing beside a thread's sleep.
#[cfg(feature = "threads")]
unsafe extern "C" {
    /// `Atomics.wait` at an address.
    fn wait(counter: *const AtomicU32, value: u32);
    /// `Atomics.notify` at an address.
    fn notify(counter: *const AtomicU32);
}

#[cfg(feature = "threads")]
struct Atomics;

#[cfg(feature = "threads")]
impl Sleep for Atomics {
    fn wait(counter: &AtomicU32, value: u32) {
        // SAFETY: the functions read the counter only.
        unsafe { wait(counter, value) }
    }

    fn notify(counter: &AtomicU32) {
        // SAFETY: as above.
        unsafe { notify(counter) }
    }
}

/// Computes part of a job.
///
/// # Safety
/// As for [`Job::compute`]. `job` is valid for reads and was made by the same version of `webtune-cpu`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compute(job: *const Job, scratch: *mut f32, part: usize, parts: usize) {
    // SAFETY: by the contract of this function.
    unsafe { (*job).compute(scratch, part, parts) }
}

/// Computes a job with a team of threads.
///
/// # Safety
/// As for [`Team::run`].
#[cfg(feature = "threads")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn run(
    team: *const Team,
    job: *const Job,
    scratch: *mut f32,
    stride: usize,
    parts: u32,
) {
    // SAFETY: by the contract of this function.
    unsafe { (*team).run::<Atomics>(job, scratch, stride, parts) }
}

/// Computes parts of the team's jobs until the thread ends.
///
/// # Safety
/// As for [`Team::help`].
#[cfg(feature = "threads")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn help(team: *const Team, index: usize) -> ! {
    // SAFETY: by the contract of this function.
    unsafe { (*team).help::<Atomics>(index) }
}

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
