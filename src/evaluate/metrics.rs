//! scikit-learn's [`classification_report`][report] and [`confusion_matrix`][matrix], from probabilities.
//!
//! [report]: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.classification_report.html
//! [matrix]: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.confusion_matrix.html

use crate::{Error, Result};
use serde::Serialize;

/// Precision, recall and F1 of one class; each is 0 if its denominator is 0 (`zero_division=0`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassReport {
    /// Share of the rows predicted as the class that have its label.
    pub precision: f64,
    /// Share of the rows with the label that are predicted as the class.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Rows with the label.
    pub support: usize,
}

/// A row with another prediction than its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misclassified {
    /// Its index in the test rows.
    pub at: usize,
    /// Its label.
    pub label: usize,
    /// The label with the highest probability.
    pub predicted: usize,
}

/// The metrics of a classifier on the test rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Share of rows with a correct prediction.
    pub accuracy: f64,
    /// One report a class, by label id.
    pub classes: Vec<ClassReport>,
    /// The unweighted mean of the reports of the classes that occur among the labels or the predictions (`macro avg`);
    /// its support is the number of rows.
    pub macro_average: ClassReport,
    /// `confusion[label][predicted]`, in rows.
    pub confusion: Vec<Vec<usize>>,
    /// The misclassified rows, in the order of the test rows.
    pub misclassified: Vec<Misclassified>,
}

impl Metrics {
    /// Compares the most probable label of each row with its label.
    ///
    /// # Shapes
    /// `labels`: `[rows]`, `probabilities`: `[rows][num_labels]`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a probability that is not finite.
    ///
    /// # Panics
    /// For a label that is not below `num_labels`, or a row without probabilities.
    pub fn new(labels: &[usize], probabilities: &[Vec<f32>], num_labels: usize) -> Result<Self> {
        let mut confusion = vec![vec![0; num_labels]; num_labels];
        let mut misclassified = Vec::new();
        for (at, (&label, row)) in labels.iter().zip(probabilities).enumerate() {
            let predicted = argmax(row).map_err(|value| Error::NotFinite {
                what: format!("row {} of the test part", at + 1),
                value: value.to_string(),
            })?;
            confusion[label][predicted] += 1;
            if predicted != label {
                misclassified.push(Misclassified {
                    at,
                    label,
                    predicted,
                });
            }
        }
        let classes: Vec<ClassReport> = (0..num_labels)
            .map(|class| {
                let hits = confusion[class][class];
                let support: usize = confusion[class].iter().sum();
                let predicted: usize = confusion.iter().map(|row| row[class]).sum();
                ClassReport {
                    precision: ratio(hits, predicted),
                    recall: ratio(hits, support),
                    f1: ratio(2 * hits, predicted + support),
                    support,
                }
            })
            .collect();
        Ok(Self {
            accuracy: ratio(labels.len() - misclassified.len(), labels.len()),
            macro_average: macro_average(&classes, &confusion, labels.len()),
            classes,
            confusion,
            misclassified,
        })
    }
}

/// The mean over the classes that occur among the labels or the predictions of `rows` rows, as scikit-learn's
/// `macro avg`; 0 without any.
fn macro_average(classes: &[ClassReport], confusion: &[Vec<usize>], rows: usize) -> ClassReport {
    let occurs = |class: usize| {
        let predicted: usize = confusion.iter().map(|row| row[class]).sum();
        classes[class].support + predicted > 0
    };
    let present = || (0..classes.len()).filter(|&class| occurs(class));
    let count = present().count().max(1) as f64;
    let mean = |value: fn(&ClassReport) -> f64| {
        present().map(|class| value(&classes[class])).sum::<f64>() / count
    };
    ClassReport {
        precision: mean(|class| class.precision),
        recall: mean(|class| class.recall),
        f1: mean(|class| class.f1),
        support: rows,
    }
}

/// The index of the first maximum, as NumPy's `argmax`.
///
/// # Errors
/// The first value that is not finite: it has no order.
fn argmax(values: &[f32]) -> Result<usize, f32> {
    let mut best = 0;
    for (at, &value) in values.iter().enumerate() {
        if !value.is_finite() {
            return Err(value);
        }
        if value > values[best] {
            best = at;
        }
    }
    Ok(best)
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// What `tests/fixtures/reference/metrics.py` records.
    #[derive(Deserialize)]
    struct Recorded {
        name: String,
        num_labels: usize,
        labels: Vec<usize>,
        predictions: Vec<usize>,
        accuracy: f64,
        precision: Vec<f64>,
        recall: Vec<f64>,
        f1: Vec<f64>,
        support: Vec<usize>,
        #[serde(rename = "macro")]
        macro_average: Average,
        confusion: Vec<Vec<usize>>,
    }

    #[derive(Deserialize)]
    struct Average {
        precision: f64,
        recall: f64,
        f1: f64,
    }

    fn probabilities(predictions: &[usize], num_labels: usize) -> Vec<Vec<f32>> {
        let row = |&predicted: &usize| {
            let mut row = vec![0.1; num_labels];
            row[predicted] = 0.8;
            row
        };
        predictions.iter().map(row).collect()
    }

    #[test]
    fn equals_the_metrics_of_scikit_learn() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/reference/metrics.json"
        );
        let recorded = std::fs::read(path).unwrap();
        let recorded: Vec<Recorded> = serde_json::from_slice(&recorded).unwrap();
        assert!(recorded.len() > 10);
        for case in recorded {
            let probabilities = probabilities(&case.predictions, case.num_labels);
            let found = Metrics::new(&case.labels, &probabilities, case.num_labels).unwrap();
            let close = |found: f64, expected: f64, what: &str| {
                let name = &case.name;
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{name}, {what}: {found} instead of {expected}"
                );
            };
            close(found.accuracy, case.accuracy, "accuracy");
            for (class, report) in found.classes.iter().enumerate() {
                close(report.precision, case.precision[class], "precision");
                close(report.recall, case.recall[class], "recall");
                close(report.f1, case.f1[class], "f1");
                assert_eq!(report.support, case.support[class], "{}", case.name);
            }
            let (average, expected) = (found.macro_average, &case.macro_average);
            close(average.precision, expected.precision, "macro precision");
            close(average.recall, expected.recall, "macro recall");
            close(average.f1, expected.f1, "macro f1");
            assert_eq!(found.confusion, case.confusion, "{}", case.name);
        }
    }

    #[test]
    fn lists_the_rows_with_another_prediction() {
        let probabilities = probabilities(&[0, 0, 1, 1, 1, 1], 3);
        let metrics = Metrics::new(&[0, 0, 0, 1, 1, 2], &probabilities, 3).unwrap();
        let wrong: Vec<usize> = metrics.misclassified.iter().map(|row| row.at).collect();
        assert_eq!(wrong, [2, 5]);
    }

    #[test]
    fn a_probability_that_is_not_finite_has_no_prediction() {
        for row in [[f32::NAN, 0.5], [0.5, f32::NAN], [0.5, f32::INFINITY]] {
            let error = Metrics::new(&[0, 0], &[vec![0.5, 0.5], row.to_vec()], 2).unwrap_err();
            assert_eq!(error.code(), "not_finite");
            assert!(
                error.to_string().contains("row 2 of the test part"),
                "{error}"
            );
        }
    }
}
