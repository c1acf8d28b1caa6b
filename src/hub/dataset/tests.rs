//! A dataset of the Hub: its routes, its store, its failures.

use super::*;
use crate::hub::Folder;
use crate::hub::testing::{Fakes, Trouble};
use pollster::block_on;
use serde_json::{Value, json};

const SERVER: &str = "https://rows.test";

fn request(max_rows: usize) -> RowsRequest {
    RowsRequest {
        dataset: "owner/reviews".into(),
        config: None,
        split: None,
        max_rows,
    }
}

fn page_url(offset: usize, length: usize) -> String {
    format!(
        "{SERVER}/rows?dataset=owner%2Freviews&config=plain%20text&split=train&offset={offset}&length={length}"
    )
}

fn page(rows: std::ops::Range<usize>, total: usize) -> Value {
    let row = |at| {
        let label = if at == 3 { -1 } else { (at % 2) as i64 };
        json!({"row_idx": at, "row": {"text": format!("text {at}"), "label": label},
            "truncated_cells": if at == 1 { json!(["text"]) } else { json!([]) }})
    };
    json!({"features": [{"feature_idx": 0, "name": "text", "type": {"dtype": "string", "_type": "Value"}},
            {"feature_idx": 1, "name": "label", "type": {"names": ["bad", "good"], "_type": "ClassLabel"}}],
        "rows": rows.map(row).collect::<Vec<_>>(), "num_rows_total": total, "num_rows_per_page": 100, "partial": false})
}

/// A Hub with a dataset of 230 rows, of which `max_rows` are requested.
fn offered(max_rows: usize) -> Fakes {
    let fakes = Fakes::default();
    let offer = |url: &str, answer: Value| fakes.network.offer(url, answer.to_string().as_bytes());
    offer(
        &format!("{SERVER}/is-valid?dataset=owner%2Freviews"),
        json!({"preview": true, "viewer": true, "search": true}),
    );
    let split =
        |split: &str| json!({"dataset": "owner/reviews", "config": "plain text", "split": split});
    offer(
        &format!("{SERVER}/splits?dataset=owner%2Freviews"),
        json!({"splits": [split("test"), split("train")], "pending": [], "failed": []}),
    );
    let total = 230;
    for offset in (0..max_rows.min(total)).step_by(ROWS_PER_PAGE) {
        let length = ROWS_PER_PAGE.min(max_rows - offset);
        let end = (offset + length).min(total);
        offer(&page_url(offset, length), page(offset..end, total));
    }
    fakes
}

fn fetch(fakes: &Fakes, max_rows: usize) -> Result<DatasetLines> {
    let services = fakes.services();
    block_on(fetch_rows(
        SERVER,
        &request(max_rows),
        &services,
        &|_, _| {},
    ))
}

#[test]
fn reads_pages_and_names_the_classes() {
    let fakes = offered(1000);
    let found = fetch(&fakes, 1000).unwrap();
    assert_eq!((found.num_rows, found.num_rows_total), (230, 230));
    assert_eq!(
        (found.config.as_str(), found.split.as_str()),
        ("plain text", "train")
    );
    assert_eq!(found.configs[0].splits, ["test", "train"]);
    assert_eq!(found.truncated_cells, 1);
    let text = String::from_utf8(found.lines).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 230);
    assert_eq!(lines[1], r#"{"text":"text 1","label":"good"}"#);
    assert_eq!(lines[3], r#"{"text":"text 3","label":null}"#);
}

#[test]
fn takes_as_many_rows_as_asked_for() {
    let fakes = offered(150);
    let found = fetch(&fakes, 150).unwrap();
    assert_eq!((found.num_rows, found.num_rows_total), (150, 230));
    assert_eq!(
        found.lines.iter().filter(|&&byte| byte == b'\n').count(),
        150
    );
    // A later import of fewer rows takes the kept ones.
    fakes.network.take_requests();
    assert_eq!(fetch(&fakes, 7).unwrap().num_rows, 7);
    assert!(
        fakes
            .network
            .take_requests()
            .iter()
            .all(|url| !url.contains("/rows?"))
    );
}

#[test]
fn resumes_after_a_broken_import_and_needs_no_network_for_kept_rows() {
    let fakes = offered(1000);
    let broken = vec![
        Trouble {
            unreachable: true,
            ..Trouble::default()
        };
        MOST_TRIES as usize
    ];
    fakes.network.trouble(&page_url(100, 100), broken);
    let error = fetch(&fakes, 1000).unwrap_err().to_string();
    assert!(
        error.contains("cannot be reached") && error.contains("kept"),
        "{error}"
    );
    assert_eq!(fakes.network.take_waits(), [1000, 2000, 4000, 8000]);
    fakes.network.take_requests();
    assert_eq!(fetch(&fakes, 1000).unwrap().num_rows, 230);
    let pages = fakes.network.take_requests();
    let pages: Vec<_> = pages.iter().filter(|url| url.contains("/rows?")).collect();
    assert_eq!(pages, [&page_url(100, 100), &page_url(200, 100)]);
    fakes.network.set_offline(true);
    assert_eq!(fetch(&fakes, 1000).unwrap().num_rows, 230);
    let other = RowsRequest {
        split: Some("test".into()),
        ..request(1000)
    };
    let refused = block_on(fetch_rows(SERVER, &other, &fakes.services(), &|_, _| {}));
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("cannot be reached")
    );
}

