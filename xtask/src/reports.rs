//! Reads the machine-readable reports of Playwright and of Node's test runner.

use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::project;
use crate::tally::Counts;

/// Reads Playwright's JSON report. A test that was skipped, or passed only when it was repeated, counts as failed.
pub fn playwright(path: &Path) -> Result<Counts> {
    let report = Report::read(path)?;
    let stats = |name| report.count(&["stats", name]);
    let failed = stats("unexpected")? + stats("flaky")? + stats("skipped")?;
    let has_errors = report.json["errors"]
        .as_array()
        .is_some_and(|errors| !errors.is_empty());
    Ok(Counts {
        passed: stats("expected")?,
        failed: failed.max(u64::from(has_errors)),
    })
}

/// Reads what `xtask/reporter.js` wrote. A test that was skipped or is marked as to do counts as failed.
pub fn node(path: &Path) -> Result<Counts> {
    let report = Report::read(path)?;
    Ok(Counts {
        passed: report.count(&["passed"])?,
        failed: report.count(&["failed"])? + report.count(&["skipped"])?,
    })
}

struct Report<'a> {
    path: &'a Path,
    json: Value,
}

impl<'a> Report<'a> {
    fn read(path: &'a Path) -> Result<Self> {
        let text = project::read_text(path).map_err(|error| unreadable(path, &error))?;
        let json = serde_json::from_str(&text).map_err(|error| unreadable(path, &error))?;
        Ok(Self { path, json })
    }

    fn count(&self, keys: &[&str]) -> Result<u64> {
        let value = keys.iter().try_fold(&self.json, |json, key| json.get(key));
        value.and_then(Value::as_u64).ok_or_else(|| {
            let missing = format!("it has no {}", keys.join("."));
            unreadable(self.path, &missing)
        })
    }
}

fn unreadable(path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::NoTests(format!(
        "the tests left no readable report in {} ({reason}): see their messages above.",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(read: fn(&Path) -> Result<Counts>, name: &str, report: &str) -> Result<Counts> {
        let path = std::env::temp_dir().join(format!("webtune-{name}-{}.json", std::process::id()));
        std::fs::write(&path, report).unwrap();
        let counts = read(&path);
        std::fs::remove_file(&path).unwrap();
        counts
    }

    fn found(passed: u64, failed: u64) -> Counts {
        Counts { passed, failed }
    }

    #[test]
    fn a_skipped_browser_test_counts_as_failed() {
        let report = r#"{"stats":{"expected":5,"skipped":1,"unexpected":2,"flaky":1},"errors":[]}"#;
        assert_eq!(counts(playwright, "skipped", report).unwrap(), found(5, 4));
    }

    #[test]
    fn an_error_outside_of_the_browser_tests_counts_as_failed() {
        let report = r#"{"stats":{"expected":0,"skipped":0,"unexpected":0,"flaky":0},
            "errors":[{"message":"no tests"}]}"#;
        assert_eq!(counts(playwright, "error", report).unwrap(), found(0, 1));
    }

    #[test]
    fn a_skipped_page_test_counts_as_failed() {
        let report = r#"{"passed":7,"failed":1,"skipped":2}"#;
        assert_eq!(counts(node, "node", report).unwrap(), found(7, 3));
    }

    #[test]
    fn a_missing_or_incomplete_report_is_an_error() {
        for error in [
            playwright(Path::new("/nowhere/report.json")).unwrap_err(),
            counts(node, "incomplete", r#"{"passed":7}"#).unwrap_err(),
        ] {
            assert!(error.to_string().contains("no readable report"), "{error}");
        }
    }
}
