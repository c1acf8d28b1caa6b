//! Tests of the editor: each edit, its refusals, and undo and redo of random edits.

use super::*;
use crate::random::RandomState;

fn row(text: &str, label: usize) -> Row {
    Row {
        text: text.into(),
        label,
    }
}

fn dataset() -> Dataset {
    Dataset {
        rows: vec![
            row("a", 0),
            row("b", 1),
            row("c", 2),
            row("d", 1),
            row("e", 0),
        ],
        labels: vec!["bad".into(), "fine".into(), "good".into()],
    }
}

/// Applies `edit`, checks that undo and redo restore both states, and returns the edited dataset.
fn edited(edit: Edit) -> Dataset {
    let (mut edited, mut editor) = (dataset(), Editor::new());
    editor.apply(&mut edited, edit).unwrap();
    let end = edited.clone();
    assert!(editor.undo(&mut edited));
    assert_eq!(edited, dataset());
    assert!(!editor.can_undo() && !editor.undo(&mut edited));
    assert!(editor.redo(&mut edited) && !editor.can_redo());
    assert_eq!(edited, end);
    end
}

fn cells(dataset: &Dataset) -> Vec<(&str, usize)> {
    let rows = dataset.rows.iter();
    rows.map(|row| (row.text.as_str(), row.label)).collect()
}

#[test]
fn edits_rows() {
    let set = Edit::Set {
        row: 1,
        text: Some("new".into()),
        label: Some(2),
    };
    assert_eq!(cells(&edited(set))[1], ("new", 2));
    let many = Edit::SetMany {
        rows: vec![(0, 1), (4, 2), (0, 2)],
    };
    assert_eq!(
        edited(many).rows[..1],
        [row("a", 2)],
        "the later entry counts"
    );
    let insert = Edit::Insert {
        rows: vec![row("f", 2), row("g", 0)],
    };
    assert_eq!(cells(&edited(insert))[5..], [("f", 2), ("g", 0)]);
    let delete = Edit::Delete {
        rows: vec![3, 0, 3],
    };
    assert_eq!(cells(&edited(delete)), [("b", 1), ("c", 2), ("e", 0)]);
    let all = Edit::Delete {
        rows: (0..5).collect(),
    };
    assert!(edited(all).rows.is_empty());
}

#[test]
fn edits_labels_and_renumbers_the_rows() {
    let add = edited(Edit::AddLabel {
        name: " great ".into(),
    });
    assert_eq!(add.labels, ["bad", "fine", "good", "great"]);
    let rename = edited(Edit::RenameLabel {
        label: 1,
        name: "so so".into(),
    });
    assert_eq!(rename.labels, ["bad", "so so", "good"]);
    let delete = edited(Edit::DeleteLabel { label: 1 });
    assert_eq!(delete.labels, ["bad", "good"]);
    assert_eq!(cells(&delete), [("a", 0), ("c", 1), ("e", 0)]);
    let merge = edited(Edit::MergeLabels {
        from: vec![0, 1],
        into: 2,
    });
    assert_eq!(merge.labels, ["good"]);
    assert!(merge.rows.iter().all(|row| row.label == 0));
}

#[test]
fn refuses_what_cannot_be_done_and_changes_nothing() {
    let set = |row, text: &str, label| Edit::Set {
        row,
        text: Some(text.into()),
        label: Some(label),
    };
    let add = |name: &str| Edit::AddLabel { name: name.into() };
    let merge = |from, into| Edit::MergeLabels { from, into };
    let cases = [
        (set(5, "x", 0), "there is no row 6: the dataset has 5 rows."),
        (set(0, " \t", 0), "a row needs a text."),
        (set(0, "x", 3), "there is no class with id 3"),
        (Edit::Delete { rows: vec![0, 9] }, "there is no row 10"),
        (
            Edit::SetMany {
                rows: vec![(0, 1), (1, 7)],
            },
            "there is no class with id 7",
        ),
        (
            Edit::Insert {
                rows: vec![row("x", 0), row("", 0)],
            },
            "a row needs a text.",
        ),
        (add("  "), "a class needs a name."),
        (add(" good"), "there is a class \"good\" already."),
        (
            Edit::RenameLabel {
                label: 0,
                name: "fine".into(),
            },
            "there is a class \"fine\" already.",
        ),
        (
            Edit::DeleteLabel { label: 3 },
            "there is no class with id 3",
        ),
        (
            merge(vec![0, 1], 1),
            "\"fine\" cannot be merged into itself",
        ),
        (merge(vec![5], 1), "there is no class with id 5"),
    ];
    for (edit, expected) in cases {
        let (mut dataset, mut editor) = (dataset(), Editor::new());
        let start = dataset.clone();
        let message = editor.apply(&mut dataset, edit).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert_eq!(dataset, start);
        assert!(!editor.can_undo());
    }
}

#[test]
fn keeps_the_only_class() {
    let mut single = Dataset {
        rows: Vec::new(),
        labels: vec!["one".into()],
    };
    let edit = Edit::DeleteLabel { label: 0 };
    let message = Editor::new().apply(&mut single, edit).unwrap_err();
    assert!(message.to_string().contains("\"one\" is the only class"));
}

