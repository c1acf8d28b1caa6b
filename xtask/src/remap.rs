//! The names that replace folders of this machine in the modules, so that they are equal wherever they are built and do
//! not tell who built them. The texts of panics have the paths of sources.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::{product, project};

/// The arguments of cargo that give the compiler `flags` for the modules, and the names of the folders.
///
/// Only xtask knows the folders, so `.cargo/config.toml` cannot have these flags. Cargo adds both lists, and leaves
/// flags with `--remap-path-prefix` out of the names of symbols.
pub fn arguments(flags: &[&str]) -> Result<[String; 2]> {
    Ok(["--config".to_owned(), config(flags, &folders()?)])
}

/// The folders and their names. Of two that fit a path, rustc takes the last one.
fn folders() -> Result<Vec<(PathBuf, &'static str)>> {
    let mut folders = vec![
        (project::root(), "/webtune"),
        (project::target(), "/target"),
    ];
    folders.extend(
        product::registries()?
            .into_iter()
            .map(|folder| (folder, "/crates")),
    );
    Ok(folders)
}

fn config(flags: &[&str], folders: &[(PathBuf, &str)]) -> String {
    let remap =
        |(folder, name): &(PathBuf, &str)| format!("--remap-path-prefix={}={name}", text(folder));
    let flags = flags.iter().map(|flag| (*flag).to_owned());
    let all: Vec<_> = flags
        .chain(folders.iter().map(remap))
        .map(toml::Value::String)
        .collect();
    format!(
        "target.wasm32-unknown-unknown.rustflags={}",
        toml::Value::Array(all)
    )
}

fn text(folder: &Path) -> String {
    folder.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_quotes_is_written_as_toml() {
        let folders = [(PathBuf::from(r#"/a "b"\c"#), "/crates")];
        let text = config(&["-Cpanic=abort"], &folders);
        let read: toml::Table = text.parse().unwrap();
        let flags = read["target"]["wasm32-unknown-unknown"]["rustflags"]
            .as_array()
            .unwrap();
        assert_eq!(flags[0].as_str(), Some("-Cpanic=abort"));
        assert_eq!(
            flags[1].as_str(),
            Some(r#"--remap-path-prefix=/a "b"\c=/crates"#)
        );
    }

    #[test]
    fn every_folder_has_its_own_name() {
        let folders = folders().unwrap();
        assert_eq!(folders[0], (project::root(), "/webtune"));
        let (registry, _) = folders.iter().find(|(_, name)| *name == "/crates").unwrap();
        let crates = std::fs::read_dir(registry).unwrap().flatten();
        let mut names = crates.map(|entry| entry.file_name().to_string_lossy().into_owned());
        assert!(
            names.any(|name| name.starts_with("wide-")),
            "{}",
            registry.display()
        );
    }
}
