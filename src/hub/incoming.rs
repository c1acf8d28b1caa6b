//! The state of a download, without the network: what to request next, what an answer means, and whether the bytes that
//! arrive are still those of the same file.

use super::hash::ContentHash;

/// Failures in a row, without a new byte in between, that a download survives.
const MOST_FAILURES: u32 = 5;
/// The wait after the first failure, in milliseconds; it doubles with each further one.
const FIRST_WAIT: u64 = 500;
/// Longest wait, in milliseconds, whatever a server asks for.
const LONGEST_WAIT: u64 = 30_000;
/// Times that a file may change before the download fails.
const MOST_RESTARTS: u32 = 3;

/// Status and headers of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `ETag`, where the browser may read it.
    pub etag: Option<String>,
    /// First byte of `Content-Range`, where the browser may read it.
    pub first: Option<u64>,
    /// Bytes of the whole file in the `Content-Range` of a refused range (`bytes */11`), where the browser may read it.
    pub refused_of: Option<u64>,
    /// `Retry-After` in seconds, where the browser may read it.
    pub retry_after: Option<u64>,
}

/// What to do with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Its body continues where the download stands.
    Append,
    /// Its body is the file from its beginning.
    StartOver,
    /// It has no body: every byte of the file is there already.
    Complete,
    /// The file has changed: drop what has arrived, and request the whole file.
    AskAgain,
    /// The server is busy: treat it as a lost connection.
    Retry,
    /// The file cannot be downloaded: why, as a sentence.
    Fail(String),
}

/// The server has started over, and sends other bytes than before: the file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed;

/// How far the download of one file is.
#[derive(Clone, Default)]
pub struct Incoming {
    arrived: u64,
    hash: ContentHash,
    etag: Option<String>,
    failures: u32,
    restarts: u32,
    /// The most bytes that were ever there: only a byte beyond them resets the count of failures.
    reached: u64,
    /// After a start over: how many bytes must be the same as before, and their hash.
    before: Option<(u64, String)>,
}

impl Incoming {
    /// Resumes after bytes that are there already; `etag` is that of the answer that they came with.
    pub fn resumed(arrived: u64, hash: ContentHash, etag: Option<String>) -> Self {
        Self {
            arrived,
            hash,
            etag,
            reached: arrived,
            ..Self::default()
        }
    }

    /// Bytes that are there, without a gap from the file's beginning.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// The most bytes of this file that were ever there.
    pub fn reached(&self) -> u64 {
        self.reached
    }

    /// The hash of the bytes that are there.
    pub fn hash(&self) -> &ContentHash {
        &self.hash
    }

    /// The etag that all of them came with, where one was readable.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// The `Range` header of the next request; none for the whole file.
    pub fn range(&self) -> Option<String> {
        (self.arrived > 0).then(|| format!("bytes={}-", self.arrived))
    }

    /// Takes status and headers of the answer to a request with [`range`](Self::range).
    pub fn answered(&mut self, answer: &Answer) -> Next {
        match answer.status {
            206 => {
                let is_elsewhere = answer.first.is_some_and(|first| first != self.arrived);
                let has_changed =
                    matches!((&self.etag, &answer.etag), (Some(old), Some(new)) if old != new);
                if is_elsewhere || has_changed {
                    return self.ask_again();
                }
                if self.etag.is_none() {
                    self.etag.clone_from(&answer.etag);
                }
                Next::Append
            }
            200 => {
                // A start over within a start over still compares with the first one, which reaches further.
                if self.arrived > 0 && self.before.is_none() {
                    self.before = Some((self.arrived, self.hash.hex()));
                }
                self.reset(answer.etag.clone());
                Next::StartOver
            }
            416 if self.arrived > 0 && answer.refused_of == Some(self.arrived) => {
                match (&self.etag, &answer.etag) {
                    (Some(old), Some(new)) if old != new => self.ask_again(),
                    _ => Next::Complete,
                }
            }
            416 if self.arrived > 0 => self.ask_again(),
            401 | 403 => Next::Fail(format!(
                "the server answered {}: it is not there, or for accounts that were given access. \
                 This page never asks for an account; \
                 take a public model, or put the folder on this page from your disk.",
                answer.status
            )),
            404 | 410 => Next::Fail(format!(
                "the server answered {}: it is not there. Check the name and the revision.",
                answer.status
            )),
            408 | 425 | 429 | 500.. => Next::Retry,
            other => Next::Fail(format!("the server answered {other}.")),
        }
    }

