//! What is stored about a model of the Hub: the commit of its revision, and the content of each file, which is its name
//! in the storage.

use super::hash::hash_of;
use super::listing::{Listing, RemoteFile};
use super::repo::Repo;
use serde::{Deserialize, Serialize};

/// The end of the name of a file of which only a part has arrived.
pub const PART_ENDING: &str = ".part";

/// A file of a [`Pin`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedFile {
    /// What the Hub says about it.
    #[serde(flatten)]
    pub remote: RemoteFile,
    /// The etag of the answer that its stored part came with; of a pin that is not [pinned](Pin::is_pinned), also that
    /// of its whole content.
    pub etag: Option<String>,
    /// The SHA-256 of its whole content, which is its name in the storage; none until it is complete.
    pub content: Option<String>,
    /// Bytes of that content.
    pub bytes: u64,
    /// Whether the model was built from it.
    #[serde(default)]
    pub needed: bool,
}

/// A repository's revision, pinned to the commit that it was when it was first asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The Hub's address.
    pub endpoint: String,
    /// `owner/name`.
    pub repo: String,
    /// As it was asked for.
    pub revision: String,
    /// The commit of that revision; the revision itself where the Hub does not name the commit.
    pub commit: String,
    /// The licence's identifier, where the repository names one.
    pub license: Option<String>,
    /// Whether [`files`](Self::files) names every file that the repository has; else only those that were found.
    pub listed: bool,
    /// Whether a model was built from it and every file that it needs is stored.
    pub complete: bool,
    /// Its files.
    pub files: Vec<PinnedFile>,
}

impl Pin {
    /// A pin with the Hub's list of files.
    pub fn listed(endpoint: &str, repo: &Repo, listing: Listing) -> Self {
        let mut pin = Self::bare(endpoint, repo, &listing.commit);
        pin.listed = true;
        pin.license = listing.license;
        pin.files
            .extend(listing.files.into_iter().map(|remote| PinnedFile {
                remote,
                ..PinnedFile::default()
            }));
        pin
    }

    /// A pin to a commit of which nothing else is known.
    pub fn bare(endpoint: &str, repo: &Repo, commit: &str) -> Self {
        Self {
            endpoint: endpoint.into(),
            repo: repo.id.clone(),
            revision: repo.revision.clone(),
            commit: commit.into(),
            license: None,
            listed: false,
            complete: false,
            files: Vec::new(),
        }
    }

    /// Whether the commit is known. If it is not, the revision may mean other files at any time.
    pub fn is_pinned(&self) -> bool {
        self.commit != self.revision || is_commit(&self.revision)
    }

    /// Takes over the state of the files of an earlier pin, if it is of the same commit.
    pub fn take_over(&mut self, earlier: Pin) {
        if earlier.commit != self.commit {
            return;
        }
        for old in earlier.files {
            let file = self.file_mut(&old.remote.name);
            (file.etag, file.content, file.bytes) = (old.etag, old.content, old.bytes);
        }
    }

    /// Adds what another tab has stored of the same commit since this pin was read.
    pub fn merge(&mut self, stored: &Pin) {
        if stored.commit != self.commit || !self.is_pinned() {
            return;
        }
        self.complete |= stored.complete;
        for other in &stored.files {
            let file = self.file_mut(&other.remote.name);
            file.needed |= other.needed;
            if file.content.is_none() {
                file.content.clone_from(&other.content);
                file.bytes = other.bytes;
            }
            if file.etag.is_none() && file.content.is_none() {
                file.etag.clone_from(&other.etag);
            }
        }
    }

    /// The repository as it was asked for.
    pub fn repo(&self) -> Repo {
        Repo {
            id: self.repo.clone(),
            revision: self.revision.clone(),
        }
    }

    /// The name under which the pin itself is stored.
    pub fn key(&self) -> String {
        Self::key_of(&self.endpoint, &self.repo())
    }

    /// The name under which the pin of a repository is stored.
    pub fn key_of(endpoint: &str, repo: &Repo) -> String {
        hash_of(&format!("{endpoint}\n{}\n{}", repo.id, repo.revision))
    }

    /// The name under which a part of a file is stored.
    pub fn part_name(&self, file: &str) -> String {
        let whole = hash_of(&format!(
            "{}\n{}\n{}\n{file}",
            self.endpoint, self.repo, self.commit
        ));
        format!("{whole}{PART_ENDING}")
    }

    /// What is known of a file.
    pub fn file(&self, name: &str) -> Option<&PinnedFile> {
        self.files.iter().find(|file| file.remote.name == name)
    }

    /// What is known of a file; it is added when the pin does not name it yet.
    pub fn file_mut(&mut self, name: &str) -> &mut PinnedFile {
        let at = self.files.iter().position(|file| file.remote.name == name);
        let at = at.unwrap_or_else(|| {
            self.files.push(PinnedFile {
                remote: RemoteFile {
                    name: name.into(),
                    ..RemoteFile::default()
                },
                ..PinnedFile::default()
            });
            self.files.len() - 1
        });
        &mut self.files[at]
    }

    /// Whether the repository has a file of this name, where that is known without asking.
    pub fn has(&self, name: &str) -> Option<bool> {
        match self.file(name) {
            Some(file) if self.complete => Some(file.content.is_some()),
            Some(_) => Some(true),
            None => (self.listed || self.complete).then_some(false),
        }
    }

