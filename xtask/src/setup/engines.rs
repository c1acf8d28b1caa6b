//! The browsers that the page is tested in beside Chromium: Firefox, and on Linux WebKitGTK with its WebDriver.

use std::path::{Path, PathBuf};

use super::apt::Apt;
use super::programs::{chosen, on_path};
use crate::error::{Error, Result};
use crate::progress;

const FIREFOX: [&str; 2] = ["firefox-esr", "firefox"];
/// The driver, and the script that gives it a screen.
const WEBKIT: [&str; 2] = ["WebKitWebDriver", "xvfb-run"];
const FIREFOX_PACKAGES: [&str; 1] = ["firefox-esr"];
const WEBKIT_PACKAGES: [&str; 3] = ["webkit2gtk-driver", "xvfb", "xauth"];

/// Finds the browsers, installing Debian's where they are missing, and returns the path of Firefox.
pub fn find_or_install() -> Result<PathBuf> {
    if cfg!(target_os = "linux") {
        installed("WebKitGTK's WebDriver", &WEBKIT_PACKAGES, || {
            WEBKIT
                .iter()
                .all(|name| on_path(&[name]).is_some())
                .then_some(())
        })?;
    } else {
        progress::note("WebKitGTK has no build for this system: its tests are left out");
    }
    if let Some(program) = chosen("FIREFOX") {
        return if program.is_file() {
            Ok(program)
        } else {
            Err(Error::NoEngine {
                name: "Firefox",
                reason: format!("FIREFOX is {}, which is no file", program.display()),
            })
        };
    }
    installed("Firefox", &FIREFOX_PACKAGES, || {
        on_path(&FIREFOX).or_else(|| usual_places().into_iter().find(|path| path.is_file()))
    })
}

/// Looks for something, and again after its packages were installed.
fn installed<T>(name: &'static str, packages: &[&str], find: impl Fn() -> Option<T>) -> Result<T> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let none = |reason: String| Error::NoEngine { name, reason };
    let Some(apt) = Apt::available() else {
        return Err(none("this user cannot install it with apt".to_owned()));
    };
    progress::step(&format!("{name} by apt"), || apt.install(packages))?;
    find().ok_or_else(|| {
        none(format!(
            "apt installed {}, yet it is not on the PATH",
            packages.join(" and ")
        ))
    })
}

fn usual_places() -> Vec<PathBuf> {
    let mac = PathBuf::from("/Applications/Firefox.app/Contents/MacOS/firefox");
    let windows = ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"]
        .into_iter()
        .filter_map(std::env::var_os)
        .map(|folder| Path::new(&folder).join("Mozilla Firefox/firefox.exe"));
    windows.chain([mac]).collect()
}
