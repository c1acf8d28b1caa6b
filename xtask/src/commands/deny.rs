//! `cargo xtask deny`: cargo-deny checks every dependency, also those of tests and tools, against deny.toml.

use std::path::PathBuf;
use std::process::Command;

use crate::error::{Error, Result};
use crate::{process, progress, project};

const VERSION: &str = "0.20.2";
const NO_TOOL: &str =
    "Cargo's message is above. Check that cargo reaches its registry, then try again.";
const REFUSED: &str = "cargo-deny's messages are above; deny.toml has the rules.";

/// Everything, with the security advisories of RustSec.
///
/// # Errors
/// If something is refused, and also if the advisories could not be fetched: what was not checked has not passed.
pub fn run() -> Result<()> {
    policy()?;
    let mut fetch = deny()?;
    let fetched = progress::step("database of advisories", || {
        process::run(fetch.args(["fetch", "db"]), REFUSED)
    });
    if fetched.is_err() {
        return Err(Error::NoAdvisories);
    }
    check("security advisories", &["advisories"])
}

/// Licences, sources and bans, which depend on nothing but the repository.
pub fn policy() -> Result<()> {
    check(
        "licences, sources and bans",
        &["licenses", "sources", "bans"],
    )
}

fn check(name: &str, what: &[&str]) -> Result<()> {
    let mut deny = deny()?;
    progress::step(name, || process::run(deny.arg("check").args(what), REFUSED))
}

/// cargo-deny, installed below the folder of build outputs on the first call.
fn deny() -> Result<Command> {
    let root = project::target().join(format!("tools/cargo-deny-{VERSION}"));
    let program = root
        .join("bin")
        .join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        progress::step("cargo-deny", || install(&root))?;
    }
    let mut deny = Command::new(program);
    deny.current_dir(project::root())
        .arg("--locked")
        .arg("--workspace");
    Ok(deny)
}

fn install(root: &PathBuf) -> Result<()> {
    let mut cargo = process::cargo();
    cargo
        .args(["install", "--locked", "--version", VERSION, "--root"])
        .arg(root)
        .arg("cargo-deny");
    process::run(&mut cargo, NO_TOOL)
}
