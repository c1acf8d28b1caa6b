//! Threads that compute the parts of a job together.
//!
//! One thread, the *leader*, publishes a job; it and the *helpers* claim its parts one by one. A helper that is late,
//! or that never starts, delays nobody: the others claim its parts. The leader waits only for parts that are being
//! computed. A thread without work reads the counters for a moment, because the next job of a training step mostly
//! follows within microseconds, and then sleeps.

use crate::Job;
use core::hint::spin_loop;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// How a thread sleeps: [`memory.atomic.wait32` and `notify`] of WebAssembly, or a futex.
///
/// [`memory.atomic.wait32` and `notify`]: https://webassembly.github.io/threads/core/exec/instructions.html
pub trait Sleep {
    /// Sleeps until `notify` is called for `counter`; returns at once if its value is not `value`.
    fn wait(counter: &AtomicU32, value: u32);
    /// Wakes all threads that sleep at `counter`.
    fn notify(counter: &AtomicU32);
}

/// How often a thread looks for work before it sleeps: tens of microseconds.
const LOOKS: u32 = 10_000;

/// What the threads share.
#[repr(C)]
#[derive(Debug)]
pub struct Team {
    /// Parts of the job that no thread has claimed. The highest is claimed first.
    unclaimed: AtomicU32,
    /// Parts that are not computed yet.
    unfinished: AtomicU32,
    /// Helpers that sleep at `unclaimed`.
    sleeping: AtomicU32,
    /// 1 while the leader sleeps at `unfinished`.
    leader_sleeps: AtomicU32,
    parts: AtomicUsize,
    job: AtomicPtr<Job>,
    /// Scratch memory of the leader; that of helper `n` is `n * stride` values further.
    scratch: AtomicPtr<f32>,
    stride: AtomicUsize,
}

impl Default for Team {
    fn default() -> Self {
        Self::new()
    }
}

impl Team {
    /// A team without a job.
    pub const fn new() -> Self {
        Self {
            unclaimed: AtomicU32::new(0),
            unfinished: AtomicU32::new(0),
            sleeping: AtomicU32::new(0),
            leader_sleeps: AtomicU32::new(0),
            parts: AtomicUsize::new(0),
            job: AtomicPtr::new(ptr::null_mut()),
            scratch: AtomicPtr::new(ptr::null_mut()),
            stride: AtomicUsize::new(0),
        }
    }

    /// Computes a job of `parts` parts. Called by the leader.
    ///
    /// # Safety
    /// As for [`Job::compute`]. `scratch` holds [`Job::scratch`] values for each thread of the team. Only one thread
    /// is the leader.
    pub unsafe fn run<S: Sleep>(
        &self,
        job: *const Job,
        scratch: *mut f32,
        stride: usize,
        parts: u32,
    ) {
        self.job.store(job.cast_mut(), Ordering::Relaxed);
        self.scratch.store(scratch, Ordering::Relaxed);
        self.stride.store(stride, Ordering::Relaxed);
        self.parts.store(parts as usize, Ordering::Relaxed);
        self.unfinished.store(parts, Ordering::Relaxed);
        // Publishes all of the above. Sequentially consistent with `sleeping`: either this thread sees a helper that
        // is about to sleep, or the helper sees the parts.
        self.unclaimed.store(parts, Ordering::SeqCst);
        if self.sleeping.load(Ordering::SeqCst) != 0 {
            S::notify(&self.unclaimed);
        }
        // SAFETY: by the contract of this method.
        while unsafe { self.compute_one::<S>(0) } {}
        self.wait_for_helpers::<S>();
    }

    /// Computes parts of the leader's jobs, forever. `index` counts the helpers from 1.
    ///
    /// # Safety
    /// No other thread of the team has this index.
    pub unsafe fn help<S: Sleep>(&self, index: usize) -> ! {
        loop {
            // SAFETY: the leader keeps the contract of `run`.
            unsafe { self.help_once::<S>(index) };
        }
    }

    /// The number of helpers that sleep, or are about to.
    #[cfg(test)]
    pub(crate) fn sleepers(&self) -> u32 {
        self.sleeping.load(Ordering::SeqCst)
    }

    /// Computes the parts that it can claim, and then waits for more.
    ///
    /// # Safety
    /// As for [`Team::help`].
    pub unsafe fn help_once<S: Sleep>(&self, index: usize) {
        let mut looks = 0;
        while looks < LOOKS {
            // SAFETY: the leader keeps the contract of `run`.
            looks = match unsafe { self.compute_one::<S>(index) } {
                true => 0,
                false => looks + 1,
            };
            spin_loop();
        }
        self.sleeping.fetch_add(1, Ordering::SeqCst);
        S::wait(&self.unclaimed, 0);
        self.sleeping.fetch_sub(1, Ordering::SeqCst);
    }

    /// Claims a part and computes it. Returns whether there was one.
    unsafe fn compute_one<S: Sleep>(&self, index: usize) -> bool {
        let Some(part) = self.claim() else {
            return false;
        };
        // The job cannot change while this part is unfinished.
        let parts = self.parts.load(Ordering::Relaxed);
        let offset = index * self.stride.load(Ordering::Relaxed);
        // SAFETY: by the contract of `run`; the part was claimed by this thread alone.
        unsafe {
            let scratch = self.scratch.load(Ordering::Relaxed).add(offset);
            (*self.job.load(Ordering::Relaxed)).compute(scratch, part as usize, parts);
        }
        let was_last = self.unfinished.fetch_sub(1, Ordering::SeqCst) == 1;
        if was_last && self.leader_sleeps.load(Ordering::SeqCst) != 0 {
            S::notify(&self.unfinished);
        }
        true
    }

    fn claim(&self) -> Option<u32> {
        let mut unclaimed = self.unclaimed.load(Ordering::SeqCst);
        while unclaimed != 0 {
            let part = unclaimed - 1;
            let (success, failure) = (Ordering::SeqCst, Ordering::SeqCst);
            match self
                .unclaimed
                .compare_exchange_weak(unclaimed, part, success, failure)
            {
                Ok(_) => return Some(part),
                Err(now) => unclaimed = now,
            }
        }
        None
    }

    fn wait_for_helpers<S: Sleep>(&self) {
        for _ in 0..LOOKS {
            if self.unfinished.load(Ordering::SeqCst) == 0 {
                return;
            }
            spin_loop();
        }
        self.leader_sleeps.store(1, Ordering::SeqCst);
        loop {
            let unfinished = self.unfinished.load(Ordering::SeqCst);
            if unfinished == 0 {
                break;
            }
            S::wait(&self.unfinished, unfinished);
        }
        self.leader_sleeps.store(0, Ordering::SeqCst);
    }
}
