//! A file of the site as byte ranges: one response, read as a stream, front to back.

use super::clock;
use crate::hub::{ByteSource, ended_early};
use crate::{Error, Result};
use js_sys::{Function, Promise, Reflect, Uint8Array};
use serde::Serialize;
use std::ops::Range;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

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

/// A file that is being fetched.
pub(super) struct FetchedFile {
    name: String,
    reader: JsValue,
    size: Option<u64>,
    /// Bytes of the file that came before `buffer`.
    passed: u64,
    buffer: Vec<u8>,
    arrived: u64,
    started: f64,
    reported: f64,
    progress: Function,
}

impl FetchedFile {
    /// Asks for `url`; `progress` gets `download` events.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be reached or the answer is not 200.
    pub(super) async fn open(url: &str, progress: Function) -> Result<Self> {
        let name = url.rsplit('/').next().unwrap_or(url).to_string();
        let refuse = |problem: String| Error::Download {
            file: name.clone(),
            problem,
        };
        let response = call(&js_sys::global(), "fetch", Some(&url.into()))
            .await
            .map_err(|_| {
                refuse("the network cannot be reached. Check the connection and try again.".into())
            })?;
        let status = get(&response, "status").as_f64().unwrap_or(0.0);
        if status != 200.0 {
            return Err(refuse(format!(
                "the server answered {status}. Is the file part of the model folder at {url}?"
            )));
        }
        let headers = get(&response, "headers");
        let header = |name: &str| {
            let get: Option<Function> = get(&headers, "get").dyn_into().ok();
            get.and_then(|get| get.call1(&headers, &name.into()).ok())
                .and_then(|value| value.as_string())
        };
        // The length of a compressed answer is not the file's.
        let size = match header("content-encoding") {
            Some(encoding) if encoding != "identity" => None,
            _ => header("content-length").and_then(|length| length.parse().ok()),
        };
        let reader = call_now(&get(&response, "body"), "getReader")
            .ok_or_else(|| refuse("the answer has no body.".into()))?;
        Ok(Self {
            name,
            reader,
            size,
            passed: 0,
            buffer: Vec::new(),
            arrived: 0,
            started: clock::now(),
            reported: 0.0,
            progress,
        })
    }

    /// Appends the next piece of the body to the buffer; false at its end.
    async fn more(&mut self) -> Result<bool> {
        let chunk = call(&self.reader, "read", None).await.map_err(|_| {
            ended_early(
                &self.name,
                self.arrived,
                self.size.unwrap_or(self.arrived + 1),
            )
        })?;
        let done = get(&chunk, "done").is_truthy();
        if !done && let Ok(bytes) = get(&chunk, "value").dyn_into::<Uint8Array>() {
            let start = self.buffer.len();
            self.buffer.resize(start + bytes.length() as usize, 0);
            bytes.copy_to(&mut self.buffer[start..]);
            self.arrived += u64::from(bytes.length());
        }
        self.report(done);
        Ok(!done)
    }

    fn report(&mut self, done: bool) {
        let now = clock::now();
        if !done && now - self.reported < REPORT_EVERY {
            return;
        }
        self.reported = now;
        let event = Download {
            kind: "download",
            file: &self.name,
            loaded: self.arrived,
            total: self.size.unwrap_or(0),
            bytes_per_second: self.arrived as f64 / ((now - self.started) / 1000.0).max(1e-3),
        };
        if let Ok(event) = super::convert::to_js(&event) {
            // A page that does not listen any more loses nothing.
            let _ = self.progress.call1(&JsValue::NULL, &event);
        }
    }

    /// Reads what is left of the answer: a browser keeps a file in its cache only when it was read to its end.
    ///
    /// # Errors
    /// [`Error::Download`] when the connection breaks.
    pub(super) async fn finish(mut self) -> Result<()> {
        while self.more().await? {
            self.buffer.clear();
        }
        Ok(())
    }

    /// The whole rest of the file as text.
    ///
    /// # Errors
    /// [`Error::Download`] when the connection breaks or the text is not UTF-8.
    pub(super) async fn text(mut self) -> Result<String> {
        while self.more().await? {}
        let bytes = std::mem::take(&mut self.buffer);
        String::from_utf8(bytes).map_err(|_| Error::Download {
            file: self.name.clone(),
            problem: "it is not UTF-8 text.".into(),
        })
    }
}

impl ByteSource for FetchedFile {
    fn name(&self) -> &str {
        &self.name
    }

    async fn size(&mut self) -> Result<Option<u64>> {
        Ok(self.size)
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        if range.start < self.passed {
            return Err(Error::Download {
                file: self.name.clone(),
                problem: "its tensors do not lie one behind another.".into(),
            });
        }
        while self.passed + (self.buffer.len() as u64) < range.end {
            if !self.more().await? {
                return Err(ended_early(&self.name, self.arrived, range.end));
            }
        }
        let start = (range.start - self.passed) as usize;
        let end = (range.end - self.passed) as usize;
        let rest = self.buffer.split_off(end);
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        self.passed = range.end;
        Ok(bytes.split_off(start))
    }
}

impl Drop for FetchedFile {
    /// Ends a download that nobody reads any more.
    fn drop(&mut self) {
        if let Some(promise) = call_now(&self.reader, "cancel")
            && let Ok(promise) = promise.dyn_into::<Promise>()
        {
            // Its failure would only say that the stream is closed already.
            wasm_bindgen_futures::spawn_local(async move {
                let _ = JsFuture::from(promise).await;
            });
        }
    }
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn call_now(object: &JsValue, method: &str) -> Option<JsValue> {
    let method: Function = get(object, method).dyn_into().ok()?;
    method.call0(object).ok()
}

async fn call(
    object: &JsValue,
    method: &str,
    argument: Option<&JsValue>,
) -> Result<JsValue, JsValue> {
    let method: Function = get(object, method).dyn_into()?;
    let promise: Promise = match argument {
        Some(argument) => method.call1(object, argument)?,
        None => method.call0(object)?,
    }
    .dyn_into()?;
    JsFuture::from(promise).await
}
