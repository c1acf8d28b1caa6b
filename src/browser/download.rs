//! One file of the Hub or of this site while it arrives: it goes to the disk and to whoever reads it, breaks and goes on, and is checked at
//! its end.

use super::http::{Body, Response, Whose};
use super::opfs::OpenFile;
use super::progress::{Progress, notice};
use super::shared::{Origin, Shared};
use crate::hub::{ContentHash, Incoming, Next, check_content, sha256_of};
use crate::io::{ByteSource, ended_early};
use crate::{Error, Result};
use js_sys::Uint8Array;
use std::ops::Range;
use std::rc::Rc;

/// Bytes that are read at once from a stored beginning, to hash it.
const PIECE: u64 = 1 << 20;

/// A file that is being downloaded. Dropping it leaves what has arrived on the disk, for the next time.
pub(super) struct Download {
    shared: Rc<Shared>,
    name: String,
    /// As the server says, where it does.
    size: Option<u64>,
    sha256: Option<String>,
    incoming: Incoming,
    body: Option<Body>,
    /// Whether the server has begun to send it, at least once.
    begun: bool,
    ended: bool,
    /// Whether the file was handed over, so that nothing is left to check.
    finished: bool,
    /// Whether something was read: then the file may not become another one.
    handed: bool,
    disk: Option<OpenFile>,
    /// Where the disk ends and `tail` begins, once the disk takes nothing more.
    full_at: Option<u64>,
    tail: Vec<u8>,
    progress: Progress,
}

