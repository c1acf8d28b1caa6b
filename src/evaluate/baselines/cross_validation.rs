//! scikit-learn's [`cross_val_predict`][predict] with a shuffled [`StratifiedKFold`][folds]: the same folds for the
//! same `random_state`.
//!
//! [predict]: https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.cross_val_predict.html
//! [folds]: https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.StratifiedKFold.html

use super::features::Features;
use super::logistic_regression::{LogisticRegression, LogisticRegressionOptions};
use super::tick::{Progress, Tick};
use crate::random::RandomState;
use crate::{Error, Result};

/// Returns the fold of each row: `StratifiedKFold(folds, shuffle=True, random_state=seed)`. Of a class with fewer rows
/// than folds, some folds have no row; scikit-learn warns.
///
/// # Errors
/// [`Error::Split`] for fewer than two folds, or if every class has fewer rows than there are folds.
pub fn stratified_folds(labels: &[usize], folds: usize, seed: u32) -> Result<Vec<usize>> {
    let num_labels = labels.iter().max().map_or(0, |&label| label + 1);
    let mut rows_of = vec![Vec::new(); num_labels];
    for (row, &label) in labels.iter().enumerate() {
        rows_of[label].push(row);
    }
    let largest = rows_of.iter().map(Vec::len).max().unwrap_or(0);
    if folds < 2 || largest < folds {
        return Err(Error::Split(format!(
            "cross-validation into {folds} parts needs 2 parts or more and a class of so many rows; the largest class \
             has {largest}. Add rows."
        )));
    }
    // The classes in the order of their first row.
    rows_of.retain(|rows: &Vec<usize>| !rows.is_empty());
    rows_of.sort_by_key(|rows| rows[0]);
    let mut random = RandomState::new(seed);
    let mut fold_of = vec![0; labels.len()];
    let mut first = 0;
    for rows in rows_of {
        // The rows, sorted by class, are dealt to the folds in turn.
        let mut folds_of_class: Vec<usize> =
            (first..first + rows.len()).map(|at| at % folds).collect();
        folds_of_class.sort_unstable();
        first += rows.len();
        let order = random.permutation(rows.len());
        for (&row, at) in rows.iter().zip(order) {
            fold_of[row] = folds_of_class[at];
        }
    }
    Ok(fold_of)
}

/// Returns the probabilities of each row by a logistic regression that was fitted to the rows of the other folds. A
/// label that has no row in the other folds has the probability 0.
///
/// # Errors
/// Those of [`stratified_folds`] and of `tick`, which is called with the work done and an upper bound of all.
///
/// # Panics
/// For another number of labels than rows, or a label that is not below `num_labels`.
pub async fn cross_val_predict_proba(
    features: Features<'_>,
    labels: &[usize],
    num_labels: usize,
    folds: usize,
    seed: u32,
    options: &LogisticRegressionOptions,
    tick: &dyn Tick,
) -> Result<Vec<Vec<f64>>> {
    assert_eq!(features.num_rows(), labels.len(), "a label for each row");
    let fold_of = stratified_folds(labels, folds, seed)?;
    let mut probabilities = vec![Vec::new(); labels.len()];
    let mut progress = Progress::new(tick, folds * options.max_iter);
    for fold in 0..folds {
        progress.set(fold * options.max_iter);
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..labels.len()).partition(|&row| fold_of[row] == fold);
        let fit = LogisticRegression::fit_rows(
            features,
            labels,
            &train,
            num_labels,
            options,
            &mut progress,
        );
        let model = fit.await?;
        let predicted = model.predict_rows(features, &test, &mut progress).await?;
        for (row, predicted) in test.into_iter().zip(predicted) {
            probabilities[row] = predicted;
        }
    }
    Ok(probabilities)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::TorchGenerator;

    #[test]
    fn too_many_folds_are_an_error() {
        for folds in [0, 1, 4] {
            let error = stratified_folds(&[0, 0, 1, 0, 1], folds, 0).unwrap_err();
            assert_eq!(error.code(), "split", "{folds} folds");
        }
        assert_eq!(stratified_folds(&[], 2, 0).unwrap_err().code(), "split");
    }

    #[test]
    fn an_error_of_the_tick_ends_it() {
        let values = TorchGenerator::new(1).normal(400_000, 1.0);
        let features = Features::Dense {
            values: &values,
            columns: 100,
        };
        let labels: Vec<usize> = (0..4000).map(|row| row % 20).collect();
        let calls = std::cell::Cell::new(0);
        let tick = async |done: usize, total: usize| {
            assert!(done <= total, "{done} of {total}");
            calls.set(calls.get() + 1);
            if calls.get() == 3 {
                return Err(Error::Stopped("stopped".into()));
            }
            Ok(())
        };
        let options = LogisticRegressionOptions::default();
        let result = cross_val_predict_proba(features, &labels, 20, 4, 0, &options, &tick);
        assert_eq!(pollster::block_on(result).unwrap_err().code(), "stopped");
        assert_eq!(calls.get(), 3);
    }
}
