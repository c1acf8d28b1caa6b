//! Reports how far the download of one file is, and how fast.

use super::environment::{Clock, Environment};
use super::events::LoadEvent;
use super::services::Services;

/// Milliseconds between two reports.
const REPORT_EVERY: f64 = 100.0;

/// The reports of one file.
pub(super) struct Progress<E: Environment> {
    services: Services<E>,
    file: String,
    /// When the connection was made, and how many bytes were there then: stored bytes do not count for the rate.
    since: (f64, u64),
    reported: f64,
}

impl<E: Environment> Progress<E> {
    pub(super) fn new(services: Services<E>, file: &str) -> Self {
        Self {
            since: (services.clock.now(), 0),
            services,
            file: file.into(),
            reported: f64::NEG_INFINITY,
        }
    }

    /// Starts to measure the rate, at a connection that begins after `loaded` bytes.
    pub(super) fn connected(&mut self, loaded: u64) {
        self.since = (self.services.clock.now(), loaded);
    }

    /// Reports, at most once every [`REPORT_EVERY`] milliseconds; the last report always goes out.
    pub(super) fn report(&mut self, loaded: u64, total: Option<u64>, last: bool) {
        let now = self.services.clock.now();
        if !last && now - self.reported < REPORT_EVERY {
            return;
        }
        self.reported = now;
        let seconds = ((now - self.since.0) / 1000.0).max(1e-3);
        (self.services.on_event)(LoadEvent::Download {
            file: self.file.clone(),
            loaded,
            total: total.unwrap_or(0),
            bytes_per_second: loaded.saturating_sub(self.since.1) as f64 / seconds,
        });
    }

    /// Reports that the connection broke, and when the next request is sent.
    pub(super) fn retry(&self, attempt: u32, wait_ms: u64) {
        (self.services.on_event)(LoadEvent::Retry {
            file: self.file.clone(),
            attempt,
            wait_ms,
        });
    }
}
