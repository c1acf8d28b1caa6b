//! A repository of the Hub by its name, and the addresses of its files.

use crate::{Error, Result};

/// Where the Hub is when the page names no mirror; huggingface_hub's `HF_ENDPOINT` has the same default.
pub const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// The revision of a name without one.
const DEFAULT_REVISION: &str = "main";

/// Longest owner or name that the Hub gives.
const LONGEST_NAME: usize = 96;

/// `owner/name` at a revision: a branch, a tag or a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repo {
    /// `owner/name`.
    pub id: String,
    /// As it was asked for; [`super::Pin`] says which commit it was.
    pub revision: String,
}

impl Repo {
    /// Reads `owner/name`, `owner/name@revision`, or the address of a repository's page.
    ///
    /// # Errors
    /// [`Error::Download`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let refuse = || Error::Download {
            file: format!("\"{text}\""),
            problem: "a model of the Hub is written owner/name or owner/name@revision, \
                      for example google-bert/bert-base-uncased."
                .into(),
        };
        let (path, at) = match text.split_once("://") {
            Some((_, rest)) => (rest.split_once('/').ok_or_else(refuse)?.1, None),
            None => match text.split_once('@') {
                Some((path, revision)) => (path, Some(revision)),
                None => (text, None),
            },
        };
        let path = path.split(['?', '#']).next().unwrap_or(path);
        let mut parts = path.trim_end_matches('/').splitn(4, '/');
        let (Some(owner), Some(name)) = (parts.next(), parts.next()) else {
            return Err(refuse());
        };
        let revision = match (parts.next(), parts.next(), at) {
            (None, _, at) => at.unwrap_or(DEFAULT_REVISION),
            (Some("tree"), Some(revision), None) => revision,
            _ => return Err(refuse()),
        };
        if !is_name(owner) || !is_name(name) || !is_revision(revision) {
            return Err(refuse());
        }
        Ok(Self {
            id: format!("{owner}/{name}"),
            revision: revision.into(),
        })
    }

    /// Where one of its files is, at `revision` (a commit, once one is known).
    pub fn resolve_url(&self, endpoint: &str, revision: &str, file: &str) -> String {
        let revision = revision.replace('/', "%2F");
        format!("{endpoint}/{}/resolve/{revision}/{file}", self.id)
    }

    /// Where its commit and its files' sizes and hashes are.
    pub fn listing_url(&self, endpoint: &str) -> String {
        let revision = self.revision.replace('/', "%2F");
        format!(
            "{endpoint}/api/models/{}/revision/{revision}?blobs=true",
            self.id
        )
    }
}

/// The Hub's address without the slash at its end; an empty one is [`DEFAULT_ENDPOINT`].
///
/// # Errors
/// [`Error::Download`] for what is no http address.
pub fn endpoint(text: &str) -> Result<String> {
    let text = text.trim().trim_end_matches('/');
    if text.is_empty() {
        return Ok(DEFAULT_ENDPOINT.into());
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return Ok(text.into());
    }
    Err(Error::Download {
        file: format!("\"{text}\""),
        problem: format!("the Hub's address begins with https://, such as {DEFAULT_ENDPOINT}."),
    })
}

fn is_name(part: &str) -> bool {
    let allowed = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
    let edge = |one: Option<char>| one.is_some_and(|one| one != '.' && one != '-');
    part.len() <= LONGEST_NAME
        && part.chars().all(allowed)
        && edge(part.chars().next())
        && edge(part.chars().next_back())
        && !part.contains("..")
}

fn is_revision(text: &str) -> bool {
    let allowed = |one: char| one.is_ascii_alphanumeric() || "-_./".contains(one);
    !text.is_empty()
        && text.len() <= 200
        && text.chars().all(allowed)
        && !text.contains("..")
        && !text.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_names_revisions_and_addresses() {
        let read = |text: &str| {
            let repo = Repo::parse(text).unwrap();
            (repo.id, repo.revision)
        };
        let pair = |id: &str, revision: &str| (id.to_string(), revision.to_string());
        assert_eq!(read(" klue/bert-base "), pair("klue/bert-base", "main"));
        assert_eq!(read("a/b@v1.0"), pair("a/b", "v1.0"));
        assert_eq!(read("a/b@refs/pr/3"), pair("a/b", "refs/pr/3"));
        let address = "https://huggingface.co/google/bert_uncased_L-2_H-128_A-2";
        let id = "google/bert_uncased_L-2_H-128_A-2";
        assert_eq!(read(address), pair(id, "main"));
        assert_eq!(read(&format!("{address}/tree/abc/")), pair(id, "abc"));
        assert_eq!(read(&format!("{address}?library=x")), pair(id, "main"));
    }

    #[test]
    fn invalid_names_are_refused_with_an_example() {
        for text in [
            "",
            "bert-base-uncased",
            "a/b/c",
            "a/../b",
            "a/b@",
            "a/b@../c",
            "a b/c",
            "-a/b",
            "https://huggingface.co",
            "https://huggingface.co/a/b/blob/main/config.json",
        ] {
            let error = Repo::parse(text).unwrap_err().to_string();
            assert!(error.contains("owner/name"), "{text}: {error}");
        }
    }

    #[test]
    fn builds_addresses_of_files() {
        let repo = Repo::parse("a/b@refs/pr/3").unwrap();
        let hub = endpoint("http://127.0.0.1:8000/").unwrap();
        assert_eq!(
            repo.resolve_url(&hub, &repo.revision, "config.json"),
            "http://127.0.0.1:8000/a/b/resolve/refs%2Fpr%2F3/config.json"
        );
        assert_eq!(
            repo.listing_url(DEFAULT_ENDPOINT),
            "https://huggingface.co/api/models/a/b/revision/refs%2Fpr%2F3?blobs=true"
        );
        assert_eq!(endpoint(" ").unwrap(), DEFAULT_ENDPOINT);
        assert!(endpoint("ftp://a").is_err());
    }
}
