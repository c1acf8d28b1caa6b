//! The network of one request: `fetch`, and the signal that stops it.

use super::environment::worker;
use crate::hub::{Body, Fetch, Host, Response, Unreachable};
use js_sys::{Array, Function, Promise, Uint8Array};
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    AbortSignal, Headers, ReadableStreamDefaultReader, ReadableStreamReadResult, ReferrerPolicy,
    RequestCache, RequestCredentials, RequestInit,
};

/// `fetch` until the signal is given.
#[derive(Clone)]
pub(super) struct BrowserFetch(pub AbortSignal);

impl BrowserFetch {
    async fn send(
        &self,
        url: &str,
        range: Option<&str>,
        host: Host,
    ) -> Result<Response<BrowserBody>, JsValue> {
        let (cache, credentials) = match host {
            Host::Site => (RequestCache::Default, RequestCredentials::SameOrigin),
            Host::Hub => (RequestCache::NoStore, RequestCredentials::Omit),
        };
        let options = RequestInit::new();
        options.set_signal(Some(&self.0));
        options.set_cache(cache);
        options.set_credentials(credentials);
        options.set_referrer_policy(ReferrerPolicy::NoReferrer);
        if let Some(range) = range {
            // CORS permits a single range to the end of the file without a preflight request.
            let headers = Headers::new()?;
            headers.set("Range", range)?;
            options.set_headers_headers(&headers);
        }
        let response = worker().fetch_with_str_and_init(url, &options).await?;
        let response: web_sys::Response = response.unchecked_into();
        let body = response.body();
        let body = body.map(|body| ReadableStreamDefaultReader::new(&body));
        Ok(Response {
            status: response.status(),
            url: response.url(),
            headers: all(&response.headers())?,
            body: body.transpose()?.map(BrowserBody),
        })
    }
}

/// The headers that the page may read; `fetch` writes their names in lower case.
fn all(headers: &Headers) -> Result<BTreeMap<String, String>, JsValue> {
    let entries = headers.entries().into_iter().map(|entry| {
        let entry: Array = entry?.unchecked_into();
        let text = |at| entry.get(at).as_string().unwrap_or_default();
        Ok((text(0), text(1)))
    });
    entries.collect()
}

impl Fetch for BrowserFetch {
    type Body = BrowserBody;

    async fn get(
        &self,
        url: &str,
        range: Option<&str>,
        host: Host,
    ) -> Result<Response<BrowserBody>, Unreachable> {
        let response = self.send(url, range, host).await;
        response.map_err(|_| Unreachable)
    }

    async fn sleep(&self, milliseconds: u64) {
        let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
        let mut wake: Option<Function> = None;
        let mut timer = Ok(0);
        let waiting = Promise::new(&mut |resolve, _| {
            timer = worker()
                .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
            // A listener that cannot be added only means that the wait ends later.
            let _ = self.0.add_event_listener_with_callback("abort", &resolve);
            wake = Some(resolve);
        });
        let _ = waiting.await;
        if let Ok(timer) = timer {
            worker().clear_timeout_with_handle(timer);
        }
        if let Some(wake) = wake {
            let _ = self.0.remove_event_listener_with_callback("abort", &wake);
        }
    }

    fn is_stopped(&self) -> bool {
        self.0.aborted()
    }
}

/// A body that is being read. Dropping it ends the transfer.
pub(super) struct BrowserBody(ReadableStreamDefaultReader);

impl Body for BrowserBody {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Unreachable> {
        let result = self.0.read().await.map_err(|_| Unreachable)?;
        let result: ReadableStreamReadResult = result.unchecked_into();
        if result.get_done() == Some(true) {
            return Ok(None);
        }
        let bytes: Uint8Array = result.get_value().dyn_into().map_err(|_| Unreachable)?;
        Ok(Some(bytes.to_vec()))
    }
}

impl Drop for BrowserBody {
    fn drop(&mut self) {
        let cancelled = self.0.cancel();
        spawn_local(async move {
            // It fails only where the stream is closed already.
            let _ = cancelled.await;
        });
    }
}
