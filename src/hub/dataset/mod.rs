//! Rows of a dataset of the Hub, through its [rows API](https://huggingface.co/docs/dataset-viewer/rows).
//!
//! `/is-valid` says whether there are rows, `/splits` names configurations and splits, `/rows` has pages of at most 100
//! rows. The rows are kept in the store as JSON Lines, so that an import that breaks or is stopped resumes, and a
//! second one needs no network.

mod answers;
mod kept_rows;
#[cfg(test)]
mod tests;

use super::Services;
use super::environment::{Body, Clock, Environment, Host, Response};
use crate::{Error, Result};
use answers::{ErrorAnswer, RowsAnswer, SplitsAnswer, ValidAnswer};
use kept_rows::{KeptRows, kept_split};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The address of the Hub's rows API.
pub const DATASETS_ENDPOINT: &str = "https://datasets-server.huggingface.co";

/// Rows of a page. The API refuses more.
const ROWS_PER_PAGE: usize = 100;
/// Requests for one answer, the first one included.
const MOST_TRIES: u32 = 5;
/// The wait after the first failure, in milliseconds; it doubles with each further one.
const FIRST_WAIT: u64 = 1000;
/// Longest wait, in milliseconds, whatever the server asks for.
const LONGEST_WAIT: u64 = 30_000;

/// Which rows to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsRequest {
    /// `owner/name`, or `name` of one of the Hub's own.
    pub dataset: String,
    /// A configuration; none takes `default`, or the first.
    pub config: Option<String>,
    /// A split; none takes `train`, or the first.
    pub split: Option<String>,
    /// The most rows.
    pub max_rows: usize,
}

/// A configuration of a dataset and its splits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DatasetConfig {
    /// Its name, e.g. `default`.
    pub config: String,
    /// The names of its splits, e.g. `train`.
    pub splits: Vec<String>,
}

/// Rows as JSON Lines, and where they are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetLines {
    /// One object a line. A `ClassLabel` is the name of its class.
    pub lines: Vec<u8>,
    /// The configuration that they are of.
    pub config: String,
    /// The split that they are of.
    pub split: String,
    /// Every configuration of the dataset; empty when the Hub could not be asked.
    pub configs: Vec<DatasetConfig>,
    /// Rows that are there.
    pub num_rows: usize,
    /// Rows of the whole split.
    pub num_rows_total: usize,
    /// Cells of which the Hub sent only the beginning.
    pub truncated_cells: usize,
}

/// Fetches rows, beginning after those that are kept. `progress` gets the rows that are there, and those that there
/// will be.
///
/// # Errors
/// [`Error::Download`] when the name cannot be used, the Hub has no such dataset or no rows of it, or cannot be
/// reached; [`Error::Stopped`]. The rows that have arrived are kept.
pub async fn fetch_rows<E: Environment>(
    endpoint: &str,
    request: &RowsRequest,
    services: &Services<E>,
    progress: &dyn Fn(usize, usize),
) -> Result<DatasetLines> {
    let api = Api {
        endpoint: match endpoint.trim_end_matches('/') {
            "" => DATASETS_ENDPOINT,
            endpoint => endpoint,
        },
        dataset: dataset_name(&request.dataset)?,
        services,
    };
    let (configs, config, split) = api.place(request).await?;
    let key = [api.endpoint, api.dataset, &config, &split];
    let mut kept = KeptRows::open(services.disk.as_ref(), key).await;
    let mut total = kept.num_rows_total();
    loop {
        let wanted = total.map_or(request.max_rows, |total| total.min(request.max_rows));
        progress(kept.num_rows(), wanted);
        if kept.num_rows() >= wanted {
            break;
        }
        let length = ROWS_PER_PAGE.min(request.max_rows - kept.num_rows());
        let page = api.rows(&config, &split, kept.num_rows(), length).await?;
        if page.rows.is_empty() {
            total = Some(kept.num_rows());
            continue;
        }
        total = Some(page.num_rows_total);
        kept.append(&page);
        services.clock.next_task().await;
    }
    Ok(DatasetLines {
        num_rows: kept.num_rows().min(request.max_rows),
        num_rows_total: total.unwrap_or(0),
        truncated_cells: kept.truncated_cells(),
        lines: kept.into_lines(request.max_rows),
        config,
        split,
        configs,
    })
}

