//! Problems of the dataset, the split, the tokens and the settings, before training.

use super::baselines::Embeddings;
use super::protocol::AuditView;
use super::{Listener, Session};
use crate::Result;
use crate::data::audit::{
    Finding, FindingRow, Remedy, Severity, TokenFacts, audit_rows, audit_split, audit_tokens,
};
use crate::data::{Dataset, count_labels};
use crate::evaluate::baselines::{
    EMBEDDINGS_C, LogisticRegressionOptions, OutlierOptions, Tick, cross_val_predict_proba,
    find_label_issues, outliers,
};
use crate::hub::Environment;
use crate::settings::{RunSettings, Values, audit_settings};
use crate::train::MemoryProbe;
use serde_json::json;

/// Folds of the cross-validation, where every class has as many rows.
const FOLDS: usize = 5;
/// The fewest rows of a class for a cross-validation.
const MIN_FOLDS: usize = 3;
/// Seed of the folds.
const CROSS_VALIDATION_SEED: u32 = 42;
/// The most rows that a finding lists.
const MAX_FINDING_ROWS: usize = 50;
/// The most characters of a row in a finding.
const MAX_FINDING_CHARS: usize = 300;

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Looks for problems that need no network: of the rows, and of split and tokens where there are any.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] for a setting out of bounds, [`crate::Error::NotReady`] without a dataset,
    /// [`crate::Error::Stopped`].
    pub(super) async fn audit(&mut self, values: &Values, fetch: &E::Fetch) -> Result<AuditView> {
        let settings = RunSettings::from_values(values)?;
        let groups = self.duplicate_groups(fetch).await?;
        let dataset = self.require_dataset()?;
        let mut findings = audit_rows(dataset, &groups);
        let split = self.split.as_ref();
        if let Some(split) = split {
            let keeps_groups = settings.split.group_duplicates;
            findings.extend(audit_split(dataset, split, &groups, keeps_groups));
            let train_rows = settings.training_rows(split.train.len());
            findings.extend(audit_settings(&settings, train_rows));
        }
        if let (Some(tokens), Some(split), Some(model)) = (&self.tokens, split, &self.model) {
            let (lengths, unknown) = tokens.counts_by_row(split, dataset.rows.len());
            findings.extend(audit_tokens(
                dataset,
                &TokenFacts {
                    lengths: &lengths,
                    unknown: &unknown,
                    max_length: tokens.max_length,
                    positions: model.network.bert.embeddings.max_length(),
                },
            ));
        }
        Ok(AuditView {
            findings,
            has_split: split.is_some(),
            has_tokens: self.tokens.is_some(),
            num_rows: dataset.rows.len(),
        })
    }

    /// Looks for wrong labels and outliers of the training part, by the embeddings of the model: the labels that a
    /// logistic regression gives to each row, fitted without it, are compared with the given ones, as cleanlab does.
    ///
    /// # Errors
    /// [`crate::Error::NotReady`] without tokens, [`crate::Error::Stopped`], [`crate::Error::Device`].
    pub(super) async fn audit_labels(
        &mut self,
        fetch: &E::Fetch,
        listener: &dyn Listener,
    ) -> Result<AuditView> {
        let embeddings = self.embeddings(fetch, listener).await?;
        let (dataset, split) = self.require_split()?;
        let num_rows = embeddings.train_rows();
        let rows = &split.train[..num_rows];
        let labels: Vec<usize> = rows.iter().map(|&row| dataset.rows[row].label).collect();
        let tick = async |_, _| self.breathe(fetch).await;
        let part = PartOfRows {
            dataset,
            rows,
            labels: &labels,
        };
        let labels = part.label_errors(&embeddings, &tick).await?;
        let outliers = part.outliers(&embeddings, &tick).await?;
        Ok(AuditView {
            findings: labels.into_iter().chain(outliers).collect(),
            has_split: true,
            has_tokens: true,
            num_rows,
        })
    }
}

/// The rows whose embeddings are known.
struct PartOfRows<'a> {
    dataset: &'a Dataset,
    /// Their indices in the dataset.
    rows: &'a [usize],
    labels: &'a [usize],
}

impl PartOfRows<'_> {
    /// The labels that are likely wrong, by cross-validated probabilities.
    async fn label_errors(
        &self,
        embeddings: &Embeddings,
        tick: &dyn Tick,
    ) -> Result<Option<Finding>> {
        let num_labels = self.dataset.labels.len();
        let counts = count_labels(
            self.rows.iter().map(|&row| &self.dataset.rows[row]),
            num_labels,
        );
        let smallest = counts.into_iter().filter(|&count| count > 0).min();
        let smallest = smallest.unwrap_or(0);
        if smallest < MIN_FOLDS {
            let params = json!({"minimum": MIN_FOLDS});
            return Ok(Some(Finding {
                id: "too_few_for_cross_validation",
                severity: Severity::Note,
                count: smallest,
                of: self.rows.len(),
                rows: Vec::new(),
                params,
                remedy: None,
            }));
        }
        let folds = smallest.min(FOLDS);
        let options = LogisticRegressionOptions {
            c: EMBEDDINGS_C,
            ..LogisticRegressionOptions::default()
        };
        let probabilities = cross_val_predict_proba(
            embeddings.train_features(),
            self.labels,
            num_labels,
            folds,
            CROSS_VALIDATION_SEED,
            &options,
            tick,
        );
        let issues = find_label_issues(self.labels, &probabilities.await?);
        let rows = issues.iter().map(|issue| FindingRow {
            other: Some(issue.suggested),
            value: Some(issue.self_confidence),
            ..self.row(issue.row)
        });
        let relabel = issues
            .iter()
            .map(|issue| (self.rows[issue.row], issue.suggested));
        Ok((!issues.is_empty()).then(|| Finding {
            id: "label_errors",
            severity: Severity::Warning,
            count: issues.len(),
            of: self.rows.len(),
            rows: rows.take(MAX_FINDING_ROWS).collect(),
            params: json!({"share": issues.len() as f64 / self.rows.len() as f64, "folds": folds}),
            remedy: Some(Remedy::Relabel {
                rows: relabel.collect(),
            }),
        }))
    }

    /// The rows that are unlike all others.
    async fn outliers(&self, embeddings: &Embeddings, tick: &dyn Tick) -> Result<Option<Finding>> {
        let options = OutlierOptions::default();
        let columns = embeddings.hidden_size;
        let found = outliers(&embeddings.train, columns, &options, tick).await?;
        let rows = found.rows.iter().map(|&row| FindingRow {
            value: Some(found.scores[row]),
            ..self.row(row)
        });
        Ok((!found.rows.is_empty()).then(|| Finding {
            id: "outliers",
            severity: Severity::Note,
            count: found.rows.len(),
            of: self.rows.len(),
            rows: rows.take(MAX_FINDING_ROWS).collect(),
            params: json!({"share": found.rows.len() as f64 / self.rows.len() as f64}),
            remedy: Some(Remedy::DeleteRows {
                rows: found.rows.iter().map(|&row| self.rows[row]).collect(),
            }),
        }))
    }

    fn row(&self, at: usize) -> FindingRow {
        let row = self.rows[at];
        FindingRow {
            row,
            text: self.dataset.rows[row]
                .text
                .chars()
                .take(MAX_FINDING_CHARS)
                .collect(),
            label: self.labels[at],
            other: None,
            value: None,
        }
    }
}
