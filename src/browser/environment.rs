//! The worker as the environment of a session.

use super::clock::BrowserClock;
use super::fetch::BrowserFetch;
use super::opfs::BrowserDisk;
use crate::hub::Environment;
use wasm_bindgen::JsCast;
use web_sys::WorkerGlobalScope;

/// `fetch`, the origin private file system and `performance.now()`.
pub(super) struct BrowserEnvironment;

impl Environment for BrowserEnvironment {
    type Fetch = BrowserFetch;
    type Disk = BrowserDisk;
    type Clock = BrowserClock;
}

/// The worker's global object.
pub(super) fn worker() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}
