//! `cargo xtask bench`: webtune and its peers do the same work side by side.
//! `--accept` measures the figures of the regression gate again, `--native` the kernels without a browser.
//!
//! This command sets up what the benchmark needs and passes its options on. The measurement is in `bench/`.

mod native;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::build;
use crate::error::Result;
use crate::wasm::Form;
use crate::{process, progress, project, setup};

const DRIVER: &str = "bench/run.js";
const FAILED: &str =
    "The benchmark's message is above; `cargo xtask bench --help` lists its options.";
const TYPES: &str = "The type errors above are in bench/.";
const GATE: &str = "The test's message is above.";
const DECLINED: &str = "--no-python was given";

/// What this command itself takes; the rest is the driver's.
#[derive(Debug, Default, PartialEq)]
struct Options {
    help: bool,
    accept: bool,
    dev: bool,
    no_python: bool,
    native: bool,
    rest: Vec<OsString>,
}

impl Options {
    fn new(words: impl IntoIterator<Item = OsString>) -> Self {
        let mut options = Self::default();
        for word in words {
            match word.to_str() {
                Some("--help" | "-h") => options.help = true,
                Some("--accept") => options.accept = true,
                Some("--dev") => options.dev = true,
                Some("--no-python") => options.no_python = true,
                Some("--native") => options.native = true,
                _ => options.rest.push(word),
            }
        }
        options
    }
}

/// Runs the benchmark, or with `--accept` the gate.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Result<()> {
    let mut options = Options::new(words);
    if options.native {
        if options.help {
            options.rest.push("--help".into());
        }
        return native::run(
            options.dev,
            options.no_python || options.help,
            &options.rest,
        );
    }
    setup::npm()?;
    if options.help {
        return process::run(
            process::node().arg(project::at(DRIVER)).arg("--help"),
            FAILED,
        );
    }
    let chrome = setup::chromium()?;
    let dist = build::run(if options.dev {
        Form::Development
    } else {
        Form::Published
    })?;
    if options.accept {
        return accept(&chrome, &dist);
    }
    setup::npm_for_bench()?;
    process::run(
        process::npm_tool("typescript/bin/tsc").args(["--project", "bench/tsconfig.json"]),
        TYPES,
    )?;
    let mut driver = process::node();
    driver
        .arg(project::at(DRIVER))
        .arg("--dist")
        .arg(&dist)
        .arg("--out")
        .arg(project::target().join("bench"))
        .env("CHROME", &chrome);
    driver.arg(python_option(python(options.no_python)));
    if options.dev {
        driver.arg("--no-publish");
    }
    process::run(driver.args(&options.rest), FAILED)
}

/// The reference's Python. The benchmark does without it: the rows that need it then say why they are missing.
fn python(declined: bool) -> Result<PathBuf, String> {
    if declined {
        return Err(DECLINED.to_owned());
    }
    setup::python_for_bench().map_err(|error| {
        progress::note(format_args!("no PyTorch: {error}"));
        error.to_string()
    })
}

/// What the driver is told of the reference's Python. It is one word, because Node.js refuses a value that begins with
/// a dash in a word of its own.
fn python_option(python: Result<PathBuf, String>) -> OsString {
    match python {
        Ok(python) => {
            let mut option = OsString::from("--python=");
            option.push(python);
            option
        }
        Err(reason) => format!("--python-missing={reason}").into(),
    }
}

/// Lets the gate write what it measures to `bench/gate.json` instead of comparing.
fn accept(chrome: &Path, dist: &Path) -> Result<()> {
    let mut playwright = process::npm_tool("@playwright/test/cli.js");
    playwright
        .args([
            "test",
            "--config",
            "tests/browser/playwright.config.js",
            "gate.spec.js",
        ])
        .env("CHROME", chrome)
        .env("WEBTUNE_DIST", dist)
        .env("WEBTUNE_GATE", "accept");
    process::run(&mut playwright, GATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_its_own_is_handed_on() {
        let words = ["--case", "small-8x32", "--no-python", "--quick"].map(OsString::from);
        assert_eq!(
            Options::new(words),
            Options {
                no_python: true,
                rest: ["--case", "small-8x32", "--quick"]
                    .map(OsString::from)
                    .into(),
                ..Options::default()
            }
        );
    }

    #[test]
    fn a_reason_that_begins_with_a_dash_is_part_of_its_option() {
        let missing = python_option(Err(DECLINED.to_owned()));
        assert_eq!(missing, "--python-missing=--no-python was given");
        let found = python_option(Ok(PathBuf::from("/usr/bin/python3")));
        assert_eq!(found, "--python=/usr/bin/python3");
    }
}
