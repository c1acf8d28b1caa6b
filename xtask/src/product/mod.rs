//! The packages that the site contains: crates of the wasm modules, npm packages of the page, the standard library.
//!
//! `policy` compares their licences and sources with deny.toml, `sbom` lists them in CycloneDX, and `licences` gives
//! the page the texts of their licences. Nothing of it depends on the time or on the repository's folder.

mod crates;
mod licences;
mod npm;
mod policy;
mod sbom;

use std::fs;
use std::path::{Path, PathBuf};

use spdx::Expression;

use crate::error::{About, Error, Result};
use crate::project;
use crate::site::Mount;

pub use crates::registries;
pub use policy::check;

/// The list of the packages, at the root of the site.
const SBOM: &str = "sbom.cdx.json";
/// The licences that the page shows (`www/workspace/licences.js`), beside the page's scripts.
const LICENCES: &str = "about/licences.json";

/// Where a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A crate of this repository.
    Own,
    /// A crate of crates.io.
    Crate,
    /// A package of npm.
    Npm,
    /// Rust's standard library.
    Toolchain,
}

/// A package that the site contains.
#[derive(Clone, Debug)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub origin: Origin,
    /// The expression as the package has it, in the syntax of SPDX.
    pub licence: String,
    /// The names without addresses.
    pub authors: Vec<String>,
    /// The address of the source code.
    pub repository: Option<String>,
    /// The files with the texts of the licence. Some packages contain none.
    pub files: Vec<PathBuf>,
    /// The references of the packages that it depends on.
    pub requires: Vec<String>,
}

impl Package {
    /// A name that no other package of the site has.
    pub fn reference(&self) -> String {
        reference(self.origin, &self.name, &self.version)
    }

    fn expression(&self) -> Result<Expression> {
        Expression::parse(&self.licence).map_err(|error| self.unclear(&error))
    }

    fn unclear(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::Licences(vec![format!("{} {}: {reason}", self.name, self.version)])
    }
}

fn reference(origin: Origin, name: &str, version: &str) -> String {
    let kind = match origin {
        Origin::Own => "own",
        Origin::Crate => "cargo",
        Origin::Npm => "npm",
        Origin::Toolchain => "toolchain",
    };
    format!("{kind}:{name}@{version}")
}

/// Writes both documents to the cache; returns the one that belongs beside the page's scripts, and the one that
/// belongs at the root of the site.
pub fn documents() -> Result<(Mount, Mount)> {
    let packages = packages()?;
    let written = |name: &str, text: String| {
        let file = project::cache().join(name);
        project::write_if_changed(&file, text.into_bytes()).map(|()| file)
    };
    let licences = written("licences.json", licences::document(&packages)?)?;
    let list = written(SBOM, sbom::document(&packages)?)?;
    Ok((Mount::new(LICENCES, licences), Mount::new(SBOM, list)))
}

/// Every package of the site, sorted by origin, name and version.
fn packages() -> Result<Vec<Package>> {
    let mut packages = crates::linked()?;
    packages.extend(npm::packages()?);
    packages.push(crates::standard_library()?);
    packages.sort_by_key(|package| {
        (
            package.origin,
            package.name.clone(),
            package.version.clone(),
        )
    });
    Ok(packages)
}

/// Reads a TOML file at the root of the repository.
fn table(name: &str) -> Result<toml::Table> {
    let path = project::at(name);
    let text = project::read_text(&path)?;
    text.parse().map_err(|error| Error::Toml {
        path,
        reason: format!("{error}"),
    })
}

/// An expression in the syntax of SPDX: crates.io accepts `MIT/Apache-2.0`.
fn canonical(expression: &str) -> String {
    match Expression::canonicalize(expression) {
        Ok(Some(canonical)) => canonical,
        // The policy reports what is no expression.
        _ => expression.to_owned(),
    }
}

/// An author's name without the address after it.
fn without_address(author: &str) -> String {
    author
        .split('<')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The files with licence texts among those of a package's folder, sorted.
fn licence_files(folder: &Path) -> Result<Vec<PathBuf>> {
    const STARTS: [&str; 6] = [
        "license",
        "licence",
        "unlicense",
        "copying",
        "copyright",
        "notice",
    ];
    /// Shorter files name a licence, or are a link out of the package that became the text of its target.
    const LEAST_BYTES: u64 = 100;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).about("list", folder)? {
        let path = entry.about("list", folder)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let about = fs::metadata(&path).about("read", &path)?;
        let is_named = STARTS.iter().any(|start| name.starts_with(start));
        if is_named && about.is_file() && about.len() >= LEAST_BYTES {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;

    /// The packages of the site, collected once for all tests.
    pub fn of_the_site() -> &'static [Package] {
        static PACKAGES: OnceLock<Vec<Package>> = OnceLock::new();
        PACKAGES.get_or_init(|| packages().unwrap())
    }

    /// A crate with a licence and without files.
    pub fn package(name: &str, licence: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            origin: Origin::Crate,
            licence: licence.to_owned(),
            authors: Vec::new(),
            repository: None,
            files: Vec::new(),
            requires: Vec::new(),
        }
    }

    #[test]
    fn the_old_syntax_of_crates_io_becomes_spdx() {
        assert_eq!(canonical("MIT / Apache-2.0"), "MIT OR Apache-2.0");
        assert_eq!(canonical("Unlicense/MIT"), "Unlicense OR MIT");
        assert_eq!(canonical("MIT"), "MIT");
    }

    #[test]
    fn an_author_is_named_without_an_address() {
        assert_eq!(without_address("A B <a@b.example>"), "A B");
        assert_eq!(without_address("A B"), "A B");
    }

    #[test]
    fn both_documents_are_written() {
        let (licences, list) = documents().unwrap();
        assert_eq!(
            (licences.address.as_str(), list.address.as_str()),
            (LICENCES, SBOM)
        );
        for mount in [licences, list] {
            let text = project::read_text(&mount.source).unwrap();
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }

    #[test]
    fn a_link_that_became_text_is_no_licence() {
        let folder = std::env::temp_dir().join(format!("webtune-licences-{}", std::process::id()));
        project::write(&folder.join("LICENSE-MIT"), "../LICENSE-MIT").unwrap();
        project::write(&folder.join("COPYING"), "You may use it. ".repeat(20)).unwrap();
        project::write(&folder.join("README.md"), "You may read it. ".repeat(20)).unwrap();
        let files = licence_files(&folder);
        project::remove_dir(&folder).unwrap();
        assert_eq!(files.unwrap(), [folder.join("COPYING")]);
    }

    #[test]
    fn a_package_of_the_site_is_in_the_list_once() {
        let packages = of_the_site();
        let mut references: Vec<_> = packages.iter().map(Package::reference).collect();
        let count = references.len();
        references.dedup();
        assert_eq!(references.len(), count);
        for name in ["burn", "tokenizers", "wide", "uplot", "onnxruntime-web"] {
            assert!(
                packages.iter().any(|package| package.name == name),
                "{name}"
            );
        }
        // A build tool, a crate of native tests, and a tool of xtask.
        for name in ["prost-derive", "pollster", "lexopt"] {
            assert!(
                !packages.iter().any(|package| package.name == name),
                "{name}"
            );
        }
    }
}
