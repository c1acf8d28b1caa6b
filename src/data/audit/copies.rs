//! Findings on rows of the same or nearly the same text: copies, and copies with other labels.

use super::{Finding, Remedy, Severity};
use crate::data::{Dataset, DuplicateGroups};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Share of copies from which they are a warning.
const MANY_COPIES: f64 = 0.1;

/// The first row with the same text, by row.
pub(super) fn first_rows(groups: &DuplicateGroups) -> Vec<usize> {
    let mut first: Vec<usize> = (0..groups.group.len()).collect();
    for rows in &groups.exact {
        rows.iter().for_each(|&row| first[row] = rows[0]);
    }
    first
}

/// `duplicates`: rows that repeat the text and the label of an earlier row (case, blanks and punctuation aside). A
/// warning from 10 % of the rows. The remedy keeps the first row of each, unless a class would keep fewer than two.
pub(super) fn duplicates(dataset: &Dataset, groups: &DuplicateGroups) -> Option<Finding> {
    let first = first_rows(groups);
    let (copies, num_groups) = copies(dataset, &groups.exact, &|_| 0);
    let distinct = (0..first.len()).filter(|&row| first[row] == row).count();
    let share = copies.len() as f64 / dataset.rows.len().max(1) as f64;
    let severity = match share >= MANY_COPIES {
        true => Severity::Warning,
        false => Severity::Note,
    };
    let params = json!({"groups": num_groups, "share": share, "distinct": distinct});
    finding_on_copies(dataset, "duplicates", severity, params, copies)
}

/// `near_duplicates`: rows whose text is nearly that of an earlier row of the same label, see [`DuplicateGroups`]. The
/// remedy keeps the first text of each group, unless a class would keep fewer than two rows.
pub(super) fn near_duplicates(dataset: &Dataset, groups: &DuplicateGroups) -> Option<Finding> {
    let first = first_rows(groups);
    let (copies, num_groups) = copies(dataset, &groups.near, &|row| first[row] + 1);
    let share = copies.len() as f64 / dataset.rows.len().max(1) as f64;
    let params = json!({"groups": num_groups, "share": share});
    finding_on_copies(dataset, "near_duplicates", Severity::Note, params, copies)
}

/// The rows of `groups` after the first one of each label, with that first row, and the number of groups that have such
/// rows. Rows of the same text as the first one, by a text id above 0, are not among them.
fn copies(
    dataset: &Dataset,
    groups: &[Vec<usize>],
    text_id: &dyn Fn(usize) -> usize,
) -> (Vec<(usize, usize)>, usize) {
    let (mut copies, mut num_groups) = (Vec::new(), 0);
    for rows in groups {
        let mut first_of: BTreeMap<usize, usize> = BTreeMap::new();
        let before = copies.len();
        for &row in rows {
            let first = *first_of.entry(dataset.rows[row].label).or_insert(row);
            let same_text = text_id(row) > 0 && text_id(row) == text_id(first);
            if first != row && !same_text {
                copies.push((row, first));
            }
        }
        num_groups += usize::from(copies.len() > before);
    }
    (copies, num_groups)
}

fn finding_on_copies(
    dataset: &Dataset,
    id: &'static str,
    severity: Severity,
    params: serde_json::Value,
    copies: Vec<(usize, usize)>,
) -> Option<Finding> {
    if copies.is_empty() {
        return None;
    }
    let rows: Vec<usize> = copies.iter().map(|&(row, _)| row).collect();
    let shown = copies.into_iter().map(|(row, first)| (row, Some(first)));
    let finding = Finding::new(id, severity, [rows.len(), dataset.rows.len()], params);
    let finding = finding.with_rows(dataset, shown);
    Some(finding.with_remedy(Remedy::delete_rows(dataset, &rows)))
}

/// `conflicting_labels`: rows whose label is not that of most rows of the same text (case, blanks and punctuation
/// aside); the remedy relabels them. `conflicting_labels_tied`: rows of a text where no label has more rows than every
/// other; the remedy deletes them, unless a class would keep fewer than two rows.
pub(super) fn conflicting_labels(dataset: &Dataset, groups: &DuplicateGroups) -> Vec<Finding> {
    let label_of = |row: usize| dataset.rows[row].label;
    let (mut minority, mut tied) = (Vec::new(), Vec::new());
    let mut num_groups = [0, 0];
    for rows in &groups.exact {
        let counts = count(rows.iter().map(|&row| label_of(row)));
        if counts.len() < 2 {
            continue;
        }
        let is_tied = counts[0].1 == counts[1].1;
        num_groups[usize::from(is_tied)] += 1;
        for &row in rows {
            let differs = |&&other: &&usize| label_of(other) != label_of(row);
            if is_tied {
                tied.push((row, rows.iter().find(differs).copied()));
            } else if label_of(row) != counts[0].0 {
                minority.push((row, counts[0].0));
            }
        }
    }
    let finding = |id, rows: usize, groups: usize| {
        let counts = [rows, dataset.rows.len()];
        (rows > 0).then(|| Finding::new(id, Severity::Warning, counts, json!({"groups": groups})))
    };
    let relabel = finding("conflicting_labels", minority.len(), num_groups[0]).map(|finding| {
        let shown = minority.iter().map(|&(row, label)| (row, Some(label)));
        let finding = finding.with_rows(dataset, shown);
        finding.with_remedy(Remedy::Relabel {
            rows: minority.clone(),
        })
    });
    let delete = finding("conflicting_labels_tied", tied.len(), num_groups[1]).map(|finding| {
        let rows: Vec<usize> = tied.iter().map(|&(row, _)| row).collect();
        let finding = finding.with_rows(dataset, tied.iter().copied());
        finding.with_remedy(Remedy::delete_rows(dataset, &rows))
    });
    relabel.into_iter().chain(delete).collect()
}

