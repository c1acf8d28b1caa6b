//! Counting what passed and what failed, and reading those numbers out of what the test programs say.

use std::ops::AddAssign;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::{progress, project};

/// How many tests passed and how many failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that passed.
    pub passed: u64,
    /// Those that failed, and those that did not run though they should have.
    pub failed: u64,
}

impl Counts {
    /// A check that is one test by itself, passed.
    pub const ONE_PASSED: Self = Self {
        passed: 1,
        failed: 0,
    };

    /// These counts, with a failure more if the program that ran the tests failed without naming one.
    pub fn with_outcome(mut self, succeeded: bool) -> Self {
        if !succeeded && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The sum over all steps.
#[derive(Debug, Default)]
pub struct Tally {
    total: Counts,
    failures: Vec<String>,
}

impl Tally {
    /// Does a piece of set-up. It counts only when it fails, and then as one failed test.
    pub fn set_up<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        match work() {
            Ok(made) => Some(made),
            Err(error) => {
                self.fail(name, &error);
                None
            }
        }
    }

    /// Runs a step; whatever comes of it, the next one runs too.
    pub fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Counts>) {
        match progress::step(name, work) {
            Ok(counts) => {
                progress::note(format_args!(
                    "{name}: {} passed, {} failed",
                    counts.passed, counts.failed
                ));
                if counts.failed > 0 {
                    self.failures.push(name.to_owned());
                }
                self.total += counts;
            }
            Err(error) => self.fail(name, &error),
        }
    }

    /// Runs a step that needs something made before; without it, the step has failed.
    pub fn step_with<T>(
        &mut self,
        name: &str,
        needed: Option<T>,
        work: impl FnOnce(T) -> Result<Counts>,
    ) {
        self.step(name, || match needed {
            Some(needed) => work(needed),
            None => Err(Error::NoTests(format!(
                "{name} cannot run: what it needs failed above."
            ))),
        });
    }

    /// Names the steps that failed, then prints the one line that a machine reads.
    pub fn finish(self) -> Result<()> {
        for name in &self.failures {
            println!("FAILED: {name}");
        }
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        if self.total.failed == 0 && self.total.passed > 0 {
            Ok(())
        } else {
            Err(Error::TestsFailed)
        }
    }

    fn fail(&mut self, name: &str, error: &Error) {
        println!("error: {error}");
        self.failures.push(name.to_owned());
        self.total.failed += 1;
    }
}

/// The counts in one of `cargo test`'s lines `test result: ok. 3 passed; 0 failed; ...`.
pub fn cargo_result(line: &str) -> Option<Counts> {
    let (_, result) = line
        .trim()
        .strip_prefix("test result: ")?
        .split_once(". ")?;
    let count = |name| {
        result
            .split("; ")
            .find_map(|part| part.strip_suffix(name)?.trim().parse().ok())
    };
    Some(Counts {
        passed: count(" passed")?,
        failed: count(" failed")?,
    })
}

/// The count in one of the closing lines of Node's test runner: `ℹ pass 3`, `ℹ fail 0`, `ℹ skipped 0`, ...
/// What was skipped, cancelled or left for later counts as failed.
pub fn node_result(line: &str) -> Option<Counts> {
    let (name, number) = line.strip_prefix("ℹ ")?.split_once(' ')?;
    let number = number.trim().parse().ok()?;
    match name {
        "pass" => Some(Counts {
            passed: number,
            failed: 0,
        }),
        "fail" | "cancelled" | "skipped" | "todo" => Some(Counts {
            passed: 0,
            failed: number,
        }),
        _ => None,
    }
}

/// The counts in Playwright's JSON report. A test that was skipped, or passed only when repeated, has failed.
pub fn playwright_report(path: &Path) -> Result<Counts> {
    let unreadable = |reason: &dyn std::fmt::Display| {
        Error::NoTests(format!(
            "the browser tests left no readable report in {} ({reason}): see their messages above.",
            path.display()
        ))
    };
    let text = project::read_text(path).map_err(|error| unreadable(&error))?;
    let report: Value = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    let count = |name: &str| {
        report["stats"][name]
            .as_u64()
            .ok_or_else(|| unreadable(&format_args!("it has no stats.{name}")))
    };
    let failed = count("unexpected")? + count("flaky")? + count("skipped")?;
    let errors = report["errors"]
        .as_array()
        .map_or(0, |errors| errors.len() as u64);
    Ok(Counts {
        passed: count("expected")?,
        failed: failed.max(errors.min(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_result_lines_are_counted() {
        let line = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(
            cargo_result(line),
            Some(Counts {
                passed: 12,
                failed: 0
            })
        );
        assert_eq!(
            cargo_result(&line.replace("ok. 12 passed; 0", "FAILED. 10 passed; 2")),
            Some(Counts {
                passed: 10,
                failed: 2
            })
        );
        assert_eq!(cargo_result("test data::split ... ok"), None);
    }

    #[test]
    fn nodes_closing_lines_are_counted() {
        assert_eq!(
            node_result("ℹ pass 7"),
            Some(Counts {
                passed: 7,
                failed: 0
            })
        );
        assert_eq!(
            node_result("ℹ skipped 2"),
            Some(Counts {
                passed: 0,
                failed: 2
            })
        );
        assert_eq!(node_result("ℹ tests 9"), None);
        assert_eq!(node_result("✔ a test (1.2ms)"), None);
    }

    #[test]
    fn a_skipped_browser_test_has_failed() {
        let path = std::env::temp_dir().join(format!("webtune-report-{}.json", std::process::id()));
        std::fs::write(
            &path,
            r#"{"stats":{"expected":5,"skipped":1,"unexpected":2,"flaky":1},"errors":[]}"#,
        )
        .unwrap();
        assert_eq!(
            playwright_report(&path).unwrap(),
            Counts {
                passed: 5,
                failed: 4
            }
        );
        std::fs::write(&path, r#"{"stats":{"expected":0,"skipped":0,"unexpected":0,"flaky":0},"errors":[{"message":"no tests"}]}"#).unwrap();
        assert_eq!(
            playwright_report(&path).unwrap(),
            Counts {
                passed: 0,
                failed: 1
            }
        );
        std::fs::remove_file(&path).unwrap();
        assert!(
            playwright_report(&path)
                .unwrap_err()
                .to_string()
                .contains("no readable report")
        );
    }

    #[test]
    fn a_program_that_fails_without_a_failed_test_is_a_failure() {
        let counts = Counts {
            passed: 3,
            failed: 0,
        };
        assert_eq!(counts.with_outcome(false).failed, 1);
        assert_eq!(counts.with_outcome(true).failed, 0);
    }

    #[test]
    fn a_failed_step_does_not_stop_the_next() {
        let mut tally = Tally::default();
        let made: Option<()> = tally.set_up("the browser", || {
            Err(Error::NoChrome {
                reason: "tested".to_owned(),
            })
        });
        tally.step_with("browser tests", made, |()| Ok(Counts::ONE_PASSED));
        tally.step("formatting", || Ok(Counts::ONE_PASSED));
        assert_eq!(
            tally.total,
            Counts {
                passed: 1,
                failed: 2
            }
        );
        assert!(matches!(tally.finish(), Err(Error::TestsFailed)));
    }
}
