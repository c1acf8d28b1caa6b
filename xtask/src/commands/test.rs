//! `cargo xtask test`: every check there is. A missing browser, adapter or model is a failure, never a skip.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{panic, thread};

use super::{build, deny};
use crate::cargo::{self, TestProgram};
use crate::error::{About, Error, Result};
use crate::tally::{Counts, Tally};
use crate::wasm::{self, Form};
use crate::{line_length, process, product, project, reports, setup};

const FORMAT: &str = "Run `cargo fmt --all`.";
const PRETTIER: &str = "Run `npm run format`.";
const TYPES: &str = "The type errors are above.";
/// The feature of the native tests. Another set of features would compile the dependencies a second time.
const GPU: &str = "--features=gpu";

/// Sets up what is missing and runs everything; `full` adds what takes too long for every day.
pub fn run(full: bool) -> Result<()> {
    let mut tally = Tally::default();
    let npm = tally.set_up("the npm packages", setup::npm);
    let chrome = tally.set_up("the browser", setup::chromium);
    let firefox = match full {
        true => tally.set_up("Firefox and WebKit", setup::engines),
        false => None,
    };
    tally.set_up("the Vulkan driver", setup::vulkan);

    tally.step("formatting (Rust)", || {
        check(process::cargo().args(["fmt", "--all", "--check"]), FORMAT)
    });
    tally.step_with("formatting (scripts and styles)", npm, |()| {
        check(&mut process::npm_run("check-format"), PRETTIER)
    });
    tally.step_with("licences and sources of dependencies", npm, |()| {
        product::check().map(|_| Counts::ONE_PASSED)
    });
    if full {
        tally.step("cargo-deny", || deny::policy().map(|()| Counts::ONE_PASSED));
    }
    tally.step("line length", || {
        line_length::check().map(|()| Counts::ONE_PASSED)
    });
    let mut dist = None;
    // Beside the native steps, because wasm-opt and linkers use one core only.
    thread::scope(|scope| {
        let building = npm.map(|()| scope.spawn(|| build::run(Form::Published)));
        let mut programs = Vec::new();
        tally.step("native build with clippy", || native_build(&mut programs));
        tally.step("native tests", || native_tests(&programs, full));
        tally.step("documentation tests", documentation_tests);
        tally.step_with("release build", building, |building| {
            dist = Some(
                building
                    .join()
                    .unwrap_or_else(|cause| panic::resume_unwind(cause))?,
            );
            Ok(Counts::ONE_PASSED)
        });
    });
    tally.step("clippy (wasm)", wasm_clippy);
    tally.step_with("type check of the page", npm, |()| {
        check(
            process::npm_tool("typescript/bin/tsc").args(["--project", "tsconfig.json"]),
            TYPES,
        )
    });
    tally.step_with("page script tests", npm, |()| page_tests());
    let built = dist.zip(chrome);
    tally.step_with("browser tests", built.as_ref(), |(dist, chrome)| {
        browser_tests(dist, chrome, full)
    });
    if full {
        tally.step_with(
            "tests in Firefox and WebKit",
            built.zip(firefox),
            |((dist, chrome), firefox)| engine_tests(&dist, &chrome, &firefox),
        );
    }
    tally.finish()
}

fn check(command: &mut Command, hint: &'static str) -> Result<Counts> {
    process::run(command, hint).map(|()| Counts::ONE_PASSED)
}

/// Compiles everything native with clippy's lints, once, with the kernels for GPUs, which tests/gpu.rs compares with
/// the CPU. The programs of the tests are added to `programs`.
///
/// xtask is compiled by itself: together with the other package, features of shared dependencies would differ from
/// those of `cargo xtask`, and they would be compiled a second time.
fn native_build(programs: &mut Vec<TestProgram>) -> Result<Counts> {
    let mut warnings = 0;
    for arguments in [
        ["test", "--no-run", "--package=webtune", GPU].as_slice(),
        &["test", "--no-run", "--package=webtune-cpu"],
        &["test", "--no-run", "--package=xtask"],
        // As a program, because a test build does not report what only tests use.
        &["build", "--package=xtask"],
    ] {
        let built = cargo::build(&mut cargo::with_clippy(arguments))?;
        programs.extend(built.test_programs);
        warnings += built.warnings;
    }
    without_warnings(warnings)
}

/// Compiles the page's crate again with clippy's lints, without optimization.
/// Its dependencies are those of the release build.
fn wasm_clippy() -> Result<Counts> {
    let mut cargo = cargo::with_clippy(&["rustc", "--crate-type=rlib"]);
    wasm::select(&mut cargo)?;
    let built = cargo::build_with(&mut cargo, &["--", "-Copt-level=0"])?;
    without_warnings(built.warnings)
}

