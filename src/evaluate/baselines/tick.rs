//! Progress and interruption of long calculations.

use crate::Result;
use std::future::Future;
use std::pin::Pin;

/// Multiply-adds between two calls of a [`Tick`]: about 20 ms in a browser.
const WORK_PER_TICK: usize = 20_000_000;

/// What a long calculation calls at least every 50 ms. It reports progress, lets the worker read its messages, and
/// returns an error to end the calculation. Every `async |done: usize, total: usize| -> Result<()>` is one.
pub trait Tick {
    /// Is called when `done` of `total` units are done. `total` is an upper bound: a solver may converge earlier.
    fn tick(&self, done: usize, total: usize) -> Pin<Box<dyn Future<Output = Result<()>> + '_>>;
}

impl<F: AsyncFn(usize, usize) -> Result<()>> Tick for F {
    fn tick(&self, done: usize, total: usize) -> Pin<Box<dyn Future<Output = Result<()>> + '_>> {
        Box::pin(self(done, total))
    }
}

/// Counts work and calls a [`Tick`] when enough is done. Parts of a calculation share one, so that the reported
/// numbers are those of the whole.
pub(super) struct Progress<'a> {
    tick: &'a dyn Tick,
    done: usize,
    total: usize,
    work: usize,
}

impl<'a> Progress<'a> {
    /// Starts with nothing done of `total` units.
    pub(super) fn new(tick: &'a dyn Tick, total: usize) -> Self {
        Self {
            tick,
            done: 0,
            total,
            work: 0,
        }
    }

    /// Sets the number of units that are done.
    pub(super) fn set(&mut self, done: usize) {
        self.done = done.min(self.total);
    }

    /// The number of units that are done.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Counts `work` multiply-adds.
    pub(super) async fn add(&mut self, work: usize) -> Result<()> {
        self.work = self.work.saturating_add(work);
        if self.work < WORK_PER_TICK {
            return Ok(());
        }
        self.work = 0;
        self.tick.tick(self.done, self.total).await
    }
}
