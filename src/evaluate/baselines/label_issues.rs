//! cleanlab's [`find_label_issues`][cleanlab] with its defaults: labels that are likely wrong, by confident learning
//! (Northcutt et al., 2021).
//!
//! [cleanlab]: https://docs.cleanlab.ai/stable/cleanlab/filter.html

/// cleanlab's tolerance of comparisons.
const EPSILON: f64 = 1e-6;

/// A row whose label is likely wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelIssue {
    /// The row.
    pub row: usize,
    /// Its label.
    pub given: usize,
    /// The most probable label.
    pub suggested: usize,
    /// The probability of its label.
    pub self_confidence: f64,
}

/// Finds rows whose label is likely wrong, the most doubtful first: `filter_by="prune_by_noise_rate"`,
/// `return_indices_ranked_by="self_confidence"`. `probabilities` must be those of a model that has not seen the row,
/// as `cross_val_predict_proba` returns.
///
/// # Panics
/// For another number of labels than rows, or a label without a probability.
pub fn find_label_issues(labels: &[usize], probabilities: &[Vec<f64>]) -> Vec<LabelIssue> {
    assert_eq!(labels.len(), probabilities.len(), "a label for each row");
    let num_labels = probabilities.first().map_or(0, Vec::len);
    let mut rows_of = vec![Vec::new(); num_labels];
    for (row, &label) in labels.iter().enumerate() {
        rows_of[label].push(row);
    }
    let joint = confident_joint(&rows_of, labels, probabilities);
    let counts = prune_counts(&joint);
    let mut is_issue = vec![false; labels.len()];
    for (given, rows) in rows_of
        .iter()
        .enumerate()
        .filter(|(_, rows)| rows.len() > 1)
    {
        for label in (0..num_labels).filter(|&label| label != given) {
            let margin = |&row: &usize| probabilities[row][given] - probabilities[row][label];
            let mut ranked = rows.clone();
            ranked.sort_by(|a, b| margin(a).total_cmp(&margin(b)));
            for &row in ranked.iter().take(counts[label][given]) {
                is_issue[row] = true;
            }
        }
    }
    let issue = |row: usize| {
        let (given, row_probabilities) = (labels[row], &probabilities[row]);
        let suggested = argmax(row_probabilities);
        let self_confidence = row_probabilities[given];
        // A label that is the most probable one, up to rounding errors, is right.
        let is_wrong =
            suggested != given && row_probabilities[suggested] > self_confidence + EPSILON;
        (is_issue[row] && is_wrong).then_some(LabelIssue {
            row,
            given,
            suggested,
            self_confidence,
        })
    };
    let mut issues: Vec<LabelIssue> = (0..labels.len()).filter_map(issue).collect();
    issues.sort_by(|a, b| a.self_confidence.total_cmp(&b.self_confidence));
    issues
}

/// `[given][true]`: rows whose probability of a label reaches the mean that the rows of this label have, counted for
/// the most probable such label; scaled to the number of rows with each label. `compute_confident_joint`.
fn confident_joint(
    rows_of: &[Vec<usize>],
    labels: &[usize],
    probabilities: &[Vec<f64>],
) -> Vec<Vec<i64>> {
    let threshold = |(label, rows): (usize, &Vec<usize>)| {
        if rows.is_empty() {
            return 2.0;
        }
        let sum: f64 = rows.iter().map(|&row| probabilities[row][label]).sum();
        (sum / rows.len() as f64).max(2.0 * EPSILON)
    };
    let thresholds: Vec<f64> = rows_of.iter().enumerate().map(threshold).collect();
    let mut joint = vec![vec![0.0; rows_of.len()]; rows_of.len()];
    for (&given, row) in labels.iter().zip(probabilities) {
        let mut confident = (0..row.len()).filter(|&k| row[k] >= thresholds[k] - EPSILON);
        match (confident.next(), confident.next()) {
            (Some(only), None) => joint[given][only] += 1.0,
            (Some(_), Some(_)) => joint[given][argmax(row)] += 1.0,
            _ => {}
        }
    }
    for (label, row) in joint.iter_mut().enumerate() {
        row[label] = f64::max(row[label], 1.0);
        let sum: f64 = row.iter().sum();
        let rows = rows_of[label].len() as f64;
        row.iter_mut()
            .for_each(|count| *count = *count / sum * rows);
    }
    let sum: f64 = joint.iter().flatten().sum();
    let factor = |count: &f64| count / sum.max(1e-100) * labels.len() as f64;
    let scaled = joint.iter().map(|row| row.iter().map(factor).collect());
    scaled
        .map(|row: Vec<f64>| round_preserving_sum(&row))
        .collect()
}

