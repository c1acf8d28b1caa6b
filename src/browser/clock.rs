//! The worker's clock.

use super::environment::worker;
use crate::hub::Clock;
use wasm_bindgen::UnwrapThrowExt;

/// Milliseconds since the worker began, with fractions (`performance.now()`).
pub(super) fn now() -> f64 {
    worker().performance().unwrap_throw().now()
}

/// [`now`] as the sources of files need it.
#[derive(Clone, Copy)]
pub(super) struct BrowserClock;

impl Clock for BrowserClock {
    fn now(&self) -> f64 {
        now()
    }
}
