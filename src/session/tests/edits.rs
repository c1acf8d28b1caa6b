//! Classes that are taught by examples, and edits of any dataset.

use super::*;
use crate::session::protocol::DatasetSource;

fn rows(visit: &mut Visit, query: &str, label: Value) -> Vec<(usize, String)> {
    let request =
        json!({"type": "dataset_rows", "offset": 0, "count": 100, "query": query, "label": label});
    let found = answered!(visit, DatasetRows, request);
    assert_eq!(found.num_matching, found.rows.len());
    found
        .rows
        .into_iter()
        .map(|row| (row.row, row.text))
        .collect()
}

fn insert(label: usize, texts: &[&str]) -> Value {
    let rows: Vec<_> = texts
        .iter()
        .map(|text| json!({"text": text, "label": label}))
        .collect();
    json!({"type": "edit", "edit": {"op": "insert", "rows": rows}})
}

#[test]
fn three_classes_of_five_sentences_are_enough_to_train() {
    let mut visit = Visit::new();
    let request = json!({"type": "new_dataset", "labels": ["joy", "anger", "fear"]});
    let dataset = answered!(visit, Dataset, request);
    assert_eq!(
        (dataset.num_rows, dataset.source),
        (0, DatasetSource::Cards)
    );
    assert!(!dataset.can_undo && !dataset.edited);
    // Rows of one class cannot be split.
    visit
        .ask(insert(
            0,
            &["so glad", "how nice", "what fun", "lovely", "hurray"],
        ))
        .unwrap();
    assert_eq!(refusal(visit.ask(json!({"type": "split"}))).0, "dataset");
    visit
        .ask(insert(
            1,
            &[
                "go away",
                "how dare you",
                "stop it",
                "that is mean",
                "enough",
            ],
        ))
        .unwrap();
    let dataset = answered!(
        visit,
        Dataset,
        insert(2, &["so scary", "help me", "a ghost", "it is dark", "run"])
    );
    assert_eq!(dataset.label_counts, [5, 5, 5]);
    visit.load_tiny().unwrap();
    visit.ask(json!({"type": "split"})).unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    visit.start(json!({})).unwrap();
    assert_eq!(visit.run(3, false).unwrap().global_step, 3);
}

#[test]
fn names_of_classes_are_distinct() {
    let mut visit = Visit::ready();
    for labels in [json!(["a", "a"]), json!(["a", " "])] {
        let refused = json!({"type": "new_dataset", "labels": labels});
        assert_eq!(refusal(visit.ask(refused)).0, "dataset");
    }
    assert_eq!(visit.session.state().dataset_rows, Some(20));
}

#[test]
fn an_edit_makes_split_and_tokens_stale_and_is_taken_back() {
    let mut visit = Visit::ready();
    let before = rows(&mut visit, "", json!(null));
    let edit = json!({"type": "edit", "edit": {"op": "set", "row": 3, "text": "changed by hand"}});
    let dataset = answered!(visit, Dataset, edit);
    assert!(dataset.edited && dataset.can_undo && !dataset.can_redo);
    assert!(!visit.session.state().split && !visit.session.state().tokenized);
    assert_eq!(
        rows(&mut visit, "BY HAND", json!(null)),
        [(3, "changed by hand".to_string())]
    );
    let dataset = answered!(visit, Dataset, json!({"type": "undo"}));
    assert!(!dataset.can_undo && dataset.can_redo);
    assert_eq!(rows(&mut visit, "", json!(null)), before);
    answered!(visit, Dataset, json!({"type": "redo"}));
    assert_eq!(rows(&mut visit, "by hand", json!(null)).len(), 1);
}

#[test]
fn undo_and_redo_without_an_edit_change_nothing() {
    let mut visit = Visit::ready();
    for request in ["undo", "redo"] {
        let dataset = answered!(visit, Dataset, json!({"type": request}));
        assert!(!dataset.edited, "{request}");
        let state = visit.session.state();
        assert!(state.split && state.tokenized, "{request}");
    }
}

#[test]
fn a_refused_edit_changes_nothing() {
    let mut visit = Visit::ready();
    let edit = json!({"type": "edit", "edit": {"op": "delete", "rows": [3, 99]}});
    assert_eq!(refusal(visit.ask(edit)).0, "dataset");
    let state = visit.session.state();
    assert!(state.split && state.tokenized);
    assert_eq!(state.dataset_rows, Some(20));
    assert!(!visit.session.dataset.as_ref().unwrap().view().edited);
}

#[test]
fn rows_are_found_by_label() {
    let mut visit = Visit::ready();
    let (negative, positive) = (
        rows(&mut visit, "", json!(0)),
        rows(&mut visit, "", json!(1)),
    );
    assert_eq!((negative.len(), positive.len()), (10, 10));
    assert!(rows(&mut visit, "kitchen", json!(0)).is_empty());
}

#[test]
fn a_run_keeps_the_rows_that_it_was_trained_on() {
    let mut visit = Visit::ready();
    visit.start(json!({})).unwrap();
    visit.run(3, false).unwrap();
    visit
        .ask(json!({"type": "edit", "edit": {"op": "delete", "rows": [0, 1, 2]}}))
        .unwrap();
    assert_eq!(visit.session.run.as_ref().unwrap().dataset.rows.len(), 20);
    assert_eq!(visit.session.state().dataset_rows, Some(17));
    let rename = json!({"op": "rename_label", "label": 0, "name": "cold"});
    visit.ask(json!({"type": "edit", "edit": rename})).unwrap();
    let predicted = json!({"type": "predict", "text": "so good"});
    let predicted = answered!(visit, Prediction, predicted);
    assert_eq!(predicted.labels, ["negative", "positive"]);
    assert!(visit.export().is_ok());
}

#[test]
fn a_download_is_read_back_as_the_same_rows() {
    let mut visit = Visit::new();
    let request = json!({"type": "new_dataset", "labels": ["=x", "y, z"]});
    visit.ask(request).unwrap();
    visit
        .ask(insert(0, &["=1+1", "a \"quoted\" word", "two\nlines"]))
        .unwrap();
    visit
        .ask(insert(
            1,
            &["\u{d55c}\u{ad6d}\u{c5b4}", "plain, with a comma"],
        ))
        .unwrap();
    let before = rows(&mut visit, "", json!(null));
    for (format, name) in [("jsonl", "dataset.jsonl"), ("csv", "dataset.csv")] {
        let request = json!({"type": "download_dataset", "format": format});
        let result = answered!(visit, Download, request);
        let bytes = visit.recorder.bytes.borrow().clone();
        assert_eq!(
            (result.file.as_str(), result.bytes),
            (name, bytes.len() as u64)
        );
        let view = visit.import(&[(name, &bytes)], json!({})).unwrap();
        assert_eq!(view.num_rows, 5);
        let table = &visit.session.pending.as_ref().unwrap().table;
        let texts = table.rows.iter().map(|row| row.text.clone());
        let expected = before
            .iter()
            .map(|(_, text)| match (format, text.as_str()) {
                ("csv", "=1+1") => "'=1+1".to_string(),
                _ => text.clone(),
            });
        assert_eq!(texts.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}
