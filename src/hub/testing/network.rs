//! A network with a Hub and a site. Its answers fail where a test says so.

use super::Schedule;
use crate::hub::{Body, ContentHash, Fetch, Host, Repo, Response, Unreachable};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// The Hub's address.
pub(crate) const ENDPOINT: &str = "https://hub.test";
/// The commit of every revision.
pub(crate) const COMMIT: &str = "c0ffee";

/// Bytes that arrive at a time.
const CHUNK: usize = 8;

/// What is wrong with the answer to one request. The default is an answer that is correct.
#[derive(Clone, Default)]
pub(crate) struct Trouble {
    /// There is no answer.
    pub unreachable: bool,
    /// Another status, and no bytes.
    pub status: Option<u16>,
    /// A `Retry-After` header, in seconds.
    pub retry_after: Option<u64>,
    /// The whole file is sent, whatever range is requested.
    pub ignores_range: bool,
    /// Another file's bytes, with their etag.
    pub body: Option<Vec<u8>>,
    /// Bytes after which the connection breaks.
    pub breaks_after: Option<usize>,
}

/// The network; clones are of the same one.
#[derive(Clone, Default)]
pub(crate) struct FakeNetwork(Rc<State>);

#[derive(Default)]
struct State {
    files: RefCell<BTreeMap<String, Vec<u8>>>,
    troubles: RefCell<BTreeMap<String, VecDeque<Trouble>>>,
    /// Address and range of every request.
    requests: RefCell<Vec<(String, Option<String>)>>,
    waits: RefCell<Vec<u64>>,
    stopped: Cell<bool>,
    offline: Cell<bool>,
    /// Whether the commit is in no header, as on some mirrors.
    names_no_commit: Cell<bool>,
    /// The order in which tabs use the network.
    schedule: RefCell<Option<Schedule>>,
}

impl FakeNetwork {
    /// Offers a file at an address.
    pub(crate) fn offer(&self, url: &str, bytes: &[u8]) {
        self.0.files.borrow_mut().insert(url.into(), bytes.into());
    }

    /// Offers a repository's files, and the list of them with the size and hash of each `.safetensors` file.
    pub(crate) fn offer_repo(&self, id: &str, files: &[(&str, &[u8])]) {
        let siblings = files.iter().map(|(name, bytes)| {
            let lfs = name
                .ends_with(".safetensors")
                .then(|| json!({"sha256": sha256(bytes), "size": bytes.len()}));
            json!({"rfilename": name, "size": bytes.len(), "lfs": lfs})
        });
        let siblings: Vec<_> = siblings.collect();
        let listing = json!({"sha": COMMIT, "tags": ["license:mit"], "siblings": siblings});
        self.offer(
            &repo(id).listing_url(ENDPOINT),
            listing.to_string().as_bytes(),
        );
        self.offer_unlisted(id, files);
    }

    /// Offers a repository's files without a list of them.
    pub(crate) fn offer_unlisted(&self, id: &str, files: &[(&str, &[u8])]) {
        let repo = repo(id);
        for (name, bytes) in files {
            for revision in [COMMIT, &repo.revision] {
                self.offer(&repo.resolve_url(ENDPOINT, revision, name), bytes);
            }
        }
    }

    /// Has the next requests for a file of a repository fail, one after the other.
    pub(crate) fn trouble_repo(&self, id: &str, file: &str, troubles: Vec<Trouble>) {
        self.trouble(&repo(id).resolve_url(ENDPOINT, COMMIT, file), troubles);
    }

    /// Has the next requests for an address fail, one after the other.
    pub(crate) fn trouble(&self, url: &str, troubles: Vec<Trouble>) {
        let mut all = self.0.troubles.borrow_mut();
        all.insert(url.into(), troubles.into());
    }

    /// Has no answer name the commit, as on some mirrors, or each.
    pub(crate) fn set_names_no_commit(&self, names_no_commit: bool) {
        self.0.names_no_commit.set(names_no_commit);
    }

    /// Cuts the network off, or connects it.
    pub(crate) fn set_offline(&self, offline: bool) {
        self.0.offline.set(offline);
    }

    /// Has a schedule choose which tab uses the network next, until the next call.
    pub(crate) fn set_schedule(&self, schedule: Option<Schedule>) {
        self.0.schedule.replace(schedule);
    }

    async fn pause(&self) {
        let schedule = self.0.schedule.borrow().clone();
        Schedule::pause(schedule).await;
    }

