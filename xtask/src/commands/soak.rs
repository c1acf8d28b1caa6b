//! `cargo xtask soak`: kills runs at random steps, continues them, and watches the memory of a long run.

use std::ffi::OsString;

use super::build;
use crate::error::Result;
use crate::wasm::Form;
use crate::{process, project, setup};

const DRIVER: &str = "tests/soak/soak.js";
const FAILED: &str =
    "The report above has the runs that were lost or continued wrongly, or a memory that grows.";

/// Sets up the browser, builds the site and passes the options on.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Result<()> {
    let dist = build::run(Form::Published)?;
    let chrome = setup::chromium()?;
    let mut node = process::node();
    node.arg(project::at(DRIVER))
        .arg("--dist")
        .arg(dist)
        .args(words)
        .env("CHROME", chrome);
    process::run(&mut node, FAILED)
}
