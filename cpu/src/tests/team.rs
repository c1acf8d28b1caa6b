//! A team computes what one thread computes, with helpers that sleep, that are late and that never come.

use super::*;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;

/// All threads sleep at one condition variable.
struct Parked;

static MUTEX: Mutex<()> = Mutex::new(());
static WOKEN: Condvar = Condvar::new();

impl Sleep for Parked {
    fn wait(counter: &AtomicU32, value: u32) {
        let guard = MUTEX.lock().unwrap();
        if counter.load(Ordering::SeqCst) == value {
            drop(WOKEN.wait(guard).unwrap());
        }
    }

    fn notify(_: &AtomicU32) {
        let _guard = MUTEX.lock().unwrap();
        WOKEN.notify_all();
    }
}

/// Columns of the matrix whose sums are the jobs.
const WIDTH: usize = 12;

/// Computes `jobs` sums of columns with a leader and `helpers` threads; the rows of a job are its number and 1.
fn sums(jobs: usize, helpers: usize, before_each: impl Fn(&Team)) {
    let team = Team::new();
    let (is_over, alive) = (AtomicBool::new(false), AtomicUsize::new(helpers));
    thread::scope(|scope| {
        for index in 1..=helpers {
            let (team, is_over, alive) = (&team, &is_over, &alive);
            scope.spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    // SAFETY: each index is used once.
                    unsafe { team.help_once::<Parked>(index) };
                }
                alive.fetch_sub(1, Ordering::SeqCst);
            });
        }
        let input = vec![1.0; jobs * WIDTH];
        for rows in 1..=jobs {
            before_each(&team);
            let mut found = vec![f32::NAN; WIDTH];
            let (input, sums, width) = (input.as_ptr(), found.as_mut_ptr(), WIDTH);
            let job = Job::ColumnSums(ColumnSums {
                input,
                rows,
                width,
                sums,
            });
            let mut scratch = [0.0; 8];
            // SAFETY: the operands have the sizes of the shape; the job needs no scratch memory.
            unsafe { team.run::<Parked>(&job, scratch.as_mut_ptr(), 1, 3) };
            assert_eq!(found, [rows as f32; WIDTH]);
        }
        is_over.store(true, Ordering::SeqCst);
        while alive.load(Ordering::SeqCst) != 0 {
            Parked::notify(&AtomicU32::new(0));
        }
    });
}

#[test]
fn a_leader_without_helpers_computes_all_parts() {
    sums(10, 0, |_| {});
}

#[test]
fn jobs_in_quick_succession_are_each_complete() {
    sums(5_000, 3, |_| {});
}

#[test]
fn sleeping_helpers_wake_for_the_next_job() {
    sums(20, 2, |team| {
        while team.sleepers() != 2 {
            thread::yield_now();
        }
    });
}

#[test]
fn jobs_have_as_many_parts_as_are_worth_a_thread() {
    let product = |m| {
        let operand = Operand::row_major(std::ptr::null(), 384);
        Job::Gemm(Gemm {
            a: operand,
            b: operand,
            c: std::ptr::null_mut(),
            c_stride: 384,
            m,
            n: 384,
            k: 384,
            epilogue: Epilogue::Store,
        })
    };
    assert_eq!(product(10_000).parts(1), 1);
    assert_eq!(product(1).parts(8), 1);
    assert_eq!(product(3).parts(8), 5);
    assert_eq!(product(120).parts(2), 2);
    assert_eq!(product(480).parts(2), 4);
    assert_eq!(product(10_000).parts(8), 16);
}