    /// Whether every file that the model was built from is stored, so that loading it again needs no network.
    pub fn is_stored(&self) -> bool {
        let mut needed = self.files.iter().filter(|file| file.needed).peekable();
        needed.peek().is_some() && needed.all(|file| file.content.is_some())
    }

    /// Bytes of its complete files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The names of its stored files.
    fn stored_names(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(|file| match &file.content {
            Some(content) => content.clone(),
            None => self.part_name(&file.remote.name),
        })
    }
}

fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The names of stored files that no pin names.
pub fn unreferenced(names: Vec<String>, pins: &[Pin]) -> Vec<String> {
    let used: std::collections::HashSet<String> = pins.iter().flat_map(Pin::stored_names).collect();
    names
        .into_iter()
        .filter(|name| !used.contains(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(revision: &str, commit: &str) -> Pin {
        let repo = Repo::parse(&format!("a/b@{revision}")).unwrap();
        let listing = Listing {
            commit: commit.into(),
            license: None,
            files: vec![RemoteFile {
                name: "config.json".into(),
                ..RemoteFile::default()
            }],
        };
        Pin::listed("https://hub", &repo, listing)
    }

    #[test]
    fn json_preserves_a_pin_and_its_key() {
        let mut first = pin("main", "c1");
        first.file_mut("config.json").content = Some("h".into());
        let text = serde_json::to_string(&first).unwrap();
        let second: Pin = serde_json::from_str(&text).unwrap();
        assert_eq!(first, second);
        assert_eq!(first.key(), second.key());
        assert_ne!(first.key(), pin("v1", "c1").key());
    }

    #[test]
    fn has_tells_which_files_exist() {
        let mut pin = pin("main", "c1");
        assert_eq!(
            (pin.has("config.json"), pin.has("vocab.txt")),
            (Some(true), Some(false))
        );
        pin.complete = true;
        assert_eq!(pin.has("config.json"), Some(false), "it was not needed");
        pin.file_mut("config.json").content = Some("h".into());
        assert_eq!(pin.has("config.json"), Some(true));
        let bare = Pin::bare("https://hub", &pin.repo(), "c1");
        assert_eq!(bare.has("config.json"), None);
    }

    #[test]
    fn is_stored_once_every_needed_file_is() {
        let mut pin = pin("main", "c1");
        assert!(!pin.is_stored(), "nothing was needed yet");
        pin.file_mut("config.json").content = Some("h".into());
        pin.file_mut("config.json").needed = true;
        pin.file_mut("README.json");
        assert!(pin.is_stored());
        pin.file_mut("model.safetensors").needed = true;
        assert!(!pin.is_stored());
    }

    #[test]
    fn takes_over_files_of_the_same_commit_only() {
        let mut old = pin("main", "c1");
        old.file_mut("config.json").etag = Some("e".into());
        for (commit, etag) in [("c1", Some("e")), ("c2", None)] {
            let mut new = pin("main", commit);
            new.take_over(old.clone());
            assert_eq!(new.file("config.json").unwrap().etag.as_deref(), etag);
        }
    }

    #[test]
    fn is_pinned_once_the_commit_is_known() {
        assert!(pin("main", "c1").is_pinned());
        assert!(!pin("main", "main").is_pinned());
        let commit = "c0ffee0123456789abcdef0123456789abcdef01";
        assert!(pin(commit, commit).is_pinned());
        let mut unpinned = pin("main", "main");
        let mut other = unpinned.clone();
        other.file_mut("config.json").content = Some("h".into());
        unpinned.merge(&other);
        assert_eq!(unpinned, pin("main", "main"), "it may be of another commit");
    }

    #[test]
    fn merges_what_another_tab_has_stored_of_the_same_commit() {
        let mut other = pin("main", "c1");
        other.complete = true;
        let file = other.file_mut("config.json");
        (file.content, file.bytes, file.needed) = (Some("h".into()), 2, true);
        other.file_mut("vocab.txt").etag = Some("e".into());
        let mut ours = pin("main", "c1");
        ours.file_mut("vocab.txt").etag = Some("newer".into());
        ours.merge(&other);
        assert!(ours.complete && ours.is_stored());
        assert_eq!(ours.file("config.json"), other.file("config.json"));
        assert_eq!(
            ours.file("vocab.txt").unwrap().etag.as_deref(),
            Some("newer")
        );
        let mut next = pin("main", "c2");
        next.merge(&other);
        assert_eq!(next, pin("main", "c2"));
    }

    #[test]
    fn a_shared_file_is_referenced_while_one_pin_names_it() {
        let (mut main, mut tag) = (pin("main", "c1"), pin("v1", "c1"));
        for pin in [&mut main, &mut tag] {
            pin.file_mut("config.json").content = Some("shared".into());
        }
        tag.file_mut("model.safetensors");
        let part = tag.part_name("model.safetensors");
        let names = || vec!["shared".to_string(), part.clone(), "old.part".to_string()];
        assert_eq!(unreferenced(names(), &[main.clone(), tag]), ["old.part"]);
        assert_eq!(unreferenced(names(), &[main]), [&part, "old.part"]);
        assert_eq!(unreferenced(names(), &[]).len(), 3);
    }
}