#[test]
fn an_edit_that_changes_nothing_is_not_in_the_history() {
    let (mut dataset, mut editor) = (dataset(), Editor::new());
    let same = [
        Edit::Set {
            row: 0,
            text: Some("a".into()),
            label: Some(0),
        },
        Edit::Delete { rows: Vec::new() },
        Edit::RenameLabel {
            label: 0,
            name: "bad".into(),
        },
        Edit::MergeLabels {
            from: Vec::new(),
            into: 0,
        },
    ];
    for edit in same {
        editor.apply(&mut dataset, edit).unwrap();
        assert!(!editor.can_undo());
    }
}

#[test]
fn reads_the_edits_of_the_protocol() {
    let read = |json: &str| serde_json::from_str::<Edit>(json).unwrap();
    assert_eq!(
        read(r#"{"op": "set", "row": 2, "label": 1}"#),
        Edit::Set {
            row: 2,
            text: None,
            label: Some(1)
        }
    );
    assert_eq!(
        read(r#"{"op": "set_many", "rows": [[3, 0]]}"#),
        Edit::SetMany { rows: vec![(3, 0)] }
    );
    assert_eq!(
        read(r#"{"op": "merge_labels", "from": [1], "into": 0}"#),
        Edit::MergeLabels {
            from: vec![1],
            into: 0
        }
    );
}

#[test]
fn the_history_is_bounded() {
    let text = |length: usize| Edit::Set {
        row: 0,
        text: Some("x".repeat(length)),
        label: None,
    };
    let (mut dataset, mut editor) = (dataset(), Editor::with_limits(10_000, 5));
    for length in 1..=8 {
        editor.apply(&mut dataset, text(length)).unwrap();
    }
    let mut undone = 0;
    while editor.undo(&mut dataset) {
        undone += 1;
    }
    assert_eq!((undone, dataset.rows[0].text.len()), (5, 3));
    // An edit that exceeds the bound alone can be undone, but no edit before it.
    let mut editor = Editor::with_limits(10_000, 5);
    for length in [20_000, 1] {
        editor.apply(&mut dataset, text(length)).unwrap();
    }
    assert!(editor.undo(&mut dataset));
    assert_eq!(dataset.rows[0].text.len(), 20_000);
    assert!(!editor.undo(&mut dataset));
}

/// Draws edits, also ones that are refused.
struct RandomEdits(RandomState);

impl RandomEdits {
    fn below(&mut self, bound: usize) -> usize {
        self.0.permutation(bound.max(1))[0]
    }

    fn some(&mut self, bound: usize) -> Vec<usize> {
        let count = self.below(4);
        (0..count).map(|_| self.below(bound)).collect()
    }

    fn next(&mut self, dataset: &Dataset) -> Edit {
        // One more than there are, so that some edits are refused.
        let (rows, labels) = (dataset.rows.len() + 1, dataset.labels.len() + 1);
        let name = format!("class {}", self.below(12));
        match self.below(14) {
            0 | 1 => Edit::Set {
                row: self.below(rows),
                text: Some(format!("text {}", self.below(50))),
                label: Some(self.below(labels)),
            },
            2 => Edit::SetMany {
                rows: self
                    .some(rows)
                    .into_iter()
                    .map(|row| (row, self.below(labels)))
                    .collect(),
            },
            3..=5 => Edit::Insert {
                rows: self
                    .some(9)
                    .into_iter()
                    .map(|text| row(&format!("inserted {text}"), self.below(labels)))
                    .collect(),
            },
            6 => Edit::Delete {
                rows: self.some(rows),
            },
            7..=10 => Edit::AddLabel { name },
            11 => match self.below(2) {
                0 => Edit::RenameLabel {
                    label: self.below(labels),
                    name,
                },
                _ => Edit::DeleteLabel {
                    label: self.below(labels),
                },
            },
            _ => Edit::MergeLabels {
                from: self.some(labels),
                into: self.below(labels),
            },
        }
    }
}

#[test]
fn undo_and_redo_of_random_edits_restore_every_state() {
    let mut refused = 0;
    for seed in 0..40 {
        let (mut edits, mut editor) = (RandomEdits(RandomState::new(seed)), Editor::new());
        let mut current = dataset();
        let mut states = vec![current.clone()];
        for _ in 0..100 {
            let edit = edits.next(&current);
            match editor.apply(&mut current, edit) {
                Ok(()) if current != states[states.len() - 1] => states.push(current.clone()),
                Ok(()) => {}
                Err(_) => refused += 1,
            }
            assert!(
                current
                    .rows
                    .iter()
                    .all(|row| row.label < current.labels.len())
            );
        }
        assert!(states.len() > 30, "{} states", states.len());
        for state in states.iter().rev().skip(1) {
            assert!(editor.undo(&mut current));
            assert_eq!(&current, state);
        }
        assert!(!editor.can_undo());
        for state in &states[1..] {
            assert!(editor.redo(&mut current));
            assert_eq!(&current, state);
        }
        assert!(!editor.can_redo());
    }
    assert!(refused > 100, "{refused} refused");
}
