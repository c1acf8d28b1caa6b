//! What a download tells the page while it is under way.

use super::clock;
use super::convert::to_js;
use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::JsValue;

/// Milliseconds between two reports of progress.
const REPORT_EVERY: f64 = 100.0;

#[derive(Serialize)]
struct Download<'a> {
    kind: &'static str,
    file: &'a str,
    loaded: u64,
    total: u64,
    bytes_per_second: f64,
}

#[derive(Serialize)]
struct Retry<'a> {
    kind: &'static str,
    file: &'a str,
    attempt: u32,
    wait_ms: u64,
}

#[derive(Serialize)]
struct Notice {
    kind: &'static str,
    code: &'static str,
}

/// The `download` events of one file.
pub(super) struct Progress {
    on_event: Function,
    /// When the bytes began to flow, and how many there were then: what was stored before says nothing about the network.
    since: (f64, u64),
    reported: f64,
}

impl Progress {
    pub(super) fn new(on_event: Function) -> Self {
        Self {
            on_event,
            since: (clock::now(), 0),
            reported: 0.0,
        }
    }

    /// Measures the rate anew, from a connection on that begins with so many bytes there.
    pub(super) fn connected(&mut self, loaded: u64) {
        self.since = (clock::now(), loaded);
    }

    /// Reports, unless it has just done so; the last report always goes out.
    pub(super) fn report(&mut self, file: &str, loaded: u64, total: Option<u64>, last: bool) {
        let now = clock::now();
        if !last && now - self.reported < REPORT_EVERY {
            return;
        }
        self.reported = now;
        let seconds = ((now - self.since.0) / 1000.0).max(1e-3);
        send(
            &self.on_event,
            &Download {
                kind: "download",
                file,
                loaded,
                total: total.unwrap_or(0),
                bytes_per_second: loaded.saturating_sub(self.since.1) as f64 / seconds,
            },
        );
    }

    /// Says that the connection is lost and when it will be tried again.
    pub(super) fn retry(&self, file: &str, attempt: u32, wait_ms: u64) {
        send(
            &self.on_event,
            &Retry {
                kind: "retry",
                file,
                attempt,
                wait_ms,
            },
        );
    }
}

/// Something about this download that the visitor should know: `not_stored`, `storage_full`.
pub(super) fn notice(on_event: &Function, code: &'static str) {
    send(
        on_event,
        &Notice {
            kind: "notice",
            code,
        },
    );
}

/// Sends an event to the page.
pub(super) fn send(on_event: &Function, event: &impl Serialize) {
    if let Ok(event) = to_js(event) {
        // A page that does not listen any more loses nothing.
        let _ = on_event.call1(&JsValue::NULL, &event);
    }
}
