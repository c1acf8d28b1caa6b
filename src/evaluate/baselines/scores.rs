//! The baselines of a split: majority class, TF-IDF and embeddings, the latter two with logistic regression.

use super::features::{Features, stratified_sample};
use super::logistic_regression::{LogisticRegression, LogisticRegressionOptions};
use super::tfidf::{TfidfOptions, TfidfVectorizer};
use super::tick::{Progress, Tick};
use crate::Result;
use crate::evaluate::Metrics;

/// `C` for embeddings that are normalized to length 1. scikit-learn's default of 1 suits embeddings as the encoder
/// returns them: those of MiniLM have length 4.2 on average, and rows of length 1 need `C` × 4.2² for the same penalty.
/// On Amazon snippets (16 and 100 rows a class, 3 samples) the accuracy is the same for 1 to 100; the log loss is
/// 0.603 and 0.471 for 1, 0.506 and 0.417 for 10, 0.527 and 0.528 for 100.
pub const EMBEDDINGS_C: f64 = 10.0;

/// The metrics of a baseline on the test rows.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineScore {
    /// `majority`, `tfidf` or `embeddings`.
    pub id: &'static str,
    /// Share of rows with a correct prediction.
    pub accuracy: f64,
    /// Mean F1 of the classes, as in [`Metrics`].
    pub macro_f1: f64,
    /// Mean log loss (`log_loss`).
    pub loss: f64,
    /// The most probable label of each test row.
    pub predictions: Vec<usize>,
    /// The training rows that the classifier was fitted to: fewer than all for a large dataset.
    pub train_rows: usize,
}

/// Arguments of [`tfidf`] and [`embeddings`]: what bounds their time and memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BaselineOptions {
    /// Arguments of the classifier; [`embeddings`] replaces `c` by `embeddings_c`.
    pub logistic_regression: LogisticRegressionOptions,
    /// `C` for embeddings.
    pub embeddings_c: f64,
    /// The fewest and the most words of a term.
    pub ngram_range: (usize, usize),
    /// Most products of one evaluation of the loss: training values × classes. If all rows have more, the classifier
    /// is fitted to a seeded sample of the rows in the proportions of their labels.
    pub max_products: usize,
    /// Most coefficients of the terms: the most frequent terms are kept (`max_features`). L-BFGS holds 24 vectors of
    /// this length.
    pub max_coefficients: usize,
    /// Seed of the sample.
    pub seed: u32,
}

impl Default for BaselineOptions {
    /// 100,000 rows of 384 columns and two classes are fitted whole.
    fn default() -> Self {
        Self {
            logistic_regression: LogisticRegressionOptions::default(),
            embeddings_c: EMBEDDINGS_C,
            ngram_range: (1, 1),
            max_products: 40_000_000,
            max_coefficients: 1_000_000,
            seed: 42,
        }
    }
}

impl BaselineOptions {
    /// The rows to fit the classifier to, of which `values` are stored.
    fn rows(&self, labels: &[usize], num_labels: usize, values: usize) -> Vec<usize> {
        let products = values.max(1) as f64 * outputs(num_labels) as f64;
        let share = self.max_products as f64 / products;
        let size = (labels.len() as f64 * share.min(1.0)) as usize;
        stratified_sample(labels, size.max(num_labels), self.seed)
    }
}

/// The linear functions of a classifier.
fn outputs(num_labels: usize) -> usize {
    if num_labels == 2 { 1 } else { num_labels }
}

/// Predicts the share of each label in the training rows, for every row: `DummyClassifier(strategy="prior")`.
///
/// # Errors
/// None in practice: the shares are finite.
///
/// # Panics
/// Without training rows, or for a label that is not below `num_labels`.
pub fn majority(
    train_labels: &[usize],
    test_labels: &[usize],
    num_labels: usize,
) -> Result<BaselineScore> {
    assert!(!train_labels.is_empty(), "training rows");
    let mut shares = vec![0.0; num_labels];
    for &label in train_labels {
        shares[label] += 1.0 / train_labels.len() as f64;
    }
    let probabilities = vec![shares; test_labels.len()];
    score(
        "majority",
        test_labels,
        &probabilities,
        num_labels,
        train_labels.len(),
    )
}

