//! `fetch`, as far as a download needs it: an answer's head, its body piece by piece, and the signal that ends both.

use crate::Error;
use crate::hub::Answer;
use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// Says that the visitor has stopped what a request began.
    #[derive(Clone)]
    pub type AbortSignal;
    #[wasm_bindgen(method, getter)]
    fn aborted(this: &AbortSignal) -> bool;
    #[wasm_bindgen(method, js_name = addEventListener)]
    fn add_event_listener(this: &AbortSignal, kind: &str, listener: &Function);
    #[wasm_bindgen(method, js_name = removeEventListener)]
    fn remove_event_listener(this: &AbortSignal, kind: &str, listener: &Function);

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(task: &Function, milliseconds: f64) -> f64;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: f64);
}

impl AbortSignal {
    /// Refuses to go on once the visitor has stopped it.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.aborted() {
            return Err(Error::Stopped(
                "The download was stopped. What has arrived of a model from the Hub is kept: load it again to go on from there."
                    .into(),
            ));
        }
        Ok(())
    }

    /// Waits, but no longer than until the visitor stops it.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub(super) async fn sleep(&self, milliseconds: f64) -> Result<(), Error> {
        self.check()?;
        let mut wake: Option<Function> = None;
        let mut timer = 0.0;
        let waiting = Promise::new(&mut |resolve, _| {
            timer = set_timeout(&resolve, milliseconds);
            self.add_event_listener("abort", &resolve);
            wake = Some(resolve);
        });
        // It only ever resolves.
        let _ = JsFuture::from(waiting).await;
        clear_timeout(timer);
        if let Some(wake) = wake {
            self.remove_event_listener("abort", &wake);
        }
        self.check()
    }
}

/// Whose file is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// This site's own: as the page itself is loaded, with the browser's cache.
    Site,
    /// Another site's: without cookies, and without a second copy in the browser's cache.
    Hub,
}

/// The head of an answer.
pub(super) struct Response(JsValue);

impl Response {
    /// Asks for `url`. Another site does not learn the page's address.
    ///
    /// # Errors
    /// What `fetch` threw: the network cannot be reached, the other side does not allow this page, or the signal was given.
    pub(super) async fn get(
        url: &str,
        range: Option<&str>,
        whose: Whose,
        signal: &AbortSignal,
    ) -> Result<Self, JsValue> {
        let (cache, credentials) = match whose {
            Whose::Site => ("default", "same-origin"),
            Whose::Hub => ("no-store", "omit"),
        };
        let options = object(&[
            ("signal", signal.into()),
            ("cache", cache.into()),
            ("credentials", credentials.into()),
            ("referrerPolicy", "no-referrer".into()),
        ]);
        if let Some(range) = range {
            // A single range from somewhere to the end is the only form that needs no permission of its own from another site.
            let headers = object(&[("Range", range.into())]);
            Reflect::set(&options, &"headers".into(), &headers)?;
        }
        let fetch: Function = get(&js_sys::global(), "fetch").dyn_into()?;
        let promise: Promise = fetch
            .call2(&js_sys::global(), &url.into(), &options)?
            .dyn_into()?;
        JsFuture::from(promise).await.map(Self)
    }

    /// HTTP status.
    pub(super) fn status(&self) -> u16 {
        get(&self.0, "status").as_f64().unwrap_or(0.0) as u16
    }

    /// The address that the answer came from in the end.
    pub(super) fn url(&self) -> String {
        get(&self.0, "url").as_string().unwrap_or_default()
    }

    /// A header, where it is there and the other site lets this page read it.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let headers = get(&self.0, "headers");
        let read: Function = get(&headers, "get").dyn_into().ok()?;
        read.call1(&headers, &name.into()).ok()?.as_string()
    }

    /// The length of the body as it will be read: that of a compressed answer says something else.
    pub(super) fn length(&self) -> Option<u64> {
        match self.header("content-encoding") {
            Some(encoding) if encoding != "identity" => None,
            _ => self.header("content-length")?.parse().ok(),
        }
    }

    /// The head, as far as the browser lets it be read.
    pub(super) fn answer(&self) -> Answer {
        let first = self.header("content-range").and_then(|range| {
            let (first, _) = range.trim().strip_prefix("bytes ")?.split_once('-')?;
            first.parse().ok()
        });
        Answer {
            status: self.status(),
            etag: self.header("etag"),
            first,
            retry_after: self
                .header("retry-after")
                .and_then(|seconds| seconds.trim().parse().ok()),
        }
    }

    /// The body, to be read once.
    pub(super) fn body(&self) -> Option<Body> {
        let body = get(&self.0, "body");
        let reader: Function = get(&body, "getReader").dyn_into().ok()?;
        reader.call0(&body).ok().map(Body)
    }
}

/// A body that is being read. Dropping it ends the download.
pub(super) struct Body(JsValue);

impl Body {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// What the stream threw: the connection is lost, or the signal was given.
    pub(super) async fn next(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        let read: Function = get(&self.0, "read").dyn_into()?;
        let promise: Promise = read.call0(&self.0)?.dyn_into()?;
        let chunk = JsFuture::from(promise).await?;
        if get(&chunk, "done").is_truthy() {
            return Ok(None);
        }
        get(&chunk, "value").dyn_into().map(Some)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let cancel: Option<Function> = get(&self.0, "cancel").dyn_into().ok();
        let promise = cancel.and_then(|cancel| cancel.call0(&self.0).ok());
        if let Some(promise) = promise.and_then(|promise| promise.dyn_into::<Promise>().ok()) {
            // Its failure would only say that the stream is closed already.
            wasm_bindgen_futures::spawn_local(async move {
                let _ = JsFuture::from(promise).await;
            });
        }
    }
}

/// An object of these properties.
pub(super) fn object(properties: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in properties {
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

/// A property, undefined where there is none.
pub(super) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}
