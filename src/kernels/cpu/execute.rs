//! Runs a job: with the code that is linked here, or with a module that was given in its place.

use std::cell::{Cell, RefCell};
use webtune_cpu::{Epilogue, Gemm, Job, Operand};

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

/// Runs every later job of this thread with `compute`, which is the same code compiled for other instructions, unless
/// its product of two small matrices differs from that of the linked code. Returns whether it does.
///
/// # Safety
/// `compute` keeps the contract of [`Job::compute`] for as long as the thread lives.
#[cfg_attr(
    not(target_family = "wasm"),
    allow(dead_code, reason = "only the page loads modules")
)]
pub unsafe fn use_kernels(compute: Compute) -> bool {
    let expected = small_product(linked);
    let is_equal = small_product(compute)
        .iter()
        .zip(&expected)
        .all(|(found, expected)| (found - expected).abs() <= 1e-5 * expected.abs());
    if is_equal {
        COMPUTE.set(compute);
    }
    is_equal
}

/// The product of `[7, 20]` and `[20, 9]`, which have whole and partial tiles.
fn small_product(compute: Compute) -> Vec<f32> {
    let [m, n, k] = [7, 9, 20];
    let operand = |len: usize, step: usize| -> Vec<f32> {
        (0..len)
            .map(|at| 1.0 + (at * step % 13) as f32 / 8.0)
            .collect()
    };
    let (a, b, mut c) = (operand(m * k, 5), operand(k * n, 7), vec![0.0; m * n]);
    let job = Job::Gemm(Gemm {
        a: Operand::row_major(a.as_ptr(), k),
        b: Operand::row_major(b.as_ptr(), n),
        c: c.as_mut_ptr(),
        c_stride: n,
        m,
        n,
        k,
        epilogue: Epilogue::Store,
    });
    let mut scratch = vec![0.0; job.scratch()];
    // SAFETY: the operands have the sizes of the shapes.
    unsafe { compute(&job, scratch.as_mut_ptr(), 0, 1) };
    c
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

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn nothing(_: *const Job, _: *mut f32, _: usize, _: usize) {}

    #[test]
    fn kernels_that_compute_something_else_are_not_used() {
        // SAFETY: both keep the contract; the second writes nothing.
        unsafe {
            assert!(use_kernels(linked));
            assert!(!use_kernels(nothing));
        }
        let expected: f32 = (0..20)
            .map(|at| {
                let value = |at: usize, step: usize| 1.0 + (at * step % 13) as f32 / 8.0;
                value(at, 5) * value(9 * at, 7)
            })
            .sum();
        assert!((small_product(linked)[0] - expected).abs() < 1e-4);
    }
}
