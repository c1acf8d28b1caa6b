//! What the loading of one model works with: the network of its request, the disk, a clock, and a listener.

use super::environment::{Environment, Fetch, Host, Response, Unreachable};
use super::events::{LoadEvent, NoticeCode};
use crate::{Error, Result};
use std::rc::Rc;

/// An answer to a request of an environment's network, or that there is none.
pub(super) type Reply<E> =
    Result<Response<<<E as Environment>::Fetch as Fetch>::Body>, Unreachable>;

/// The services of one request. Clones share them.
pub struct Services<E: Environment> {
    /// The network, with the request's stop signal.
    pub fetch: E::Fetch,
    /// None where the browser stores nothing for this page.
    pub disk: Option<E::Disk>,
    /// Times the downloads.
    pub clock: E::Clock,
    /// Receives every event.
    pub on_event: Rc<dyn Fn(LoadEvent)>,
}

impl<E: Environment> Clone for Services<E> {
    fn clone(&self) -> Self {
        Self {
            fetch: self.fetch.clone(),
            disk: self.disk.clone(),
            clock: self.clock.clone(),
            on_event: self.on_event.clone(),
        }
    }
}

impl<E: Environment> Services<E> {
    /// Sends a GET request.
    ///
    /// # Errors
    /// [`Error::Stopped`], also when the visitor stops while the answer is awaited.
    pub(super) async fn get(&self, url: &str, range: Option<&str>, host: Host) -> Result<Reply<E>> {
        self.check()?;
        let reply = self.fetch.get(url, range, host).await;
        self.check()?;
        Ok(reply)
    }

    /// Waits before a further request.
    ///
    /// # Errors
    /// [`Error::Stopped`], at once when the visitor stops.
    pub(super) async fn sleep(&self, milliseconds: u64) -> Result<()> {
        self.check()?;
        self.fetch.sleep(milliseconds).await;
        self.check()
    }

    /// # Errors
    /// [`Error::Stopped`] once the visitor has stopped the request.
    pub(super) fn check(&self) -> Result<()> {
        if self.fetch.is_stopped() {
            return Err(Error::Stopped(
                "The download was stopped. What has arrived from the Hub is kept: \
                 load it again to resume the download."
                    .into(),
            ));
        }
        Ok(())
    }

    /// Reports something that does not stop the download.
    pub(super) fn notice(&self, code: NoticeCode) {
        (self.on_event)(LoadEvent::Notice { code });
    }
}
