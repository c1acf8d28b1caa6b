//! Prints the progress of the commands: a line when a step starts, a line when it ends.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Result;

/// The time between two lines of a step that is still running.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Runs a named step and prints when it starts, that it is still running, and how long it took.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {name}");
    let start = Instant::now();
    let outcome = thread::scope(|scope| {
        let (finished, waiting) = mpsc::channel::<()>();
        scope.spawn(move || {
            while waiting.recv_timeout(HEARTBEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
                println!("    {name}: {} so far", seconds(start.elapsed()));
            }
        });
        let outcome = work();
        drop(finished);
        outcome
    });
    let verdict = if outcome.is_ok() { "done" } else { "FAILED" };
    println!("    {name}: {verdict} in {}", seconds(start.elapsed()));
    outcome
}

/// Prints a line about the current step.
pub fn note(text: impl std::fmt::Display) {
    println!("    {text}");
}

fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{:.1} min", seconds / 60.0)
    }
}
