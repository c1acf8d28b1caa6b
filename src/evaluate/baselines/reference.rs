//! The baselines against what `tests/fixtures/reference/baselines.py` recorded of scikit-learn, SciPy and cleanlab.

use super::*;
use crate::Result;
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    logistic_regression: Vec<Fit>,
    texts: Vec<String>,
    text_labels: Vec<usize>,
    new_texts: Vec<String>,
    tfidf: Vec<Terms>,
    cross_validation: Vec<Folds>,
    label_issues: Vec<Issues>,
    outliers: Vec<Distances>,
    majority: Vec<Prior>,
    intervals: Vec<Interval>,
}

#[derive(Deserialize)]
struct Fit {
    name: String,
    num_labels: usize,
    columns: usize,
    values: Vec<f32>,
    labels: Vec<usize>,
    c: f64,
    balanced: bool,
    classes: Vec<usize>,
    coef: Vec<Vec<f64>>,
    intercept: Vec<f64>,
    probabilities: Vec<Vec<f64>>,
    n_iter: usize,
}

#[derive(Deserialize)]
struct Terms {
    ngram_range: (usize, usize),
    vocabulary: Vec<String>,
    idf: Vec<f64>,
    rows: Vec<(Vec<usize>, Vec<u32>, Vec<f32>)>,
    probabilities: Vec<Vec<Vec<f64>>>,
}

#[derive(Deserialize)]
struct Folds {
    folds: usize,
    seed: u32,
    num_labels: usize,
    columns: usize,
    values: Vec<f32>,
    labels: Vec<usize>,
    fold_of: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Issues {
    name: String,
    labels: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
    issues: Vec<usize>,
}

#[derive(Deserialize)]
struct Distances {
    name: String,
    columns: usize,
    k: usize,
    values: Vec<f32>,
    scores: Vec<f64>,
    rows: Vec<usize>,
}

#[derive(Deserialize)]
struct Prior {
    train: Vec<usize>,
    test: Vec<usize>,
    accuracy: f64,
    macro_f1: f64,
    loss: f64,
}

#[derive(Deserialize)]
struct Interval {
    correct: usize,
    total: usize,
    low: f64,
    high: f64,
}

fn recorded() -> Recorded {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/reference/baselines.json"
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance,
            "{what}, {at}: {found} instead of {expected}"
        );
    }
}

async fn no_tick(_: usize, _: usize) -> Result<()> {
    Ok(())
}

/// The optimum: the default tolerance ends before it.
fn exact(c: f64, balanced: bool) -> LogisticRegressionOptions {
    LogisticRegressionOptions {
        c,
        tol: 1e-10,
        max_iter: 10_000,
        class_weight_balanced: balanced,
    }
}

fn fit(
    features: Features,
    labels: &[usize],
    num_labels: usize,
    options: &LogisticRegressionOptions,
) -> LogisticRegression {
    let fit = LogisticRegression::fit(features, labels, num_labels, options, &no_tick);
    pollster::block_on(fit).unwrap()
}

fn check_fit(case: &Fit, features: Features, layout: &str) {
    let what = format!("{}, {layout}", case.name);
    let options = exact(case.c, case.balanced);
    let model = fit(features, &case.labels, case.num_labels, &options);
    assert_eq!(model.classes, case.classes, "{what}");
    assert_eq!(model.coef.len(), case.coef.len(), "{what}");
    for (found, expected) in model.coef.iter().zip(&case.coef) {
        assert_close(found, expected, 1e-6, &format!("{what}, coef"));
    }
    let name = format!("{what}, intercept");
    assert_close(&model.intercept, &case.intercept, 1e-6, &name);
    let probabilities = pollster::block_on(model.predict_proba(features, &no_tick)).unwrap();
    for (found, expected) in probabilities.iter().zip(&case.probabilities) {
        let of_classes: Vec<f64> = case.classes.iter().map(|&class| found[class]).collect();
        assert_close(&of_classes, expected, 1e-6, &what);
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{what}");
    }
    let default = LogisticRegressionOptions {
        c: case.c,
        class_weight_balanced: case.balanced,
        ..LogisticRegressionOptions::default()
    };
    let iterations = fit(features, &case.labels, case.num_labels, &default).n_iter;
    assert!(
        iterations <= 2 * case.n_iter,
        "{what}: {iterations} iterations instead of {}",
        case.n_iter
    );
}

#[test]
fn logistic_regression_equals_that_of_scikit_learn() {
    let recorded = recorded();
    assert!(recorded.logistic_regression.len() > 5);
    for case in &recorded.logistic_regression {
        let (values, columns) = (&case.values, case.columns);
        check_fit(case, Features::Dense { values, columns }, "dense");
        let sparse = SparseRows {
            indptr: (0..=case.labels.len()).map(|row| row * columns).collect(),
            indices: (0..values.len()).map(|at| (at % columns) as u32).collect(),
            values: values.clone(),
            columns,
        };
        check_fit(case, Features::Sparse(&sparse), "sparse");
    }
}

