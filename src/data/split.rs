//! scikit-learn's [`train_test_split`][sklearn]: the same `random_state` gives the same parts.
//!
//! [sklearn]: https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.train_test_split.html

mod grouped;

pub use grouped::{grouped_split, groups_can_be_split};

use super::{Dataset, count_labels, duplicate_groups};
use crate::random::RandomState;
use crate::{Error, Result, Warning};
use serde_json::json;
use std::collections::HashSet;

/// Arguments of [`train_test_split`], under scikit-learn's names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitOptions {
    /// Fraction of the rows for the test part, in `(0, 1)`. The number of rows is rounded up.
    pub test_size: f64,
    /// Seed of the shuffle.
    pub random_state: u32,
    /// Whether both parts keep the proportions of the labels (`stratify=labels`).
    pub stratify: bool,
    /// Whether rows of the same or nearly the same text stay in one part. Without it the parts are scikit-learn's.
    pub group_duplicates: bool,
}

/// Row indices of the two parts, in the order that scikit-learn returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows of the training part.
    pub train: Vec<usize>,
    /// Rows of the test part.
    pub test: Vec<usize>,
}

impl Split {
    /// Returns the number of test rows whose text is also in the training part. Accuracy on them measures memorization.
    pub fn test_rows_seen_in_train(&self, dataset: &Dataset) -> usize {
        let seen: HashSet<&str> = self
            .train
            .iter()
            .map(|&row| dataset.rows[row].text.as_str())
            .collect();
        self.test
            .iter()
            .filter(|&&row| seen.contains(dataset.rows[row].text.as_str()))
            .count()
    }

    /// Returns the reasons why the accuracy on the test part misleads: texts that are in both parts, and classes that a
    /// part lacks.
    pub fn warnings(&self, dataset: &Dataset) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let seen = self.test_rows_seen_in_train(dataset);
        if seen > 0 {
            let test = self.test.len();
            warnings.push(Warning::new(
                "texts_on_both_sides",
                format!(
                    "{seen} of the {test} test rows have a text that is also in the training part. Accuracy on them \
                     does not show how well the model classifies new texts."
                ),
                json!({"seen": seen, "test": test}),
            ));
        }
        for (code, part, rows) in [
            ("class_missing_in_train", "training", &self.train),
            ("class_missing_in_test", "test", &self.test),
        ] {
            let counts = count_labels(
                rows.iter().map(|&row| &dataset.rows[row]),
                dataset.labels.len(),
            );
            for (label, _) in dataset
                .labels
                .iter()
                .zip(counts)
                .filter(|(_, rows)| *rows == 0)
            {
                warnings.push(Warning::new(
                    code,
                    format!(
                        "The {part} part has no row of class \"{label}\". Turn stratify on, or change test_size or \
                         random_state."
                    ),
                    json!({"label": label}),
                ));
            }
        }
        warnings
    }

    /// Returns a warning if groups of duplicates keep the test part from the size that `test_size` gives, by more than
    /// a fifth of it and more than one row.
    pub fn size_warning(&self, test_size: f64) -> Option<Warning> {
        let (rows, test) = (self.train.len() + self.test.len(), self.test.len());
        let wanted = (test_size * rows as f64).ceil() as usize;
        let difference = test.abs_diff(wanted);
        (difference > 1 && difference * 5 > wanted).then(|| {
            Warning::new(
                "test_size_not_reached",
                format!(
                    "There are {test} test rows instead of {wanted}: group_duplicates keeps the rows of one text in \
                     one part, and some texts have many rows. Delete the copies, or turn group_duplicates off."
                ),
                json!({"test": test, "wanted": wanted}),
            )
        })
    }
}

/// Splits the rows of `dataset` as `sklearn.model_selection.train_test_split` does: the test part has
/// `ceil(test_size * rows)` rows, the training part the rest. With `group_duplicates` it searches for the duplicates
/// and splits as [`grouped_split`] does.
///
/// # Errors
/// [`Error::Split`] if a part would be empty, if a stratified part would have fewer rows than there are classes, or if
/// a class has a single row to stratify. The errors of [`grouped_split`] with `group_duplicates`.
pub fn train_test_split(dataset: &Dataset, options: SplitOptions) -> Result<Split> {
    if options.group_duplicates {
        let texts: Vec<&str> = dataset.rows.iter().map(|row| row.text.as_str()).collect();
        return grouped_split(dataset, &duplicate_groups(&texts), options);
    }
    split_rows(dataset, options)
}