/// Fits TF-IDF and a logistic regression to the training texts.
///
/// # Errors
/// Those of `tick`, which is called with units of work and an upper bound of all.
///
/// # Panics
/// As [`LogisticRegression::fit`].
pub async fn tfidf(
    (train_texts, train_labels): (&[&str], &[usize]),
    (test_texts, test_labels): (&[&str], &[usize]),
    num_labels: usize,
    options: &BaselineOptions,
    tick: &dyn Tick,
) -> Result<BaselineScore> {
    let terms = TfidfOptions {
        ngram_range: options.ngram_range,
        max_features: Some(options.max_coefficients / outputs(num_labels)),
    };
    let silent = async |_: usize, _: usize| tick.tick(0, 1).await;
    let fit = TfidfVectorizer::fit_transform(train_texts, &terms, &silent);
    let (vectorizer, train) = fit.await?;
    let test = vectorizer.transform(test_texts, &silent).await?;
    let (train, test) = (Features::Sparse(&train), Features::Sparse(&test));
    let test = (test, test_labels);
    fitted(
        "tfidf",
        (train, train_labels),
        test,
        num_labels,
        options,
        tick,
    )
    .await
}

/// Fits a logistic regression to the embeddings of the training rows.
///
/// # Errors
/// Those of `tick`, which is called with units of work and an upper bound of all.
///
/// # Panics
/// As [`LogisticRegression::fit`].
pub async fn embeddings(
    train: (Features<'_>, &[usize]),
    test: (Features<'_>, &[usize]),
    num_labels: usize,
    options: &BaselineOptions,
    tick: &dyn Tick,
) -> Result<BaselineScore> {
    let mut options = *options;
    options.logistic_regression.c = options.embeddings_c;
    fitted("embeddings", train, test, num_labels, &options, tick).await
}

async fn fitted(
    id: &'static str,
    (train, train_labels): (Features<'_>, &[usize]),
    (test, test_labels): (Features<'_>, &[usize]),
    num_labels: usize,
    options: &BaselineOptions,
    tick: &dyn Tick,
) -> Result<BaselineScore> {
    let values = train.values_in(train_labels.len());
    let rows = options.rows(train_labels, num_labels, values);
    let regression = &options.logistic_regression;
    let test_rows: Vec<usize> = (0..test_labels.len()).collect();
    let mut progress = Progress::new(tick, regression.max_iter + test_rows.len());
    let fit = LogisticRegression::fit_rows(
        train,
        train_labels,
        &rows,
        num_labels,
        regression,
        &mut progress,
    );
    let model = fit.await?;
    progress.set(regression.max_iter);
    let probabilities = model.predict_rows(test, &test_rows, &mut progress).await?;
    score(id, test_labels, &probabilities, num_labels, rows.len())
}

fn score(
    id: &'static str,
    labels: &[usize],
    probabilities: &[Vec<f64>],
    num_labels: usize,
    train_rows: usize,
) -> Result<BaselineScore> {
    let narrow = |row: &Vec<f64>| row.iter().map(|&p| p as f32).collect();
    let rows: Vec<Vec<f32>> = probabilities.iter().map(narrow).collect();
    let metrics = Metrics::new(labels, &rows, num_labels)?;
    let mut predictions = labels.to_vec();
    for wrong in &metrics.misclassified {
        predictions[wrong.at] = wrong.predicted;
    }
    Ok(BaselineScore {
        id,
        accuracy: metrics.accuracy,
        macro_f1: metrics.macro_average.f1,
        loss: log_loss(labels, probabilities),
        predictions,
        train_rows,
    })
}

/// The mean of `-ln p` of the labels, with `p` at least the smallest step of f64 as in scikit-learn.
fn log_loss(labels: &[usize], probabilities: &[Vec<f64>]) -> f64 {
    let loss = |(&label, row): (&usize, &Vec<f64>)| {
        -row[label].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
    };
    let sum: f64 = labels.iter().zip(probabilities).map(loss).sum();
    sum / labels.len().max(1) as f64
}

/// The 95 % confidence interval of a share, after [Wilson]. Without rows it is (0, 1).
///
/// [Wilson]: https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval
pub fn confidence_interval(correct: usize, total: usize) -> (f64, f64) {
    if total == 0 {
        return (0.0, 1.0);
    }
    // The 0.975 quantile of the normal distribution.
    let z = 1.959_963_984_540_054_f64;
    let n = total as f64;
    let share = correct as f64 / n;
    let square = z * z / n;
    let center = share + square / 2.0;
    let half = z * (share * (1.0 - share) / n + square / (4.0 * n)).sqrt();
    let low = (center - half) / (1.0 + square);
    let high = (center + half) / (1.0 + square);
    (low.max(0.0), high.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::TorchGenerator;
    use std::cell::Cell;

    async fn no_tick(_: usize, _: usize) -> Result<()> {
        Ok(())
    }

    fn texts() -> (Vec<&'static str>, Vec<usize>) {
        let texts = [
            "good bag",
            "bad bag",
            "good lamp",
            "bad lamp, very bad",
            "good",
            "bad",
        ];
        (texts.repeat(10), [1, 0].repeat(30))
    }

    #[test]
    fn term_weights_learn_what_the_majority_class_cannot() {
        let (texts, labels) = texts();
        let test = (&["a good chair", "bad chair", "chair"][..], &[1, 0, 1][..]);
        let options = BaselineOptions::default();
        let found = tfidf((&texts, &labels), test, 2, &options, &no_tick);
        let found = pollster::block_on(found).unwrap();
        assert_eq!(found.predictions[..2], [1, 0]);
        assert_eq!(found.train_rows, 60);
        assert!(found.loss < 2f64.ln(), "{}", found.loss);
        let majority = majority(&labels, test.1, 2).unwrap();
        assert_eq!(majority.predictions, [0, 0, 0]);
    }

    #[test]
    fn a_bound_of_the_products_fits_a_sample() {
        let (texts, labels) = texts();
        let options = BaselineOptions {
            max_products: 55,
            ..BaselineOptions::default()
        };
        let test = (&texts[..6], &labels[..6]);
        let found = tfidf((&texts, &labels), test, 2, &options, &no_tick);
        let found = pollster::block_on(found).unwrap();
        assert_eq!(found.train_rows, 30);
        assert_eq!(found.accuracy, 1.0);
    }

    #[test]
    fn progress_does_not_decrease() {
        let (rows, columns) = (3000, 384);
        let values = TorchGenerator::new(1).normal(rows * columns, 1.0);
        let labels: Vec<usize> = (0..rows).map(|row| row % 10).collect();
        let features = Features::Dense {
            values: &values,
            columns,
        };
        let last = Cell::new((0, 0));
        let tick = async |done: usize, total: usize| {
            assert!(done >= last.get().0 && done <= total, "{done} of {total}");
            last.set((done, total));
            Ok(())
        };
        let options = BaselineOptions::default();
        let part = (features, &labels[..]);
        pollster::block_on(embeddings(part, part, 10, &options, &tick)).unwrap();
        assert!(last.get().0 > 1, "{:?}", last.get());
    }

    #[test]
    fn embeddings_have_their_own_penalty() {
        let values = [1.0, 0.0, 0.0, 1.0].repeat(4);
        let features = Features::Dense {
            values: &values,
            columns: 2,
        };
        let labels = [0, 1].repeat(4);
        let part = (features, &labels[..]);
        let loss = |embeddings_c| {
            let options = BaselineOptions {
                embeddings_c,
                ..BaselineOptions::default()
            };
            let found = embeddings(part, part, 2, &options, &no_tick);
            pollster::block_on(found).unwrap().loss
        };
        assert!(loss(EMBEDDINGS_C) < loss(1.0));
    }

    #[test]
    fn no_rows_tell_nothing() {
        assert_eq!(confidence_interval(0, 0), (0.0, 1.0));
    }
}
