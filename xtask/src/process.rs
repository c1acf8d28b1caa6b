//! Starts other programs. Errors say how to install or repair them.

use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::error::{Error, Result};
use crate::project;

const RUST: &str = "Install Rust from rustup.rs; rust-toolchain.toml then chooses the version.";
const NODE: &str = "Install Node.js 20 or newer, from your system's packages or from nodejs.org.";

/// `cargo` with the environment of a shell, without the variables that `cargo run` sets for this program.
/// Build scripts that depend on those variables would run again.
pub fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(project::root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// `node`, in the repository's root.
pub fn node() -> Command {
    let mut node = Command::new("node");
    node.current_dir(project::root());
    node
}

/// A program that an npm package installed, run by `node`.
pub fn npm_tool(script: &str) -> Command {
    let mut node = node();
    node.arg(project::at("node_modules").join(script));
    node
}

/// `npm`, in the repository's root.
pub fn npm() -> Command {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir(project::root());
    npm
}

/// A script of package.json, in the repository's root.
pub fn npm_run(script: &str) -> Command {
    let mut npm = npm();
    npm.args(["run", "--silent", script]);
    npm
}

/// `git`, in the repository's root.
pub fn git() -> Command {
    let mut git = Command::new("git");
    git.current_dir(project::root());
    git
}

/// Runs a program to its end, its output on the terminal. `hint` says what to do should it fail.
pub fn run(command: &mut Command, hint: &'static str) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|source| not_started(command, source))?;
    check(command, status, hint)
}

/// Runs a program and returns what it wrote to standard output; its errors go to the terminal.
pub fn output(command: &mut Command, hint: &'static str) -> Result<String> {
    let mut text = String::new();
    let status = each_line(command, |line| {
        text.push_str(line);
        text.push('\n');
    })?;
    check(command, status, hint).map(|()| text)
}

/// Runs a program and calls `see` for each line of its standard output.
pub fn each_line(command: &mut Command, mut see: impl FnMut(&str)) -> Result<ExitStatus> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|source| not_started(command, source))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout)
            .split(b'\n')
            .map_while(std::io::Result::ok)
        {
            see(String::from_utf8_lossy(&line).trim_end_matches('\r'));
        }
    }
    child.wait().map_err(|source| not_started(command, source))
}

/// Whether a program starts and ends well; its output is not shown.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// An error for a program that ended badly.
pub fn check(command: &Command, status: ExitStatus, hint: &'static str) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        command: line(command),
        outcome: status.to_string(),
        hint,
    })
}

/// An error for a program that could not be started.
pub fn not_started(command: &Command, source: std::io::Error) -> Error {
    let program = name(command);
    let hint = match program.as_str() {
        "cargo" | "rustc" | "rustup" => RUST,
        "node" | "npm" => NODE,
        _ if source.kind() == ErrorKind::NotFound => "Install it, or put it on the PATH.",
        _ => "Check that this user may run it.",
    };
    Error::NoProgram {
        program,
        source,
        hint,
    }
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program
        .file_stem()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn line(command: &Command) -> String {
    let mut words = vec![name(command)];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}