/// scikit-learn's split.
fn split_rows(dataset: &Dataset, options: SplitOptions) -> Result<Split> {
    let rows = dataset.rows.len();
    let num_test = num_test_rows(dataset, options.test_size)?;
    let mut random = RandomState::new(options.random_state);
    if options.stratify {
        return stratified(dataset, rows - num_test, num_test, &mut random);
    }
    let order = random.permutation(rows);
    Ok(Split {
        test: order[..num_test].to_vec(),
        train: order[num_test..].to_vec(),
    })
}

/// The number of test rows.
///
/// # Errors
/// [`Error::Split`] if a part would be empty.
fn num_test_rows(dataset: &Dataset, test_size: f64) -> Result<usize> {
    let rows = dataset.rows.len();
    // In f64, as in scikit-learn: 0.07 * 100 rounds up to 8 test rows in both.
    let num_test = (test_size * rows as f64).ceil() as usize;
    if num_test == 0 || num_test >= rows {
        return Err(Error::Split(format!(
            "test_size = {test_size} of {rows} rows leaves {} rows to train on and {} to test on. Both parts need at \
             least one; change test_size or the number of rows.",
            rows.saturating_sub(num_test),
            num_test.min(rows),
        )));
    }
    Ok(num_test)
}

/// Mirrors one split of scikit-learn's `StratifiedShuffleSplit`.
fn stratified(
    dataset: &Dataset,
    num_train: usize,
    num_test: usize,
    random: &mut RandomState,
) -> Result<Split> {
    let mut classes: Vec<Vec<usize>> = vec![Vec::new(); dataset.labels.len()];
    for (at, row) in dataset.rows.iter().enumerate() {
        classes[row.label].push(at);
    }
    for (label, members) in classes.iter().enumerate() {
        if members.len() == 1 {
            return Err(Error::Split(format!(
                "class \"{}\" has a single row, which cannot be in both parts of a stratified split. Add rows of it, \
                 or turn stratify off.",
                dataset.labels[label]
            )));
        }
    }
    classes.retain(|members| !members.is_empty());
    if num_train < classes.len() || num_test < classes.len() {
        return Err(Error::Split(format!(
            "a stratified split needs at least one row of each of the {} classes in both parts, but there are \
             {num_train} training and {num_test} test rows. Change test_size, add rows, or turn stratify off.",
            classes.len()
        )));
    }
    let counts: Vec<usize> = classes.iter().map(Vec::len).collect();
    let train_counts = approximate_mode(&counts, num_train, random);
    let remaining: Vec<usize> = counts
        .iter()
        .zip(&train_counts)
        .map(|(all, train)| all - train)
        .collect();
    let test_counts = approximate_mode(&remaining, num_test, random);
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (members, (&in_train, &in_test)) in
        classes.iter().zip(train_counts.iter().zip(&test_counts))
    {
        let order = random.permutation(members.len());
        train.extend(order[..in_train].iter().map(|&at| members[at]));
        test.extend(
            order[in_train..in_train + in_test]
                .iter()
                .map(|&at| members[at]),
        );
    }
    let train = shuffled(train, random);
    let test = shuffled(test, random);
    Ok(Split { train, test })
}

/// The rows of a part in random order.
fn shuffled(part: Vec<usize>, random: &mut RandomState) -> Vec<usize> {
    let order = random.permutation(part.len()).into_iter();
    order.map(|at| part[at]).collect()
}

