//! The validation part: training rows that are held out to choose the best epoch.

use crate::data::{Dataset, SplitOptions, train_test_split};
use crate::{Error, Result};

/// Rows of the training part, as positions in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldOut {
    /// The rows that are trained on.
    pub train: Vec<usize>,
    /// The rows that the epochs are evaluated on.
    pub validation: Vec<usize>,
}

/// Holds out `validation_size` of the training rows `train` of a dataset, rounded up to whole rows and in the
/// proportions of the classes: scikit-learn's `train_test_split` with `stratify` and the seed of the first split.
/// `None` for a share of 0.
///
/// # Errors
/// [`Error::Setting`] if a part would lack a class.
pub fn hold_out(
    dataset: &Dataset,
    train: &[usize],
    validation_size: f64,
    split: SplitOptions,
) -> Result<Option<HeldOut>> {
    if validation_size == 0.0 {
        return Ok(None);
    }
    let part = Dataset {
        rows: train.iter().map(|&row| dataset.rows[row].clone()).collect(),
        labels: dataset.labels.clone(),
    };
    let options = SplitOptions {
        test_size: validation_size,
        stratify: true,
        ..split
    };
    match train_test_split(&part, options) {
        Ok(split) => Ok(Some(HeldOut {
            train: split.train,
            validation: split.test,
        })),
        Err(_) => Err(Error::Setting {
            field: "validation_size".into(),
            value: validation_size.to_string(),
            expected: format!(
                "of {} training rows this leaves a class out of the validation part or of the rows that are trained \
                 on; take another share, more rows, or 0",
                train.len()
            ),
        }),
    }
}

/// The number of rows that are trained on if `validation_size` of `rows` training rows are held out.
pub fn rows_after_hold_out(rows: usize, validation_size: f64) -> usize {
    rows.saturating_sub((validation_size * rows as f64).ceil() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::toy_dataset;
    use crate::settings::{RunSettings, Values};

    fn split() -> SplitOptions {
        RunSettings::from_values(&Values::new()).unwrap().split
    }

    #[test]
    fn the_parts_share_no_row_and_keep_the_proportions() {
        let dataset = toy_dataset(60, 42);
        let train: Vec<usize> = (10..51).collect();
        let parts = hold_out(&dataset, &train, 0.25, split()).unwrap().unwrap();
        assert_eq!((parts.train.len(), parts.validation.len()), (30, 11));
        assert_eq!(rows_after_hold_out(train.len(), 0.25), 30);
        let mut all = [parts.train, parts.validation.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..41).collect::<Vec<_>>());
        let label = |&at: &usize| dataset.rows[train[at]].label;
        let positive = |part: &[usize]| part.iter().map(label).sum::<usize>() as f64;
        let share = positive(&all) / 41.0;
        assert!((positive(&parts.validation) / 11.0 - share).abs() < 0.06);
        assert_eq!(hold_out(&dataset, &train, 0.0, split()).unwrap(), None);
        assert_eq!(rows_after_hold_out(41, 0.0), 41);
    }

    #[test]
    fn a_part_without_a_class_is_refused() {
        let dataset = toy_dataset(20, 42);
        let error = hold_out(&dataset, &[0, 1, 2, 3], 0.1, split()).unwrap_err();
        assert_eq!(error.field(), Some("validation_size"));
        assert!(error.to_string().contains("of 4 training rows"), "{error}");
    }
}
