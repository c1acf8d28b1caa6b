//! The npm packages of which files are in the site.

use serde_json::Value;

use super::{Origin, Package, canonical, licence_files, without_address};
use crate::error::{Error, Result};
use crate::{project, site};

/// A package and the others that its files contain: they are bundled, so their files are not in the site.
const PACKAGES: [(&str, &[&str]); 4] = [
    (site::CHARTS_PACKAGE, &[]),
    (site::MODEL_PACKAGE, &[]),
    (
        "node_modules/@huggingface/transformers",
        &[
            "node_modules/@huggingface/jinja",
            "node_modules/@huggingface/tokenizers",
        ],
    ),
    (
        "node_modules/onnxruntime-web",
        &["node_modules/onnxruntime-web/node_modules/onnxruntime-common"],
    ),
];
/// The licence of ONNX Runtime, of which the packages contain none.
const ONNX_RUNTIME: &str = "www/export-demo/onnxruntime.LICENSE.txt";
/// Texts that a package lacks. The file in that of the model is for its scripts, not for the weights.
const ADDED: [(&str, &str); 3] = [
    (site::MODEL_PACKAGE, "LICENSE-APACHE"),
    ("node_modules/onnxruntime-web", ONNX_RUNTIME),
    (
        "node_modules/onnxruntime-web/node_modules/onnxruntime-common",
        ONNX_RUNTIME,
    ),
];

/// The packages, each before those that it contains.
pub fn packages() -> Result<Vec<Package>> {
    let mut packages = Vec::new();
    for (folder, bundled) in PACKAGES {
        let mut outer = read(folder)?;
        for inner in bundled {
            let inner = read(inner)?;
            outer.requires.push(inner.reference());
            packages.push(inner);
        }
        packages.push(outer);
    }
    Ok(packages)
}

fn read(name: &str) -> Result<Package> {
    let folder = project::at(name);
    let path = folder.join("package.json");
    let manifest: Value = serde_json::from_str(&project::read_text(&path)?)
        .map_err(|error| Error::Metadata(format!("{}: {error}", path.display())))?;
    let text = |name: &str| manifest[name].as_str().unwrap_or_default().to_owned();
    let mut files = licence_files(&folder)?;
    let added = ADDED.iter().filter(|(package, _)| *package == name);
    files.extend(added.map(|(_, file)| project::at(file)));
    Ok(Package {
        version: text("version"),
        origin: Origin::Npm,
        licence: canonical(&text("license")),
        authors: author(&manifest).into_iter().collect(),
        repository: repository(&manifest),
        files,
        requires: Vec::new(),
        name: text("name"),
    })
}

fn author(manifest: &Value) -> Option<String> {
    let author = &manifest["author"];
    let name = author.as_str().or(author["name"].as_str())?;
    Some(without_address(name))
}

/// The address of a repository, which npm also accepts with the name of a protocol of git.
fn repository(manifest: &Value) -> Option<String> {
    let repository = &manifest["repository"];
    let address = repository.as_str().or(repository["url"].as_str())?;
    let address = address.strip_prefix("git+").unwrap_or(address);
    address.starts_with("https://").then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::demo;

    /// Whether a file belongs to a package of the list, or to none of npm.
    fn is_listed(file: &Path) -> bool {
        let folders = PACKAGES
            .iter()
            .flat_map(|(folder, bundled)| [folder].into_iter().chain(*bundled));
        let mut folders = folders.map(|folder| project::at(folder));
        !file.starts_with(project::at("node_modules"))
            || folders.any(|folder| file.starts_with(folder))
    }

    #[test]
    fn every_file_of_npm_in_the_site_is_of_a_listed_package() {
        let mut mounts = site::models("models");
        mounts.extend(demo::mounts().unwrap());
        for mount in mounts {
            assert!(is_listed(&mount.source), "{}", mount.source.display());
        }
        assert!(!is_listed(&project::at("node_modules/sirv/index.js")));
    }

    #[test]
    fn a_package_is_read_with_its_licence() {
        let packages = packages().unwrap();
        let uplot = packages
            .iter()
            .find(|package| package.name == "uplot")
            .unwrap();
        assert_eq!((uplot.licence.as_str(), uplot.origin), ("MIT", Origin::Npm));
        assert_eq!(
            uplot.repository.as_deref(),
            Some("https://github.com/leeoniya/uPlot.git")
        );
        let model = packages
            .iter()
            .find(|package| package.name.ends_with("minilm-fp16"))
            .unwrap();
        assert!(model.files.contains(&project::at("LICENSE-APACHE")));
        for package in packages {
            assert!(
                !package.files.is_empty() && !package.version.is_empty(),
                "{}",
                package.name
            );
        }
    }
}
