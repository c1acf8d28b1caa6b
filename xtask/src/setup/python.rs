//! A Python environment under `target/` with the reference's packages: PyTorch, transformers, scikit-learn.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::apt::Apt;
use crate::error::Result;
use crate::{process, progress, project};

const REQUIREMENTS: &str = "tests/fixtures/reference/requirements.txt";
const NO_PYTHON: &str =
    "Install Python 3.10 or newer with its venv module (on Debian: python3 and python3-venv).";
const NO_PACKAGES: &str = "pip's message is above. \
                           Check that pip can reach its index and that some 10 GB of disk are free, then try again.";

/// The additional packages of the benchmark's export to ONNX.
const BENCH_REQUIREMENTS: &str = "bench/peers/requirements.txt";

/// Creates the environment, unless it exists with exactly these packages, and returns its Python.
pub fn install() -> Result<PathBuf> {
    let folder = project::target().join("parity/python");
    let python = program(&folder);
    let requirements = project::at(REQUIREMENTS);
    let stamp = folder.join("requirements.stamp");
    let wanted = project::hash(&project::read(&requirements)?);
    if project::stamped(&stamp, &wanted)
        && process::succeeds(Command::new(&python).arg("--version"))
    {
        return Ok(python);
    }
    progress::step("a Python environment", || {
        project::remove_dir(&folder)?;
        make(&folder)
    })?;
    progress::step("PyTorch and transformers (some 5 GB)", || {
        process::run(&mut pip_install(&python, &requirements), NO_PACKAGES)?;
        project::write(&stamp, &wanted)
    })?;
    Ok(python)
}

/// The same environment with the benchmark's packages added: one PyTorch on the disk is enough.
pub fn install_for_bench() -> Result<PathBuf> {
    let python = install()?;
    let requirements = project::at(BENCH_REQUIREMENTS);
    // In the environment's folder, so that a new environment installs these again.
    let stamp = project::target().join("parity/python/bench.stamp");
    let wanted = project::hash(&project::read(&requirements)?);
    if !project::stamped(&stamp, &wanted) {
        progress::step("the exporter to ONNX", || {
            process::run(&mut pip_install(&python, &requirements), NO_PACKAGES)?;
            project::write(&stamp, &wanted)
        })?;
    }
    Ok(python)
}

fn pip_install(python: &Path, requirements: &Path) -> Command {
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ])
    .arg(requirements);
    pip
}

/// Debian packages the module `venv` separately from Python. `virtualenv` from the package index replaces it.
fn make(folder: &Path) -> Result<()> {
    let venv = || {
        let mut python = system();
        python.args(["-m", "venv"]).arg(folder);
        python
    };
    if process::succeeds(&mut venv()) {
        return Ok(());
    }
    let beside = project::target().join("parity/virtualenv");
    let mut pip = system();
    pip.args(["-m", "pip", "install", "--quiet", "--target"])
        .arg(&beside)
        .arg("virtualenv");
    if process::succeeds(&mut pip) {
        let mut virtualenv = system();
        virtualenv
            .args(["-m", "virtualenv"])
            .arg(folder)
            .env("PYTHONPATH", &beside);
        return process::run(&mut virtualenv, NO_PYTHON);
    }
    if let Some(apt) = Apt::available() {
        apt.install(&["python3-venv"])?;
    }
    process::run(&mut venv(), NO_PYTHON)
}

fn system() -> Command {
    Command::new(if cfg!(windows) { "python" } else { "python3" })
}

/// The Python of an environment.
fn program(folder: &Path) -> PathBuf {
    folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    })
}
