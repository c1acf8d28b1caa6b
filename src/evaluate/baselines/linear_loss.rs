//! The loss of a logistic regression and its gradient, as scikit-learn's `LinearModelLoss`: the weighted mean of the
//! cross entropy and an L2 penalty on the coefficients.

use super::features::Features;
use super::lbfgs::Objective;
use super::tick::Progress;
use super::vector::{add_scaled, dot};
use crate::Result;

/// Multiply-adds that are computed without a pause.
const WORK_PER_PIECE: usize = 4_000_000;

/// How the coefficients are laid out in one vector, with the intercepts at its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    columns: usize,
    outputs: usize,
    /// Whether the coefficients of a column are adjacent, which suits sparse rows; otherwise those of an output are.
    by_column: bool,
}

impl Parameters {
    pub(super) fn new(features: &Features, outputs: usize) -> Self {
        Self {
            columns: features.columns(),
            outputs,
            by_column: matches!(features, Features::Sparse(_)),
        }
    }

    /// The number of coefficients and intercepts.
    pub(super) fn len(&self) -> usize {
        (self.columns + 1) * self.outputs
    }

    fn at(&self, output: usize, column: usize) -> usize {
        if self.by_column {
            column * self.outputs + output
        } else {
            output * self.columns + column
        }
    }

    /// The coefficients by output.
    pub(super) fn coef(&self, weights: &[f64]) -> Vec<Vec<f64>> {
        let row = |output| {
            let columns = 0..self.columns;
            columns
                .map(|column| weights[self.at(output, column)])
                .collect()
        };
        (0..self.outputs).map(row).collect()
    }

    /// The intercepts by output.
    pub(super) fn intercept<'a>(&self, weights: &'a [f64]) -> &'a [f64] {
        &weights[self.columns * self.outputs..]
    }

    /// The inverse of `coef` and `intercept`.
    pub(super) fn weights(&self, coef: &[Vec<f64>], intercept: &[f64]) -> Vec<f64> {
        let mut weights = vec![0.0; self.columns * self.outputs];
        for (output, row) in coef.iter().enumerate() {
            assert_eq!(row.len(), self.columns, "the columns of the fit");
            for (column, &value) in row.iter().enumerate() {
                weights[self.at(output, column)] = value;
            }
        }
        weights.extend(intercept);
        weights
    }

    /// Computes the value of each linear function for a row.
    pub(super) fn scores(
        &self,
        features: &Features,
        row: usize,
        weights: &[f64],
        buffers: &mut Buffers,
    ) {
        let Buffers { scores, dense } = buffers;
        scores.clear();
        scores.extend_from_slice(self.intercept(weights));
        match features {
            Features::Dense { values, columns } => {
                dense.clear();
                let x = &values[row * columns..(row + 1) * columns];
                dense.extend(x.iter().map(|&value| f64::from(value)));
                for (score, w) in scores.iter_mut().zip(weights.chunks_exact(*columns)) {
                    *score += dot(dense, w);
                }
            }
            Features::Sparse(rows) => {
                let (columns, values) = rows.row(row);
                let row = columns.iter().zip(values);
                if let [score] = scores.as_mut_slice() {
                    for (&column, &value) in row {
                        *score += f64::from(value) * weights[column as usize];
                    }
                    return;
                }
                for (&column, &value) in row {
                    let w = &weights[column as usize * self.outputs..][..self.outputs];
                    for (score, w) in scores.iter_mut().zip(w) {
                        *score += f64::from(value) * w;
                    }
                }
            }
        }
    }

    /// Adds a row's part to the gradient. The buffers have the derivative of its loss by each score, and the row as
    /// `scores` left it.
    fn add_gradient(
        &self,
        features: &Features,
        row: usize,
        buffers: &Buffers,
        gradient: &mut [f64],
    ) {
        let (coef, intercept) = gradient.split_at_mut(self.columns * self.outputs);
        let errors = buffers.scores.as_slice();
        for (sum, error) in intercept.iter_mut().zip(errors) {
            *sum += error;
        }
        match features {
            Features::Dense { columns, .. } => {
                for (sums, &error) in coef.chunks_exact_mut(*columns).zip(errors) {
                    add_scaled(sums, error, &buffers.dense);
                }
            }
            Features::Sparse(rows) => {
                let (columns, values) = rows.row(row);
                let row = columns.iter().zip(values);
                if let [error] = errors {
                    for (&column, &value) in row {
                        coef[column as usize] += f64::from(value) * error;
                    }
                    return;
                }
                for (&column, &value) in row {
                    let sums = &mut coef[column as usize * self.outputs..][..self.outputs];
                    for (sum, error) in sums.iter_mut().zip(errors) {
                        *sum += f64::from(value) * error;
                    }
                }
            }
        }
    }

    /// Multiply-adds of the scores of `rows` rows, about.
    pub(super) fn work(&self, features: &Features, rows: usize) -> usize {
        (features.values_in(rows) + rows) * self.outputs.max(1)
    }
}

/// What is computed for one row.
#[derive(Default)]
pub(super) struct Buffers {
    /// The value of each linear function.
    pub(super) scores: Vec<f64>,
    /// A dense row in f64.
    dense: Vec<f64>,
}

/// The function that a fit minimizes.
pub(super) struct LinearLoss<'a, 'p, 't> {
    pub(super) parameters: Parameters,
    pub(super) features: Features<'a>,
    /// The rows of the features to fit.
    pub(super) rows: &'a [usize],
    /// The class of each of `rows`.
    pub(super) targets: Vec<u32>,
    /// The weight of a row by its class.
    pub(super) class_weights: Vec<f64>,
    /// Factor of the sum of the losses.
    pub(super) scale: f64,
    /// Factor of half the squared coefficients.
    pub(super) penalty: f64,
    pub(super) progress: &'p mut Progress<'t>,
    /// Units of the progress that were done before the fit.
    pub(super) first: usize,
}

