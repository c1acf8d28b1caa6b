//! Tests of the import as a whole.

use super::*;
use crate::data::Row;

/// Reads a file in pieces of several sizes, which give the same table.
fn read_with(name: &str, bytes: &[u8], options: &ImportOptions) -> Result<ImportedTable> {
    let small = if bytes.len() > 1 << 20 { 64 << 10 } else { 1 };
    let mut results = [small, 7777, usize::MAX].map(|piece| {
        let mut importer = TableImporter::new(name, options.clone());
        for piece in bytes.chunks(piece) {
            importer.push(piece)?;
        }
        importer.finish()
    });
    assert!(results.iter().all(|result| *result == results[0]));
    std::mem::replace(&mut results[0], Err(empty(name)))
}

fn read(name: &str, text: &str) -> Result<ImportedTable> {
    read_with(name, text.as_bytes(), &ImportOptions::default())
}

fn message(result: Result<ImportedTable>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn chosen_options_are_used() {
    let text = "a;b;c\nx y;1;z,w\nu v;2;t,s\n";
    let table = read_with(
        "table.csv",
        text.as_bytes(),
        &ImportOptions {
            text: Some(vec![2, 0]),
            label: Some(1),
            header: Some(true),
            delimiter: Some(';'),
            format: Some(TableFormat::Csv),
            encoding: Some(TextEncoding::Windows1252),
        },
    )
    .unwrap();
    assert_eq!(table.rows[1].text, "t,s u v");
    assert_eq!(table.labels, ["1", "2"]);
    assert_eq!(table.preview, [["x y", "1", "z,w"], ["u v", "2", "t,s"]]);
    assert_eq!(table.detected.encoding, TextEncoding::Windows1252);
    assert_eq!(table.bytes, text.len() as u64);
    let header = ImportOptions {
        header: Some(false),
        ..ImportOptions::default()
    };
    let table = read_with("table.csv", text.as_bytes(), &header).unwrap();
    assert_eq!(table.detected.columns, ["column 1", "column 2", "column 3"]);
    assert_eq!(table.preview.len(), 3);
}

#[test]
fn a_joined_text_leaves_blank_cells_out() {
    let options = ImportOptions {
        text: Some(vec![0, 1]),
        ..ImportOptions::default()
    };
    let text = "title,text,label\nGood,I like it,1\n,Only this,0\nOnly that, ,1\n,,0\n";
    let table = read_with("x.csv", text.as_bytes(), &options).unwrap();
    let texts: Vec<&str> = table.rows.iter().map(|row| row.text.as_str()).collect();
    assert_eq!(texts, ["Good I like it", "Only this", "Only that"]);
    assert_eq!(table.skipped[0].reason, SkipReason::EmptyText);
}

#[test]
fn a_quote_without_an_end_spoils_one_line_of_a_long_file() {
    let line = "a plain line of some words,x\nand another one of them,y\n";
    let half = line.repeat(MAX_QUOTED_BYTES / line.len());
    let text = format!("text,label\n{half}\"opened here,x\n{half}{half}");
    let table = read("x.csv", &text).unwrap();
    assert_eq!(table.rows.len() + 2, text.lines().count());
    assert_eq!(table.num_skipped, 1);
    assert_eq!(table.skipped[0].line, 2 + half.lines().count());
    assert_eq!(table.skipped[0].excerpt, "\"opened here,x");
}

#[test]
fn a_quoted_cell_may_be_long_and_a_record_may_not_be_endless() {
    let long = "line of a text\n".repeat(MAX_QUOTED_BYTES / 16);
    let table = read("x.csv", &format!("text,label\n\"{long}\",x\nshort,y\n")).unwrap();
    assert_eq!(
        (table.rows[0].text.len(), table.num_skipped),
        (long.len(), 0)
    );
    assert_eq!(table.preview[0][0].len(), PREVIEW_CELL_CHARS);
    let endless = "x".repeat(MAX_RECORD_BYTES + 1);
    for (name, text) in [
        ("x.csv", format!("text,label\na,b\n{endless}")),
        ("x.csv", format!("text,label\na,b\n{endless},y\nc,d\n")),
        (
            "x.jsonl",
            format!("{{\"text\": \"a\"}}\n{{\"text\": \"{endless}\"}}\n"),
        ),
        (
            "x.json",
            format!("[{{\"text\": \"a\"}}, {{\"text\": \"{endless}\"}}]"),
        ),
    ] {
        assert!(
            message(read(name, &text)).contains("longer than 16 MB"),
            "{name}"
        );
    }
}

#[test]
fn labels_of_a_file_that_is_sorted_by_them() {
    let rows = |label: &str| format!("some words of a text,{label}\n").repeat(2 * HEAD_RECORDS);
    let table = read("x.csv", &format!("text,label\n{}{}", rows("b"), rows("a"))).unwrap();
    assert_eq!(table.labels, ["a", "b"]);
    assert_eq!(table.rows.len(), 4 * HEAD_RECORDS);
}

#[test]
fn skipped_rows_beyond_the_limit_are_counted() {
    let text = format!(
        "text,label\na b,x\nc,y\n{}",
        "too,many,cells\n".repeat(MAX_SKIPPED + 5)
    );
    let table = read("x.csv", &text).unwrap();
    assert_eq!(
        (table.skipped.len(), table.num_skipped),
        (MAX_SKIPPED, MAX_SKIPPED + 5)
    );
    let ragged = SkipReason::Ragged {
        found: 3,
        expected: 2,
    };
    assert_eq!(
        (table.skipped[0].line, table.skipped[0].reason),
        (4, ragged)
    );
    let json = serde_json::to_string(&table.skipped[0]).unwrap();
    assert_eq!(
        json,
        r#"{"line":4,"reason":{"kind":"ragged","found":3,"expected":2},"excerpt":"too,many,cells"}"#
    );
}

#[test]
fn labels_are_merged_only_when_asked() {
    let text = "text,label\na b,spam\nc,Spam \nd,ham\ne,Spam \nf,1\ng,1.0\n";
    let table = read("x.csv", text).unwrap();
    assert_eq!(table.labels, ["1", "1.0", "Spam ", "ham", "spam"]);
    assert_eq!(table.same_labels, [vec![0, 1], vec![2, 4]]);
    let plain = table.clone().into_dataset(false);
    assert_eq!((plain.labels.len(), plain.rows.len()), (5, 6));
    let merged = table.into_dataset(true);
    assert_eq!(merged.labels, ["1", "Spam ", "ham"]);
    let labels: Vec<usize> = merged.rows.iter().map(|row| row.label).collect();
    assert_eq!(labels, [1, 1, 2, 1, 0, 0]);
}

#[test]
fn a_table_without_a_label_is_shown_and_not_used() {
    let table = read("x.csv", "a,b\none thing,p q\nother thing,r s\n").unwrap();
    assert_eq!(
        (table.detected.label, table.rows.len(), table.preview.len()),
        (None, 0, 2)
    );
    assert!(table.check().unwrap_err().to_string().contains("a, b"));
    let table = read("x.csv", "text,label\none thing,x\nother thing,x\n").unwrap();
    assert!(
        table
            .check()
            .unwrap_err()
            .to_string()
            .contains("one distinct label only, \"x\"")
    );
}

#[test]
fn damaged_bytes_are_counted() {
    let mut bytes = "text,label\n좋아요 정말,x\n별로예요 정말,y\n"
        .as_bytes()
        .to_vec();
    bytes.remove(12);
    let table = read_with("x.csv", &bytes, &ImportOptions::default()).unwrap();
    assert_eq!(table.detected.encoding, TextEncoding::Utf8);
    assert!(table.num_malformed > 0 && table.rows[0].text.contains('\u{FFFD}'));
}

#[test]
fn cells_are_those_of_the_csv_crate() {
    let cells = [
        "plain",
        "a, b",
        "say \"hi\"",
        "two\nlines",
        "cr\rlf\r\n",
        "",
        " x ",
        "é;좋",
        "\"",
        "=1+1",
        "x\ty",
        "24\" tv",
    ];
    for delimiter in [b',', b';', b'\t', b'|'] {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .from_writer(Vec::new());
        writer.write_record(["text", "more", "label"]).unwrap();
        for (at, cell) in cells.iter().enumerate() {
            for (other_at, other) in cells.iter().enumerate() {
                let label = ["yes", "no"][(at + other_at) % 2];
                writer.write_record([cell, other, label]).unwrap();
            }
        }
        let bytes = writer.into_inner().unwrap();
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .from_reader(&bytes[..]);
        let mut expected = Vec::new();
        for record in reader.records() {
            let record = record.unwrap();
            if !record[1].trim().is_empty() {
                expected.push((record[1].to_owned(), record[2].to_owned()));
            }
        }
        let options = ImportOptions {
            text: Some(vec![1]),
            ..ImportOptions::default()
        };
        let table = read_with("x.csv", &bytes, &options).unwrap();
        assert_eq!(table.detected.delimiter, Some(char::from(delimiter)));
        let name = |row: &Row| (row.text.clone(), table.labels[row.label].clone());
        assert_eq!(table.rows.iter().map(name).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn quotes_in_the_middle_of_a_cell_are_letters() {
    let text = "text,label\n\"so\" called,x\nthe 24\" one,y\n\"a, b\" c,x\n\"ok\" ,y\n";
    let table = read("x.csv", text).unwrap();
    let texts: Vec<&str> = table.rows.iter().map(|row| row.text.as_str()).collect();
    assert_eq!(
        texts,
        ["\"so\" called", "the 24\" one", "\"a, b\" c", "ok "]
    );
}

#[test]
fn a_missing_row_is_explained() {
    let text = "text,label\na,b,c\nd,e,f\n";
    let sentence = message(read("x.csv", text));
    assert!(
        sentence.contains("no row of x.csv") || sentence.contains("no row below"),
        "{sentence}"
    );
    assert!(
        message(read("x.csv", "text,label\n,a\n,b\n")).contains("line 2 because its text is empty")
    );
    assert!(message(read("x.csv", "text,label\n")).contains("no row below"));
    assert!(message(read("x.json", "[]")).contains("no rows"));
}
