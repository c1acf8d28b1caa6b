//! The npm packages: the default model, the charting library, and the tools that build and test the page.

use std::path::Path;

use crate::error::{Error, Result};
use crate::{process, progress, project};

const OLDEST_NODE: u32 = 20;
const HINT: &str = "Check that npm can reach its registry, then try again. \
                    If package-lock.json does not fit package.json, run `npm install`.";

/// What follows the hash of the lock file in a stamp if the packages for development were left out.
const FOR_PAGE: &str = " for the page";

/// Installs the packages of `package-lock.json`, unless exactly those are installed.
pub fn install() -> Result<()> {
    install_in(&project::root(), "npm packages", "")
}

/// Installs only the packages that the page and its server need: the default model, the charts, the file server.
pub fn install_for_page() -> Result<()> {
    install_in(&project::root(), "npm packages of the page", FOR_PAGE)
}

/// Installs the benchmark's peers. Their lock file is separate, because the page does not need them.
pub fn install_for_bench() -> Result<()> {
    install_in(&project::at("bench"), "npm packages of the benchmark", "")
}

fn install_in(folder: &Path, name: &str, part: &str) -> Result<()> {
    let stamp = folder.join("node_modules/.webtune-lock");
    let lock = project::hash(&project::read(&folder.join("package-lock.json"))?);
    let wanted = format!("{lock}{part}");
    // All packages include those of the page.
    if project::stamped(&stamp, &wanted) || project::stamped(&stamp, &lock) {
        return Ok(());
    }
    progress::step(name, || {
        check_node()?;
        let mut npm = process::npm();
        // No package needs a script to be installed, and some would download a program of their own.
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(folder)
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
        if part == FOR_PAGE {
            npm.arg("--omit=dev");
        }
        process::run(&mut npm, HINT)?;
        project::write(&stamp, &wanted)
    })
}

fn check_node() -> Result<()> {
    let found = process::output(
        process::node().arg("--version"),
        "Install Node.js 20 or newer.",
    )?;
    match major(&found) {
        Some(version) if version >= OLDEST_NODE => Ok(()),
        _ => Err(Error::OldNode {
            found: found.trim().to_owned(),
        }),
    }
}

fn major(version: &str) -> Option<u32> {
    version
        .trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v9.0.0"), Some(9));
        assert_eq!(major("nonsense"), None);
    }
}
