//! The worker as the environment of model sources.

use super::clock::BrowserClock;
use super::fetch::BrowserFetch;
use super::opfs::BrowserDisk;
use super::progress::send;
use crate::hub::{Environment, Services};
use js_sys::Function;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{AbortSignal, WorkerGlobalScope};

/// `fetch`, the origin private file system and `performance.now()`.
pub(super) struct BrowserEnvironment;

impl Environment for BrowserEnvironment {
    type Fetch = BrowserFetch;
    type Disk = BrowserDisk;
    type Clock = BrowserClock;
}

/// The services of one request of the page: `signal` stops it, `on_event` receives its events.
pub(super) async fn services(
    signal: AbortSignal,
    on_event: &Function,
) -> Services<BrowserEnvironment> {
    let on_event = on_event.clone();
    Services {
        fetch: BrowserFetch(signal),
        disk: BrowserDisk::open().await,
        clock: BrowserClock,
        on_event: Rc::new(move |event| send(&on_event, &event)),
    }
}

/// The worker's global object.
pub(super) fn worker() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}
