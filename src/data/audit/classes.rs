//! Findings on the classes: their number, sizes and names.

use super::{Finding, Remedy, Severity};
use crate::data::Dataset;
use serde_json::json;
use std::collections::BTreeMap;

/// Ratio of the largest to the smallest class from which the imbalance is noted.
const UNEVEN: f64 = 3.0;

/// Ratio from which it is a warning.
const VERY_UNEVEN: f64 = 10.0;

/// Rows that a class needs at least: with fewer, a test part of a fifth has less than one row of it.
const MIN_ROWS: usize = 5;

fn present(counts: &[usize]) -> Vec<usize> {
    let labels = 0..counts.len();
    labels.filter(|&label| counts[label] > 0).collect()
}

/// `too_few_classes`: fewer than two classes have rows, so that there is nothing to tell apart.
pub(super) fn too_few_classes(dataset: &Dataset) -> Option<Finding> {
    let (classes, rows) = (present(&dataset.label_counts()).len(), dataset.rows.len());
    let params = json!({"classes": classes, "rows": rows});
    let counts = [classes, dataset.labels.len()];
    (classes < 2).then(|| Finding::new("too_few_classes", Severity::Error, counts, params))
}

/// `class_imbalance`: the largest class has at least 3 times (a warning: 10 times) the rows of the smallest one. A
/// model then gains accuracy by guessing the large one; `class_weight` makes each class count the same.
pub(super) fn class_imbalance(dataset: &Dataset) -> Option<Finding> {
    let counts = dataset.label_counts();
    let present = present(&counts);
    // Of equally large classes the first.
    let largest = *present
        .iter()
        .max_by_key(|&&label| (counts[label], std::cmp::Reverse(label)))?;
    let smallest = *present.iter().min_by_key(|&&label| counts[label])?;
    let ratio = counts[largest] as f64 / counts[smallest] as f64;
    if ratio < UNEVEN {
        return None;
    }
    let severity = match ratio >= VERY_UNEVEN {
        true => Severity::Warning,
        false => Severity::Note,
    };
    let params = json!({
        "ratio": ratio,
        "largest": dataset.labels[largest],
        "largest_rows": counts[largest],
        "smallest": dataset.labels[smallest],
        "smallest_rows": counts[smallest],
    });
    let finding = Finding::new(
        "class_imbalance",
        severity,
        [counts[smallest], dataset.rows.len()],
        params,
    );
    Some(finding.with_remedy(Remedy::settings(json!({"class_weight": "balanced"}))))
}

/// `small_class`: a class of fewer than 5 rows, an error below 2, which cannot be in both parts of a split.
/// `empty_class`: a class without rows, which the model would still have an output for. The remedy deletes the class if
/// two others remain (two others with rows for a `small_class`).
pub(super) fn small_classes(dataset: &Dataset) -> Vec<Finding> {
    let counts = dataset.label_counts();
    let num_present = present(&counts).len();
    let classes = counts.iter().enumerate();
    let classes = classes.filter(|(_, rows)| **rows < MIN_ROWS);
    let finding = |(label, &rows): (usize, &usize)| {
        let name = &dataset.labels[label];
        let counts = [rows, dataset.rows.len()];
        let (finding, deletable) = match rows {
            0 => (
                Finding::new(
                    "empty_class",
                    Severity::Note,
                    counts,
                    json!({"label": name}),
                ),
                dataset.labels.len() > 2,
            ),
            _ => {
                let severity = match rows {
                    1 => Severity::Error,
                    _ => Severity::Warning,
                };
                let params = json!({"label": name, "rows": rows, "minimum": MIN_ROWS});
                let finding = Finding::new("small_class", severity, counts, params);
                (finding, num_present > 2)
            }
        };
        let shown = dataset.rows.iter().enumerate();
        let shown = shown.filter(|(_, row)| rows > 0 && row.label == label);
        finding
            .with_rows(dataset, shown.map(|(row, _)| (row, None)))
            .with_remedy(deletable.then_some(Remedy::DeleteLabel { label }))
    };
    classes.map(finding).collect()
}

