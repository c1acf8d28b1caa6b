//! Many rows and many updates: every answer stays small, and pages have the rows that the summaries count.

use super::*;
use crate::session::protocol::Part;
use crate::train::epoch_order;

const ROWS: usize = 100_000;
/// Bytes that an answer about any number of rows may have.
const SMALL: usize = 32 << 10;

/// The size of an answer as JSON.
fn bytes(answer: &Answer) -> usize {
    serde_json::to_vec(answer).unwrap().len()
}

#[test]
fn answers_about_many_rows_and_updates_are_small() {
    let mut visit = Visit::new();
    visit.values = object(
        json!({"toy_dataset": "article", "group_duplicates": false, "num_rows": ROWS,
        "max_length": 16, "max_steps": 100_000}),
    );
    visit.load_tiny().unwrap();
    for request in ["dataset", "split", "tokenize", "plan"] {
        let answer = visit.ask(json!({"type": request})).unwrap();
        assert!(
            bytes(&answer) < SMALL,
            "{request}: {} bytes",
            bytes(&answer)
        );
    }
    let page = |kind: &str| json!({"type": kind, "offset": ROWS - 50, "count": ROWS});
    let rows = answered!(visit, DatasetRows, page("dataset_rows"));
    assert_eq!((rows.offset, rows.rows.len()), (ROWS - 50, 50));
    let tokens = answered!(visit, Tokens, page("tokens"));
    assert_eq!((tokens.offset, tokens.rows.len()), (ROWS - 50, 50));
    let first = json!({"type": "tokens", "offset": 0, "count": ROWS});
    assert_eq!(answered!(visit, Tokens, first).rows.len(), 100);
}

#[test]
fn the_pages_have_every_row_in_the_order_of_the_split() {
    let mut visit = Visit::ready();
    let (train, test) = {
        let split = visit.session.split.as_ref().unwrap();
        (split.train.clone(), split.test.clone())
    };
    let mut shown = Vec::new();
    for offset in (0..20).step_by(7) {
        let request = json!({"type": "tokens", "offset": offset, "count": 7});
        shown.extend(answered!(visit, Tokens, request).rows);
    }
    let rows = |part| -> Vec<usize> {
        let of_part = shown.iter().filter(|row| row.part == part);
        of_part.map(|row| row.row).collect()
    };
    assert_eq!((rows(Part::Train), rows(Part::Test)), (train, test));
    let request = json!({"type": "dataset_rows", "offset": 3, "count": 2});
    let dataset = visit.session.require_dataset().unwrap().clone();
    let rows = answered!(visit, DatasetRows, request).rows;
    assert_eq!((rows.len(), rows[0].row, rows[1].row), (2, 3, 4));
    for found in rows {
        let row = &dataset.rows[found.row];
        assert_eq!((found.text, found.label), (row.text.clone(), row.label));
    }
}

#[test]
fn a_row_is_padded_like_its_batch_in_the_order_of_the_run() {
    let mut visit = Visit::ready();
    let rows = |texts: [&str; 4]| texts.map(|text| json!({"text": text, "label": text.len() % 2}));
    let train = rows(["a", "bb", "a b c d e f", "bb c"]);
    let request = json!({"type": "rows", "train": train, "test": rows(["a", "bb", "c", "dd"]), "labels": ["x", "y"]});
    visit.ask(request).unwrap();
    let mut widths = |shuffle: bool| -> Vec<usize> {
        let values = json!({"per_device_train_batch_size": 2, "shuffle": shuffle, "seed": 1, "max_length": 16});
        visit
            .ask(json!({"type": "tokenize", "values": values}))
            .unwrap();
        let request = json!({"type": "tokens", "offset": 0, "count": 4});
        let rows = answered!(visit, Tokens, request).rows;
        rows.iter().map(|row| row.tokens.len()).collect()
    };
    let in_order = widths(false);
    assert_eq!(in_order[0], in_order[1]);
    assert_eq!(in_order[2], in_order[3]);
    assert!(in_order[0] < in_order[2]);
    let shuffled = widths(true);
    let order = epoch_order(1, 0, 4);
    assert_ne!(order, [0, 1, 2, 3]);
    for batch in order.chunks(2) {
        assert_eq!(shuffled[batch[0]], shuffled[batch[1]]);
    }
    assert_ne!(shuffled, in_order);
}

#[test]
fn pages_need_the_rows_that_they_show() {
    let mut visit = Visit::new();
    for request in ["dataset_rows", "tokens"] {
        let request = json!({"type": request, "offset": 0, "count": 10});
        assert_eq!(refusal(visit.ask(request)).0, "not_ready");
    }
}

#[test]
fn a_run_of_too_many_updates_is_refused_before_it_starts() {
    let mut visit = Visit::ready();
    let too_many = json!({"num_rows": 20, "num_train_epochs": 1000, "per_device_train_batch_size": 1, "max_steps": 0});
    let request = json!({"type": "plan", "values": too_many.clone()});
    assert!(visit.ask(request).is_ok());
    let values = json!({"toy_dataset": "article", "group_duplicates": false, "num_rows": 100_000,
        "num_train_epochs": 1000, "max_steps": 0});
    visit.values = object(values);
    visit.ask(json!({"type": "dataset"})).unwrap();
    visit.ask(json!({"type": "split"})).unwrap();
    let (code, sentence) = refusal(visit.ask(json!({"type": "plan"})));
    assert_eq!(code, "settings");
    assert!(sentence.contains("at most 1000000 updates"), "{sentence}");
    visit.values.insert("max_length".into(), json!(16));
    visit.ask(json!({"type": "tokenize"})).unwrap();
    assert_eq!(refusal(visit.start(json!({}))).0, "settings");
}

#[test]
fn runs_share_the_rows_of_the_session() {
    let mut visit = Visit::ready();
    visit.start(json!({})).unwrap();
    let session = &visit.session;
    let run = session.run.as_ref().unwrap();
    assert!(Rc::ptr_eq(&run.dataset, session.require_dataset().unwrap()));
    assert!(Rc::ptr_eq(&run.split, session.split.as_ref().unwrap()));
    // The session's rows and those of the trainer.
    assert_eq!(Rc::strong_count(&session.tokens.as_ref().unwrap().train), 2);
}
