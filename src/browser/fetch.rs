//! A file of the site as byte ranges: one response, read as a stream, front to back. The browser's own cache keeps it.

use super::http::{AbortSignal, Body, Response, Whose};
use super::progress::Progress;
use crate::hub::{ByteSource, ended_early};
use crate::{Error, Result};
use js_sys::Function;
use std::ops::Range;

/// A file that is being fetched.
pub(super) struct FetchedFile {
    name: String,
    body: Body,
    size: Option<u64>,
    /// Bytes of the file that came before `buffer`.
    passed: u64,
    buffer: Vec<u8>,
    arrived: u64,
    progress: Progress,
    signal: AbortSignal,
}

impl FetchedFile {
    /// Asks for `url`; `on_event` gets `download` events. None where the server says that there is no such file.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be reached or the answer is another one, [`Error::Stopped`].
    pub(super) async fn open(
        url: &str,
        on_event: Function,
        signal: &AbortSignal,
    ) -> Result<Option<Self>> {
        let name = url.rsplit('/').next().unwrap_or(url).to_string();
        let refuse = |problem: String| Error::Download {
            file: name.clone(),
            problem,
        };
        signal.check()?;
        let response = Response::get(url, None, Whose::Site, signal).await;
        signal.check()?;
        let response = response.map_err(|_| {
            refuse("the network cannot be reached. Check the connection and try again.".into())
        })?;
        match response.status() {
            200 => {}
            404 | 410 => return Ok(None),
            status => return Err(refuse(format!("the server answered {status} for {url}."))),
        }
        let body = response
            .body()
            .ok_or_else(|| refuse("the answer has no body.".into()))?;
        Ok(Some(Self {
            name,
            body,
            size: response.length(),
            passed: 0,
            buffer: Vec::new(),
            arrived: 0,
            progress: Progress::new(on_event),
            signal: signal.clone(),
        }))
    }

    /// Appends the next piece of the body to the buffer; false at its end.
    async fn more(&mut self) -> Result<bool> {
        self.signal.check()?;
        let piece = self.body.next().await;
        self.signal.check()?;
        let piece = piece.map_err(|_| {
            ended_early(
                &self.name,
                self.arrived,
                self.size.unwrap_or(self.arrived + 1),
            )
        })?;
        if let Some(bytes) = &piece {
            let start = self.buffer.len();
            self.buffer.resize(start + bytes.length() as usize, 0);
            bytes.copy_to(&mut self.buffer[start..]);
            self.arrived += u64::from(bytes.length());
        }
        self.progress
            .report(&self.name, self.arrived, self.size, piece.is_none());
        Ok(piece.is_some())
    }

    /// The whole rest of the file.
    ///
    /// # Errors
    /// [`Error::Download`] when the connection breaks, [`Error::Stopped`].
    pub(super) async fn rest(mut self) -> Result<Vec<u8>> {
        while self.more().await? {}
        Ok(std::mem::take(&mut self.buffer))
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

    /// Reads what is left of the answer: a browser keeps a file in its cache only when it was read to its end.
    async fn finish(&mut self) -> Result<()> {
        while self.more().await? {
            self.buffer.clear();
        }
        Ok(())
    }
}
