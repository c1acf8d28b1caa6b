//! The [model card](https://huggingface.co/docs/hub/model-cards), `README.md`: the model, its data, results, settings,
//! limits and licence.

mod data;
mod findings;
mod introduction;
mod metadata;
mod results;
mod training;
mod words;

use super::rows::RunRows;
use crate::bert::ClassifierPooling;
use crate::data::audit::Finding;
use crate::evaluate::Evaluation;
use crate::settings::Values;

/// The facts of the card that are in neither the model nor its settings.
#[derive(Debug, Clone)]
pub struct Card<'a> {
    /// The model's name, the card's title.
    pub name: &'a str,
    /// The base model; its name on the Hub if it has one, such as `sentence-transformers/all-MiniLM-L6-v2`.
    pub base_model: &'a str,
    /// The licence of the base model: an identifier such as `Apache-2.0`, or empty if it is not known.
    pub license: &'a str,
    /// The language of the texts: an identifier such as `en`, if it is known.
    pub language: Option<&'a str>,
    /// A short description of the rows.
    pub dataset: &'a str,
    /// The evaluation on the test rows.
    pub evaluation: Option<&'a Evaluation>,
    /// Simple classifiers on the same test rows; empty if none were fitted.
    pub baselines: &'a [Baseline],
    /// What an audit has found in the dataset of the run; none if there was no audit.
    pub findings: Option<&'a [Finding]>,
}

/// A simple classifier on the same test rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    /// `majority`, `tfidf` or `embeddings`.
    pub id: &'static str,
    /// Share of rows with a correct prediction.
    pub accuracy: f64,
    /// Mean F1 of the classes.
    pub macro_f1: f64,
}

/// What the card says of the folder.
pub(super) struct Content<'a> {
    pub card: &'a Card<'a>,
    pub labels: &'a [String],
    pub pooling: ClassifierPooling,
    /// Whether the adapters can be exported alone.
    pub has_adapter_folder: bool,
    pub rows: RunRows<'a>,
    /// Every setting of the run.
    pub settings: &'a Values,
    /// Updates done.
    pub updates: usize,
}

/// The text of the card.
pub(super) fn readme(content: &Content<'_>) -> String {
    let sections = [
        Some(metadata::front_matter(content.card)),
        Some(introduction::section(content)),
        Some(introduction::uses(content)),
        Some(data::section(content)),
        content.card.findings.map(findings::section),
        results::section(content),
        Some(training::section(content)),
        Some(training::licence(content.card)),
    ];
    sections
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n")
}
