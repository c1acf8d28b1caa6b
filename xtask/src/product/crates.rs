//! The crates that are linked into the wasm modules. `cargo tree` knows which, and `cargo metadata` what they are.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use super::{Origin, Package, canonical, licence_files, reference, table, without_address};
use crate::error::{Error, Result};
use crate::{process, project};

const TARGET: &str = "wasm32-unknown-unknown";
/// The packages of the wasm modules with their features.
const ROOTS: [[&str; 2]; 2] = [
    ["--package=webtune", "--features=gpu"],
    ["--package=webtune-cpu-module", "--features=threads"],
];
const TREE: &str = "Cargo's message is above. `cargo update --workspace` writes Cargo.lock again.";
const TOOLCHAIN: &str = "rust-toolchain.toml";

/// The crates of the modules, those of this repository included. Procedural macros run in the compiler and are not.
pub fn linked() -> Result<Vec<Package>> {
    let mut linked = BTreeSet::new();
    for root in ROOTS {
        let mut cargo = process::cargo();
        cargo
            .args([
                "tree",
                "--locked",
                "--edges=normal,no-proc-macro",
                "--prefix=none",
            ])
            .args(["--format={p}", "--target", TARGET])
            .args(root);
        linked.extend(read_tree(&process::output(&mut cargo, TREE)?));
    }
    let metadata = metadata()?;
    let mut packages = Vec::with_capacity(linked.len());
    for package in &metadata.packages {
        if linked.contains(&named(package)) {
            packages.push(read(package, &metadata, &linked)?);
        }
    }
    Ok(packages)
}

/// The folders in which cargo keeps the sources of the modules' crates, one a registry.
pub fn registries() -> Result<BTreeSet<PathBuf>> {
    let metadata = metadata()?;
    let crates = metadata
        .packages
        .iter()
        .filter(|package| origin(package) == Origin::Crate);
    Ok(crates
        .filter_map(|package| Some(package.manifest_path.parent()?.parent()?.into()))
        .collect())
}

/// The standard library of the toolchain that rust-toolchain.toml names. It is compiled into the modules.
pub fn standard_library() -> Result<Package> {
    let file = table(TOOLCHAIN)?;
    let channel = file
        .get("toolchain")
        .and_then(|toolchain| toolchain.get("channel"))
        .and_then(toml::Value::as_str)
        .ok_or_else(|| Error::Toml {
            path: project::at(TOOLCHAIN),
            reason: "it names no channel".to_owned(),
        })?;
    Ok(Package {
        name: "Rust standard library".to_owned(),
        version: channel.to_owned(),
        origin: Origin::Toolchain,
        licence: "MIT OR Apache-2.0".to_owned(),
        authors: vec!["The Rust Project contributors".to_owned()],
        repository: Some("https://github.com/rust-lang/rust".to_owned()),
        files: Vec::new(),
        requires: Vec::new(),
    })
}

/// Reads the lines `name vversion`, after which cargo writes a folder or a mark.
fn read_tree(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let version = words.next()?.strip_prefix('v')?;
        Some((name.to_owned(), version.to_owned()))
    })
}

fn metadata() -> Result<Metadata> {
    let mut cargo = process::cargo();
    cargo
        .args(["metadata", "--format-version=1", "--locked"])
        .args(["--features=gpu", "--filter-platform", TARGET]);
    let text = process::output(&mut cargo, TREE)?;
    MetadataCommand::parse(text).map_err(|error| Error::Metadata(error.to_string()))
}

fn named(package: &cargo_metadata::Package) -> (String, String) {
    (package.name.to_string(), package.version.to_string())
}

fn read(
    package: &cargo_metadata::Package,
    metadata: &Metadata,
    linked: &BTreeSet<(String, String)>,
) -> Result<Package> {
    let origin = origin(package);
    let folder = package
        .manifest_path
        .parent()
        .unwrap_or(&package.manifest_path);
    Ok(Package {
        name: package.name.to_string(),
        version: package.version.to_string(),
        origin,
        licence: canonical(package.license.as_deref().unwrap_or_default()),
        authors: package
            .authors
            .iter()
            .map(|author| without_address(author))
            .collect(),
        repository: package.repository.clone(),
        files: licence_files(folder.as_std_path())?,
        requires: requires(package, metadata, linked),
    })
}

fn origin(package: &cargo_metadata::Package) -> Origin {
    match package.source {
        None => Origin::Own,
        Some(_) => Origin::Crate,
    }
}

/// The linked crates that a crate depends on, by their references.
fn requires(
    package: &cargo_metadata::Package,
    metadata: &Metadata,
    linked: &BTreeSet<(String, String)>,
) -> Vec<String> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let node = nodes.into_iter().find(|node| node.id == package.id);
    let mut found: Vec<String> = node
        .iter()
        .flat_map(|node| &node.deps)
        .filter(|edge| {
            edge.dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal)
        })
        .filter_map(|edge| metadata.packages.iter().find(|other| other.id == edge.pkg))
        .filter(|other| linked.contains(&named(other)))
        .map(|other| reference(origin(other), &other.name, &other.version.to_string()))
        .collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_read_without_folders_and_marks() {
        let text = "webtune v0.1.0 (/a b/c)\nwide v1.7.1\nwide v1.7.1 (*)\n\n";
        let read: BTreeSet<_> = read_tree(text).collect();
        let expected = [("webtune", "0.1.0"), ("wide", "1.7.1")]
            .map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(read, BTreeSet::from(expected));
    }

    #[test]
    fn the_standard_library_has_the_version_of_the_toolchain() {
        let version = standard_library().unwrap().version;
        assert!(version.starts_with("1.") && version.len() > 3, "{version}");
    }
}