#[test]
fn term_weights_equal_those_of_scikit_learn() {
    let recorded = recorded();
    let texts: Vec<&str> = recorded.texts.iter().map(String::as_str).collect();
    let new_texts: Vec<&str> = recorded.new_texts.iter().map(String::as_str).collect();
    for case in &recorded.tfidf {
        let options = TfidfOptions {
            ngram_range: case.ngram_range,
            ..TfidfOptions::default()
        };
        let fit_transform = TfidfVectorizer::fit_transform(&texts, &options, &no_tick);
        let (vectorizer, rows) = pollster::block_on(fit_transform).unwrap();
        for (column, term) in case.vocabulary.iter().enumerate() {
            assert_eq!(vectorizer.column(term), Some(column), "{term}");
        }
        assert_eq!(rows.columns, case.vocabulary.len());
        assert_close(vectorizer.idf(), &case.idf, 1e-6, "idf");
        let new = pollster::block_on(vectorizer.transform(&new_texts, &no_tick)).unwrap();
        let again = pollster::block_on(vectorizer.transform(&texts, &no_tick)).unwrap();
        assert_eq!(again, rows);
        let model = fit(
            Features::Sparse(&rows),
            &recorded.text_labels,
            3,
            &exact(1.0, false),
        );
        for (found, (part, expected)) in [&rows, &new].into_iter().zip(case.rows.iter().enumerate())
        {
            assert_eq!(found.indptr, expected.0);
            assert_eq!(found.indices, expected.1);
            for (found, expected) in found.values.iter().zip(&expected.2) {
                assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
            }
            let features = Features::Sparse(found);
            let probabilities = pollster::block_on(model.predict_proba(features, &no_tick));
            let expected = case.probabilities[part].iter();
            for (found, expected) in probabilities.unwrap().iter().zip(expected) {
                assert_close(found, expected, 1e-6, "probabilities");
            }
        }
    }
}

#[test]
fn folds_and_their_probabilities_equal_those_of_scikit_learn() {
    for case in recorded().cross_validation {
        let folds = stratified_folds(&case.labels, case.folds, case.seed).unwrap();
        assert_eq!(folds, case.fold_of);
        let features = Features::Dense {
            values: &case.values,
            columns: case.columns,
        };
        let found = pollster::block_on(cross_val_predict_proba(
            features,
            &case.labels,
            case.num_labels,
            case.folds,
            case.seed,
            &exact(1.0, false),
            &no_tick,
        ))
        .unwrap();
        for (found, expected) in found.iter().zip(&case.probabilities) {
            assert_close(found, expected, 1e-6, "probabilities");
        }
    }
}

#[test]
fn label_issues_equal_those_of_cleanlab() {
    let cases = recorded().label_issues;
    assert!(cases.iter().any(|case| case.issues.len() > 10));
    for case in cases {
        let found = find_label_issues(&case.labels, &case.probabilities);
        let rows: Vec<usize> = found.iter().map(|issue| issue.row).collect();
        assert_eq!(rows, case.issues, "{}", case.name);
        for issue in found {
            assert_eq!(issue.given, case.labels[issue.row]);
            let row = &case.probabilities[issue.row];
            assert_eq!(issue.self_confidence, row[issue.given]);
            assert!(row.iter().all(|&p| p <= row[issue.suggested]));
        }
    }
}

#[test]
fn outliers_equal_those_of_cleanlab() {
    let cases = recorded().outliers;
    assert!(cases.iter().any(|case| !case.rows.is_empty()));
    for case in cases {
        let options = OutlierOptions {
            k: case.k,
            ..OutlierOptions::default()
        };
        let found = outliers(&case.values, case.columns, &options, &no_tick);
        let mut found = pollster::block_on(found).unwrap();
        assert_close(&found.scores, &case.scores, 1e-5, &case.name);
        assert!(
            found
                .rows
                .is_sorted_by(|&a, &b| found.scores[a] <= found.scores[b])
        );
        found.rows.sort_unstable();
        assert_eq!(found.rows, case.rows, "{}", case.name);
    }
}

#[test]
fn the_majority_class_scores_as_in_scikit_learn() {
    for case in recorded().majority {
        let num_labels = case.train.iter().max().unwrap() + 1;
        let found = majority(&case.train, &case.test, num_labels).unwrap();
        let found = [found.accuracy, found.macro_f1, found.loss];
        let expected = [case.accuracy, case.macro_f1, case.loss];
        assert_close(&found, &expected, 1e-12, "majority");
    }
}

#[test]
fn confidence_intervals_equal_those_of_scipy() {
    for case in recorded().intervals {
        let (low, high) = confidence_interval(case.correct, case.total);
        assert_close(&[low, high], &[case.low, case.high], 1e-12, "interval");
    }
}