/// `conflicting_labels_near`: rows whose label is not that of most texts that resemble theirs, see [`DuplicateGroups`].
/// There is no remedy: a "not" can be the whole difference, so that both labels are right.
pub(super) fn conflicting_labels_near(
    dataset: &Dataset,
    groups: &DuplicateGroups,
) -> Option<Finding> {
    let first = first_rows(groups);
    let label_of = |row: usize| dataset.rows[row].label;
    let (mut found, mut num_groups) = (Vec::new(), 0);
    for rows in &groups.near {
        // One row of each text: conflicts of equal texts are another finding.
        let texts: BTreeSet<usize> = rows.iter().map(|&row| first[row]).collect();
        let counts = count(texts.iter().map(|&row| label_of(row)));
        if counts.len() < 2 {
            continue;
        }
        num_groups += 1;
        let usual = counts[0].0;
        let other = texts.iter().copied().find(|&row| label_of(row) == usual);
        let unusual = texts.iter().filter(|&&row| label_of(row) != usual);
        found.extend(unusual.map(|&row| (row, other)));
    }
    if found.is_empty() {
        return None;
    }
    let counts = [found.len(), dataset.rows.len()];
    let params = json!({"groups": num_groups});
    let finding = Finding::new("conflicting_labels_near", Severity::Note, counts, params);
    Some(finding.with_rows(dataset, found))
}

/// The labels and how often each occurs, the most frequent first; of equally frequent ones the first to occur.
fn count(labels: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for label in labels {
        match counts.iter_mut().find(|(other, _)| *other == label) {
            Some((_, count)) => *count += 1,
            None => counts.push((label, 1)),
        }
    }
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    counts
}

#[cfg(test)]
mod tests {
    use super::super::finding::testing::{dataset, groups, ids, pairs};
    use super::*;
    use crate::data::toy_dataset;

    const LONG: &str =
        "This blender is quiet, easy to clean, and it makes a smooth soup in two minutes.";

    #[test]
    fn finds_copies_of_the_same_label() {
        let data = dataset(&[
            ("good", 0),
            ("Good!", 0),
            ("bad", 1),
            ("good", 1),
            ("worse", 1),
            ("good ", 0),
            ("fine", 0),
        ]);
        let finding = duplicates(&data, &groups(&data)).unwrap();
        assert_eq!(pairs(&finding), [(1, Some(0)), (5, Some(0))]);
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(finding.params["distinct"], 4);
        let rows = vec![1, 5];
        assert_eq!(finding.remedy, Some(Remedy::DeleteRows { rows }));
    }

    #[test]
    fn the_copies_of_the_article_have_no_remedy() {
        let data = toy_dataset(100, 42);
        let finding = duplicates(&data, &groups(&data)).unwrap();
        assert_eq!([finding.count, finding.of], [98, 100]);
        assert_eq!(
            (&finding.params["groups"], &finding.params["distinct"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(finding.remedy, None);
    }

    #[test]
    fn finds_near_copies_and_near_conflicts() {
        let near = LONG.replace("two minutes", "ten minutes");
        let negated = LONG.replace("is quiet", "is not quiet");
        let data = dataset(&[
            (LONG, 0),
            ("other", 0),
            (&near, 0),
            (LONG, 0),
            (&near, 0),
            (&negated, 1),
            ("x", 1),
            ("y", 1),
        ]);
        let finding = near_duplicates(&data, &groups(&data)).unwrap();
        assert_eq!(pairs(&finding), [(2, Some(0)), (4, Some(0))]);
        let rows = vec![2, 4];
        assert_eq!(finding.remedy, Some(Remedy::DeleteRows { rows }));
        let finding = conflicting_labels_near(&data, &groups(&data)).unwrap();
        assert_eq!(
            (pairs(&finding), finding.remedy),
            (vec![(5, Some(0))], None)
        );
        assert!(conflicting_labels(&data, &groups(&data)).is_empty());
    }

    #[test]
    fn relabels_to_the_majority_and_deletes_ties() {
        let data = dataset(&[
            ("a", 0),
            ("a", 1),
            ("A", 0),
            ("b", 1),
            ("b!", 0),
            ("c", 0),
            ("c", 0),
            ("d", 1),
            ("e", 1),
            ("f", 1),
        ]);
        let findings = conflicting_labels(&data, &groups(&data));
        assert_eq!(
            ids(&findings),
            ["conflicting_labels", "conflicting_labels_tied"]
        );
        assert_eq!(pairs(&findings[0]), [(1, Some(0))]);
        let rows = vec![(1, 0)];
        assert_eq!(findings[0].remedy, Some(Remedy::Relabel { rows }));
        assert_eq!(pairs(&findings[1]), [(3, Some(4)), (4, Some(3))]);
        let rows = vec![3, 4];
        assert_eq!(findings[1].remedy, Some(Remedy::DeleteRows { rows }));
        let data = dataset(&[("a", 0), ("b", 1), ("a", 0)]);
        assert!(conflicting_labels(&data, &groups(&data)).is_empty());
    }
}