/// Returns the number of `draws` of each class in the most likely draw without replacement, with random ties.
///
/// Mirrors scikit-learn's [`_approximate_mode`][sklearn].
///
/// [sklearn]: https://github.com/scikit-learn/scikit-learn/blob/1.7.0/sklearn/utils/extmath.py
fn approximate_mode(counts: &[usize], draws: usize, random: &mut RandomState) -> Vec<usize> {
    let total: usize = counts.iter().sum();
    let exact: Vec<f64> = counts
        .iter()
        .map(|&count| count as f64 / total as f64 * draws as f64)
        .collect();
    let mut floored: Vec<usize> = exact.iter().map(|value| value.floor() as usize).collect();
    let mut missing = draws - floored.iter().sum::<usize>();
    let remainders: Vec<f64> = exact.iter().map(|value| value - value.floor()).collect();
    let mut levels = remainders.clone();
    levels.sort_by(|a, b| b.total_cmp(a));
    levels.dedup();
    for level in levels {
        if missing == 0 {
            break;
        }
        let ties: Vec<usize> = (0..counts.len())
            .filter(|&class| remainders[class] == level)
            .collect();
        let add = ties.len().min(missing);
        for class in random.choice(&ties, add) {
            floored[class] += 1;
        }
        missing -= add;
    }
    floored
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Row, toy_dataset};

    fn options(test_size: f64, stratify: bool) -> SplitOptions {
        SplitOptions {
            test_size,
            random_state: 42,
            stratify,
            group_duplicates: false,
        }
    }

    #[test]
    fn rounds_the_test_part_up() {
        let dataset = toy_dataset(11, 42);
        let split = train_test_split(&dataset, options(0.2, false)).unwrap();
        assert_eq!((split.train.len(), split.test.len()), (8, 3));
        let mut all: Vec<usize> = split.train.iter().chain(&split.test).copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..11).collect::<Vec<_>>());
    }

    #[test]
    fn keeps_proportions_when_stratified() {
        let dataset = toy_dataset(100, 42);
        let split = train_test_split(&dataset, options(0.2, true)).unwrap();
        let positive = |part: &[usize]| {
            part.iter()
                .filter(|&&row| dataset.rows[row].label == 1)
                .count()
        };
        assert_eq!((positive(&split.train), positive(&split.test)), (40, 10));
        assert_eq!(split.test_rows_seen_in_train(&dataset), 20);
    }

    #[test]
    fn explains_why_a_split_cannot_be_made() {
        let message = |dataset: &Dataset, options| {
            train_test_split(dataset, options).unwrap_err().to_string()
        };
        assert!(message(&toy_dataset(1, 0), options(0.2, false)).contains("0 rows to train on"));
        assert!(message(&toy_dataset(0, 0), options(0.2, false)).contains("0 to test on"));
        assert!(message(&toy_dataset(4, 0), options(0.1, true)).contains("1 test rows"));
        let mut with_single_row = toy_dataset(10, 0);
        with_single_row.labels.push("mixed".into());
        with_single_row.rows.push(Row {
            text: "so so".into(),
            label: 2,
        });
        assert!(
            message(&with_single_row, options(0.3, true)).contains("\"mixed\" has a single row")
        );
    }

    /// Row indices recorded from scikit-learn 1.7 and pandas 2 by `tests/fixtures/reference/split.py`.
    #[test]
    fn matches_scikit_learn() {
        #[derive(serde::Deserialize)]
        struct Case {
            labels: Vec<usize>,
            test_size: f64,
            random_state: u32,
            stratify: bool,
            train: Vec<usize>,
            test: Vec<usize>,
        }
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/fixtures/reference/split.json"))
                .unwrap();
        assert!(cases.len() >= 8);
        for case in cases {
            let dataset = Dataset {
                rows: case
                    .labels
                    .iter()
                    .map(|&label| Row {
                        text: String::new(),
                        label,
                    })
                    .collect(),
                labels: (0..=*case.labels.iter().max().unwrap())
                    .map(|label| label.to_string())
                    .collect(),
            };
            let split = train_test_split(
                &dataset,
                SplitOptions {
                    test_size: case.test_size,
                    random_state: case.random_state,
                    stratify: case.stratify,
                    group_duplicates: false,
                },
            )
            .unwrap();
            assert_eq!((split.train, split.test), (case.train, case.test));
        }
    }
}
