//! Counts what passed and what failed.

use std::ops::AddAssign;

use crate::error::{Error, Result};
use crate::progress;

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The tests that passed.
    pub passed: u64,
    /// The tests that failed, and those that should have run and did not.
    pub failed: u64,
}

impl Counts {
    /// A passed check that counts as one test.
    pub const ONE_PASSED: Self = Self {
        passed: 1,
        failed: 0,
    };

    /// Adds a failure if the program that ran the tests failed without a failed test.
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

/// The sum over all steps and the names of those that failed.
#[derive(Debug, Default)]
pub struct Tally {
    total: Counts,
    failures: Vec<String>,
}

impl Tally {
    /// Sets something up. It counts only if it fails, as one failed test.
    pub fn set_up<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        match work() {
            Ok(made) => Some(made),
            Err(error) => {
                self.fail(name, &error);
                None
            }
        }
    }

    /// Runs a step. A failed step does not stop the next one.
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

    /// Runs a step that needs the result of an earlier one. Without that result the step fails.
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

    /// Names the failed steps, then prints the total on one line.
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

#[cfg(test)]
mod tests {
    use super::*;

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
