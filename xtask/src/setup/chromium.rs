//! The browser that the browser tests drive: `$CHROME`, one that is installed, or Debian's.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::apt::Apt;
use super::programs::{chosen, on_path};
use crate::error::{Error, Result};
use crate::{process, progress};

const NAMES: [&str; 4] = [
    "google-chrome-stable",
    "google-chrome",
    "chromium",
    "chromium-browser",
];
/// Korean is a language of the page and of the test data. Without a font it renders as boxes.
const PACKAGES: [&str; 3] = ["chromium", "fonts-noto-cjk", "fonts-noto-core"];

/// Finds Chrome or Chromium, installing Debian's when there is none.
pub fn find_or_install() -> Result<PathBuf> {
    if let Some(program) = chosen("CHROME") {
        return if program.is_file() {
            Ok(program)
        } else {
            Err(Error::NoChrome {
                reason: format!("CHROME is {}, which is no file", program.display()),
            })
        };
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    let none = |reason: &str| Error::NoChrome {
        reason: reason.to_owned(),
    };
    let Some(apt) = Apt::available() else {
        return Err(none(
            "looked on the PATH and in the usual folders; this user cannot install one with apt",
        ));
    };
    progress::step("Chromium by apt", || apt.install(&PACKAGES))?;
    find().ok_or_else(|| {
        none("apt installed the package chromium, yet no such program is on the PATH")
    })
}

fn find() -> Option<PathBuf> {
    on_path(&NAMES).or_else(|| usual_places().into_iter().find(|path| path.is_file()))
}

fn usual_places() -> Vec<PathBuf> {
    let mac = [
        "Google Chrome.app/Contents/MacOS/Google Chrome",
        "Chromium.app/Contents/MacOS/Chromium",
    ];
    let mac = mac.iter().map(|app| Path::new("/Applications").join(app));
    let windows = ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"]
        .into_iter()
        .filter_map(std::env::var_os);
    let windows =
        windows.map(|folder| Path::new(&folder).join("Google/Chrome/Application/chrome.exe"));
    mac.chain(windows).collect()
}

/// Warns if no installed font has Korean letters, because screenshots would show boxes.
pub fn warn_without_korean_font() {
    let fonts = process::output(Command::new("fc-list").args([":lang=ko", "family"]), "");
    if fonts.is_ok_and(|list| list.trim().is_empty()) {
        progress::note(
            "no font with Korean letters is installed; screenshots will show boxes \
             (on Debian: apt-get install fonts-noto-cjk)",
        );
    }
}