fn without_warnings(warnings: u64) -> Result<Counts> {
    if warnings == 0 {
        return Ok(Counts::ONE_PASSED);
    }
    Err(Error::Warnings(warnings))
}

/// Runs each program of tests in its package's folder, as cargo does.
fn native_tests(programs: &[TestProgram], full: bool) -> Result<Counts> {
    if programs.is_empty() {
        return Err(Error::NoTests("no native test was built.".to_owned()));
    }
    let mut counts = Counts::default();
    for test in programs {
        println!("    {}", test.name);
        counts += run_program(test, full)?;
    }
    Ok(counts)
}

/// Counts the tests of a program by its list and reads from the exit status whether they passed, because libtest
/// reports single results only as text. A program that fails counts as one failure. Its output names the tests.
fn run_program(test: &TestProgram, full: bool) -> Result<Counts> {
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&test.program);
        command.args(arguments).current_dir(&test.folder);
        command
    };
    let count = |arguments| -> Result<u64> {
        let list = process::output(
            &mut command(arguments),
            "The test program cannot list its tests.",
        )?;
        Ok(list.lines().filter(|line| line.ends_with(": test")).count() as u64)
    };
    let mut passed = count(&["--list", "--format=terse"])?;
    if !full {
        passed -= count(&["--list", "--format=terse", "--ignored"])?;
    }
    let mut run = command(if full { &["--include-ignored"] } else { &[] });
    let status = process::each_line(&mut run, |line| println!("{line}"))?;
    Ok(if status.success() {
        Counts { passed, failed: 0 }
    } else {
        Counts {
            passed: 0,
            failed: 1,
        }
    })
}

fn documentation_tests() -> Result<Counts> {
    const HINT: &str = "The examples that failed are above.";
    check(
        &mut cargo::with_clippy(&["test", "--doc", "--package=webtune", GPU]),
        HINT,
    )
}

/// Runs the tests of page scripts that need no browser.
fn page_tests() -> Result<Counts> {
    node_tests("tests/page", Duration::from_secs(60), &[])
}

/// Drives the built page in Chromium, Firefox and WebKitGTK, and compares their results.
fn engine_tests(dist: &Path, chrome: &Path, firefox: &Path) -> Result<Counts> {
    let environment = [
        ("WEBTUNE_DIST", dist),
        ("CHROME", chrome),
        ("FIREFOX", firefox),
    ];
    node_tests("tests/engines", Duration::from_secs(1200), &environment)
}

/// Runs the files of a folder with Node's test runner.
fn node_tests(folder: &str, limit: Duration, environment: &[(&str, &Path)]) -> Result<Counts> {
    let report = fresh_report(&format!("{}.json", folder.replace('/', "-")))?;
    let files: Vec<PathBuf> = project::files_below(&project::at(folder))?
        .into_iter()
        .filter(|file| file.to_string_lossy().ends_with(".test.js"))
        .collect();
    let mut node = process::node();
    node.arg("--test")
        .arg(format!("--test-timeout={}", limit.as_millis()))
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .arg("--test-reporter=./xtask/reporter.js")
        .arg(format!("--test-reporter-destination={}", report.display()))
        .args(files)
        .envs(environment.iter().copied());
    let status = process::each_line(&mut node, |line| println!("{line}"))?;
    Ok(reports::node(&report)?.with_outcome(status.success()))
}

/// Drives the built page in the browser: first the tests that may share the machine, then, whatever came of them, those
/// of times. Their own configuration starts the server and sets the adapter.
fn browser_tests(dist: &Path, chrome: &Path, full: bool) -> Result<Counts> {
    setup::warn_without_korean_font();
    let mut counts = Counts::default();
    for project in ["shared", "timed"] {
        let report = fresh_report(&format!("report-{project}.json"))?;
        let mut playwright = process::npm_tool("@playwright/test/cli.js");
        playwright
            .args(["test", "--config=tests/browser/playwright.config.js"])
            .args([&format!("--project={project}"), "--no-deps"])
            .arg("--reporter=list,json")
            .env("CHROME", chrome)
            .env("WEBTUNE_DIST", dist)
            .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report);
        if full {
            playwright.env("WEBTUNE_FULL", "1");
        }
        let status = process::each_line(&mut playwright, |line| println!("{line}"))?;
        counts += reports::playwright(&report)?.with_outcome(status.success());
    }
    Ok(counts)
}

/// The path of a report that does not exist yet, so that an old one is never read.
fn fresh_report(name: &str) -> Result<PathBuf> {
    let report = project::at("test-results").join(name);
    project::make_parent(&report)?;
    if report.is_file() {
        std::fs::remove_file(&report).about("delete", &report)?;
    }
    Ok(report)
}
