//! Builds by cargo, with its JSON messages instead of its text for people.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::error::Result;
use crate::process;

const FAILED: &str = "The compiler's messages are above.";

/// The artifacts and warnings of a build.
#[derive(Debug, Default)]
pub struct Build {
    /// The programs that run tests.
    pub test_programs: Vec<TestProgram>,
    /// The name of each WebAssembly module's target in Cargo.toml, and the module.
    modules: Vec<(String, PathBuf)>,
    /// The number of warnings of the compiler or clippy.
    pub warnings: u64,
}

/// A compiled file of tests.
#[derive(Debug, PartialEq, Eq)]
pub struct TestProgram {
    /// The name of its target in Cargo.toml.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// The package's folder, in which tests run.
    pub folder: PathBuf,
}

/// Runs a cargo command that builds, prints the compiler's messages, and returns what was built.
pub fn build(cargo: &mut Command) -> Result<Build> {
    build_with(cargo, &[] as &[&str])
}

/// The same with arguments that must come last, such as those of `cargo rustc` for the compiler.
pub fn build_with(cargo: &mut Command, last: &[impl AsRef<OsStr>]) -> Result<Build> {
    let mut build = Build::default();
    cargo.arg("--message-format=json").args(last);
    let status = process::each_line(cargo, |line| {
        if let Some(text) = build.read(line) {
            eprintln!("{text}");
        }
    })?;
    process::check(cargo, status, FAILED).map(|()| build)
}

/// A cargo command that compiles the workspace's packages with clippy's lints.
///
/// Dependencies are compiled by plain rustc, so that other builds with the same profile share them. `cargo clippy`
/// checks each of them a second time.
pub fn with_clippy(arguments: &[&str]) -> Command {
    let mut cargo = process::cargo();
    cargo
        .args(arguments)
        .env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")
        // clippy-driver expects it. The warnings are counted here, so that tests run in spite of them.
        .env("CLIPPY_ARGS", "");
    cargo
}

impl Build {
    /// Reads one of cargo's messages and returns the text to print.
    fn read(&mut self, line: &str) -> Option<String> {
        let message: Value = serde_json::from_str(line).ok()?;
        match message["reason"].as_str()? {
            "compiler-message" => {
                let diagnostic = &message["message"];
                if is_about_atomics(diagnostic["message"].as_str().unwrap_or_default()) {
                    return None;
                }
                if diagnostic["level"] == "warning" {
                    self.warnings += 1;
                }
                Some(diagnostic["rendered"].as_str()?.trim_end().to_owned())
            }
            "compiler-artifact" => {
                self.add(&message);
                None
            }
            _ => None,
        }
    }

    fn add(&mut self, artifact: &Value) {
        let name = artifact["target"]["name"].as_str().unwrap_or_default();
        let manifest = Path::new(artifact["manifest_path"].as_str().unwrap_or_default());
        if let (Some(program), Some(true)) = (
            artifact["executable"].as_str(),
            artifact["profile"]["test"].as_bool(),
        ) {
            self.test_programs.push(TestProgram {
                name: name.to_owned(),
                program: program.into(),
                folder: manifest.parent().unwrap_or(manifest).to_owned(),
            });
        }
        let files = artifact["filenames"].as_array().into_iter().flatten();
        let mut files = files.filter_map(Value::as_str);
        if let Some(module) = files.find(|file| file.ends_with(".wasm")) {
            self.modules.push((name.to_owned(), module.into()));
        }
    }

    /// The WebAssembly module of a target.
    pub fn module(self, name: &str) -> Option<PathBuf> {
        let mut modules = self.modules.into_iter();
        modules.find_map(|(target, module)| (target == name).then_some(module))
    }
}

/// Whether a warning is the one about the atomic instructions of `cpu_module`, which are meant. It can go when
/// rust-lang/rust#77839 is stable.
fn is_about_atomics(warning: &str) -> bool {
    warning == "unstable feature specified for `-Ctarget-feature`: `atomics`"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Build, Option<String>) {
        let mut build = Build::default();
        let text = build.read(line);
        (build, text)
    }

    #[test]
    fn the_module_is_found() {
        let message = r#"{"reason":"compiler-artifact","target":{"name":"webtune"},"profile":{"test":false},
            "executable":null,"filenames":["/t/libwebtune.rlib","/t/webtune.wasm"]}"#;
        assert_eq!(
            read(message).0.module("webtune"),
            Some("/t/webtune.wasm".into())
        );
        assert_eq!(read(message).0.module("burn"), None);
        assert_eq!(read("not json").0.module("webtune"), None);
    }

    #[test]
    fn programs_of_tests_are_found() {
        let message = r#"{"reason":"compiler-artifact","target":{"name":"seeds"},"profile":{"test":true},
            "executable":"/t/seeds-1","manifest_path":"/repository/Cargo.toml","filenames":["/t/seeds-1"]}"#;
        let expected = TestProgram {
            name: "seeds".into(),
            program: "/t/seeds-1".into(),
            folder: "/repository".into(),
        };
        assert_eq!(read(message).0.test_programs, [expected]);
        let example = message.replace("\"test\":true", "\"test\":false");
        assert!(read(&example).0.test_programs.is_empty());
    }

    #[test]
    fn warnings_are_counted_and_printed() {
        let message = r#"{"reason":"compiler-message","message":{"level":"warning","rendered":"warning: unused\n"}}"#;
        let (build, text) = read(message);
        assert_eq!(build.warnings, 1);
        assert_eq!(text.as_deref(), Some("warning: unused"));
    }
}
