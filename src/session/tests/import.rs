//! Tables that a visitor brings: read, shown, used; and what stays when they cannot be.

use super::*;
use crate::hub::testing::FakeBlob;
use crate::session::protocol::{DatasetSource, WorkEvent};

const TABLE: &[u8] = b"review,stars\nvery good,up\nso bad,down\n,up\ngood enough,up\nawful,down\n";

#[test]
fn a_table_is_pending_until_it_is_used() {
    let mut visit = Visit::ready();
    let view = visit.import(&[("reviews.csv", TABLE)], json!({})).unwrap();
    assert_eq!((view.num_rows, view.num_skipped), (4, 1));
    assert_eq!(view.skipped[0].line, 4);
    let labels: Vec<_> = view
        .labels
        .iter()
        .map(|label| (label.name.as_str(), label.count))
        .collect();
    assert_eq!(labels, [("down", 2), ("up", 2)]);
    // Dataset and tokens are those of before.
    assert_eq!(visit.session.state().dataset_rows, Some(20));
    assert!(visit.session.state().tokenized);

    let refused = json!({"type": "use_import", "skip_bad_rows": false, "merge_labels": false});
    let (code, sentence) = refusal(visit.ask(refused));
    assert_eq!(code, "dataset");
    assert!(sentence.contains("1 of its rows"), "{sentence}");
    let agreed = json!({"type": "use_import", "skip_bad_rows": true, "merge_labels": false});
    let dataset = answered!(visit, Dataset, agreed.clone());
    assert_eq!(
        (dataset.num_rows, dataset.source),
        (4, DatasetSource::Import)
    );
    assert_eq!(dataset.name, "reviews.csv");
    assert!(!visit.session.state().split && !visit.session.state().tokenized);
    assert_eq!(refusal(visit.ask(agreed)).0, "not_ready");
}

#[test]
fn a_file_that_is_no_table_leaves_dataset_and_pending_table() {
    let mut visit = Visit::ready();
    visit.import(&[("a.csv", TABLE)], json!({})).unwrap();
    let zip = b"PK\x03\x04\x14\0\0\0".as_slice();
    let (code, _) = refusal(visit.import(&[("a.xlsx", zip)], json!({})));
    assert_eq!(code, "dataset");
    assert_eq!(visit.session.state().dataset_rows, Some(20));
    let agreed = json!({"type": "use_import", "skip_bad_rows": true, "merge_labels": false});
    assert_eq!(answered!(visit, Dataset, agreed).num_rows, 4);
}

#[test]
fn the_visitor_chooses_other_columns() {
    let mut visit = Visit::new();
    let table = b"id,title,body,kind\n1,one,alpha,x\n2,two,beta,y\n3,three,gamma,x\n";
    let options = json!({"text": [1, 2], "label": 3});
    visit.import(&[("t.csv", table)], options).unwrap();
    let used = json!({"type": "use_import", "skip_bad_rows": false, "merge_labels": false});
    visit.ask(used).unwrap();
    let request = json!({"type": "dataset_rows", "offset": 0, "count": 1});
    let rows = answered!(visit, DatasetRows, request);
    assert_eq!(rows.rows[0].text, "one alpha");
}

#[test]
fn reading_reports_its_progress_and_can_be_stopped() {
    let mut visit = Visit::ready();
    let mut table = b"text,label\n".to_vec();
    while table.len() < 3 << 20 {
        table.extend(b"a sentence that is long enough,a\nanother sentence of the same kind,b\n");
    }
    visit.import(&[("long.csv", &table)], json!({})).unwrap();
    let total = table.len() as u64;
    let last = SessionEvent::Work(WorkEvent::Importing { done: total, total });
    assert!(visit.recorder.events.borrow().contains(&last));
    let network = visit.fakes.network.clone();
    visit
        .fakes
        .clock
        .on_task(move |task| network.set_stopped(task == 2));
    let (code, _) = refusal(visit.import(&[("long.csv", &table)], json!({})));
    assert_eq!(code, "stopped");
    assert_eq!(visit.session.state().dataset_rows, Some(20));
}

#[test]
fn a_folder_of_texts_has_a_folder_for_each_class() {
    let mut visit = Visit::new();
    let files: [(&str, &[u8]); 5] = [
        ("mail/spam/1.txt", b"win money now"),
        ("mail/ham/1.txt", b"see you at six"),
        ("mail/ham/2.txt", b"the report is done"),
        ("mail/spam/2.txt", b"free prize"),
        ("mail/notes.md", b"not a text of a class"),
    ];
    let view = visit.import(&files, json!({})).unwrap();
    let labels: Vec<_> = view
        .labels
        .iter()
        .map(|label| (label.name.as_str(), label.count))
        .collect();
    assert_eq!(labels, [("ham", 2), ("spam", 2)]);
}

#[test]
fn a_file_that_was_moved_is_named() {
    let mut visit = Visit::new();
    let blob = FakeBlob::new(TABLE);
    blob.lose();
    let listener: Rc<dyn Listener> = visit.recorder.clone();
    let network = visit.fakes.network.clone();
    let files = vec![("gone.csv".to_string(), blob)];
    let options = ImportOptions::default();
    let read = visit
        .session
        .import_files("gone.csv", files, options, network, &listener);
    let (code, sentence) = refusal(block_on(read));
    assert_eq!(code, "download");
    assert!(sentence.contains("gone.csv") && sentence.contains("Choose it again"));
}

#[test]
fn rows_of_the_hub_become_the_dataset() {
    let mut visit = Visit::new();
    let server = "https://rows.test";
    let offer = |path: &str, answer: Value| {
        let url = format!("{server}/{path}");
        visit
            .fakes
            .network
            .offer(&url, answer.to_string().as_bytes());
    };
    offer("is-valid?dataset=a%2Fb", json!({"viewer": true}));
    offer(
        "splits?dataset=a%2Fb",
        json!({"splits": [{"config": "default", "split": "train"}]}),
    );
    let row = |text: &str, label: i64| json!({"row": {"text": text, "label": label}});
    offer(
        "rows?dataset=a%2Fb&config=default&split=train&offset=0&length=50",
        json!({"num_rows_total": 3, "features": [{"name": "text", "type": {"_type": "Value"}},
            {"name": "label", "type": {"_type": "ClassLabel", "names": ["neg", "pos"]}}],
            "rows": [row("bad", 0), row("good", 1), row("worse", 0)]}),
    );
    let request = json!({"type": "import_hub", "endpoint": server, "dataset": "a/b", "config": null, "split": null,
        "max_rows": 50, "options": {}});
    let view = answered!(visit, Import, request);
    assert_eq!(view.num_rows, 3);
    assert_eq!(view.hub.unwrap().num_rows_total, 3);
    let used = json!({"type": "use_import", "skip_bad_rows": false, "merge_labels": false});
    let dataset = answered!(visit, Dataset, used);
    assert_eq!(dataset.labels, ["neg", "pos"]);
    assert_eq!(
        (dataset.source, dataset.name.as_str()),
        (DatasetSource::Hub, "a/b")
    );
}
