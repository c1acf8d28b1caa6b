//! Binds the session to the browser: the wasm surface that `www/worker.js` calls, the GPU adapter, fetch and storage.

mod api;
mod benchmark;
mod clock;
mod convert;
mod cpu_module;
mod device;
mod environment;
mod fetch;
mod gpu_errors;
mod memory;
mod opfs;

use wasm_bindgen::prelude::*;

unsafe extern "C" {
    /// The linker's list of constructors. burn's kernel compiler registers thousands of them. Unless the program calls
    /// them itself, wasm-ld wraps every export in a call to all of them, and each call from JavaScript runs them again.
    /// <https://github.com/rustwasm/wasm-bindgen/issues/4446>; can go when burn stops using `inventory`.
    fn __wasm_call_ctors();
}

/// Runs once, when the module is instantiated.
#[wasm_bindgen(start)]
pub fn start() {
    // SAFETY: called once, before anything else of the module runs.
    unsafe { __wasm_call_ctors() };
    gpu_errors::collect_log();
    std::panic::set_hook(Box::new(|info| {
        web_sys::console::error_1(&format!("webtune panicked: {info}").into());
    }));
}