#[test]
fn drops_a_line_that_is_cut_off() {
    let fakes = offered(100);
    fetch(&fakes, 100).unwrap();
    let [name] = fakes.disk.list(Folder::Datasets).try_into().unwrap();
    let content = fakes.disk.content(Folder::Datasets, &name);
    let cut_off = content.borrow().len() - 5;
    content.borrow_mut().truncate(cut_off);
    let rest = page_url(99, 1);
    fakes
        .network
        .offer(&rest, page(99..100, 230).to_string().as_bytes());
    let found = fetch(&fakes, 100).unwrap();
    assert_eq!(found.num_rows, 100);
    assert!(
        found
            .lines
            .ends_with(b"{\"text\":\"text 99\",\"label\":\"good\"}\n")
    );
}

#[test]
fn a_full_disk_does_not_refuse_the_rows() {
    let fakes = offered(230);
    fakes.disk.set_full(true);
    assert_eq!(fetch(&fakes, 230).unwrap().num_rows, 230);
}

#[test]
fn waits_as_long_as_a_busy_server_asks() {
    let fakes = offered(100);
    let busy = Trouble {
        status: Some(429),
        retry_after: Some(3),
        ..Trouble::default()
    };
    fakes.network.trouble(&page_url(0, 100), vec![busy]);
    assert_eq!(fetch(&fakes, 100).unwrap().num_rows, 100);
    assert_eq!(fakes.network.take_waits(), [3000]);
}

#[test]
fn names_what_is_wrong() {
    let fakes = offered(100);
    let message = |dataset: &str, config: Option<&str>, split: Option<&str>| {
        let request = RowsRequest {
            dataset: dataset.into(),
            config: config.map(str::to_string),
            split: split.map(str::to_string),
            max_rows: 100,
        };
        block_on(fetch_rows(SERVER, &request, &fakes.services(), &|_, _| {}))
            .unwrap_err()
            .to_string()
    };
    assert!(message("a b", None, None).contains("owner/name"));
    assert!(message("owner/none", None, None).contains("no dataset of this name"));
    assert!(
        message("owner/reviews", Some("x"), None)
            .contains("no configuration \"x\". It has: plain text.")
    );
    assert!(
        message("owner/reviews", None, Some("dev"))
            .contains("no split \"dev\". It has: test, train.")
    );
    let valid = format!("{SERVER}/is-valid?dataset=owner%2Freviews");
    let gated = Trouble {
        status: Some(401),
        ..Trouble::default()
    };
    fakes.network.trouble(&valid, vec![gated]);
    assert!(message("owner/reviews", None, None).contains("private or gated"));
    fakes
        .network
        .offer(&valid, br#"{"preview": false, "viewer": false}"#);
    assert!(message("owner/reviews", None, None).contains("no rows to read"));
    fakes.network.offer(&valid, b"<html>");
    assert!(message("owner/reviews", None, None).contains("cannot be read"));
}

#[test]
fn stops_between_two_pages_and_keeps_what_has_arrived() {
    let fakes = offered(1000);
    let network = fakes.network.clone();
    fakes.clock.on_task(move |task| {
        if task == 1 {
            network.set_stopped(true);
        }
    });
    assert!(matches!(fetch(&fakes, 1000), Err(Error::Stopped(_))));
    fakes.network.take_requests();
    assert_eq!(fetch(&fakes, 1000).unwrap().num_rows, 230);
    assert!(!fakes.network.take_requests().contains(&page_url(0, 100)));
}

#[test]
fn takes_a_name_or_the_address_of_its_page() {
    assert_eq!(
        dataset_name(" stanfordnlp/imdb ").unwrap(),
        "stanfordnlp/imdb"
    );
    assert_eq!(dataset_name("imdb").unwrap(), "imdb");
    let address = "https://huggingface.co/datasets/owner/name?x=1";
    assert_eq!(dataset_name(address).unwrap(), "owner/name");
    assert!(dataset_name("a/b/c").is_err() && dataset_name("").is_err());
}
