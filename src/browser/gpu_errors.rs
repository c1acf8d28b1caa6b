//! Collects the errors of the WebGPU device, which arrive after the calls that cause them.
//!
//! They come in two ways: cubecl logs a shader that fails validation ([cubecl#1641]) and a lost device, and WebGPU
//! reports every other error as uncaptured. By default cubecl panics at an uncaptured error, which ends the module and
//! with it the trained model; here the request that used the device fails instead.
//!
//! [cubecl#1641]: https://github.com/tracel-ai/cubecl/issues/1641

use crate::session::{DeviceErrors, LocalFuture};
use crate::{Error, Result};
use burn::tensor::wgpu::wgpu;
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Characters of an error that the page shows. The console has the whole text, which may contain a shader.
const SHOWN: usize = 300;

thread_local! {
    /// The first error that no check has reported yet. A page has one device.
    static FIRST: RefCell<Option<String>> = const { RefCell::new(None) };
    /// Whether the device was closed: cubecl logs that as a lost device.
    static CLOSED: Cell<bool> = const { Cell::new(false) };
}

/// Starts to collect what cubecl logs as an error.
pub(super) fn collect_log() {
    // A second call finds the same logger.
    let _ = log::set_logger(&ErrorLog);
    log::set_max_level(LevelFilter::Error);
}

/// The errors of a device.
pub(super) struct GpuErrors(wgpu::Device);

impl GpuErrors {
    /// Starts to collect the uncaptured errors of a device.
    pub(super) fn of(device: wgpu::Device) -> Self {
        device.on_uncaptured_error(Arc::new(|error| add(&error.to_string())));
        Self(device)
    }

    /// Frees the device and its buffers, and collects no more errors.
    pub(super) fn close(self) {
        CLOSED.set(true);
        self.0.destroy();
    }
}

impl DeviceErrors for GpuErrors {
    fn check(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(async {
            // The results of error scopes arrive in order, and after the uncaptured errors of earlier calls.
            let scope = self.0.push_error_scope(wgpu::ErrorFilter::Validation);
            if let Some(error) = scope.pop().await {
                add(&error.to_string());
            }
            match FIRST.take() {
                Some(problem) => Err(Error::Device(format!(
                    "The GPU reported an error, so its results are not used: {problem}. Try again. If it happens \
                     again, update the browser or the graphics driver, or open the page with ?device=cpu."
                ))),
                None => Ok(()),
            }
        })
    }
}

fn add(problem: &str) {
    if CLOSED.get() {
        return;
    }
    web_sys::console::error_1(&problem.into());
    let shown: String = problem.trim_end_matches('.').chars().take(SHOWN).collect();
    FIRST.with_borrow_mut(|first| {
        first.get_or_insert(shown);
    });
}

/// Takes cubecl's errors from the log.
struct ErrorLog;

impl Log for ErrorLog {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() == Level::Error && metadata.target().starts_with("cubecl")
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            add(&record.args().to_string());
        }
    }

    fn flush(&self) {}
}
