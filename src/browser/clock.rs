//! The worker's clock.

use wasm_bindgen::{JsCast, UnwrapThrowExt};

/// Milliseconds since the worker began, with fractions (`performance.now()`).
pub(super) fn now() -> f64 {
    let performance = js_sys::Reflect::get(&js_sys::global(), &"performance".into()).unwrap_throw();
    performance.unchecked_into::<web_sys::Performance>().now()
}
