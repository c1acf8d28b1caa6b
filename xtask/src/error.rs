//! The errors of the commands: what failed or is missing, and what to do about it.

use std::path::PathBuf;

/// An error of a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for something that does not exist.
    #[error("{0}\nRun `cargo xtask help` for what there is.")]
    Usage(String),

    /// A file or folder could not be read or written.
    #[error(
        "cannot {action} {}: {source}.\n\
         Check that it exists, that this user may do that, and that the disk is not full.",
        path.display()
    )]
    File {
        /// What was being done: "read", "write", "list", ...
        action: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },

    /// A program is not installed, or cannot be started.
    #[error("cannot start `{program}`: {source}.\n{hint}")]
    NoProgram {
        /// The program's name.
        program: String,
        /// What the system answered.
        source: std::io::Error,
        /// How to get the program.
        hint: &'static str,
    },

    /// A program ran and failed.
    #[error("`{command}` failed ({outcome}).\n{hint}")]
    Failed {
        /// The command line.
        command: String,
        /// Its exit status in words.
        outcome: String,
        /// What to do about it.
        hint: &'static str,
    },

    /// Node.js is too old for the tools that the page's build uses.
    #[error(
        "Node.js {found} is too old: 20 or newer is needed.\nInstall it from your system's packages or from nodejs.org."
    )]
    OldNode {
        /// What `node --version` says.
        found: String,
    },

    /// There is no Chromium, and none could be installed.
    #[error(
        "no Chrome or Chromium was found ({reason}).\n\
         Install Google Chrome or Chromium, or set CHROME to the full path of its program."
    )]
    NoChrome {
        /// What was tried.
        reason: String,
    },

    /// A browser beside Chromium that the page is tested in is missing.
    #[error(
        "no {name} was found ({reason}).\n\
         Install it (on Debian: apt-get install firefox-esr webkit2gtk-driver xvfb xauth), \
         or set FIREFOX to the full path of Firefox."
    )]
    NoEngine {
        /// What is missing.
        name: &'static str,
        /// What was tried.
        reason: String,
    },

    /// There is no Vulkan driver for the native GPU test.
    #[error(
        "no Vulkan driver was found ({reason}).\n\
         Install the driver of your GPU, or Mesa's software driver (on Debian: apt-get install mesa-vulkan-drivers)."
    )]
    NoVulkan {
        /// What was tried.
        reason: String,
    },

    /// `wasm-bindgen` and the library that processes its output have different versions.
    #[error(
        "Cargo.lock has wasm-bindgen {crate_version}, but xtask was built with wasm-bindgen-cli-support \
         {tool_version}: they must be equal.\n\
         Set `wasm-bindgen-cli-support = \"={crate_version}\"` in xtask/Cargo.toml \
         (and run `cargo update -p wasm-bindgen-cli-support`)."
    )]
    WasmBindgenVersions {
        /// The version that the page's crate uses.
        crate_version: String,
        /// The version of the library in xtask.
        tool_version: String,
    },

    /// Cargo.lock does not name a package that the build needs.
    #[error(
        "Cargo.lock names no package `{0}`.\nRun `cargo update --workspace` to write it again."
    )]
    NotLocked(&'static str),

    /// wasm-bindgen refused the module.
    #[error(
        "wasm-bindgen failed on {}: {reason}\n\
         Delete the file and build again. If it fails again, the versions of wasm-bindgen in Cargo.lock do not fit.",
        module.display()
    )]
    WasmBindgen {
        /// The module that cargo built.
        module: PathBuf,
        /// The chain of causes, innermost last.
        reason: String,
    },

    /// Cargo succeeded but reported no wasm file.
    #[error(
        "cargo built `{_0}` but reported no .wasm file.\n\
         Check that the [lib] of its Cargo.toml still has crate-type \"cdylib\"."
    )]
    NoWasmArtifact(&'static str),

    /// A module of kernels has data, which would overwrite those of the page's module.
    #[error(
        "{} has data.\n\
         It shares the memory of the page's module. The text of a panic is data: write the kernels without operations \
         that can panic, such as an index or a division.",
        module.display()
    )]
    KernelData {
        /// The module.
        module: PathBuf,
    },

    /// The views of the memory in wasm-bindgen's script are not as expected.
    #[error(
        "{} creates its views of the memory in another way than before.\n\
         Compare `follow_shared_memory` in xtask/src/wasm.rs with it, and check that the page runs with threads.",
        script.display()
    )]
    Glue {
        /// The script.
        script: PathBuf,
    },

    /// The page's module has another memory than the page makes for it.
    #[error(
        "{} imports no memory, or one that is larger at first than the one that the page makes.\n\
         Compare the linker's arguments in xtask/src/wasm.rs, and INITIAL_PAGES there and in www/cpu-threads.js.",
        module.display()
    )]
    MemoryImport {
        /// The module.
        module: PathBuf,
    },

    /// A file of the site refers to another one in a way that fails on other hosts.
    #[error(
        "{}: {problem}.\n\
         Write every reference in it as \"./www/...\", \"./pkg/...\" or \"./vendor/...\", \
         so that the site works from any folder of any host.",
        path.display()
    )]
    Page {
        /// The page.
        path: PathBuf,
        /// What is wrong in it.
        problem: String,
    },

    /// The port is in use, or not allowed.
    #[error(
        "cannot listen on 127.0.0.1:{port}: {reason}.\n\
         Choose another port with `cargo xtask serve --port N` (0 takes any free one)."
    )]
    Port {
        /// The port asked for.
        port: u16,
        /// What the system answered.
        reason: String,
    },

    /// The compiler or clippy warned.
    #[error("{0} warnings are above.\nA change must have none.")]
    Warnings(u64),

    /// Some lines of the sources are too long.
    #[error("these lines are longer than {limit} characters:\n  {}\nBreak them.", places.join("\n  "))]
    LongLines {
        /// The greatest number of characters in a line.
        limit: usize,
        /// `file:line` for each of them.
        places: Vec<String>,
    },

    /// Packages of the product have no licence, or one that deny.toml does not allow.
    #[error(
        "these packages may not be in the site:\n  {}\n\
         Do without the package, or read its licence and add it to `allow` in deny.toml.",
        .0.join("\n  ")
    )]
    Licences(Vec<String>),

    /// Cargo.lock has packages of a source that deny.toml does not allow.
    #[error(
        "these packages come from another source than those of deny.toml:\n  {}\n\
         Take a version of the registry, or add the source to `allow-registry` in deny.toml.",
        .0.join("\n  ")
    )]
    Sources(Vec<String>),

    /// A file is not the TOML that is expected.
    #[error("{} is not as expected: {reason}.\nCompare it with its version in git.", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },

    /// What cargo or npm say about a package cannot be read.
    #[error(
        "the description of a package cannot be read: {0}.\nDelete node_modules and run the command again."
    )]
    Metadata(String),

    /// The list of packages does not conform to CycloneDX.
    #[error(
        "the list of the site's packages is not valid: {0}.\nCorrect xtask/src/product/sbom.rs."
    )]
    Sbom(String),

    /// The database of security advisories could not be read.
    #[error(
        "the security advisories were NOT checked: their database could not be fetched.\n\
         The other checks passed. Run `cargo xtask deny` on a machine that reaches the database's git host."
    )]
    NoAdvisories,

    /// Two builds of the same commit differ.
    #[error("{0} files differ between two builds of the same commit; the table above names them.")]
    NotReproducible(usize),

    /// A test step ran nothing, or left no report of what it ran.
    #[error("{0}")]
    NoTests(String),

    /// Some tests failed. Their messages have been printed already.
    #[error("")]
    TestsFailed,
}

/// The result of a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Turns an I/O result into one that says which file it was about.
pub trait About<T> {
    /// Names the action ("read", "write", ...) and the path.
    fn about(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T>;
}

impl<T> About<T> for std::io::Result<T> {
    fn about(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T> {
        self.map_err(|source| Error::File {
            action,
            path: path.into(),
            source,
        })
    }
}