impl Download {
    /// Begins the download, or goes on with one that was broken off; none where the server says that there is no such file.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be had, [`Error::Stopped`].
    pub(super) async fn open(shared: Rc<Shared>, name: &str) -> Result<Option<Self>> {
        let (remote, etag, part) = {
            let pin = shared.pin.borrow();
            let file = pin.file(name).cloned().unwrap_or_default();
            (file.remote, file.etag, pin.part_name(name))
        };
        let disk = match &shared.store {
            Some(store) => store.file(&part).await,
            None => None,
        };
        if disk.is_none() && matches!(shared.origin, Origin::Hub { .. }) {
            notice(&shared.on_event, "not_stored");
        }
        let incoming = disk.as_ref().and_then(|disk| stored(disk, etag));
        let mut download = Self {
            progress: Progress::new(shared.on_event.clone()),
            full_at: disk.is_none().then_some(0),
            shared,
            name: name.into(),
            size: remote.size,
            sha256: remote.sha256,
            incoming: incoming.unwrap_or_default(),
            body: None,
            begun: false,
            ended: false,
            finished: false,
            handed: false,
            disk,
            tail: Vec::new(),
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

    /// Asks for what is missing until there is an answer to be read; false where there is no such file.
    async fn connect(&mut self) -> Result<bool> {
        let (url, whose) = (self.shared.url(&self.name), self.shared.whose());
        loop {
            self.shared.signal.check()?;
            let range = self.incoming.range();
            let response = Response::get(&url, range.as_deref(), whose, &self.shared.signal).await;
            self.shared.signal.check()?;
            let Ok(response) = response else {
                self.pause(None).await?;
                continue;
            };
            let before = self.incoming.etag().map(str::to_string);
            let answer = response.answer();
            if matches!(answer.status, 404 | 410) && !self.shared.pin.borrow().listed {
                return Ok(false);
            }
            // Of what was read there is no more, though there should be: the server's file is cut short. It may be mending it.
            if answer.status == 416 && self.handed {
                self.pause(answer.retry_after).await?;
                continue;
            }
            match self.incoming.answered(&answer) {
                Next::Append | Next::StartOver => {}
                Next::AskAgain => {
                    self.empty()?;
                    if self.handed {
                        return Err(self.changed());
                    }
                    continue;
                }
                Next::Retry => {
                    self.pause(answer.retry_after).await?;
                    continue;
                }
                Next::Fail(problem) => return Err(self.refuse(problem)),
            }
            if answer.status == 200 {
                self.empty()?;
            }
            self.learn(&response);
            self.begun = true;
            self.body = response.body();
            if self.body.is_none() {
                return Err(self.refuse("the answer has no body."));
            }
            if before.as_deref() != self.incoming.etag() {
                let etag = self.incoming.etag().map(str::to_string);
                self.shared.pin.borrow_mut().file_mut(&self.name).etag = etag;
                self.shared.save().await;
            }
            self.progress.connected(self.incoming.arrived());
            return Ok(true);
        }
    }

    /// What an answer says of the whole file, where the Hub's list does not. The storage behind a redirect has an etag that is no
    /// SHA-256 of the file, though it looks like one; the Hub's own has.
    fn learn(&mut self, response: &Response) {
        let arrived = self.incoming.arrived();
        let length = response.length().map(|length| arrived + length);
        let Origin::Hub { endpoint, .. } = &self.shared.origin else {
            self.size = length;
            return;
        };
        let own = response.url().starts_with(endpoint);
        let linked = response.header("x-linked-etag");
        let etag = linked.or_else(|| own.then(|| response.header("etag")).flatten());
        if self.sha256.is_none() {
            self.sha256 = etag.as_deref().and_then(sha256_of);
        }
        let linked = response.header("x-linked-size");
        let linked = linked.and_then(|size| size.parse().ok());
        // Another site does not say whether its answer is compressed. Weights are not.
        let length = length.filter(|_| self.name.ends_with(".safetensors"));
        self.size = self.size.or(linked).or(length);
    }

    /// Waits after a lost connection.
    async fn pause(&mut self, retry_after: Option<u64>) -> Result<()> {
        self.body = None;
        let Some(wait) = self.incoming.broken(retry_after) else {
            let reached = self.incoming.reached();
            return Err(match self.size {
                Some(size) if self.begun => ended_early(&self.name, reached, size),
                _ => self.refuse(
                    "the network cannot be reached, or the server does not answer. Check the connection and try again.",
                ),
            });
        };
        self.progress
            .retry(&self.name, self.incoming.failures(), wait);
        self.shared.signal.sleep(wait as f64).await
    }

    /// Forgets what has arrived, before it arrives anew. What was read already stays read: it must come again as it was.
    fn empty(&mut self) -> Result<()> {
        if self.handed && self.full_at.is_some() {
            return Ok(());
        }
        self.tail.clear();
        self.full_at = self.disk.is_none().then_some(0);
        match &self.disk {
            Some(disk) => disk.truncate(0).map_err(|_| self.disk_fails()),
            None => Ok(()),
        }
    }

    fn disk_fails(&self) -> Error {
        self.refuse(
            "what has arrived of it cannot be read from this browser's storage. Delete the stored model and try again.",
        )
    }

    /// Says that what was read is of another file than what follows: whoever has read must begin anew.
    fn changed(&self) -> Error {
        self.shared.set_changed();
        self.refuse("it was exchanged while it was being downloaded. Try again.")
    }

    /// Lets the next piece arrive; false at the end.
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
            let piece = body.next().await;
            self.shared.signal.check()?;
            match piece {
                Ok(Some(piece)) => {
                    self.take(&piece)?;
                    return Ok(true);
                }
                // Without a size, an end is the end.
                Ok(None) if self.size.is_none() => break,
                Ok(None) | Err(_) => self.pause(None).await?,
            }
        }
        if !self.ended {
            self.ended = true;
            // All is there, whatever the end of the answer is; but a browser keeps a file in its cache only when it was read to its end.
            if let Some(body) = &mut self.body
                && self.shared.whose() == Whose::Site
            {
                let _ = body.next().await;
            }
            self.body = None;
            let arrived = self.incoming.arrived();
            self.progress.report(&self.name, arrived, self.size, true);
        }
        Ok(false)
    }

