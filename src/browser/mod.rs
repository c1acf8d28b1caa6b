//! The only room that knows the browser: the wasm surface that `www/worker.js` calls, the GPU adapter, fetch and the console.

mod app;
mod benchmark;
mod budget;
mod clock;
mod convert;
mod device;
mod environment;
mod export;
mod fetch;
mod model;
mod opfs;
mod plan;
mod progress;
mod run;
mod tokenized;
mod views;

use crate::settings::{SETTINGS, presets};
use serde::Serialize;
use wasm_bindgen::prelude::*;

unsafe extern "C" {
    /// The linker's list of constructors. burn's kernel compiler registers thousands; unless the program calls them itself,
    /// wasm-ld wraps every export in a call to all of them, and each call from JavaScript runs them again.
    /// <https://github.com/rustwasm/wasm-bindgen/issues/4446>; can go when burn stops using `inventory`.
    fn __wasm_call_ctors();
}

/// Runs once, when the module is instantiated.
#[wasm_bindgen(start)]
pub fn start() {
    // SAFETY: called once, before anything else of the module runs.
    unsafe { __wasm_call_ctors() };
    std::panic::set_hook(Box::new(|info| {
        web_sys::console::error_1(&format!("webtune panicked: {info}").into());
    }));
}

#[derive(Serialize)]
struct Description {
    version: &'static str,
    settings: &'static [crate::settings::Setting],
    presets: Vec<crate::settings::Preset>,
}

/// The version, the table of settings and the presets (`DescribeResult` in `www/protocol.js`).
///
/// # Errors
/// A `WorkerError` object.
#[wasm_bindgen]
pub fn describe() -> Result<JsValue, JsValue> {
    convert::to_js(&Description {
        version: env!("CARGO_PKG_VERSION"),
        settings: SETTINGS,
        presets: presets(),
    })
}