/// `[true][given]`: how many rows to remove, so that one row of each label stays. `_keep_at_least_n_per_class`.
fn prune_counts(joint: &[Vec<i64>]) -> Vec<Vec<usize>> {
    let num_labels = joint.len();
    let mut counts = vec![vec![0.0; num_labels]; num_labels];
    for (given, row) in joint.iter().enumerate() {
        let added = (1 - row[given]).max(0) as f64;
        let others = row.iter().filter(|&&count| count != 0).count() as f64 - 1.0;
        for (label, &count) in row.iter().enumerate() {
            counts[label][given] = if label == given {
                count.max(1) as f64
            } else {
                // cleanlab truncates here.
                (count as f64 - added / others.max(1.0)).max(0.0).trunc()
            };
        }
    }
    let round = |row: &Vec<f64>| {
        let rounded = round_preserving_sum(row);
        rounded.iter().map(|&count| count.max(0) as usize).collect()
    };
    counts.iter().map(round).collect()
}

/// Rounds to integers with the same sum: those with the largest rounding error are corrected.
fn round_preserving_sum(values: &[f64]) -> Vec<i64> {
    let mut rounded: Vec<i64> = values.iter().map(|v| v.round_ties_even() as i64).collect();
    let target = values.iter().sum::<f64>().round_ties_even() as i64;
    loop {
        let missing = target - rounded.iter().sum::<i64>();
        if missing == 0 || values.is_empty() {
            return rounded;
        }
        let error = |&at: &usize| values[at] - rounded[at] as f64;
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| error(a).total_cmp(&error(b)));
        if missing > 0 {
            order.reverse();
        }
        for &at in order.iter().take(missing.unsigned_abs() as usize) {
            rounded[at] += missing.signum();
        }
    }
}

/// The index of the first maximum.
fn argmax(values: &[f64]) -> usize {
    let larger = |best, at| if values[at] > values[best] { at } else { best };
    (1..values.len()).fold(0, larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confident_contradiction_is_an_issue() {
        let labels = [0, 0, 0, 0, 1, 1, 1, 1];
        let first = [0.95, 0.9, 0.97, 0.02, 0.1, 0.05, 0.08, 0.1];
        let probabilities: Vec<Vec<f64>> = first.iter().map(|&p| vec![p, 1.0 - p]).collect();
        let issues = find_label_issues(&labels, &probabilities);
        let expected = LabelIssue {
            row: 3,
            given: 0,
            suggested: 1,
            self_confidence: 0.02,
        };
        assert_eq!(issues, [expected]);
    }

    #[test]
    fn no_rows_have_no_issues() {
        assert!(find_label_issues(&[], &[]).is_empty());
    }

    #[test]
    fn rounding_keeps_the_sum() {
        // cleanlab.internal.util.round_preserving_sum
        assert_eq!(round_preserving_sum(&[0.4, 0.4, 0.2]), [0, 1, 0]);
        assert_eq!(round_preserving_sum(&[1.6, 1.7, 0.7]), [1, 2, 1]);
        assert_eq!(round_preserving_sum(&[2.5, 0.5]), [2, 1]);
    }
}