    fn take(&mut self, piece: &Uint8Array) -> Result<()> {
        let bytes = piece.to_vec();
        let at = self.incoming.arrived();
        if self.full_at.is_none()
            && let Some(disk) = &self.disk
            && disk.write(&bytes, at).is_err()
        {
            // What is there stays readable; from here on the file is in memory, as far as it was not read yet.
            self.full_at = Some(at);
            notice(&self.shared.on_event, "storage_full");
        }
        if let Some(full_at) = self.full_at {
            // After a start over, bytes that were there already come once more.
            let end = full_at + self.tail.len() as u64;
            let known = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
            self.tail
                .extend_from_slice(bytes.get(known..).unwrap_or_default());
        }
        let same = self.incoming.received(&bytes).is_ok();
        if !same && self.handed {
            return Err(self.changed());
        }
        let arrived = self.incoming.arrived();
        self.progress.report(&self.name, arrived, self.size, false);
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

    /// Hands a file that is whole and right over to the storage, under its content's name.
    async fn keep(&mut self, part: &str) {
        let Some(store) = &self.shared.store else {
            return;
        };
        let disk = self.disk.take();
        if self.full_at.is_some() {
            drop(disk);
            return store.remove(part).await;
        }
        let content = self.incoming.hash().hex();
        let arrived = self.incoming.arrived();
        if store.blob(&content, arrived).await.is_some() {
            drop(disk);
            store.remove(part).await;
        } else if let Some(disk) = disk
            && disk.rename(&content).await.is_err()
        {
            return notice(&self.shared.on_event, "not_stored");
        }
        {
            let mut pin = self.shared.pin.borrow_mut();
            let file = pin.file_mut(&self.name);
            (file.content, file.bytes, file.etag) = (Some(content), arrived, None);
        }
        self.shared.save().await;
    }
}

impl ByteSource for Download {
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
        self.handed = true;
        let full_at = self.full_at.unwrap_or(u64::MAX);
        let from_disk = range.end.min(full_at).saturating_sub(range.start) as usize;
        let mut bytes = vec![0; from_disk];
        if from_disk > 0 {
            let disk = self.disk.as_ref().ok_or_else(|| {
                // Memory keeps only what has not been read yet.
                self.refuse("its tensors do not lie one behind another.")
            })?;
            disk.read(&mut bytes, range.start)
                .map_err(|_| self.disk_fails())?;
        }
        if range.end > full_at {
            let start = range.start.max(full_at) - full_at;
            let end = (range.end - full_at) as usize;
            bytes.extend_from_slice(&self.tail[start as usize..end]);
            self.tail.drain(..end);
            self.full_at = Some(range.end);
        }
        Ok(bytes)
    }

    async fn finish(&mut self) -> Result<()> {
        if self.finished {
            return Ok(());
        }
        while self.more().await? {
            if let Some(full_at) = &mut self.full_at {
                *full_at += self.tail.len() as u64;
                self.tail.clear();
            }
        }
        self.finished = true;
        let part = self.shared.pin.borrow().part_name(&self.name);
        let checked = check_content(
            &self.name,
            self.incoming.arrived(),
            self.incoming.hash(),
            self.size,
            self.sha256.as_deref(),
        );
        if checked.is_ok() {
            self.keep(&part).await;
        } else if let Some(store) = &self.shared.store {
            drop(self.disk.take());
            store.remove(&part).await;
            self.shared.pin.borrow_mut().file_mut(&self.name).etag = None;
            self.shared.save().await;
        }
        checked
    }
}

/// A stored beginning, read once more for its hash.
fn stored(disk: &OpenFile, etag: Option<String>) -> Option<Incoming> {
    let len = disk.size();
    let mut hash = ContentHash::default();
    let mut at = 0;
    while at < len {
        let mut piece = vec![0; PIECE.min(len - at) as usize];
        disk.read(&mut piece, at).ok()?;
        hash.update(&piece);
        at += piece.len() as u64;
    }
    Some(Incoming::resumed(len, hash, etag))
}
