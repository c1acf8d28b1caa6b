//! scikit-learn's [`classification_report`][report] and [`confusion_matrix`][matrix], from probabilities.
//!
//! [report]: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.classification_report.html
//! [matrix]: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.confusion_matrix.html

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
    /// The unweighted mean of the classes' reports (`macro avg`); its support is the number of rows.
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
    /// # Panics
    /// For a label that is not below `num_labels`, or a row without probabilities.
    pub fn new(labels: &[usize], probabilities: &[Vec<f32>], num_labels: usize) -> Self {
        let mut confusion = vec![vec![0; num_labels]; num_labels];
        let mut misclassified = Vec::new();
        for (at, (&label, row)) in labels.iter().zip(probabilities).enumerate() {
            let predicted = argmax(row);
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
        let mean = |value: fn(&ClassReport) -> f64| {
            classes.iter().map(value).sum::<f64>() / num_labels as f64
        };
        Self {
            accuracy: ratio(labels.len() - misclassified.len(), labels.len()),
            macro_average: ClassReport {
                precision: mean(|class| class.precision),
                recall: mean(|class| class.recall),
                f1: mean(|class| class.f1),
                support: labels.len(),
            },
            classes,
            confusion,
            misclassified,
        }
    }
}

/// The index of the first maximum, as NumPy's `argmax`.
fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
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

    #[test]
    fn equals_the_report_of_scikit_learn() {
        // sklearn.metrics.classification_report([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 1], zero_division=0)
        let labels = [0, 0, 0, 1, 1, 2];
        let probabilities: Vec<Vec<f32>> = [0, 0, 1, 1, 1, 1]
            .iter()
            .map(|&predicted| {
                let mut row = vec![0.1; 3];
                row[predicted] = 0.8;
                row
            })
            .collect();
        let metrics = Metrics::new(&labels, &probabilities, 3);
        assert!((metrics.accuracy - 4.0 / 6.0).abs() < 1e-12);
        assert_eq!(metrics.confusion, [[2, 1, 0], [0, 2, 0], [0, 1, 0]]);
        let expected = [
            (1.0, 2.0 / 3.0, 0.8, 3),
            (0.5, 1.0, 2.0 / 3.0, 2),
            (0.0, 0.0, 0.0, 1),
        ];
        for (class, (precision, recall, f1, support)) in metrics.classes.iter().zip(expected) {
            assert!((class.precision - precision).abs() < 1e-12);
            assert!((class.recall - recall).abs() < 1e-12);
            assert!((class.f1 - f1).abs() < 1e-12);
            assert_eq!(class.support, support);
        }
        assert!((metrics.macro_average.f1 - (0.8 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
        let wrong: Vec<usize> = metrics.misclassified.iter().map(|row| row.at).collect();
        assert_eq!(wrong, [2, 5]);
    }
}
