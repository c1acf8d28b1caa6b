//! The standard library for wasm32-unknown-unknown: from rustup, or built from Debian's copy of its source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{About, Error, Result};
use crate::{process, progress, project};

/// The target that the page runs.
pub const TARGET: &str = "wasm32-unknown-unknown";
const RUSTC: &str =
    "Run `rustup toolchain install` in the repository: rust-toolchain.toml names the version.";
const RUSTUP: &str = "Check that rustup can reach its server.";
const DEBIAN: &str = "Check that apt's tools are installed and can reach a Debian mirror.";

/// Where the standard library of the wasm build comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WasmStd {
    /// rustup installed it.
    Installed,
    /// Only its source is there: every build compiles it.
    FromSource,
}

impl WasmStd {
    /// Adds to a `cargo` command what this kind of standard library needs.
    pub fn apply(self, cargo: &mut Command) -> &mut Command {
        match self {
            Self::Installed => cargo,
            Self::FromSource => cargo
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC_BOOTSTRAP", "1"),
        }
    }
}

/// Finds the wasm standard library of the pinned toolchain, or gets it.
pub fn ensure() -> Result<WasmStd> {
    let rustlib = sysroot()?.join("lib/rustlib");
    if rustlib.join(TARGET).join("lib").is_dir() {
        return Ok(WasmStd::Installed);
    }
    let source = rustlib.join("src/rust");
    if source.join("library/std").is_dir() {
        return Ok(WasmStd::FromSource);
    }
    let rustup = progress::step("Rust's standard library for wasm", || {
        process::run(
            Command::new("rustup")
                .args(["target", "add", TARGET])
                .current_dir(project::root()),
            RUSTUP,
        )
    });
    match rustup {
        Ok(()) => Ok(WasmStd::Installed),
        Err(rustup) => progress::step("its source from Debian instead", || from_debian(&source))
            .map(|()| WasmStd::FromSource)
            .map_err(|debian| Error::NoWasmTarget {
                rustup: Box::new(rustup),
                debian: Box::new(debian),
            }),
    }
}

fn sysroot() -> Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--print", "sysroot"])
        .current_dir(project::root());
    Ok(PathBuf::from(process::output(&mut rustc, RUSTC)?.trim()))
}

/// Unpacks Debian's `rust-src` of exactly this compiler into the cache and points the sysroot at it.
/// apt works on lists and a cache of its own, so that neither root nor a change to the machine is needed.
fn from_debian(link: &Path) -> Result<()> {
    let mut rustc = Command::new("rustc");
    let printed = process::output(rustc.arg("--version").current_dir(project::root()), RUSTC)?;
    let version = printed
        .split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    let folder = project::cache().join("rust-src");
    for part in ["lists/partial", "archives/partial"] {
        project::make_dir(&folder.join(part))?;
    }
    let mirrors = process::output(
        Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]),
        DEBIAN,
    )?;
    let mirror = mirrors
        .lines()
        .find(|uri| uri.trim_end_matches('/').ends_with("debian"))
        .unwrap_or_default();
    let sources = folder.join("sources.list");
    project::write(&sources, format!("deb {mirror} trixie-backports main\n"))?;

    process::run(apt("apt-get", &folder).arg("update"), DEBIAN)?;
    let known = process::output(
        apt("apt-cache", &folder).args(["madison", "rust-src"]),
        DEBIAN,
    )?;
    let Some(package) = exact(&known, &version) else {
        return Err(Error::NoRustSource { version });
    };
    process::run(
        apt("apt-get", &folder)
            .arg("download")
            .arg(format!("rust-src={package}")),
        DEBIAN,
    )?;
    let archive = project::files_below(&folder)?
        .into_iter()
        .find(|path| path.extension().is_some_and(|kind| kind == "deb"));
    let Some(archive) = archive else {
        return Err(Error::NoRustSource { version });
    };
    let unpacked = folder.join("unpacked");
    process::run(
        Command::new("dpkg-deb")
            .arg("--extract")
            .arg(&archive)
            .arg(&unpacked),
        DEBIAN,
    )?;
    link_source(&unpacked.join(format!("usr/src/rustc-{version}")), link)
}

/// An apt program that keeps its lists, its cache and its sources in `folder`.
fn apt(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    let settings = [
        ("Dir::Etc::sourcelist", folder.join("sources.list")),
        ("Dir::Etc::sourceparts", PathBuf::from("-")),
        ("Dir::State::lists", folder.join("lists")),
        ("Dir::Cache", folder.to_path_buf()),
    ];
    for (name, value) in settings {
        command.arg("-o").arg(format!("{name}={}", value.display()));
    }
    command.current_dir(folder);
    command
}

/// The package version in `apt-cache madison`'s table that is exactly this compiler's.
fn exact(table: &str, version: &str) -> Option<String> {
    let versions = table
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim);
    versions
        .into_iter()
        .find(|found| upstream(found) == version)
        .map(str::to_owned)
}

/// The upstream part of a Debian version: what comes before `+dfsg`, `-1`, `~bpo` and the like.
fn upstream(version: &str) -> &str {
    version.split(['+', '-', '~']).next().unwrap_or_default()
}

fn link_source(source: &Path, link: &Path) -> Result<()> {
    if link.is_symlink() {
        fs::remove_file(link).about("replace", link)?;
    }
    project::make_parent(link)?;
    #[cfg(unix)]
    return std::os::unix::fs::symlink(source, link).about("link Rust's source to", link);
    #[cfg(not(unix))]
    return fs::rename(source, link).about("move Rust's source to", link);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  rust-src | 1.94.1+dfsg1-1~bpo13+1 | mirror trixie-backports/main amd64 Packages\n  \
                         rust-src | 1.95.0+dfsg1-1~bpo13+1 | mirror trixie-backports/main amd64 Packages\n";

    #[test]
    fn only_the_compilers_own_version_is_taken() {
        assert_eq!(
            exact(TABLE, "1.95.0").as_deref(),
            Some("1.95.0+dfsg1-1~bpo13+1")
        );
        assert_eq!(exact(TABLE, "1.95"), None);
        assert_eq!(exact("", "1.95.0"), None);
    }

    #[test]
    fn building_from_source_tells_cargo_so() {
        let mut cargo = Command::new("cargo");
        WasmStd::FromSource.apply(&mut cargo);
        assert!(
            cargo
                .get_args()
                .any(|word| word == "-Zbuild-std=std,panic_abort")
        );
        assert_eq!(
            WasmStd::Installed
                .apply(&mut Command::new("cargo"))
                .get_args()
                .count(),
            0
        );
    }
}
