//! Files that are no text tables are refused by what they are: workbooks, archives, images, web pages.

use super::encoding::is_utf32;
use crate::{Error, Result};

const SAVE_AS_CSV: &str = "Save the table as \"CSV UTF-8\" in its program and choose that file";
const UNPACK: &str = "Unpack it and choose the CSV, TSV or JSON file in it";
const NO_TABLE: &str = "Choose a CSV, TSV, JSON Lines or JSON file";
const CONVERT: &str = "Convert it with pandas (`to_csv` or `to_json`) and choose that file";

/// The first bytes of a format, its name, and what to do.
const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        "an Excel workbook (.xls) or another old Office document",
        SAVE_AS_CSV,
    ),
    (b"%PDF-", "a PDF document", NO_TABLE),
    (b"{\\rtf", "an RTF document", NO_TABLE),
    (b"\x89PNG", "an image (PNG picture)", NO_TABLE),
    (b"\xFF\xD8\xFF", "an image (JPEG picture)", NO_TABLE),
    (b"GIF8", "an image (GIF picture)", NO_TABLE),
    (
        b"RIFF",
        "a picture, a sound or a video (RIFF), a binary file",
        NO_TABLE,
    ),
    (b"ID3", "a sound (MP3), a binary file", NO_TABLE),
    (b"\x1F\x8B", "a gzip archive (compressed)", UNPACK),
    (b"BZh", "a bzip2 archive (compressed)", UNPACK),
    (b"\xFD7zXZ\0", "an xz archive (compressed)", UNPACK),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive (compressed)", UNPACK),
    (b"Rar!", "a rar archive (compressed)", UNPACK),
    (b"\x28\xB5\x2F\xFD", "a zstd archive (compressed)", UNPACK),
    (b"PAR1", "a Parquet file (binary)", CONVERT),
    (b"ARROW1", "an Arrow file (binary)", CONVERT),
    (b"\xFF\xFF\xFF\xFF", "an Arrow stream (binary)", CONVERT),
    (b"\x89HDF", "an HDF5 file (binary)", CONVERT),
    (b"\x93NUMPY", "a NumPy array (binary)", CONVERT),
    (b"SQLite format 3\0", "an SQLite database (binary)", CONVERT),
    (b"\x80\x03", "a pickle (binary)", CONVERT),
    (b"\x80\x04\x95", "a pickle (binary)", CONVERT),
    (b"\x80\x05\x95", "a pickle (binary)", CONVERT),
    (b"\x7FELF", "a program (binary)", NO_TABLE),
    (b"\0asm", "a WebAssembly module (binary)", NO_TABLE),
];

/// Refuses a file whose first bytes are those of a format that is no text.
///
/// # Errors
/// [`Error::Dataset`] with what the file is and what to do.
pub fn refuse_binary(name: &str, head: &[u8]) -> Result<()> {
    let found = if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        Some(zip_kind(head))
    } else {
        SIGNATURES
            .iter()
            .find(|(start, ..)| head.starts_with(start))
            .map(|&(_, kind, remedy)| (kind, remedy))
    };
    if let Some((kind, remedy)) = found {
        return Err(Error::Dataset(format!(
            "{name} is {kind}, not a table of text. {remedy}."
        )));
    }
    if is_utf32(head) {
        return Err(Error::Dataset(format!(
            "the encoding of {name} is UTF-32, which cannot be read. Save it as UTF-8."
        )));
    }
    Ok(())
}

fn zip_kind(head: &[u8]) -> (&'static str, &'static str) {
    let has = |needle: &[u8]| memchr::memmem::find(head, needle).is_some();
    if has(b"xl/") {
        (
            "an Excel workbook (a zip archive of XML files)",
            SAVE_AS_CSV,
        )
    } else if has(b"opendocument.spreadsheet") {
        (
            "an OpenDocument spreadsheet (a zip archive of XML files)",
            SAVE_AS_CSV,
        )
    } else if has(b"word/") {
        ("a Word document (a zip archive of XML files)", NO_TABLE)
    } else if has(b"ppt/") {
        (
            "a PowerPoint presentation (a zip archive of XML files)",
            NO_TABLE,
        )
    } else if has(b"Index/Document.iwa") || has(b".iwa") {
        ("a Numbers or Pages document (a zip archive)", SAVE_AS_CSV)
    } else {
        ("a zip archive (compressed)", UNPACK)
    }
}

/// Refuses an 8-bit file whose control characters show that it is no text.
///
/// # Errors
/// [`Error::Dataset`] with the share of control characters.
pub fn refuse_controls(name: &str, head: &[u8]) -> Result<()> {
    let is_control =
        |byte: &&u8| **byte < b' ' && !matches!(**byte, b'\t' | b'\n' | b'\r' | b'\x0C');
    let controls = head.iter().filter(is_control).count();
    if controls > 8 && controls * 20 > head.len() {
        return Err(Error::Dataset(format!(
            "{name} is a binary file, not a table of text: {controls} of its first {} bytes are control characters. \
             {NO_TABLE}.",
            head.len()
        )));
    }
    Ok(())
}

/// Refuses web pages and other XML.
///
/// # Errors
/// [`Error::Dataset`] with what the file is and what to do.
pub fn refuse_markup(name: &str, text: &str) -> Result<()> {
    let text = text.trim_start();
    if !text.starts_with('<') {
        return Ok(());
    }
    let start: String = text.chars().take(4096).collect::<String>().to_lowercase();
    let html = start.starts_with("<!doctype html")
        || start.starts_with("<head")
        || start.contains("<html");
    let kind = if html {
        "an HTML web page"
    } else if start.starts_with("<?xml")
        || start.starts_with("<!doctype")
        || start.starts_with("<svg")
    {
        "an XML document"
    } else {
        return Ok(());
    };
    Err(Error::Dataset(format!(
        "{name} is {kind}, not a table. If it came from a download, download the file itself (\"raw\") instead of the \
         page that shows it. {NO_TABLE}."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(result: Result<()>) -> String {
        result.unwrap_err().to_string().to_lowercase()
    }

    #[test]
    fn names_what_a_binary_file_is() {
        for (head, word) in [
            (&b"PK\x03\x04....xl/workbook.xml"[..], "excel"),
            (b"PK\x03\x04....reviews.csv", "zip"),
            (
                b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
                "opendocument",
            ),
            (b"%PDF-1.7", "pdf"),
            (b"\x89PNG\r\n\x1a\n", "png"),
            (b"\x1F\x8B\x08", "gzip"),
            (b"PAR1\x15", "parquet"),
            (b"\xFF\xFE\0\0t\0\0\0", "utf-32"),
        ] {
            assert!(
                message(refuse_binary("file", head)).contains(word),
                "{word}"
            );
        }
        assert!(refuse_binary("a.csv", b"text,label\n").is_ok());
        assert!(message(refuse_controls("a", &[0, 1, 2, 3, b'a'].repeat(9))).contains("binary"));
        assert!(refuse_controls("a.csv", b"text,label\na\0b,x\n").is_ok());
    }

    #[test]
    fn a_page_is_refused_and_a_tag_in_a_cell_is_not() {
        assert!(
            message(refuse_markup("a.csv", "\n<!DOCTYPE html><title>x</title>")).contains("html")
        );
        assert!(message(refuse_markup("a.csv", "<?xml version='1.0'?><rows/>")).contains("xml"));
        assert!(refuse_markup("a.csv", "<br />Nice film,positive\n").is_ok());
    }
}
