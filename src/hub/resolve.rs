//! Finds out which commit a revision of the Hub is, and which files it has.

use super::environment::{Body, Environment, Fetch, Host, Response};
use super::incoming::{Incoming, Next};
use super::listing::Listing;
use super::pin::Pin;
use super::repo::Repo;
use super::services::Services;
use crate::{Error, Result};

/// Requests for the Hub's list of files, before the commit is looked for without it.
const LISTING_TRIES: u32 = 3;

/// The pin of a revision. The Hub's list names the commit and its files; without a list, the headers of a file name the
/// commit. Where they do not either, the revision stands for it. The Hub is asked once only where `is_stored`: a stored
/// model need not wait for a network that is not there.
///
/// # Errors
/// [`Error::Download`] when there is no such repository or the Hub cannot be reached, [`Error::Stopped`].
pub(super) async fn resolve<E: Environment>(
    endpoint: &str,
    repo: &Repo,
    is_stored: bool,
    services: &Services<E>,
) -> Result<Pin> {
    let (listing_tries, tries) = if is_stored {
        (1, 1)
    } else {
        (LISTING_TRIES, u32::MAX)
    };
    let url = repo.listing_url(endpoint);
    if let Asked::Answered(response) = ask(&url, repo, listing_tries, services).await?
        && let Some(text) = text(response).await
        && let Ok(listing) = Listing::from_json(&repo.id, &text)
    {
        return Ok(Pin::listed(endpoint, repo, listing));
    }
    services.check()?;
    let url = repo.resolve_url(endpoint, &repo.revision, "config.json");
    match ask(&url, repo, tries, services).await? {
        Asked::Answered(response) => {
            let commit = response.header("x-repo-commit");
            let commit = commit.unwrap_or(&repo.revision);
            Ok(Pin::bare(endpoint, repo, commit))
        }
        Asked::Refused(problem) => Err(Error::Download {
            file: format!("{}@{}", repo.id, repo.revision),
            problem,
        }),
    }
}

enum Asked<B> {
    Answered(Response<B>),
    Refused(String),
}

/// The body as text; none where it cannot be read to its end.
async fn text<B: Body>(response: Response<B>) -> Option<String> {
    let mut body = response.body?;
    let mut text = Vec::new();
    while let Some(bytes) = body.next().await.ok()? {
        text.extend(bytes);
    }
    String::from_utf8(text).ok()
}

/// Requests a small file until there is an answer, `tries` times at most.
async fn ask<E: Environment>(
    url: &str,
    repo: &Repo,
    tries: u32,
    services: &Services<E>,
) -> Result<Asked<<E::Fetch as Fetch>::Body>> {
    let mut incoming = Incoming::default();
    loop {
        let mut retry_after = None;
        if let Ok(response) = services.get(url, None, Host::Hub).await? {
            let answer = response.answer();
            match incoming.answered(&answer) {
                Next::Append | Next::StartOver | Next::Complete | Next::AskAgain => {
                    return Ok(Asked::Answered(response));
                }
                Next::Fail(problem) => return Ok(Asked::Refused(problem)),
                Next::Retry => retry_after = answer.retry_after,
            }
        }
        match incoming.broken(retry_after) {
            Some(wait) if incoming.failures() < tries => services.sleep(wait).await?,
            _ => {
                return Ok(Asked::Refused(format!(
                    "the Hub cannot be reached to ask for {}. Check the connection and try again.",
                    repo.id
                )));
            }
        }
    }
}
