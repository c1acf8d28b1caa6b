//! One file of the Hub or of this site while it arrives: its bytes are stored and read, a broken connection is resumed,
//! and the whole file is checked at its end.

use super::arrived::{Arrived, ReadError};
use super::context::{Context, Origin};
use super::environment::{Body, Disk, Environment, Fetch, Host, Response};
use super::events::NoticeCode;
use super::hash::{check_content, sha256_of};
use super::incoming::{Incoming, Next};
use super::progress::Progress;
use crate::io::{ByteSource, ended_early};
use crate::{Error, Result};
use std::ops::Range;
use std::rc::Rc;

/// The body of an environment's answers.
type BodyOf<E> = <<E as Environment>::Fetch as Fetch>::Body;

/// A file that is being downloaded. Dropping it leaves what has arrived on the disk, for the next time.
pub(super) struct Download<E: Environment> {
    context: Rc<Context<E>>,
    name: String,
    /// As the server says, where it does.
    size: Option<u64>,
    sha256: Option<String>,
    incoming: Incoming,
    body: Option<BodyOf<E>>,
    /// Whether the server has sent a part of it in this session.
    was_answered: bool,
    ended: bool,
    /// Whether the whole file was checked.
    finished: bool,
    /// Whether something was read: from then on the file must not change.
    was_read: bool,
    arrived: Arrived<<E::Disk as Disk>::File>,
    progress: Progress<E>,
}

impl<E: Environment> Download<E> {
    /// Starts the download, or resumes a stored one; none where the server says that there is no such file.
    ///
    /// # Errors
    /// [`Error::Download`] when the file cannot be downloaded, [`Error::Stopped`].
    pub(super) async fn open(context: Rc<Context<E>>, name: &str) -> Result<Option<Self>> {
        let (remote, etag, part, is_pinned) = {
            let pin = context.pin.borrow();
            let file = pin.file(name).cloned().unwrap_or_default();
            (file.remote, file.etag, pin.part_name(name), pin.is_pinned())
        };
        let disk = match &context.store {
            Some(store) => store.file(&part).await,
            None => None,
        };
        if disk.is_none() && context.host() == Host::Hub {
            context.services.notice(NoticeCode::NotStored);
        }
        let mut arrived = Arrived::new(disk);
        // What has arrived of a revision without a commit may be of another commit than what follows.
        if !is_pinned && arrived.clear().is_err() {
            arrived = Arrived::new(None);
        }
        let mut download = Self {
            progress: Progress::new(context.services.clone(), name),
            context,
            name: name.into(),
            size: remote.size,
            sha256: remote.sha256,
            incoming: arrived.resume(etag).unwrap_or_default(),
            body: None,
            was_answered: false,
            ended: false,
            finished: false,
            was_read: false,
            arrived,
        };
        if download.size == Some(download.incoming.arrived()) {
            return Ok(Some(download));
        }
        Ok(download.connect().await?.then_some(download))
    }

    fn refuse(&self, problem: impl Into<String>) -> Error {
        Error::Download {
            file: self.name.clone(),
            problem: problem.into(),
        }
    }

    /// The etag of the server's file, where it is readable.
    pub(super) fn etag(&self) -> Option<&str> {
        self.incoming.etag()
    }

    /// Requests what is missing until there is an answer to read; false where there is no such file.
    async fn connect(&mut self) -> Result<bool> {
        let (url, host) = (self.context.url(&self.name), self.context.host());
        loop {
            let range = self.incoming.range();
            let services = &self.context.services;
            let Ok(response) = services.get(&url, range.as_deref(), host).await? else {
                self.pause(None).await?;
                continue;
            };
            let mut answer = response.answer();
            // A file that ends where the download stands is complete only if it has the size that the list says.
            answer.refused_of = answer
                .refused_of
                .filter(|&of| self.size.is_none_or(|size| size == of));
            if matches!(answer.status, 404 | 410) && !self.context.pin.borrow().listed {
                return Ok(false);
            }
            // The server's file is shorter than what was read of it: it is incomplete, and may be complete later.
            let is_complete = answer.refused_of == Some(self.incoming.arrived());
            if answer.status == 416 && self.was_read && !is_complete {
                self.pause(answer.retry_after).await?;
                continue;
            }
            let etag = self.incoming.etag().map(str::to_string);
            match self.incoming.answered(&answer) {
                next @ (Next::Append | Next::StartOver) => {
                    if next == Next::StartOver {
                        self.clear()?;
                    }
                    self.accept(response, etag.as_deref()).await?;
                    return Ok(true);
                }
                Next::Complete => {
                    self.size = Some(self.incoming.arrived());
                    return Ok(true);
                }
                Next::AskAgain => {
                    self.clear()?;
                    if self.was_read {
                        return Err(self.changed());
                    }
                }
                Next::Retry => self.pause(answer.retry_after).await?,
                Next::Fail(problem) => return Err(self.refuse(problem)),
            }
        }
    }

