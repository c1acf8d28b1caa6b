//! Compresses the files of the site to `.br` and `.gz`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{About, Result};
use crate::wasm::Form;
use crate::{process, progress, project};

const HINT: &str = "Node's message is above; it has to be Node.js 20 or newer.";
const KINDS: [&str; 9] = [
    "css", "html", "js", "json", "map", "md", "svg", "txt", "wasm",
];

/// Whether a file is of a kind that compression makes smaller.
fn compressible(path: &Path) -> bool {
    let kind = path.extension().unwrap_or_default().to_string_lossy();
    KINDS.contains(&kind.as_ref())
        || path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("LICENSE"))
}

/// Puts `file.br` and `file.gz` beside each compressible file. Results are cached.
pub fn beside(files: &[PathBuf], form: Form) -> Result<()> {
    let quality = if form == Form::Published { 11 } else { 5 };
    let cache = project::cache().join(format!("compressed-{}", form.name()));
    project::make_dir(&cache)?;
    let mut jobs = Vec::new();
    let mut pairs = Vec::new();
    for file in files.iter().filter(|file| compressible(file)) {
        let packed = cache.join(project::hash(&project::read(file)?));
        let (br, gz) = (with_suffix(&packed, ".br"), with_suffix(&packed, ".gz"));
        if !(br.is_file() && gz.is_file()) {
            jobs.push(
                serde_json::json!({ "source": file, "br": br, "gz": gz, "quality": quality }),
            );
        }
        pairs.push((br, with_suffix(file, ".br")));
        pairs.push((gz, with_suffix(file, ".gz")));
    }
    if !jobs.is_empty() {
        progress::step(&format!("brotli and gzip of {} files", jobs.len()), || {
            compress(&jobs)
        })?;
    }
    for (packed, place) in &pairs {
        project::copy(packed, place)?;
    }
    forget_others(
        &cache,
        pairs.into_iter().map(|(packed, _)| packed).collect(),
    )
}

fn compress(jobs: &[serde_json::Value]) -> Result<()> {
    let list = project::cache().join("compress.json");
    project::write(&list, serde_json::Value::from(jobs).to_string())?;
    let mut node = process::node();
    process::run(node.arg(project::at("xtask/compress.js")).arg(&list), HINT)
}

fn forget_others(cache: &Path, used: BTreeSet<PathBuf>) -> Result<()> {
    for file in project::files_below(cache)?
        .into_iter()
        .filter(|file| !used.contains(file))
    {
        fs::remove_file(&file).about("delete", file)?;
    }
    Ok(())
}

/// A path with something added to its file name.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_pictures_are_not_compressed() {
        assert!(compressible(Path::new("pkg/webtune_bg.wasm")));
        assert!(compressible(Path::new("LICENSE-MIT")));
        assert!(!compressible(Path::new("models/m/model.safetensors")));
        assert!(!compressible(Path::new("www/picture.png")));
    }

    #[test]
    fn a_suffix_is_added_to_the_whole_name() {
        assert_eq!(
            with_suffix(Path::new("a/b.js"), ".br"),
            Path::new("a/b.js.br")
        );
    }
}
