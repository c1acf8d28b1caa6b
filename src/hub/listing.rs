//! What the Hub says about a repository at one commit: which files it has, how long they are, and the SHA-256 of the
//! large ones.
//!
//! A browser follows the redirect of a large file by itself and never sees the headers that name its hash
//! (`X-Linked-ETag`), and the storage behind the redirect has an etag of its own that is no SHA-256: the listing is
//! where both are found for certain.

use super::hash::sha256_of;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A file as the Hub describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteFile {
    /// Its path in the repository.
    pub name: String,
    /// Bytes.
    pub size: Option<u64>,
    /// Its SHA-256 where the Hub has one: of files in large file storage.
    pub sha256: Option<String>,
}

/// A repository at one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The commit that the revision was.
    pub commit: String,
    /// The licence's identifier, where the repository names one.
    pub license: Option<String>,
    /// The files of the repository's top folder that a model can consist of.
    pub files: Vec<RemoteFile>,
}

#[derive(Deserialize)]
struct ModelInfo {
    sha: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: Option<String>,
    size: Option<u64>,
}

impl Listing {
    /// Reads the answer of `api/models/{repo}/revision/{revision}?blobs=true`.
    ///
    /// # Errors
    /// [`Error::Download`] when it is no such answer.
    pub fn from_json(repo: &str, text: &str) -> Result<Self> {
        let info: ModelInfo = serde_json::from_str(text).map_err(|error| Error::Download {
            file: repo.into(),
            problem: format!("the Hub's list of its files cannot be read ({error})."),
        })?;
        let files = info.siblings.into_iter().filter_map(|sibling| {
            let lfs = sibling.lfs.as_ref();
            is_of_a_model(&sibling.rfilename).then(|| RemoteFile {
                size: lfs.and_then(|lfs| lfs.size).or(sibling.size),
                sha256: lfs.and_then(|lfs| sha256_of(lfs.sha256.as_deref()?)),
                name: sibling.rfilename,
            })
        });
        let license = info
            .tags
            .iter()
            .find_map(|tag| tag.strip_prefix("license:"));
        Ok(Self {
            license: license.map(str::to_string),
            commit: info.sha,
            files: files.collect(),
        })
    }
}

fn is_of_a_model(name: &str) -> bool {
    let endings = [
        ".json",
        ".safetensors",
        ".bin",
        ".model",
        "vocab.txt",
        "merges.txt",
    ];
    let is_inside = name
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..");
    is_inside && endings.iter().any(|ending| name.ends_with(ending))
}

/// Why a repository that has weights of this name, and none of safetensors, is refused.
pub fn pickle_refused(file: &str) -> Error {
    Error::WeightsFile {
        file: file.into(),
        problem: "it is a Python pickle, a program that runs when it is opened, so this page does not. \
                  Take a model whose folder has a model.safetensors; many repositories have one at another revision \
                  (owner/name@refs/pr/1, for example), and transformers' save_pretrained writes one."
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_sizes_and_hashes_of_model_files() {
        let hash = "ab".repeat(32);
        let text = format!(
            r#"{{"id": "a/b", "sha": "c0ffee", "tags": ["bert", "license:apache-2.0"], "siblings": [
                {{"rfilename": "config.json", "size": 570, "blobId": "1"}},
                {{"rfilename": "model.safetensors", "size": 9,
                  "lfs": {{"sha256": "{hash}", "size": 9, "pointerSize": 135}}}},
                {{"rfilename": "../config.json", "size": 1}}, {{"rfilename": "README.md"}}]}}"#
        );
        let listing = Listing::from_json("a/b", &text).unwrap();
        assert_eq!(listing.commit, "c0ffee");
        assert_eq!(listing.license.as_deref(), Some("apache-2.0"));
        let found: Vec<_> = listing
            .files
            .iter()
            .map(|file| (file.name.as_str(), file.size, file.sha256.as_deref()))
            .collect();
        assert_eq!(
            found,
            [
                ("config.json", Some(570), None),
                ("model.safetensors", Some(9), Some(hash.as_str()))
            ]
        );
        assert!(Listing::from_json("a/b", "<html>").is_err());
    }
}
