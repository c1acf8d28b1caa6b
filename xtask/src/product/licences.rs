//! The texts of the licences, as the page reads them: each text once, and for each package the numbers of its texts.

use std::collections::BTreeSet;

use serde_json::json;
use spdx::{AdditionItem, LicenseItem};

use super::{Origin, Package};
use crate::error::Result;
use crate::project;

/// The document for the page.
pub fn document(packages: &[Package]) -> Result<String> {
    let mut texts = Texts::default();
    let mut listed = Vec::new();
    for package in packages
        .iter()
        .filter(|package| package.origin != Origin::Own)
    {
        let numbers = if package.files.is_empty() {
            standard_texts(package)?
                .into_iter()
                .map(|text| texts.add(text))
                .collect()
        } else {
            texts.add_files(package)?
        };
        listed.push(json!({
            "name": package.name,
            "version": package.version,
            "kind": kind(package.origin),
            "licence": package.licence,
            "authors": package.authors,
            "repository": package.repository,
            // A text of SPDX has no line with the authors.
            "own_text": !package.files.is_empty(),
            "texts": numbers,
        }));
    }
    Ok(json!({ "packages": listed, "texts": texts.list }).to_string())
}

fn kind(origin: Origin) -> &'static str {
    match origin {
        Origin::Own | Origin::Crate => "crate",
        Origin::Npm => "npm",
        Origin::Toolchain => "toolchain",
    }
}

/// The texts of SPDX for the licences of a package that contains none.
fn standard_texts(package: &Package) -> Result<BTreeSet<String>> {
    let mut texts = BTreeSet::new();
    for wanted in package.expression()?.requirements() {
        if let LicenseItem::Spdx { id, .. } = &wanted.req.license {
            texts.insert(id.text().to_owned());
        }
        if let Some(AdditionItem::Spdx(id)) = &wanted.req.addition {
            texts.insert(id.text().to_owned());
        }
    }
    Ok(texts)
}

#[derive(Default)]
struct Texts {
    list: Vec<String>,
}

impl Texts {
    fn add_files(&mut self, package: &Package) -> Result<Vec<usize>> {
        let mut numbers = Vec::new();
        for file in &package.files {
            let text = String::from_utf8_lossy(&project::read(file)?).into_owned();
            let number = self.add(text);
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        Ok(numbers)
    }

    /// The number of a text. Texts that differ only in blanks are one.
    fn add(&mut self, text: String) -> usize {
        let words: Vec<&str> = text.split_whitespace().collect();
        let same = |known: &String| known.split_whitespace().eq(words.iter().copied());
        self.list.iter().position(same).unwrap_or_else(|| {
            let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
            self.list
                .push(text.trim_matches('\n').trim_end().to_owned());
            self.list.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::product::tests::{of_the_site, package};

    fn read(packages: &[Package]) -> Value {
        serde_json::from_str(&document(packages).unwrap()).unwrap()
    }

    #[test]
    fn a_text_is_there_once() {
        let mut texts = Texts::default();
        assert_eq!(texts.add("MIT License\r\n\r\nYou may".to_owned()), 0);
        assert_eq!(texts.add("Apache".to_owned()), 1);
        assert_eq!(texts.add("  MIT License\n\nYou\nmay\n".to_owned()), 0);
        assert_eq!(texts.list, ["MIT License\n\nYou may", "Apache"]);
    }

    #[test]
    fn a_package_without_a_file_has_every_text_of_its_expression() {
        let read = read(&[
            package("a", "(MIT OR Apache-2.0 WITH LLVM-exception) AND Zlib"),
            package("b", "MIT"),
        ]);
        let texts = |index: usize| read["packages"][index]["texts"].as_array().unwrap().len();
        assert_eq!((texts(0), texts(1)), (4, 1));
        assert_eq!(read["texts"].as_array().unwrap().len(), 4);
        assert_eq!(read["packages"][1]["own_text"], false);
    }

    #[test]
    fn the_texts_are_those_of_the_package() {
        let mut with_file = package("a", "MIT");
        with_file.files.push(project::at("LICENSE-MIT"));
        let mut own = package("own", "MIT");
        own.origin = Origin::Own;
        let read = read(&[with_file, own]);
        assert_eq!(read["packages"].as_array().unwrap().len(), 1);
        let text = project::read_text(&project::at("LICENSE-MIT")).unwrap();
        assert_eq!(read["texts"][0].as_str().unwrap(), text.trim());
    }

    #[test]
    fn every_package_of_the_site_has_a_text() {
        let read = read(of_the_site());
        for package in read["packages"].as_array().unwrap() {
            assert!(
                !package["texts"].as_array().unwrap().is_empty(),
                "{package}"
            );
        }
        assert!(
            read["texts"]
                .as_array()
                .unwrap()
                .iter()
                .all(|text| text.as_str().unwrap().len() > 50)
        );
    }
}
