//! What `www/worker.js` calls: the session, with values of JavaScript on both sides.

use super::clock::BrowserClock;
use super::convert::{self, error, to_js, values};
use super::cpu_module::CpuKernels;
use super::device;
use super::environment::BrowserEnvironment;
use super::fetch::BrowserFetch;
use super::memory::GpuProbe;
use super::opfs::{BrowserBlob, BrowserDisk};
use crate::data::import::ImportOptions;
use crate::session::protocol::{DescribeResult, Request, SessionEvent, parts_of_export};
use crate::session::{Listener, Session};
use crate::{Error, Result};
use js_sys::{Array, Function, Reflect, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Blob};

/// The version, the table of settings and the presets (`DescribeResult` of `www/protocol.d.ts`).
///
/// # Errors
/// A `WorkerError`.
#[wasm_bindgen]
pub fn describe() -> Result<JsValue, JsValue> {
    to_js(&DescribeResult::new())
}

/// The session on one device. Values in and out are those of `www/protocol.d.ts`.
#[wasm_bindgen]
pub struct Webtune(Session<BrowserEnvironment, GpuProbe>);

#[wasm_bindgen]
impl Webtune {
    /// Opens `webgpu` or `cpu`, or with `auto` the faster of the devices that there are. `kernels` are
    /// those of the CPU device, `cpuKernels()` of `www/cpu-threads.js`.
    ///
    /// # Errors
    /// A `WorkerError` when the device is not there.
    pub async fn open(choice: String, kernels: CpuKernels) -> Result<Webtune, JsValue> {
        let opened = device::open(&choice, Some(&kernels)).await;
        let compute = opened.map_err(error)?.compute();
        Ok(Self(Session::new(
            compute,
            BrowserDisk::open().await,
            BrowserClock,
        )))
    }

    /// `DeviceInfo`: what computes.
    ///
    /// # Errors
    /// A `WorkerError`.
    pub fn device(&self) -> Result<JsValue, JsValue> {
        to_js(self.0.device())
    }

    /// `SessionState`: what the session holds.
    ///
    /// # Errors
    /// A `WorkerError`.
    pub fn state(&self) -> Result<JsValue, JsValue> {
        to_js(&self.0.state())
    }

    /// Compares this device with the CPU (`SelfTest`).
    ///
    /// # Errors
    /// A `WorkerError` when the device fails outright.
    pub async fn self_test(&mut self) -> Result<JsValue, JsValue> {
        to_js(&self.0.self_test().await.map_err(error)?)
    }

    /// Answers a `SessionRequest`. `on_event` gets `SessionEvent`s, `on_piece` gets the bytes of a download, `signal`
    /// stops long work.
    ///
    /// # Errors
    /// A `WorkerError`.
    pub async fn request(
        &mut self,
        request: JsValue,
        on_event: Function,
        on_piece: Function,
        signal: AbortSignal,
    ) -> Result<JsValue, JsValue> {
        let listener: Rc<dyn Listener> = Rc::new(JsListener {
            on_event,
            on_piece: Some(on_piece),
        });
        let request = convert::json(request)
            .and_then(Request::from_json)
            .map_err(error)?;
        let answer = self
            .0
            .answer(request, BrowserFetch(signal), &listener)
            .await;
        to_js(&answer.map_err(error)?)
    }

    /// Loads a model from files of the visitor's disk, `[{path, blob}]` (`ModelView`). `folder` is the one that the
    /// visitor has chosen among several models. `on_event` gets `SessionEvent`s.
    ///
    /// # Errors
    /// A `WorkerError`.
    pub async fn load_files(
        &mut self,
        name: String,
        files: Array,
        folder: Option<String>,
        on_event: Function,
    ) -> Result<JsValue, JsValue> {
        let listener = JsListener::events(on_event);
        let view = self
            .0
            .load_files(
                &name,
                files_of(&files, "path", "blob"),
                folder.as_deref(),
                &listener,
            )
            .await;
        to_js(&view.map_err(error)?)
    }

    /// Reads a table, or a folder of texts, from files of the visitor's disk, `[{path, blob}]` (`ImportView`).
    /// `options` are `ImportOptions`, `on_event` gets `SessionEvent`s, `signal` stops the reading.
    ///
    /// # Errors
    /// A `WorkerError`.
    pub async fn import_files(
        &mut self,
        name: String,
        files: Array,
        options: JsValue,
        on_event: Function,
        signal: AbortSignal,
    ) -> Result<JsValue, JsValue> {
        let listener = JsListener::events(on_event);
        let options = convert::json(options)
            .and_then(ImportOptions::from_json)
            .map_err(error)?;
        let view = self.0.import_files(
            &name,
            files_of(&files, "path", "blob"),
            options,
            BrowserFetch(signal),
            &listener,
        );
        to_js(&view.await.map_err(error)?)
    }