    fn ask_again(&mut self) -> Next {
        self.restarts += 1;
        if self.restarts > MOST_RESTARTS {
            return Next::Fail("the server sends another file each time. Try again later.".into());
        }
        self.before = None;
        self.reached = 0;
        self.reset(None);
        Next::AskAgain
    }

    fn reset(&mut self, etag: Option<String>) {
        self.arrived = 0;
        self.hash = ContentHash::default();
        self.etag = etag;
    }

    /// Takes bytes of the body.
    ///
    /// # Errors
    /// [`Changed`] when the server has started over with other bytes: what was read before is of another file.
    pub fn received(&mut self, bytes: &[u8]) -> Result<(), Changed> {
        let mut rest = bytes;
        if let Some((upto, expected)) = &self.before {
            let repeated = usize::try_from(upto - self.arrived).unwrap_or(usize::MAX);
            if repeated > bytes.len() {
                self.take(bytes);
                return Ok(());
            }
            let expected = expected.clone();
            self.take(&bytes[..repeated]);
            rest = &bytes[repeated..];
            self.before = None;
            if self.hash.hex() != expected {
                self.take(rest);
                self.reached = self.arrived;
                return Err(Changed);
            }
        }
        self.take(rest);
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.arrived += bytes.len() as u64;
        if self.arrived > self.reached {
            self.reached = self.arrived;
            self.failures = 0;
        }
    }

    /// Notes a lost or refused connection: milliseconds to wait before the next request, or none after too many
    /// failures.
    pub fn broken(&mut self, retry_after: Option<u64>) -> Option<u64> {
        self.failures += 1;
        if self.failures > MOST_FAILURES {
            return None;
        }
        let wait = FIRST_WAIT << (self.failures - 1);
        let asked = retry_after.map_or(0, |seconds| seconds.saturating_mul(1000));
        Some(wait.max(asked).min(LONGEST_WAIT))
    }