    /// Prepares to read the body of an answer; `etag` is that of the answers before.
    async fn accept(&mut self, response: Response<BodyOf<E>>, etag: Option<&str>) -> Result<()> {
        self.read_head(&response);
        self.was_answered = true;
        self.body = response.body;
        if self.body.is_none() {
            return Err(self.refuse("the answer has no body."));
        }
        // Of a file that another tab writes, that tab stores the etag.
        if etag != self.incoming.etag() && self.arrived.is_on_disk() {
            self.pin_head();
            self.context.save().await;
        }
        self.progress.connected(self.incoming.arrived());
        Ok(())
    }

    /// Notes in the pin what the stored part is of.
    fn pin_head(&self) {
        let mut pin = self.context.pin.borrow_mut();
        if !pin.is_pinned() {
            return;
        }
        let file = pin.file_mut(&self.name);
        file.etag = self.incoming.etag().map(str::to_string);
        (file.remote.size, file.remote.sha256) = (self.size, self.sha256.clone());
    }

    /// Takes size and hash of the whole file from an answer, where the Hub's list has none. The storage behind a
    /// redirect has an etag that looks like a SHA-256 and is none of the file; the Hub's own etag is one.
    fn read_head(&mut self, response: &Response<BodyOf<E>>) {
        let arrived = self.incoming.arrived();
        let length = response.length().map(|length| arrived + length);
        let Origin::Hub { endpoint, .. } = &self.context.origin else {
            self.size = length;
            return;
        };
        let is_hub = response.url.starts_with(endpoint);
        let linked = response.header("x-linked-etag");
        let etag = linked.or_else(|| is_hub.then(|| response.header("etag")).flatten());
        if self.sha256.is_none() {
            self.sha256 = etag.and_then(sha256_of);
        }
        let linked = response.header("x-linked-size");
        let linked = linked.and_then(|size| size.parse().ok());
        // The headers of another site do not show whether its answer is compressed. Weights are not.
        let length = length.filter(|_| self.name.ends_with(".safetensors"));
        self.size = self.size.or(linked).or(length);
    }

    /// Waits after a lost connection.
    async fn pause(&mut self, retry_after: Option<u64>) -> Result<()> {
        self.body = None;
        let Some(wait) = self.incoming.broken(retry_after) else {
            let reached = self.incoming.reached();
            return Err(match self.size {
                Some(size) if self.was_answered => ended_early(&self.name, reached, size),
                _ => self.refuse(
                    "the network cannot be reached, or the server does not answer. \
                     Check the connection and try again.",
                ),
            });
        };
        self.progress.retry(self.incoming.failures(), wait);
        self.context.services.sleep(wait).await
    }

    /// Drops what has arrived, before it arrives again.
    fn clear(&mut self) -> Result<()> {
        // What was read from memory cannot be read again: the bytes in memory stay, and the same bytes must come again.
        if self.was_read && !self.arrived.is_on_disk() {
            return Ok(());
        }
        self.arrived.clear().map_err(|_| self.disk_fails())
    }

    fn disk_fails(&self) -> Error {
        self.refuse(
            "what has arrived of it cannot be read from this browser's storage. \
             Delete the stored model and try again.",
        )
    }

    /// The error for a file that changed after parts of it were read: everything has to be read again.
    fn changed(&self) -> Error {
        self.context.set_changed();
        self.refuse("it was exchanged while it was being downloaded. Try again.")
    }

