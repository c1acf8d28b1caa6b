//! `cargo xtask reproducible`: builds the site twice from nothing, in two clones of this repository in different
//! folders, and compares every file.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::{process, progress, project};

/// Of different lengths, because a path in a file would otherwise only change its bytes.
const FOLDERS: [&str; 2] = ["first", "second/in-a-longer-folder"];
const CLONE: &str = "git's message is above.";
const BUILD: &str = "The messages of the build are above.";

/// Builds, compares, and prints the table.
pub fn run() -> Result<()> {
    let files = measure()?;
    print!("{}", table(&files));
    match files.values().filter(|file| !file.is_equal()).count() {
        0 => Ok(()),
        different => Err(Error::NotReproducible(different)),
    }
}

/// A file of both builds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Its size in the first build.
    bytes: usize,
    /// Its SHA-256 in each build that has it.
    hashes: [Option<String>; 2],
}

impl File {
    fn is_equal(&self) -> bool {
        self.hashes[0] == self.hashes[1]
    }
}

/// Builds what is committed, twice, and returns every file of `dist/` by its path.
pub fn measure() -> Result<BTreeMap<String, File>> {
    // Outside of the repository: cargo adds the settings of all folders above.
    let root = std::env::temp_dir().join("webtune-reproducible");
    project::remove_dir(&root)?;
    let mut files = BTreeMap::new();
    for (index, name) in FOLDERS.iter().enumerate() {
        let clone = root.join(name);
        progress::step(&format!("build in {}", clone.display()), || build(&clone))?;
        collect(&clone.join("dist"), index, &mut files)?;
    }
    project::remove_dir(&root)?;
    Ok(files)
}

fn build(clone: &Path) -> Result<()> {
    project::make_parent(clone)?;
    let mut git = process::git();
    git.args(["clone", "--quiet"])
        .arg(project::root())
        .arg(clone);
    process::run(&mut git, CLONE)?;
    let mut cargo = process::cargo();
    cargo
        .args(["xtask", "build"])
        .current_dir(clone)
        .env_remove("CARGO_TARGET_DIR");
    process::run(&mut cargo, BUILD)
}

fn collect(dist: &Path, build: usize, files: &mut BTreeMap<String, File>) -> Result<()> {
    for path in project::files_below(dist)? {
        let bytes = project::read(&path)?;
        let name = path
            .strip_prefix(dist)
            .unwrap_or(&path)
            .display()
            .to_string();
        let file = files.entry(name).or_default();
        if build == 0 {
            file.bytes = bytes.len();
        }
        file.hashes[build] = Some(project::hash(&bytes));
    }
    Ok(())
}

/// The table of the files in Markdown, with the first digits of their hashes.
pub fn table(files: &BTreeMap<String, File>) -> String {
    let mut text =
        "| file | bytes | first build | second build | |\n| --- | ---: | --- | --- | --- |\n"
            .to_owned();
    for (name, file) in files {
        let [first, second] = file.hashes.each_ref().map(|hash| match hash {
            Some(hash) => &hash[..12],
            None => "missing",
        });
        let verdict = if file.is_equal() {
            "equal"
        } else {
            "**different**"
        };
        text += &format!(
            "| {name} | {} | {first} | {second} | {verdict} |\n",
            file.bytes
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            project::write(&folder.join(name), text).unwrap();
        }
    }

    #[test]
    fn files_that_differ_or_are_missing_are_named() {
        let root = std::env::temp_dir().join(format!("webtune-compare-{}", std::process::id()));
        let (first, second) = (root.join("a"), root.join("b"));
        write(
            &first,
            &[("same.js", "1"), ("v/other.js", "2"), ("one.js", "3")],
        );
        write(
            &second,
            &[("same.js", "1"), ("v/other.js", "4"), ("two.js", "3")],
        );
        let mut files = BTreeMap::new();
        collect(&first, 0, &mut files).unwrap();
        collect(&second, 1, &mut files).unwrap();
        project::remove_dir(&root).unwrap();
        let different: Vec<_> = files
            .iter()
            .filter(|(_, file)| !file.is_equal())
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(different, ["one.js", "two.js", "v/other.js"]);
        let table = table(&files);
        assert_eq!(table.matches("**different**").count(), 3, "{table}");
        assert!(
            table.contains("| one.js | 1 | ") && table.contains(" | missing | **different** |"),
            "{table}"
        );
    }
}