    /// Failures in a row, without a new byte in between.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, etag: Option<&str>) -> Answer {
        Answer {
            status,
            etag: etag.map(str::to_string),
            ..Answer::default()
        }
    }

    /// A download of which `bytes` have arrived with the etag "a".
    fn resumed_after(bytes: &[u8]) -> Incoming {
        let mut incoming = Incoming::default();
        assert_eq!(incoming.range(), None);
        assert_eq!(incoming.answered(&answer(200, Some("a"))), Next::StartOver);
        incoming.received(bytes).unwrap();
        incoming
    }

    #[test]
    fn a_broken_download_resumes_where_it_stands() {
        let mut incoming = resumed_after(b"hello ");
        assert_eq!(incoming.broken(None), Some(500));
        assert_eq!(incoming.range().as_deref(), Some("bytes=6-"));
        assert_eq!(incoming.answered(&answer(206, Some("a"))), Next::Append);
        incoming.received(b"world").unwrap();
        let mut whole = ContentHash::default();
        whole.update(b"hello world");
        assert_eq!(incoming.hash().hex(), whole.hex());
        assert_eq!((incoming.arrived(), incoming.failures()), (11, 0));
    }

    #[test]
    fn another_etag_or_offset_starts_over() {
        let mut incoming = resumed_after(b"hello ");
        assert_eq!(incoming.answered(&answer(206, Some("b"))), Next::AskAgain);
        assert_eq!((incoming.arrived(), incoming.range()), (0, None));
        let mut incoming = resumed_after(b"hello ");
        let elsewhere = Answer {
            first: Some(5),
            ..answer(206, None)
        };
        assert_eq!(incoming.answered(&elsewhere), Next::AskAgain);
        // The file has become shorter than what is there.
        assert_eq!(
            resumed_after(b"hello ").answered(&answer(416, None)),
            Next::AskAgain
        );
    }

    #[test]
    fn a_refused_range_behind_the_last_byte_is_a_complete_file() {
        let refused = |of, etag| Answer {
            refused_of: Some(of),
            ..answer(416, etag)
        };
        for etag in [None, Some("a")] {
            let mut incoming = resumed_after(b"hello ");
            assert_eq!(incoming.answered(&refused(6, etag)), Next::Complete);
            assert_eq!(incoming.arrived(), 6);
        }
        for answer in [refused(5, None), refused(7, None), refused(6, Some("b"))] {
            let mut incoming = resumed_after(b"hello ");
            assert_eq!(incoming.answered(&answer), Next::AskAgain, "{answer:?}");
        }
    }

    #[test]
    fn an_unreadable_etag_is_not_a_changed_file() {
        assert_eq!(
            resumed_after(b"x").answered(&answer(206, None)),
            Next::Append
        );
        let mut resumed = Incoming::resumed(3, ContentHash::default(), None);
        assert_eq!(resumed.answered(&answer(206, Some("a"))), Next::Append);
        assert_eq!(resumed.etag(), Some("a"));
    }

    #[test]
    fn a_server_that_ignores_ranges_must_send_the_same_bytes_again() {
        for pieces in [vec!["hel", "lo world"], vec!["hello ", "world"]] {
            let mut incoming = resumed_after(b"hello ");
            assert_eq!(incoming.answered(&answer(200, Some("a"))), Next::StartOver);
            for piece in pieces {
                incoming.received(piece.as_bytes()).unwrap();
            }
            assert_eq!(incoming.arrived(), 11);
        }
        // Also when the connection breaks again before the old bytes are complete.
        let mut incoming = resumed_after(b"hello ");
        incoming.answered(&answer(200, None));
        incoming.received(b"hel").unwrap();
        incoming.answered(&answer(200, None));
        assert_eq!(incoming.received(b"hell"), Ok(()));
        assert_eq!(incoming.received(b"y world"), Err(Changed));
        let mut incoming = resumed_after(b"hello ");
        incoming.answered(&answer(200, None));
        assert_eq!(incoming.received(b"jello"), Ok(()));
        assert_eq!(incoming.received(b" world"), Err(Changed));
        // The bytes that are there now are those of the new file.
        assert_eq!((incoming.arrived(), incoming.reached()), (11, 11));
    }

    #[test]
    fn waits_double_until_too_many_have_failed() {
        let mut incoming = resumed_after(b"hello");
        let waits: Vec<_> = (0..6).map(|_| incoming.broken(None)).collect();
        assert_eq!(
            waits,
            [
                Some(500),
                Some(1000),
                Some(2000),
                Some(4000),
                Some(8000),
                None
            ]
        );
        // A new byte resets the count.
        incoming.received(b"!").unwrap();
        assert_eq!(incoming.broken(Some(7)), Some(7000));
        assert_eq!(incoming.broken(Some(1_000_000)), Some(30_000));
    }

    #[test]
    fn a_server_that_ignores_ranges_and_always_breaks_at_the_same_place_fails() {
        let mut incoming = resumed_after(b"hello ");
        for _ in 0..MOST_FAILURES {
            assert!(incoming.broken(None).is_some());
            assert_eq!(incoming.answered(&answer(200, Some("a"))), Next::StartOver);
            incoming.received(b"hello ").unwrap();
        }
        assert_eq!(incoming.broken(None), None);
    }

    #[test]
    fn a_status_is_retried_or_fails() {
        let next = |status| Incoming::default().answered(&answer(status, None));
        for status in [429, 500, 503] {
            assert_eq!(next(status), Next::Retry, "{status}");
        }
        for status in [400, 401, 403, 404, 416] {
            let Next::Fail(problem) = next(status) else {
                panic!("{status} does not fail");
            };
            assert!(problem.contains(&status.to_string()), "{problem}");
        }
    }

    #[test]
    fn a_file_that_changes_each_time_fails() {
        let mut incoming = resumed_after(b"hello");
        let mut last = Next::Append;
        for etag in ["b", "c", "d", "e"] {
            last = incoming.answered(&answer(206, Some(etag)));
            incoming.answered(&answer(200, Some(etag)));
            incoming.received(b"hello").unwrap();
            incoming.etag = Some("a".into());
        }
        assert!(matches!(last, Next::Fail(_)));
    }
}
