//! Problems of the dataset, the split, the tokens and the settings, before training.

use super::baselines::Embeddings;
use super::protocol::AuditView;
use super::{Listener, STOPPED, Session, check_stop};
use crate::Result;
use crate::data::audit::{
    Finding, Remedy, Severity, TokenFacts, audit_rows, audit_split, audit_tokens,
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
        let tick = async |_, _| check_stop(&self.clock, fetch, STOPPED).await;
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
            let (id, of) = ("too_few_for_cross_validation", self.rows.len());
            let params = json!({"minimum": MIN_FOLDS});
            return Ok(Some(Finding::new(
                id,
                Severity::Note,
                [smallest, of],
                params,
            )));
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
        let rows = issues.iter().map(|issue| {
            let row = self.rows[issue.row];
            (row, Some(issue.suggested), Some(issue.self_confidence))
        });
        let relabel = issues
            .iter()
            .map(|issue| (self.rows[issue.row], issue.suggested));
        let (count, of) = (issues.len(), self.rows.len());
        let params = json!({"share": count as f64 / of as f64, "folds": folds});
        let remedy = Remedy::Relabel {
            rows: relabel.collect(),
        };
        Ok((count > 0).then(|| {
            Finding::new("label_errors", Severity::Warning, [count, of], params)
                .with_details(self.dataset, rows)
                .with_remedy(remedy)
        }))
    }

    /// The rows that are unlike all others.
    async fn outliers(&self, embeddings: &Embeddings, tick: &dyn Tick) -> Result<Option<Finding>> {
        let options = OutlierOptions::default();
        let columns = embeddings.hidden_size;
        let found = outliers(&embeddings.train, columns, &options, tick).await?;
        let rows: Vec<usize> = found.rows.iter().map(|&at| self.rows[at]).collect();
        let scores = found.rows.iter().map(|&at| found.scores[at]);
        let (count, of) = (rows.len(), self.rows.len());
        let params = json!({"share": count as f64 / of as f64});
        Ok((count > 0).then(|| {
            Finding::new("outliers", Severity::Note, [count, of], params)
                .with_values(self.dataset, rows.iter().copied().zip(scores))
                .with_remedy(Remedy::delete_rows(self.dataset, &rows))
        }))
    }
}
