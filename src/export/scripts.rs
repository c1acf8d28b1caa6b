//! The run as a script for transformers' Trainer, for a machine that is faster than a browser tab: the script, a
//! notebook that starts it, the rows of the run, and the head that it began with. The script reads the settings from
//! `training_args.json`.

use super::archive::WriteContent;
use super::entry::Entry;
use super::rows::RunRows;
use super::weights;
use crate::Result;
use crate::bert::{BertForSequenceClassification, NamedParameter};
use crate::data::Row;
use std::io::Write;

const TRAIN: &str = include_str!("scripts/train.py");
const NOTEBOOK: &str = include_str!("scripts/train.ipynb");
const REQUIREMENTS: &str = include_str!("scripts/requirements.txt");

/// The files of this part. `initial` is the network before the first step.
///
/// # Errors
/// [`Error::Export`](crate::Error::Export) for a header of weights that cannot be written.
pub(super) fn files<'a>(
    initial: &BertForSequenceClassification,
    base_has_pooler: bool,
    rows: RunRows<'a>,
) -> Result<Vec<Entry<'a>>> {
    let mut files = vec![
        Entry::text("train.py", TRAIN.into()),
        Entry::text("train.ipynb", NOTEBOOK.into()),
        Entry::text("requirements.txt", REQUIREMENTS.into()),
        lines("data/train.jsonl", rows.train)?,
    ];
    if !rows.validation.is_empty() {
        files.push(lines("data/validation.jsonl", rows.validation)?);
    }
    files.push(lines("data/test.jsonl", rows.test)?);
    let head = weights::File::new(initial_head(initial, base_has_pooler))?;
    files.push(Entry::weights("initial_head.safetensors", head));
    Ok(files)
}

/// Rows as JSON Lines.
fn lines<'a>(name: &'static str, rows: &'a [&'a Row]) -> Result<Entry<'a>> {
    let write: WriteContent<'a> = Box::new(move |writer: &mut dyn Write| {
        for row in rows {
            serde_json::to_writer(&mut *writer, row)?;
            writer.write_all(b"\n")?;
        }
        Ok(())
    });
    Entry::stream(name, write)
}

/// What the run has drawn, or taken from a classifier of the checkpoint: the classifier, the pooler if the base model
/// has none, and the adapters.
fn initial_head(
    initial: &BertForSequenceClassification,
    base_has_pooler: bool,
) -> Vec<NamedParameter> {
    let is_head = |parameter: &NamedParameter| {
        let name = &parameter.name;
        name.starts_with("classifier.") || (!base_has_pooler && name.starts_with("bert.pooler."))
    };
    let mut parameters = initial.named_parameters();
    parameters.retain(is_head);
    parameters.extend(initial.adapter_parameters());
    parameters
}
