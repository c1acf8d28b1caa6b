//! What the page asks of the session.

use crate::data::import::ImportOptions;
use crate::data::{DownloadFormat, Edit, Row};
use crate::export::ExportPart;
use crate::settings::Values;
use crate::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

/// A request that the session answers. `values` names every setting with its value.
///
/// The worker answers the others: `describe` and `open` come before there is a session, `load_files`, `import_files`
/// and `export` have `Blob`s, which are not JSON, and `train`, `resume` and `control` are many calls of the session.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "SessionRequest"))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Generates toy reviews.
    Dataset {
        /// The settings.
        #[cfg_attr(test, ts(type = "Values"))]
        values: Values,
    },
    /// Splits the dataset.
    Split {
        /// The settings.
        #[cfg_attr(test, ts(type = "Values"))]
        values: Values,
    },
    /// Uses rows that are already split as the dataset.
    Rows {
        /// Rows of the training part.
        train: Vec<Row>,
        /// Rows of the test part.
        test: Vec<Row>,
        /// Label names by id.
        labels: Vec<String>,
    },
    /// Reads a page of the dataset, or of the rows among it that are looked for.
    DatasetRows {
        /// Position of the first row.
        offset: usize,
        /// Rows, at most 100.
        count: usize,
        /// Rows whose text contains this, whatever its case.
        #[serde(default)]
        #[cfg_attr(test, ts(optional, as = "Option<String>"))]
        query: String,
        /// Rows of this label only.
        #[serde(default)]
        #[cfg_attr(test, ts(optional = nullable))]
        label: Option<usize>,
    },
    /// Reads rows of a dataset of the Hub, and keeps them in the store.
    ImportHub {
        /// Address of the rows API; empty for that of the Hub.
        endpoint: String,
        /// `owner/name`.
        dataset: String,
        /// Configuration; null takes `default`, or the first.
        config: Option<String>,
        /// Split; null takes `train`, or the first.
        split: Option<String>,
        /// The most rows.
        max_rows: usize,
        /// How to read them.
        #[serde(default)]
        options: ImportOptions,
    },
    /// Makes the table that was read last the dataset.
    UseImport {
        /// Whether the visitor agrees to leave out the rows that cannot be used.
        skip_bad_rows: bool,
        /// Whether labels that differ only in blanks, case or number format become one.
        merge_labels: bool,
    },
    /// Makes a dataset of classes without rows.
    NewDataset {
        /// Names of the classes.
        labels: Vec<String>,
    },
    /// Changes the dataset.
    Edit {
        /// The change.
        edit: Edit,
    },
    /// Takes the last change back.
    Undo,
    /// Does the change again that was taken back last.
    Redo,
    /// Writes the dataset as a file; its bytes arrive as `piece` events.
    DownloadDataset {
        /// Format of the file.
        format: DownloadFormat,
    },
    /// Looks for problems of dataset, split, tokens and settings.
    Audit {
        /// The settings.
        #[cfg_attr(test, ts(type = "Values"))]
        values: Values,
    },
    /// Looks for wrong labels and outliers by the embeddings of the model.
    AuditLabels,
    /// Fits the baselines on the training part, and evaluates them on the test part.
    Baselines {
        /// Whether to compute embeddings, which takes a forward pass over the rows.
        embeddings: bool,
    },
    /// Proposes settings that follow from the data.
    Recommend {
        /// Seconds that a run may take; null for no limit.
        budget_seconds: Option<f64>,
        /// Seconds of a unit of work on this device; null when that is not known.
        seconds_per_unit: Option<f64>,
    },
    /// Loads a model from a folder of this site.
    LoadModel {
        /// Address of the folder.
        base: String,
    },
    /// Loads a model from a Hub and stores its files.
    LoadHub {
        /// Address of the Hub.
        endpoint: String,
        /// `owner/name` or `owner/name@revision`.
        repo: String,
    },
    /// Lists the stored models.
    Stored,
    /// Deletes a stored model.
    Forget {
        /// The `key` of its entry in the list.
        key: String,
    },
    /// Tokenizes every row of both parts.
    Tokenize {
        /// The settings.
        #[cfg_attr(test, ts(type = "Values"))]
        values: Values,
    },
    /// Reads a page of the tokenized rows: the training part, then the test part.
    Tokens {
        /// Position of the first row.
        offset: usize,
        /// Rows, at most 100.
        count: usize,
    },
    /// Computes the steps and the memory of a run without starting it.
    Plan {
        /// The settings.
        #[cfg_attr(test, ts(type = "Values"))]
        values: Values,
    },
    /// Evaluates the current model on the test part.
    Evaluate {
        /// Whether the report has the logits of each row.
        #[serde(default)]
        #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
        logits: bool,
    },
    /// Classifies a text.
    Predict {
        /// The text.
        text: String,
    },
    /// Lists the parts of an export with the sizes of their files. The export itself has `Blob`s.
    PlanExport,
    /// Exchanges the trained model and the one that was trained before it.
    RestorePrevious,
    /// Frees one of the trained models.
    Discard {
        /// Which.
        model: KeptModel,
    },
    /// Lists the runs that were interrupted.
    Interrupted,
    /// Makes the rows of an interrupted run the dataset. `resume` then continues it.
    ResumeData {
        /// The `id` of its entry in the list.
        run: usize,
    },
    /// Removes an interrupted run.
    DiscardInterrupted {
        /// The `id` of its entry in the list.
        run: usize,
    },
    /// Compares the device with the CPU parameter by parameter.
    Compare,
}

/// One of the trained models that the session holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum KeptModel {
    /// `trained` of the state.
    Trained,
    /// `previous` of the state.
    Previous,
}

impl Request {
    /// Reads a request of the page.
    ///
    /// # Errors
    /// [`Error::Dataset`] for rows of another form, [`Error::NotReady`] for a request that is unknown or lacks a field.
    pub fn from_json(request: Value) -> Result<Self> {
        let is_rows = request["type"] == "rows";
        serde_json::from_value(request).map_err(|problem| {
            if is_rows {
                Error::Dataset(format!(
                    "the rows are not {{train, test, labels}} ({problem})."
                ))
            } else {
                Error::NotReady(format!(
                    "The request is not one that the session answers: {problem}."
                ))
            }
        })
    }
}

/// Reads the parts of an export that the page asks for.
///
/// # Errors
/// [`Error::Export`] for a part that is unknown.
pub fn parts_of_export(parts: Value) -> Result<Vec<ExportPart>> {
    serde_json::from_value(parts).map_err(|problem| Error::Export(format!("{problem}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_a_request_and_ignores_its_id() {
        let request = json!({"type": "predict", "text": "so good", "id": 7});
        let expected = Request::Predict {
            text: "so good".into(),
        };
        assert_eq!(Request::from_json(request), Ok(expected));
    }

    #[test]
    fn names_what_is_wrong_with_a_request() {
        let message = |request| {
            Request::from_json(request)
                .map_err(|error| error.to_string())
                .unwrap_err()
        };
        let rows = message(
            json!({"type": "rows", "train": [{"text": 1, "label": 0}], "test": [], "labels": []}),
        );
        assert!(rows.starts_with(
            "The dataset cannot be used: the rows are not {train, test, labels} (invalid type"
        ));
        assert!(message(json!({"type": "tokenize"})).contains("missing field `values`"));
        assert!(message(json!({"type": "fly"})).contains("unknown variant `fly`"));
        assert!(message(json!({"type": "plan", "values": 3})).contains("expected a map"));
    }
}