/// The name of a dataset: `name`, `owner/name`, or the address of its page.
///
/// # Errors
/// [`Error::Download`] for anything else.
fn dataset_name(text: &str) -> Result<&str> {
    let text = text.trim();
    let name = match text.split_once("/datasets/") {
        Some((_, rest)) => rest.split(['?', '#']).next().unwrap_or(rest),
        None => text,
    };
    let name = name.trim_matches('/');
    let is_part = |part: &str| {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        !part.is_empty() && part.len() <= 96 && part.chars().all(allowed)
    };
    let parts = name.split('/').count();
    if parts > 2 || !name.split('/').all(is_part) {
        return Err(Error::Download {
            file: format!("\"{text}\""),
            problem: "a dataset of the Hub is written owner/name, for example stanfordnlp/imdb."
                .into(),
        });
    }
    Ok(name)
}

/// The rows API, for one dataset.
struct Api<'a, E: Environment> {
    endpoint: &'a str,
    dataset: &'a str,
    services: &'a Services<E>,
}

impl<E: Environment> Api<'_, E> {
    /// Every configuration, and the configuration and the split to read.
    async fn place(&self, request: &RowsRequest) -> Result<(Vec<DatasetConfig>, String, String)> {
        let configs = match self.configs().await {
            Ok(configs) => configs,
            Err(stopped @ Error::Stopped(_)) => return Err(stopped),
            // Rows that are kept need no network.
            Err(error) => {
                let kept = kept_split(self.services.disk.as_ref(), self.endpoint, request).await;
                let (config, split) = kept.ok_or(error)?;
                return Ok((Vec::new(), config, split));
            }
        };
        let config = choose(
            configs.iter().map(|config| config.config.as_str()),
            request.config.as_deref(),
            "default",
        );
        let config =
            config.map_err(|names| self.no_such("configuration", &request.config, names))?;
        let splits = configs
            .iter()
            .find(|each| each.config == config)
            .map_or(&[] as &[String], |each| &each.splits);
        let split = choose(
            splits.iter().map(String::as_str),
            request.split.as_deref(),
            "train",
        );
        let split = split.map_err(|names| self.no_such("split", &request.split, names))?;
        Ok((configs, config, split))
    }

    async fn configs(&self) -> Result<Vec<DatasetConfig>> {
        let valid: ValidAnswer = self.get("is-valid", "").await?;
        if !valid.viewer && !valid.preview {
            return Err(self.problem(
                "the Hub has no rows to read for it. Download its file and drop it here.".into(),
            ));
        }
        let splits: SplitsAnswer = self.get("splits", "").await?;
        let mut configs: Vec<DatasetConfig> = Vec::new();
        for each in splits.splits {
            match configs
                .iter_mut()
                .find(|config| config.config == each.config)
            {
                Some(config) => config.splits.push(each.split),
                None => configs.push(DatasetConfig {
                    config: each.config,
                    splits: vec![each.split],
                }),
            }
        }
        Ok(configs)
    }

    async fn rows(
        &self,
        config: &str,
        split: &str,
        offset: usize,
        length: usize,
    ) -> Result<RowsAnswer> {
        let (config, split) = (encode(config), encode(split));
        let query = format!("&config={config}&split={split}&offset={offset}&length={length}");
        self.get("rows", &query).await
    }

    /// Asks a route, again while the server is busy or cannot be reached.
    async fn get<T: DeserializeOwned>(&self, route: &str, query: &str) -> Result<T> {
        let url = format!(
            "{}/{route}?dataset={}{query}",
            self.endpoint,
            encode(self.dataset)
        );
        let mut tries = 1;
        loop {
            let reply = self.services.get(&url, None, Host::Hub).await?;
            let asked_wait = reply
                .as_ref()
                .ok()
                .and_then(|reply| reply.answer().retry_after);
            let asked_wait = asked_wait.map(|seconds| seconds.saturating_mul(1000));
            let problem = match reply {
                Ok(response) if response.status == 200 => match self.text(response).await? {
                    Some(text) => return self.parse(&text),
                    None => "the connection broke.".to_string(),
                },
                Ok(response) if response.status == 429 || response.status >= 500 => {
                    let status = response.status;
                    let text = self.text(response).await?.unwrap_or_default();
                    busy(status, &text)
                }
                Ok(response) => {
                    let status = response.status;
                    let text = self.text(response).await?.unwrap_or_default();
                    return Err(self.problem(refusal(status, &text)));
                }
                Err(_) => "the Hub cannot be reached. Check the connection.".to_string(),
            };
            if tries == MOST_TRIES {
                return Err(self.problem(format!(
                    "{problem} The rows that have arrived are kept: import it again to go on."
                )));
            }
            let doubled = FIRST_WAIT << (tries - 1);
            self.services
                .sleep(asked_wait.unwrap_or(doubled).min(LONGEST_WAIT))
                .await?;
            tries += 1;
        }
    }

    /// The text of an answer; none when the connection breaks.
    async fn text<B: Body>(&self, response: Response<B>) -> Result<Option<String>> {
        let mut bytes = Vec::new();
        if let Some(mut body) = response.body {
            loop {
                self.services.check()?;
                match body.next().await {
                    Ok(Some(piece)) => bytes.extend(piece),
                    Ok(None) => break,
                    Err(_) => return self.services.check().map(|()| None),
                }
            }
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T> {
        serde_json::from_str(text)
            .map_err(|error| self.problem(format!("the Hub's answer cannot be read ({error}).")))
    }

    fn no_such(&self, what: &str, wanted: &Option<String>, names: Vec<String>) -> Error {
        self.problem(match wanted {
            Some(wanted) => format!(
                "it has no {what} \"{wanted}\". It has: {}.",
                names.join(", ")
            ),
            None => format!("the Hub names no {what} of it."),
        })
    }

    fn problem(&self, problem: String) -> Error {
        Error::Download {
            file: format!("The dataset {}", self.dataset),
            problem,
        }
    }
}

/// The wanted name, or `usual` if there is one of this name, or the first; all names where there is no such name.
fn choose<'a>(
    names: impl Iterator<Item = &'a str> + Clone,
    wanted: Option<&str>,
    usual: &str,
) -> std::result::Result<String, Vec<String>> {
    let found = match wanted {
        Some(wanted) => names.clone().find(|name| *name == wanted),
        None => names
            .clone()
            .find(|name| *name == usual)
            .or(names.clone().next()),
    };
    found
        .map(str::to_string)
        .ok_or_else(|| names.map(str::to_string).collect())
}

/// Why an answer is not tried again.
fn refusal(status: u16, text: &str) -> String {
    let said = said(text);
    match status {
        401 | 403 => "it is private or gated, and this page has no account. Download its file and drop it here.".into(),
        404 => format!("the Hub has no dataset of this name that anyone may read.{said}"),
        _ => format!("the Hub refuses it with status {status}.{said}"),
    }
}

fn busy(status: u16, text: &str) -> String {
    match status {
        429 => "the Hub is busy: it answers only so many requests a minute.".into(),
        _ => format!("the Hub answers with status {status}.{}", said(text)),
    }
}

/// What an answer says about itself, as a further sentence.
fn said(text: &str) -> String {
    let answer: Option<ErrorAnswer> = serde_json::from_str(text).ok();
    answer.map_or(String::new(), |answer| {
        format!(" It says: {}", answer.error)
    })
}

/// A part of a query, as `encodeURIComponent` writes it.
fn encode(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(byte.into())
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
