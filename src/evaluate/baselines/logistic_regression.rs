//! scikit-learn's [`LogisticRegression`][sklearn] with `penalty="l2"`: the same optimum, found by the same algorithm.
//!
//! [sklearn]: https://scikit-learn.org/stable/modules/generated/sklearn.linear_model.LogisticRegression.html

use super::features::Features;
use super::lbfgs::minimize;
use super::linear_loss::{Buffers, LinearLoss, Parameters, log_sum_exp};
use super::tick::{Progress, Tick};
use crate::Result;

/// Arguments of [`LogisticRegression::fit`], under scikit-learn's names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticRegressionOptions {
    /// Inverse of the strength of the penalty (`C`).
    pub c: f64,
    /// Most iterations of L-BFGS.
    pub max_iter: usize,
    /// L-BFGS ends when no element of the gradient of the mean loss exceeds it.
    pub tol: f64,
    /// Whether each class has the same weight in total (`class_weight="balanced"`).
    pub class_weight_balanced: bool,
}

impl Default for LogisticRegressionOptions {
    /// scikit-learn's defaults.
    fn default() -> Self {
        Self {
            c: 1.0,
            max_iter: 100,
            tol: 1e-4,
            class_weight_balanced: false,
        }
    }
}

/// A fitted classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticRegression {
    /// One row of coefficients a class of `classes`; one row for two classes (that of the second), none for one class.
    pub coef: Vec<Vec<f64>>,
    /// One value a row of `coef`.
    pub intercept: Vec<f64>,
    /// The labels that occur in the training rows, ascending (`classes_`).
    pub classes: Vec<usize>,
    /// The number of labels of the dataset, and of the probabilities of a row.
    pub num_labels: usize,
    /// The iterations of L-BFGS. If it is `max_iter`, it has not converged.
    pub n_iter: usize,
}

impl LogisticRegression {
    /// Fits the classifier to all rows. A label that no row has gets the probability 0; scikit-learn's result has no
    /// column for it. Rows of one class only are accepted.
    ///
    /// # Errors
    /// Those of `tick`, which is called with the iterations done and `max_iter`.
    ///
    /// # Panics
    /// For another number of labels than rows, no rows, or a label that is not below `num_labels`.
    pub async fn fit(
        features: Features<'_>,
        labels: &[usize],
        num_labels: usize,
        options: &LogisticRegressionOptions,
        tick: &dyn Tick,
    ) -> Result<Self> {
        assert_eq!(features.num_rows(), labels.len(), "a label for each row");
        let rows: Vec<usize> = (0..labels.len()).collect();
        let mut progress = Progress::new(tick, options.max_iter);
        Self::fit_rows(features, labels, &rows, num_labels, options, &mut progress).await
    }

    /// Fits the classifier to these rows of the features.
    pub(super) async fn fit_rows(
        features: Features<'_>,
        labels: &[usize],
        rows: &[usize],
        num_labels: usize,
        options: &LogisticRegressionOptions,
        progress: &mut Progress<'_>,
    ) -> Result<Self> {
        assert!(!rows.is_empty(), "rows to fit");
        let mut counts = vec![0usize; num_labels];
        for &row in rows {
            counts[labels[row]] += 1;
        }
        let classes: Vec<usize> = (0..num_labels).filter(|&label| counts[label] > 0).collect();
        let mut model = Self {
            coef: Vec::new(),
            intercept: Vec::new(),
            classes,
            num_labels,
            n_iter: 0,
        };
        if model.classes.len() < 2 {
            return Ok(model);
        }
        let balanced = |&class: &usize| {
            if options.class_weight_balanced {
                rows.len() as f64 / (model.classes.len() * counts[class]) as f64
            } else {
                1.0
            }
        };
        let class_weights = model.classes.iter().map(balanced).collect();
        let first = progress.done();
        let mut loss = LinearLoss {
            parameters: Parameters::new(&features, model.outputs()),
            features,
            rows,
            targets: targets(labels, rows, &model.classes),
            class_weights,
            // The weights of all rows sum to their number, balanced or not.
            scale: 1.0 / rows.len() as f64,
            penalty: 1.0 / (options.c * rows.len() as f64),
            progress,
            first,
        };
        let parameters = loss.parameters;
        let mut weights = vec![0.0; parameters.len()];
        model.n_iter = minimize(&mut loss, &mut weights, options.tol, options.max_iter).await?;
        model.coef = parameters.coef(&weights);
        model.intercept = parameters.intercept(&weights).to_vec();
        Ok(model)
    }

    /// The linear functions: one for two classes, otherwise one a class.
    fn outputs(&self) -> usize {
        match self.classes.len() {
            2 => 1,
            classes => classes,
        }
    }

    /// Returns the probability of each label, for each row.
    ///
    /// # Errors
    /// Those of `tick`, which is called with the rows done and all rows.
    ///
    /// # Panics
    /// For another number of columns than at the fit.
    pub async fn predict_proba(
        &self,
        features: Features<'_>,
        tick: &dyn Tick,
    ) -> Result<Vec<Vec<f64>>> {
        let rows: Vec<usize> = (0..features.num_rows()).collect();
        let mut progress = Progress::new(tick, rows.len());
        self.predict_rows(features, &rows, &mut progress).await
    }

    /// Returns the probability of each label for these rows of the features. Counts each as a unit of the progress.
    pub(super) async fn predict_rows(
        &self,
        features: Features<'_>,
        rows: &[usize],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Vec<f64>>> {
        let parameters = Parameters::new(&features, self.coef.len());
        let weights = parameters.weights(&self.coef, &self.intercept);
        let mut buffers = Buffers::default();
        let mut probabilities = Vec::with_capacity(rows.len());
        for &row in rows {
            parameters.scores(&features, row, &weights, &mut buffers);
            probabilities.push(self.probabilities(&buffers.scores));
            let work = parameters.work(&features, 1);
            progress.set(progress.done() + 1);
            progress.add(work).await?;
        }
        Ok(probabilities)
    }

    /// The probability of each label.
    fn probabilities(&self, scores: &[f64]) -> Vec<f64> {
        let mut row = vec![0.0; self.num_labels];
        match (self.classes.as_slice(), scores) {
            ([], _) => {}
            ([class], _) => row[*class] = 1.0,
            ([first, second], [score]) => {
                row[*first] = 1.0 / (1.0 + score.exp());
                row[*second] = 1.0 / (1.0 + (-score).exp());
            }
            (classes, scores) => {
                let normalizer = log_sum_exp(scores);
                for (&class, score) in classes.iter().zip(scores) {
                    row[class] = (score - normalizer).exp();
                }
            }
        }
        row
    }
}

/// The position of each row's label in `classes`.
fn targets(labels: &[usize], rows: &[usize], classes: &[usize]) -> Vec<u32> {
    let position = |label| classes.binary_search(label).expect("the class of a row") as u32;
    rows.iter().map(|&row| position(&labels[row])).collect()
}