/// `similar_labels`: names that differ only in blanks, case or the format of a number (`Spam ` and `spam`, `1.0` and
/// `1`). The remedy merges them under the name with the most rows.
pub(super) fn similar_labels(dataset: &Dataset) -> Vec<Finding> {
    let counts = dataset.label_counts();
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (label, name) in dataset.labels.iter().enumerate() {
        by_key.entry(key(name)).or_default().push(label);
    }
    let mut groups: Vec<Vec<usize>> = by_key
        .into_values()
        .filter(|labels| labels.len() > 1)
        .collect();
    groups.sort_unstable();
    let finding = |labels: Vec<usize>| {
        let into = labels.iter().copied();
        let into = into.max_by_key(|&label| (counts[label], std::cmp::Reverse(label)));
        let into = into.unwrap_or(labels[0]);
        let names: Vec<&str> = labels
            .iter()
            .map(|&label| dataset.labels[label].as_str())
            .collect();
        let params = json!({"labels": names, "into": dataset.labels[into]});
        let from: Vec<usize> = labels
            .iter()
            .copied()
            .filter(|&label| label != into)
            .collect();
        let rows = dataset.rows.iter().enumerate();
        let rows = rows.filter(|(_, row)| from.contains(&row.label));
        let count = from.iter().map(|&label| counts[label]).sum();
        Finding::new(
            "similar_labels",
            Severity::Warning,
            [count, dataset.rows.len()],
            params,
        )
        .with_rows(dataset, rows.map(|(row, _)| (row, Some(into))))
        .with_remedy(Remedy::MergeLabels {
            from: from.clone(),
            into,
        })
    };
    groups.into_iter().map(finding).collect()
}

/// The name in lower case with single blanks; a number in its shortest form.
fn key(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let name = words.join(" ").to_lowercase();
    match name.parse::<f64>() {
        Ok(number) if number.is_finite() => (number + 0.0).to_string(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::testing::{classes, ids, pairs};
    use super::*;

    #[test]
    fn needs_two_classes() {
        assert_eq!(
            too_few_classes(&classes(&[])).unwrap().params,
            json!({"classes": 0, "rows": 0})
        );
        assert_eq!(too_few_classes(&classes(&[4, 0])).unwrap().count, 1);
        assert_eq!(too_few_classes(&classes(&[4, 0, 1])), None);
    }

    #[test]
    fn finds_uneven_classes() {
        assert_eq!(class_imbalance(&classes(&[29, 10, 0])), None);
        let finding = class_imbalance(&classes(&[30, 40, 10, 0])).unwrap();
        assert_eq!(finding.severity, Severity::Note);
        assert_eq!((finding.count, &finding.params["ratio"]), (10, &json!(4.0)));
        assert_eq!(
            (&finding.params["largest"], &finding.params["smallest"]),
            (&json!("class 1"), &json!("class 2"))
        );
        assert_eq!(
            finding.remedy,
            Some(Remedy::settings(json!({"class_weight": "balanced"})))
        );
        let finding = class_imbalance(&classes(&[100, 10])).unwrap();
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(class_imbalance(&classes(&[])), None);
    }

    #[test]
    fn finds_small_and_empty_classes() {
        let findings = small_classes(&classes(&[5, 4, 1, 0, 9]));
        assert_eq!(
            ids(&findings),
            ["small_class", "small_class", "empty_class"]
        );
        let severities: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
        assert_eq!(
            severities,
            [Severity::Warning, Severity::Error, Severity::Note]
        );
        assert_eq!(findings[1].remedy, Some(Remedy::DeleteLabel { label: 2 }));
        assert_eq!(findings[2].remedy, Some(Remedy::DeleteLabel { label: 3 }));
        assert_eq!(pairs(&findings[1]), [(9, None)]);
        let findings = small_classes(&classes(&[5, 4, 0]));
        assert_eq!(findings[0].remedy, None, "one class with rows would remain");
        assert_eq!(findings[1].remedy, Some(Remedy::DeleteLabel { label: 2 }));
        assert_eq!(small_classes(&classes(&[5, 0]))[0].remedy, None);
    }

    #[test]
    fn finds_names_that_differ_in_their_form_only() {
        let mut data = classes(&[2, 3, 1, 1, 2, 1, 1]);
        data.labels = ["Spam ", "spam", "1.0", "ham", "1", "not  Spam", "-0"]
            .map(String::from)
            .to_vec();
        let findings = similar_labels(&data);
        assert_eq!(ids(&findings), ["similar_labels", "similar_labels"]);
        assert_eq!(
            findings[0].params,
            json!({"labels": ["Spam ", "spam"], "into": "spam"})
        );
        assert_eq!(
            findings[0].remedy,
            Some(Remedy::MergeLabels {
                from: vec![0],
                into: 1
            })
        );
        assert_eq!(pairs(&findings[0]), [(0, Some(1)), (1, Some(1))]);
        assert_eq!(
            findings[1].remedy,
            Some(Remedy::MergeLabels {
                from: vec![2],
                into: 4
            })
        );
        assert_eq!(key("-0.0"), key("0"));
        assert_eq!(key("Infinity"), "infinity");
    }
}