impl LinearLoss<'_, '_, '_> {
    /// Adds the losses and gradients of the rows at `range`.
    fn add_rows(
        &self,
        range: std::ops::Range<usize>,
        weights: &[f64],
        gradient: &mut [f64],
        buffers: &mut Buffers,
    ) -> f64 {
        let mut sum = 0.0;
        for at in range {
            let (row, target) = (self.rows[at], self.targets[at] as usize);
            let parameters = &self.parameters;
            parameters.scores(&self.features, row, weights, buffers);
            let loss = errors(&mut buffers.scores, target);
            let weight = self.class_weights[target] * self.scale;
            buffers.scores.iter_mut().for_each(|error| *error *= weight);
            parameters.add_gradient(&self.features, row, buffers, gradient);
            sum += weight * loss;
        }
        sum
    }
}

impl Objective for LinearLoss<'_, '_, '_> {
    async fn value_and_gradient(&mut self, weights: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let coefficients = self.parameters.columns * self.parameters.outputs;
        let mut squares = 0.0;
        for (sum, &w) in gradient.iter_mut().zip(&weights[..coefficients]) {
            squares += w * w;
            *sum = self.penalty * w;
        }
        gradient[coefficients..].fill(0.0);
        let mut value = 0.5 * self.penalty * squares;
        let mut buffers = Buffers::default();
        let all = self.rows.len();
        let work_per_row = 2 * self.parameters.work(&self.features, 1);
        let rows_per_piece = (WORK_PER_PIECE / work_per_row).max(1);
        let mut start = 0;
        while start < all {
            let end = all.min(start + rows_per_piece);
            value += self.add_rows(start..end, weights, gradient, &mut buffers);
            self.progress.add((end - start) * work_per_row).await?;
            start = end;
        }
        // The vectors of L-BFGS.
        self.progress.add(50 * weights.len()).await?;
        Ok(value)
    }

    fn iterated(&mut self, iterations: usize) {
        self.progress.set(self.first + iterations);
    }
}

/// Replaces the scores by the derivatives of the cross entropy by them and returns it. One score is that of class 1 of
/// two.
fn errors(scores: &mut [f64], target: usize) -> f64 {
    if let [score] = scores {
        let sign = if target == 1 { 1.0 } else { -1.0 };
        let margin = sign * *score;
        let exp = (-margin.abs()).exp();
        let wrong = if margin > 0.0 { exp } else { 1.0 } / (1.0 + exp);
        *score = -sign * wrong;
        return exp.ln_1p() + (-margin).max(0.0);
    }
    let normalizer = log_sum_exp(scores);
    let loss = normalizer - scores[target];
    for score in scores.iter_mut() {
        *score = (*score - normalizer).exp();
    }
    scores[target] -= 1.0;
    loss
}

/// `ln Σ exp(score)`.
pub(super) fn log_sum_exp(scores: &[f64]) -> f64 {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    max + scores
        .iter()
        .map(|score| (score - max).exp())
        .sum::<f64>()
        .ln()
}

#[cfg(test)]
mod tests {
    use super::super::features::SparseRows;
    use super::*;

    const VALUES: [f32; 12] = [
        0.5, -1.0, 2.0, 0.25, 1.5, 0.0, -0.75, 1.0, 0.5, 3.0, -2.0, 0.125,
    ];

    fn value(features: Features, outputs: usize, weights: &[f64]) -> (f64, Vec<f64>) {
        let tick = async |_: usize, _: usize| Ok(());
        let mut progress = Progress::new(&tick, 1);
        let mut loss = LinearLoss {
            parameters: Parameters::new(&features, outputs),
            features,
            rows: &[0, 1, 3],
            targets: vec![0, 1, 1],
            class_weights: vec![0.5, 2.0, 1.0],
            scale: 0.25,
            penalty: 0.125,
            progress: &mut progress,
            first: 0,
        };
        let mut gradient = vec![f64::NAN; weights.len()];
        let value = pollster::block_on(loss.value_and_gradient(weights, &mut gradient)).unwrap();
        (value, gradient)
    }

    fn check(features: Features, outputs: usize) {
        let weights: Vec<f64> = (0..4 * outputs).map(|at| (at as f64 * 0.7).sin()).collect();
        let (_, gradient) = value(features, outputs, &weights);
        for at in 0..weights.len() {
            let moved = |by: f64| {
                let mut weights = weights.clone();
                weights[at] += by;
                value(features, outputs, &weights).0
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let found = gradient[at];
            assert!((found - expected).abs() < 1e-8, "{found}, {expected}");
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let dense = Features::Dense {
            values: &VALUES,
            columns: 3,
        };
        let sparse = SparseRows {
            indptr: vec![0, 2, 3, 3, 5],
            indices: vec![0, 2, 1, 0, 1],
            values: vec![0.5, -1.0, 2.0, 1.5, -0.5],
            columns: 3,
        };
        for outputs in [1, 3] {
            check(dense, outputs);
            check(Features::Sparse(&sparse), outputs);
        }
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let mut one = [800.0];
        assert_eq!(errors(&mut one, 0), 800.0);
        assert_eq!(one, [1.0]);
        let mut three = [900.0, 0.0, -900.0];
        assert_eq!(errors(&mut three, 2), 1800.0);
        assert_eq!(three, [1.0, 0.0, -1.0]);
    }
}
