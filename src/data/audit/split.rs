//! Findings on the two parts of a split.

use super::copies::first_rows;
use super::{Finding, Remedy, Severity};
use crate::data::{Dataset, DuplicateGroups, Split, count_labels, groups_can_be_split};
use serde_json::json;
use std::collections::HashMap;

/// Returns the findings on `split`; `values_group_duplicates` is the setting `group_duplicates`.
///
/// - `duplicates_across_split`: test rows whose text, or nearly the same text ([`DuplicateGroups`]), is in the training
///   part. Accuracy on them measures memorization. The remedy turns `group_duplicates` on, unless it is on or a class
///   has a single text, which cannot be in both parts.
/// - `class_missing_in_train`, `class_missing_in_test`: a class with rows has none in this part. The remedy turns
///   `stratify` on, unless the class has a single row.
pub fn audit_split(
    dataset: &Dataset,
    split: &Split,
    groups: &DuplicateGroups,
    values_group_duplicates: bool,
) -> Vec<Finding> {
    let across = duplicates_across_split(dataset, split, groups, values_group_duplicates);
    across
        .into_iter()
        .chain(missing_classes(dataset, split))
        .collect()
}

fn duplicates_across_split(
    dataset: &Dataset,
    split: &Split,
    groups: &DuplicateGroups,
    values_group_duplicates: bool,
) -> Option<Finding> {
    let first = first_rows(groups);
    let (mut same, mut near) = (HashMap::new(), HashMap::new());
    for &row in &split.train {
        same.entry(first[row]).or_insert(row);
        near.entry(groups.group[row]).or_insert(row);
    }
    let (mut found, mut exact) = (Vec::new(), 0);
    for &row in &split.test {
        let other = same.get(&first[row]);
        exact += usize::from(other.is_some());
        if let Some(&other) = other.or_else(|| near.get(&groups.group[row])) {
            found.push((row, Some(other)));
        }
    }
    if found.is_empty() {
        return None;
    }
    let (count, of) = (found.len(), split.test.len());
    let splittable = groups_can_be_split(dataset, groups);
    let params = json!({
        "exact": exact,
        "near": count - exact,
        "share": count as f64 / of as f64,
        "groups": groups.num_groups(),
        "splittable": splittable,
    });
    let remedy = Remedy::settings(json!({"group_duplicates": true}));
    let finding = Finding::new(
        "duplicates_across_split",
        Severity::Warning,
        [count, of],
        params,
    );
    let finding = finding.with_rows(dataset, found);
    Some(finding.with_remedy((splittable && !values_group_duplicates).then_some(remedy)))
}

fn missing_classes(dataset: &Dataset, split: &Split) -> Vec<Finding> {
    let parts = [
        ("class_missing_in_train", &split.train),
        ("class_missing_in_test", &split.test),
    ];
    let counts = dataset.label_counts();
    let mut findings = Vec::new();
    for (id, part) in parts {
        let rows = part.iter().map(|&row| &dataset.rows[row]);
        let in_part = count_labels(rows, dataset.labels.len());
        for (label, name) in dataset.labels.iter().enumerate() {
            if counts[label] == 0 || in_part[label] > 0 {
                continue;
            }
            let remedy = Remedy::settings(json!({"stratify": true}));
            let params = json!({"label": name});
            let finding = Finding::new(id, Severity::Warning, [0, part.len()], params);
            findings.push(finding.with_remedy((counts[label] > 1).then_some(remedy)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::testing::{classes, dataset, groups, ids, pairs};
    use super::*;
    use crate::data::{SplitOptions, toy_dataset, train_test_split};

    const LONG: &str =
        "This blender is quiet, easy to clean, and it makes a smooth soup in two minutes.";

    #[test]
    fn every_test_row_of_the_article_is_in_the_training_part() {
        let data = toy_dataset(100, 42);
        let options = SplitOptions {
            test_size: 0.2,
            random_state: 42,
            stratify: false,
            group_duplicates: false,
        };
        let split = train_test_split(&data, options).unwrap();
        let findings = audit_split(&data, &split, &groups(&data), false);
        assert_eq!(ids(&findings), ["duplicates_across_split"]);
        let finding = &findings[0];
        assert_eq!([finding.count, finding.of], [20, 20]);
        assert_eq!(
            (&finding.params["exact"], &finding.params["splittable"]),
            (&json!(20), &json!(false))
        );
        assert_eq!(finding.remedy, None);
        for row in &finding.rows {
            let other = row.other.unwrap();
            assert!(split.test.contains(&row.row) && split.train.contains(&other));
            assert_eq!(data.rows[row.row].text, data.rows[other].text);
        }
    }

    #[test]
    fn group_duplicates_removes_the_finding() {
        let near = LONG.replace("two minutes", "ten minutes");
        let mut rows = vec![
            (LONG, 0),
            (near.as_str(), 0),
            ("a", 0),
            ("b", 1),
            ("c", 1),
            ("B!", 1),
        ];
        rows.extend([("d", 0), ("e", 1)]);
        let data = dataset(&rows);
        let groups = groups(&data);
        let split = Split {
            train: vec![0, 2, 3, 4, 6],
            test: vec![1, 5, 7],
        };
        let findings = audit_split(&data, &split, &groups, false);
        assert_eq!(pairs(&findings[0]), [(1, Some(0)), (5, Some(3))]);
        assert_eq!(
            (&findings[0].params["exact"], &findings[0].params["near"]),
            (&json!(1), &json!(1))
        );
        let remedy = Remedy::settings(json!({"group_duplicates": true}));
        assert_eq!(findings[0].remedy, Some(remedy));
        assert_eq!(audit_split(&data, &split, &groups, true)[0].remedy, None);
        let options = SplitOptions {
            test_size: 0.4,
            random_state: 1,
            stratify: true,
            group_duplicates: true,
        };
        let split = train_test_split(&data, options).unwrap();
        assert!(audit_split(&data, &split, &groups, true).is_empty());
    }

    #[test]
    fn finds_classes_that_a_part_lacks() {
        let data = classes(&[4, 2, 1, 0]);
        let split = Split {
            train: vec![0, 1, 4, 5],
            test: vec![2, 3, 6],
        };
        let findings = audit_split(&data, &split, &groups(&data), true);
        assert_eq!(
            ids(&findings),
            ["class_missing_in_train", "class_missing_in_test"]
        );
        assert_eq!(
            (&findings[0].params["label"], &findings[0].remedy),
            (&json!("class 2"), &None)
        );
        assert_eq!(findings[1].params["label"], "class 1");
        let remedy = Remedy::settings(json!({"stratify": true}));
        assert_eq!(findings[1].remedy, Some(remedy));
    }
}
