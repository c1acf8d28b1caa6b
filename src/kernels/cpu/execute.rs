//! Runs a job: with the code that is linked here, or with a module that was given in its place.

use std::cell::{Cell, RefCell};
use webtune_cpu::{Epilogue, Gemm, Job, Operand, Team};

/// Computes part of a job: the job, its scratch memory, the part, and the number of parts.
pub type Compute = unsafe extern "C" fn(*const Job, *mut f32, usize, usize);
/// Computes a job with a team: the team, the job, the scratch memory of all threads, the number of values between those
/// of two threads, and the number of parts.
pub type RunInParts = unsafe extern "C" fn(*const Team, *const Job, *mut f32, usize, u32);

/// Threads that compute the parts of a job together with the one that has it.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    /// What they share.
    pub team: &'static Team,
    /// [`Team::run`] with the instructions of the threads.
    pub run: RunInParts,
    /// Their number, with the one that has the jobs.
    pub count: usize,
}

thread_local! {
    static COMPUTE: Cell<Compute> = const { Cell::new(linked) };
    static THREADS: Cell<Option<Threads>> = const { Cell::new(None) };
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
    let is_equal = are_close(&product_with(compute), &product_with(linked));
    if is_equal {
        COMPUTE.set(compute);
    }
    is_equal
}

fn are_close(found: &[f32], expected: &[f32]) -> bool {
    let mut pairs = found.iter().zip(expected);
    pairs.all(|(found, expected)| (found - expected).abs() <= 1e-5 * expected.abs())
}

/// The [`small_product`] in one part.
fn product_with(compute: Compute) -> Vec<f32> {
    small_product(|job, scratch| {
        // SAFETY: by the contract of `small_product`.
        unsafe { compute(job, scratch.as_mut_ptr(), 0, 1) }
    })
}

/// The product of `[7, 20]` and `[20, 9]`, which have whole and partial tiles. `compute` gets the job, whose operands
/// have the sizes of its shape, and its scratch memory.
fn small_product(compute: impl Fn(&Job, &mut Vec<f32>)) -> Vec<f32> {
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
    compute(&job, &mut scratch);
    c
}

/// Runs every later job of this thread that is large enough with a team, unless its product of two small matrices
/// differs from that of the linked code. Returns whether it does.
///
/// # Safety
/// `threads.run` keeps the contract of [`Team::run`] for as long as the thread lives.
#[cfg_attr(
    not(target_family = "wasm"),
    allow(dead_code, reason = "only the page starts threads")
)]
pub unsafe fn use_threads(threads: Threads) -> bool {
    let found = small_product(|job, scratch| {
        let stride = scratch.len();
        scratch.resize(threads.count * stride, 0.0);
        // SAFETY: as above, and by the contract of this function.
        unsafe { (threads.run)(threads.team, job, scratch.as_mut_ptr(), stride, 3) }
    });
    let is_equal = are_close(&found, &product_with(linked));
    if is_equal {
        THREADS.set(Some(threads));
    }
    is_equal
}

/// Runs a job whose operands the caller has checked.
pub(super) fn run(job: &Job) {
    let threads = THREADS.get();
    let count = threads.map_or(1, |threads| threads.count);
    let parts = job.parts(count);
    SCRATCH.with_borrow_mut(|scratch| {
        let stride = job.scratch();
        let len = if parts > 1 { stride * count } else { stride };
        if scratch.len() < len {
            scratch.resize(len, 0.0);
        }
        let scratch = scratch.as_mut_ptr();
        // SAFETY: callers build jobs from tensors whose shapes they have checked, and write to tensors of their own.
        unsafe {
            match threads {
                Some(Threads { team, run, .. }) if parts > 1 => {
                    run(team, job, scratch, stride, parts as u32);
                }
                _ => COMPUTE.get()(job, scratch, 0, 1),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn nothing(_: *const Job, _: *mut f32, _: usize, _: usize) {}

    /// A team of one thread: the one that has the jobs computes all parts.
    unsafe extern "C" fn alone(
        _: *const Team,
        job: *const Job,
        scratch: *mut f32,
        _: usize,
        parts: u32,
    ) {
        for part in 0..parts as usize {
            // SAFETY: by the contract of `RunInParts`.
            unsafe { linked(job, scratch, part, parts as usize) };
        }
    }

    unsafe extern "C" fn no_parts(_: *const Team, _: *const Job, _: *mut f32, _: usize, _: u32) {}

    #[test]
    fn kernels_that_compute_something_else_are_not_used() {
        // SAFETY: both keep the contract; the second writes nothing.
        unsafe {
            assert!(use_kernels(linked));
            assert!(!use_kernels(nothing));
        }
        let product = product_with(linked);
        let expected: f32 = (0..20)
            .map(|at| {
                let value = |at: usize, step: usize| 1.0 + (at * step % 13) as f32 / 8.0;
                value(at, 5) * value(9 * at, 7)
            })
            .sum();
        assert!((product[0] - expected).abs() < 1e-4);
    }

    #[test]
    fn a_team_that_computes_something_else_is_not_used() {
        static TEAM: Team = Team::new();
        let threads = |run| Threads {
            team: &TEAM,
            run,
            count: 2,
        };
        // SAFETY: both keep the contract; the second writes nothing.
        unsafe {
            assert!(!use_threads(threads(no_parts)));
            assert!(use_threads(threads(alone)));
        }
    }
}
