//! `cargo xtask bench --native`: the kernels on the adapter of this machine through Vulkan, Metal or DirectX 12,
//! without a browser, and PyTorch on its CUDA device.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::error::Result;
use crate::{process, progress, project, setup};

const FAILED: &str = "The message of examples/native_bench.rs is above.";
const PYTORCH: &str = "bench/peers/products.py";
const NO_PYTORCH: &str = "no PyTorch beside it: bench/peers/products.py did not run";

/// Runs the example, built for development if `dev` is set, and PyTorch if there is a Python with CUDA.
pub fn run(dev: bool, no_python: bool, rest: &[OsString]) -> Result<()> {
    setup::vulkan()?;
    process::run(example(dev).args(rest), FAILED)?;
    if no_python {
        return Ok(());
    }
    let mut pytorch = Command::new(python());
    pytorch.arg(project::at(PYTORCH)).args(quick(rest));
    // It says itself why it measures nothing. Without any Python the kernels have been measured all the same.
    if process::run(&mut pytorch, PYTORCH).is_err() {
        progress::note(NO_PYTORCH);
    }
    Ok(())
}

fn example(dev: bool) -> Command {
    let mut cargo = process::cargo();
    cargo.args(["run", "--package", "webtune", "--features", "gpu"]);
    if !dev {
        cargo.arg("--release");
    }
    cargo.args(["--example", "native_bench", "--"]);
    cargo
}

/// The option of the example that the script has as well.
fn quick(rest: &[OsString]) -> Option<&'static str> {
    rest.iter()
        .any(|word| word == "--quick")
        .then_some("--quick")
}

/// The reference's Python if `cargo xtask parity` or `cargo xtask bench` has installed it, else that of the system.
/// This command installs none: PyTorch takes 5 GB.
fn python() -> PathBuf {
    let installed = project::target().join("parity/python/bin/python");
    if installed.is_file() {
        installed
    } else {
        "python3".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_gets_the_option_that_it_knows() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(quick(&words(&["--json", "times.json"])), None);
        assert_eq!(quick(&words(&["--no-steps", "--quick"])), Some("--quick"));
    }

    #[test]
    fn a_release_build_is_measured_unless_a_development_build_is_wanted() {
        let has_release = |dev: bool| example(dev).get_args().any(|word| word == "--release");
        assert!(has_release(false));
        assert!(!has_release(true));
    }
}