    /// Exports the trained model (`ExportResult`). `parts` are `ExportPart`s, `library` the files of the demo,
    /// `[{name, file}]`. `on_piece` gets the bytes of the archive, `signal` stops it.
    ///
    /// # Errors
    /// A `WorkerError`.
    pub async fn export(
        &self,
        parts: JsValue,
        library: Array,
        on_event: Function,
        on_piece: Function,
        signal: AbortSignal,
    ) -> Result<JsValue, JsValue> {
        let listener = JsListener {
            on_event,
            on_piece: Some(on_piece),
        };
        let parts = convert::json(parts)
            .and_then(parts_of_export)
            .map_err(error)?;
        let library = files_of(&library, "name", "file");
        let fetch = BrowserFetch(signal);
        let exported = self.0.export_folder(&parts, library, &fetch, &listener);
        to_js(&exported.await.map_err(error)?)
    }

    /// Starts a run with these settings. Returns whether it is stored (`RunEvent` or null).
    ///
    /// # Errors
    /// A `WorkerError`; nothing has been started then.
    pub async fn train_start(&mut self, settings: JsValue) -> Result<JsValue, JsValue> {
        let values = values(settings).map_err(error)?;
        to_js(&self.0.start_run(values).await.map_err(error)?)
    }

    /// Continues an interrupted run, whose rows, model and tokens the session has (`ResumedRun`).
    ///
    /// # Errors
    /// A `WorkerError`; nothing has been started then.
    pub async fn train_resume(&mut self, run: usize) -> Result<JsValue, JsValue> {
        to_js(&self.0.resume_run(run).await.map_err(error)?)
    }

    /// Reads losses back once every `steps` updates.
    pub fn set_log_every(&mut self, steps: usize) {
        self.0.set_log_every(steps);
    }

    /// One update, or one batch of the evaluation at the end of an epoch (`RunEvent`).
    ///
    /// # Errors
    /// A `WorkerError`; the run is over then.
    pub async fn train_step(&mut self) -> Result<JsValue, JsValue> {
        to_js(&self.0.step_run().await.map_err(error)?)
    }

    /// Stops the updates: the next steps evaluate the weights.
    pub fn train_stop(&mut self) {
        self.0.stop_run();
    }

    /// Ends the run, also in the middle of an evaluation (`TrainResult`).
    ///
    /// # Errors
    /// A `WorkerError`.
    pub async fn train_finish(
        &mut self,
        stopped: bool,
        seconds: f64,
        first_step_ms: f64,
    ) -> Result<JsValue, JsValue> {
        let result = self.0.finish_run(stopped, seconds, first_step_ms).await;
        to_js(&result.map_err(error)?)
    }
}

/// The files of `[{<name>, <blob>}]`, with their names or paths.
fn files_of(files: &Array, name: &str, blob: &str) -> Vec<(String, BrowserBlob)> {
    let files = files.iter().filter_map(|file| {
        let name = Reflect::get(&file, &name.into()).ok()?.as_string()?;
        let blob: Blob = Reflect::get(&file, &blob.into()).ok()?.dyn_into().ok()?;
        Some((name, BrowserBlob(blob)))
    });
    files.collect()
}

/// Functions of the worker as a listener.
struct JsListener {
    on_event: Function,
    on_piece: Option<Function>,
}

impl JsListener {
    fn events(on_event: Function) -> Rc<dyn Listener> {
        Rc::new(Self {
            on_event,
            on_piece: None,
        })
    }
}

impl Listener for JsListener {
    fn event(&self, event: SessionEvent) {
        if let Ok(event) = to_js(&event) {
            // The request continues if the page does not listen.
            let _ = self.on_event.call1(&JsValue::NULL, &event);
        }
    }

    fn piece(&self, bytes: &[u8]) -> Result<()> {
        let refused = || Error::Export("the page did not take it.".into());
        let on_piece = self.on_piece.as_ref().ok_or_else(refused)?;
        let called = on_piece.call1(&JsValue::NULL, &Uint8Array::from(bytes));
        called.map(drop).map_err(|_| refused())
    }
}
