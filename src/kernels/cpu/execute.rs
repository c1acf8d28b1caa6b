//! Runs a job: with the code that is linked here, or with a module that was given in its place.

use std::cell::{Cell, RefCell};
use webtune_cpu::Job;

/// Computes part of a job: the job, its scratch memory, the part, and the number of parts.
pub type Compute = unsafe extern "C" fn(*const Job, *mut f32, usize, usize);

thread_local! {
    static COMPUTE: Cell<Compute> = const { Cell::new(linked) };
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" fn linked(job: *const Job, scratch: *mut f32, part: usize, parts: usize) {
    // SAFETY: by the contract of `Job::compute`.
    unsafe { (*job).compute(scratch, part, parts) }
}

/// Runs every later job of this thread with `compute`, which is the same code compiled for other instructions.
///
/// # Safety
/// `compute` keeps the contract of [`Job::compute`] for as long as the thread lives.
#[cfg_attr(
    not(target_family = "wasm"),
    allow(dead_code, reason = "only the page loads modules")
)]
pub unsafe fn set_compute(compute: Compute) {
    COMPUTE.set(compute);
}

/// Runs a job whose operands the caller has checked.
pub(super) fn run(job: &Job) {
    SCRATCH.with_borrow_mut(|scratch| {
        let len = job.scratch();
        if scratch.len() < len {
            scratch.resize(len, 0.0);
        }
        // SAFETY: callers build jobs from tensors whose shapes they have checked, and write to tensors of their own.
        unsafe { COMPUTE.get()(job, scratch.as_mut_ptr(), 0, 1) }
    });
}
