//! What the visitor has been told of the data: findings of the audit and baselines, for the card of an exported model.

use super::Session;
use super::protocol::{AuditView, BaselinesView};
use super::run::Run;
use crate::data::audit::Finding;
use crate::data::{Dataset, Split};
use crate::export::Baseline;
use crate::hub::Environment;
use crate::train::MemoryProbe;
use std::rc::{Rc, Weak};

/// The last reports.
#[derive(Default)]
pub(super) struct Reported {
    audit: Option<Report<Vec<Finding>>>,
    /// Wrong labels and outliers, which are looked for on demand.
    labels: Option<Report<Vec<Finding>>>,
    baselines: Option<Report<Vec<Baseline>>>,
}

/// A report on a dataset and its split. It keeps neither of them.
struct Report<T> {
    dataset: Weak<Dataset>,
    split: Weak<Split>,
    content: T,
}

impl<T> Report<T> {
    /// The report, if it is one on the rows of the run.
    fn of(&self, run: &Run) -> Option<&T> {
        let is_same = Rc::ptr_eq(&self.dataset.upgrade()?, &run.dataset)
            // The run may hold rows out of the training part.
            && self.split.upgrade()?.test == run.split.test;
        is_same.then_some(&self.content)
    }
}

impl Reported {
    /// The findings on the rows of the run; none without an audit.
    pub(super) fn findings(&self, run: &Run) -> Option<Vec<Finding>> {
        let audit = self.audit.as_ref()?.of(run)?;
        let labels = self.labels.as_ref().and_then(|report| report.of(run));
        Some(
            audit
                .iter()
                .chain(labels.into_iter().flatten())
                .cloned()
                .collect(),
        )
    }

    /// The baselines on the rows of the run; empty if none were fitted.
    pub(super) fn baselines(&self, run: &Run) -> Vec<Baseline> {
        let report = self.baselines.as_ref().and_then(|report| report.of(run));
        report.cloned().unwrap_or_default()
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// A report on the current dataset and split; none before there is a split.
    fn report<T>(&self, content: T) -> Option<Report<T>> {
        let (dataset, split) = self.require_split().ok()?;
        Some(Report {
            dataset: Rc::downgrade(dataset),
            split: Rc::downgrade(split),
            content,
        })
    }

    /// Keeps the findings of an audit.
    pub(super) fn keep_audit(&mut self, view: &AuditView) {
        self.reported.audit = self.report(view.findings.clone());
    }

    /// Keeps the wrong labels and outliers that were found.
    pub(super) fn keep_label_audit(&mut self, view: &AuditView) {
        self.reported.labels = self.report(view.findings.clone());
    }

    /// Keeps the scores of the baselines.
    pub(super) fn keep_baselines(&mut self, view: &BaselinesView) {
        let scores = view.baselines.iter().map(|baseline| Baseline {
            id: baseline.id,
            accuracy: baseline.eval_accuracy,
            macro_f1: baseline.macro_f1,
        });
        self.reported.baselines = self.report(scores.collect());
    }
}