    /// Waits for the next bytes; false at the end.
    async fn more(&mut self) -> Result<bool> {
        while !self.ended {
            let arrived = self.incoming.arrived();
            if self.size.is_some_and(|size| arrived >= size) {
                break;
            }
            let Some(body) = &mut self.body else {
                if !self.connect().await? {
                    return Err(self.refuse("it is not there any more."));
                }
                continue;
            };
            let bytes = body.next().await;
            self.context.services.check()?;
            match bytes {
                Ok(Some(bytes)) => {
                    self.take(&bytes)?;
                    return Ok(true);
                }
                // Where the size is unknown, the body's end is the file's end.
                Ok(None) if self.size.is_none() => break,
                Ok(None) | Err(_) => self.pause(None).await?,
            }
        }
        if !self.ended {
            self.ended = true;
            // A browser caches an answer only when its body was read to the end. How it ends does not matter: every
            // byte is there.
            if let Some(body) = &mut self.body
                && self.context.host() == Host::Site
            {
                let _ = body.next().await;
            }
            self.body = None;
            let arrived = self.incoming.arrived();
            self.progress.report(arrived, self.size, true);
        }
        Ok(false)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        if self.arrived.write(bytes, self.incoming.arrived()).is_err() {
            self.context.services.notice(NoticeCode::StorageFull);
        }
        let same = self.incoming.received(bytes).is_ok();
        if !same && self.was_read {
            return Err(self.changed());
        }
        let arrived = self.incoming.arrived();
        self.progress.report(arrived, self.size, false);
        Ok(())
    }

    /// The whole file.
    ///
    /// # Errors
    /// As [`ByteSource::read`] and [`ByteSource::finish`].
    pub(super) async fn rest(mut self) -> Result<Vec<u8>> {
        while self.more().await? {}
        let bytes = self.read(0..self.incoming.arrived()).await?;
        self.finish().await?;
        Ok(bytes)
    }

    /// Stores a file that is complete and correct under its content's name.
    async fn keep(&mut self, part: &str) {
        let Some(store) = &self.context.store else {
            return;
        };
        let is_on_disk = self.arrived.is_on_disk();
        let disk = self.arrived.take_disk();
        if !is_on_disk {
            drop(disk);
            return store.remove(part).await;
        }
        let Some(disk) = disk else {
            return;
        };
        let content = self.incoming.hash().hex();
        let mut pin = self.context.pin.borrow().clone();
        // A revision without a commit is asked for again by its etag.
        let etag = self.etag().filter(|_| !pin.is_pinned()).map(str::to_string);
        let bytes = self.incoming.arrived();
        let file = pin.file_mut(&self.name);
        (file.content, file.bytes, file.etag) = (Some(content.clone()), bytes, etag);
        match store.keep(disk, part, (&content, bytes), &pin).await {
            Ok(()) => *self.context.pin.borrow_mut() = pin,
            Err(reason) => self.context.services.notice(reason),
        }
    }

    /// Removes a file that is not what the server says.
    async fn discard(&mut self, part: &str) {
        if let Some(store) = &self.context.store {
            drop(self.arrived.take_disk());
            store.remove(part).await;
            {
                let mut pin = self.context.pin.borrow_mut();
                let is_listed = pin.listed;
                let file = pin.file_mut(&self.name);
                file.etag = None;
                if !is_listed {
                    (file.remote.size, file.remote.sha256) = (None, None);
                }
            }
            self.context.save().await;
        }
    }
}

impl<E: Environment> ByteSource for Download<E> {
    fn name(&self) -> &str {
        &self.name
    }

    async fn size(&mut self) -> Result<Option<u64>> {
        Ok(self.size)
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        while self.incoming.arrived() < range.end {
            if !self.more().await? {
                return Err(ended_early(&self.name, self.incoming.arrived(), range.end));
            }
        }
        self.was_read = true;
        self.arrived.read(range).map_err(|error| match error {
            ReadError::Dropped => self.refuse(
                "its tensors are not in the order of their bytes, so it can be read only from this browser's storage, \
                 which is not available.",
            ),
            ReadError::Disk => self.disk_fails(),
        })
    }

    async fn finish(&mut self) -> Result<()> {
        if self.finished {
            return Ok(());
        }
        while self.more().await? {
            self.arrived.drop_tail();
        }
        self.finished = true;
        let part = self.context.pin.borrow().part_name(&self.name);
        let checked = check_content(
            &self.name,
            self.incoming.arrived(),
            self.incoming.hash(),
            self.size,
            self.sha256.as_deref(),
        );
        match checked {
            Ok(()) => self.keep(&part).await,
            Err(_) => self.discard(&part).await,
        }
        checked
    }
}
