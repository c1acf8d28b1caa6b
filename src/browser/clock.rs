//! The worker's clock.

use super::environment::worker;
use crate::hub::Clock;
use wasm_bindgen::UnwrapThrowExt;

/// `performance.now()`.
#[derive(Clone, Copy)]
pub(super) struct BrowserClock;

impl Clock for BrowserClock {
    fn now(&self) -> f64 {
        worker().performance().unwrap_throw().now()
    }
}
