//! Sends events to the page.

use super::convert::to_js;
use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::JsValue;

/// Sends an event to the page.
pub(super) fn send(on_event: &Function, event: &impl Serialize) {
    if let Ok(event) = to_js(event) {
        // A page that no longer listens loses nothing.
        let _ = on_event.call1(&JsValue::NULL, &event);
    }
}
