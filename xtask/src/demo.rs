//! The demo page of an exported model: the files that the page puts into `demo/` of an export, so that the folder
//! classifies texts without another server. The site has them below `v/<content hash>/demo/` with `files.json`, a list
//! of their names and bytes. The page requests them only for an export with a demo.

use serde_json::json;

use crate::error::Result;
use crate::project;
use crate::site::Mount;

const FOLDER: &str = "demo";
/// The page itself, and the licence of a package that does not contain it.
const SOURCES: &str = "www/export-demo";
/// transformers.js for browsers, and the smallest onnxruntime: no GPU, and one thread, because more need headers that
/// simple servers do not send. Both names of an import in transformers.js point at it, see `index.html`.
const LIBRARY: [(&str, &str); 5] = [
    (
        "transformers.js",
        "node_modules/@huggingface/transformers/dist/transformers.web.min.js",
    ),
    (
        "transformers.LICENSE.txt",
        "node_modules/@huggingface/transformers/LICENSE",
    ),
    (
        "jinja.LICENSE.txt",
        "node_modules/@huggingface/jinja/LICENSE",
    ),
    (
        "onnxruntime.js",
        "node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
    ),
    (
        "ort-wasm-simd-threaded.wasm",
        "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
    ),
];
const LIST: &str = "files.json";

/// Every file of the demo, and their list, which is written to the cache.
pub fn mounts() -> Result<Vec<Mount>> {
    let mut mounts = Mount::new(FOLDER, project::at(SOURCES)).files()?;
    let library = LIBRARY.map(|(name, source)| Mount::new(address(name), project::at(source)));
    mounts.extend(library);
    mounts.sort_by(|a, b| a.address.cmp(&b.address));
    let list = project::cache().join("demo-files.json");
    project::write_if_changed(&list, listed(&mounts)?.into_bytes())?;
    mounts.push(Mount::new(address(LIST), list));
    Ok(mounts)
}

/// Whether a file of the site is in `mounts` already under its other address.
pub fn is_source(address: &str) -> bool {
    address.starts_with(&format!("{SOURCES}/"))
}

fn address(name: &str) -> String {
    format!("{FOLDER}/{name}")
}

fn listed(mounts: &[Mount]) -> Result<String> {
    let mut files = Vec::with_capacity(mounts.len());
    for Mount { address, source } in mounts {
        let name = &address[FOLDER.len() + 1..];
        files.push(json!({ "name": name, "bytes": project::read(source)?.len() }));
    }
    Ok(format!("{:#}\n", json!(files)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_refers_to_files_of_the_demo() {
        let page = project::read_text(&project::at("www/export-demo/index.html")).unwrap();
        let script = project::read_text(&project::at("www/export-demo/demo.js")).unwrap();
        for (name, _) in LIBRARY.iter().filter(|(name, _)| !name.ends_with(".txt")) {
            assert!(page.contains(name) || script.contains(name), "{name}");
        }
        assert!(is_source("www/export-demo/index.html") && !is_source("www/export.js"));
    }

    #[test]
    fn the_list_has_names_and_bytes() {
        let page = Mount::new("demo/index.html", project::at("www/export-demo/index.html"));
        let bytes = project::read(&page.source).unwrap().len();
        let list: serde_json::Value = serde_json::from_str(&listed(&[page]).unwrap()).unwrap();
        assert_eq!(list, json!([{ "name": "index.html", "bytes": bytes }]));
    }
}