    /// Whether the visitor has stopped the request.
    pub(crate) fn set_stopped(&self, stopped: bool) {
        self.0.stopped.set(stopped);
    }

    /// The addresses that were requested since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        let requests = self.0.requests.take();
        requests.into_iter().map(|(url, _)| url).collect()
    }

    /// The ranges that were requested of the files with this name.
    pub(crate) fn ranges(&self, file: &str) -> Vec<Option<String>> {
        let requests = self.0.requests.borrow();
        let of_file = requests.iter().filter(|(url, _)| url.ends_with(file));
        of_file.map(|(_, range)| range.clone()).collect()
    }

    /// The waits between attempts since the last call, in milliseconds.
    pub(crate) fn take_waits(&self) -> Vec<u64> {
        self.0.waits.take()
    }

    fn trouble_of(&self, url: &str) -> Trouble {
        let mut troubles = self.0.troubles.borrow_mut();
        let next = troubles.get_mut(url).and_then(VecDeque::pop_front);
        next.unwrap_or_default()
    }
}

fn repo(id: &str) -> Repo {
    Repo::parse(id).unwrap()
}

/// The SHA-256 of a file, which is its name in the storage.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut hash = ContentHash::default();
    hash.update(bytes);
    hash.hex()
}

impl Fetch for FakeNetwork {
    type Body = FakeBody;

    async fn get(
        &self,
        url: &str,
        range: Option<&str>,
        _host: Host,
    ) -> Result<Response<FakeBody>, Unreachable> {
        self.pause().await;
        let request = (url.into(), range.map(str::to_string));
        self.0.requests.borrow_mut().push(request);
        let trouble = self.trouble_of(url);
        if trouble.unreachable || self.0.offline.get() || self.0.stopped.get() {
            return Err(Unreachable);
        }
        let file = self.0.files.borrow().get(url).cloned();
        let file = trouble.body.clone().or(file);
        let from = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let from = from.filter(|_| !trouble.ignores_range);
        let from = from.map(|from| from.parse::<usize>().unwrap());
        let status = match (trouble.status, &file, from) {
            (Some(status), _, _) => status,
            (None, None, _) => 404,
            (None, Some(file), Some(from)) if from >= file.len() => 416,
            (None, Some(_), Some(_)) => 206,
            (None, Some(_), None) => 200,
        };
        let mut headers = BTreeMap::new();
        if !self.0.names_no_commit.get() {
            headers.insert("x-repo-commit".into(), COMMIT.into());
        }
        if let Some(seconds) = trouble.retry_after {
            headers.insert("retry-after".into(), seconds.to_string());
        }
        if let (416, Some(file)) = (status, &file) {
            headers.insert("content-range".into(), format!("bytes */{}", file.len()));
        }
        let mut chunks = VecDeque::new();
        if let (200 | 206, Some(file)) = (status, &file) {
            let rest = &file[from.unwrap_or(0)..];
            headers.insert("content-length".into(), rest.len().to_string());
            // Not of 64 digits, as the etag of a small file.
            headers.insert("etag".into(), format!("\"{}\"", &sha256(file)[..40]));
            if let Some(from) = from {
                let place = format!("bytes {from}-{}/{}", file.len() - 1, file.len());
                headers.insert("content-range".into(), place);
            }
            let sent = trouble.breaks_after.unwrap_or(rest.len()).min(rest.len());
            chunks.extend(rest[..sent].chunks(CHUNK).map(|chunk| Ok(chunk.to_vec())));
            if trouble.breaks_after.is_some() {
                chunks.push_back(Err(Unreachable));
            }
        }
        Ok(Response {
            status,
            url: url.into(),
            headers,
            body: Some(FakeBody {
                network: self.clone(),
                chunks,
            }),
        })
    }

    async fn sleep(&self, milliseconds: u64) {
        self.0.waits.borrow_mut().push(milliseconds);
    }

    fn is_stopped(&self) -> bool {
        self.0.stopped.get()
    }
}

/// The rest of an answer.
pub(crate) struct FakeBody {
    network: FakeNetwork,
    chunks: VecDeque<Result<Vec<u8>, Unreachable>>,
}

impl Body for FakeBody {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Unreachable> {
        self.network.pause().await;
        if self.network.is_stopped() {
            return Err(Unreachable);
        }
        self.chunks.pop_front().transpose()
    }
}
