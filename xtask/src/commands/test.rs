//! `cargo xtask test`: every check there is. A missing browser, adapter or model is a failure, never a skip.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::build;
use crate::error::{About, Result};
use crate::setup;
use crate::tally::{self, Counts, Tally};
use crate::wasm::Profile;
use crate::{process, project};

const FORMAT: &str = "Run `cargo fmt --all`.";
const LINT: &str = "Clippy's messages are above.";
const TYPES: &str =
    "The type errors are above; they are in the page's scripts or in the browser tests.";

/// Sets up what is missing and runs everything; `full` adds what takes too long for every day.
pub fn run(full: bool) -> Result<()> {
    let mut tally = Tally::default();
    let npm = tally.set_up("the npm packages", setup::npm);
    let chrome = tally.set_up("the browser", setup::chromium);

    tally.step("formatting", || {
        check(process::cargo().args(["fmt", "--all", "--check"]), FORMAT)
    });
    tally.step("clippy (native)", || {
        lint(clippy(&["--workspace", "--all-targets"]))
    });
    tally.step("clippy (wasm)", clippy_wasm);
    tally.step("native tests", || native_tests(full));
    let mut dist = None;
    tally.step_with("release build", npm, |()| {
        dist = Some(build::run(Profile::Release)?);
        Ok(Counts::ONE_PASSED)
    });
    tally.step_with("type check of the page", npm, |()| {
        check(
            process::npm_tool("typescript/bin/tsc").args(["--project", "tsconfig.json"]),
            TYPES,
        )
    });
    let page_tests = page_tests()?;
    if !page_tests.is_empty() {
        tally.step("page script tests", || run_page_tests(&page_tests));
    }
    tally.step_with("browser tests", dist.zip(chrome), |(dist, chrome)| {
        browser_tests(&dist, &chrome, full)
    });
    tally.finish()
}

fn check(command: &mut Command, hint: &'static str) -> Result<Counts> {
    process::run(command, hint).map(|()| Counts::ONE_PASSED)
}

fn clippy(arguments: &[&str]) -> Command {
    let mut cargo = process::cargo();
    cargo.arg("clippy").args(arguments);
    cargo
}

fn clippy_wasm() -> Result<Counts> {
    lint(clippy(&[
        "--package",
        "webtune",
        "--features",
        "gpu",
        "--target",
        "wasm32-unknown-unknown",
    ]))
}

fn lint(mut clippy: Command) -> Result<Counts> {
    check(clippy.args(["--", "--deny", "warnings"]), LINT)
}

/// xtask is tested by itself: with the other packages it would get other features of its dependencies,
/// and all of them would be compiled a second time.
fn native_tests(full: bool) -> Result<Counts> {
    let mut counts = Counts::default();
    for packages in [
        ["--workspace", "--exclude", "xtask"].as_slice(),
        &["--package", "xtask"],
    ] {
        let mut cargo = process::cargo();
        cargo.args(["test", "--no-fail-fast"]).args(packages);
        if full {
            cargo.args(["--", "--include-ignored"]);
        }
        counts += counted(&mut cargo, tally::cargo_result)?;
    }
    Ok(counts)
}

/// The tests of page scripts that need no browser.
fn page_tests() -> Result<Vec<PathBuf>> {
    let folder = project::at("tests/page");
    let files = if folder.is_dir() {
        project::files_below(&folder)?
    } else {
        Vec::new()
    };
    Ok(files
        .into_iter()
        .filter(|file| file.to_string_lossy().ends_with(".test.js"))
        .collect())
}

fn run_page_tests(files: &[PathBuf]) -> Result<Counts> {
    counted(
        process::node()
            .args(["--test", "--test-reporter=spec", "--test-timeout=60000"])
            .args(files),
        tally::node_result,
    )
}

/// Runs a program that reports its tests line by line, showing its output and adding up what it says.
fn counted(command: &mut Command, read: impl Fn(&str) -> Option<Counts>) -> Result<Counts> {
    let mut counts = Counts::default();
    let status = process::each_line(command, |line| {
        println!("{line}");
        counts += read(line).unwrap_or_default();
    })?;
    Ok(counts.with_outcome(status.success()))
}

/// Drives the built page in the browser. The tests' own configuration starts the server and sets the adapter.
fn browser_tests(dist: &Path, chrome: &Path, full: bool) -> Result<Counts> {
    setup::warn_without_korean_font();
    let report = project::at("test-results/report.json");
    if report.is_file() {
        std::fs::remove_file(&report).about("delete", &report)?;
    }
    let mut playwright = process::npm_tool("@playwright/test/cli.js");
    playwright.args([
        "test",
        "--config",
        "tests/browser/playwright.config.js",
        "--reporter",
        "list,json",
    ]);
    playwright
        .env("CHROME", chrome)
        .env("WEBTUNE_DIST", dist)
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report);
    if full {
        playwright.env("WEBTUNE_FULL", "1");
    }
    let status = process::each_line(&mut playwright, |line| println!("{line}"))?;
    Ok(tally::playwright_report(&report)?.with_outcome(status.success()))
}
