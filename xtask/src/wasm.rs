//! Builds the page's module: cargo, wasm-bindgen, wasm-opt. A step whose input has not changed is not repeated.

use std::path::{Path, PathBuf};
use std::process::Command;

use wasm_bindgen_cli_support::Bindgen;

use crate::cpu_module::{MAX_MEMORY, MODULES};
use crate::error::{About, Error, Result};
use crate::memory_import;
use crate::{cargo, process, progress, project, remap};

const OPTIMIZE: &str =
    "Delete node_modules and run the command again, so that npm installs `binaryen` again.";

/// The options of wasm-opt for the published form, with each feature that Rust and wasm-bindgen use.
const OPTIMIZATION: [&str; 14] = [
    "-O2",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-extended-const",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// Pages of the memory that the page makes for the module (`INITIAL_PAGES` of `www/cpu-threads.js`).
const INITIAL_PAGES: u32 = 256;

/// The forms of the module. Both come from one build by cargo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For work on the page: ready soon, with the functions' names for stack traces.
    Development,
    /// For visitors: without names, optimized by wasm-opt.
    Published,
}

impl Form {
    /// The name of its folder among the build outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Development => "dev",
            Self::Published => "release",
        }
    }
}

/// Builds the page's module and its JavaScript; returns the folder with `webtune.js`, `webtune_bg.wasm`
/// and the kernels of the CPU device.
/// The same files are copied to `pkg/` for editors and the type check of the page.
pub fn build(form: Form) -> Result<PathBuf> {
    let version = wasm_bindgen_version(&project::read_text(&project::at("Cargo.lock"))?)?;
    let module = progress::step("wasm module", compile)?;
    let folder = project::cache().join(form.name());
    let stamp_file = folder.join(".stamp");
    let stamp = stamp(&project::read(&module)?, form, &version)?;
    if !project::stamped(&stamp_file, &stamp) {
        project::remove_dir(&folder)?;
        project::make_dir(&folder)?;
        progress::step("wasm-bindgen", || bind(&module, &folder, form))?;
        if form == Form::Published {
            progress::step("wasm-opt", || optimize(&folder.join("webtune_bg.wasm")))?;
        }
        write_shared(&folder)?;
        project::write(&stamp_file, &stamp)?;
    }
    let kernels = progress::step("kernels of the CPU device", || write_kernels(&folder))?;
    publish(
        &folder,
        &project::hash_parts([("module", stamp.as_bytes()), ("kernels", &kernels)]),
    )?;
    Ok(folder)
}

/// Writes the form of the module for pages that may share memory with threads: only the type of its memory differs.
///
/// Only the kernels run in several threads. A build for a shared memory would need the standard library with atomic
/// instructions, that is a nightly compiler.
fn write_shared(folder: &Path) -> Result<()> {
    let module = folder.join("webtune_bg.wasm");
    let shared = memory_import::shared(project::read(&module)?, INITIAL_PAGES);
    let shared = shared.ok_or(Error::MemoryImport { module })?;
    project::write(&folder.join("webtune_shared.wasm"), shared)
}

/// Writes the kernels of the CPU device beside the module; returns the bytes of all of them.
fn write_kernels(folder: &Path) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for kernels in MODULES {
        let module = kernels.build()?;
        all.extend_from_slice(&module);
        project::write_if_changed(&folder.join(kernels.file), module)?;
    }
    Ok(all)
}

/// A hash of everything that the processed module depends on.
fn stamp(module: &[u8], form: Form, version: &str) -> Result<String> {
    let binaryen = match form {
        Form::Published => project::read(&project::at("node_modules/binaryen/package.json"))?,
        Form::Development => Vec::new(),
    };
    Ok(project::hash_parts([
        ("module", module),
        ("form", form.name().as_bytes()),
        ("wasm-bindgen", version.as_bytes()),
        ("memory", &INITIAL_PAGES.to_le_bytes()),
        ("binaryen", &binaryen),
        ("wasm-opt", OPTIMIZATION.join(" ").as_bytes()),
    ]))
}

/// The lib of the page as `cargo rustc` selects it.
const TARGET: [&str; 5] = [
    "--lib",
    "--package=webtune",
    "--features=gpu",
    "--target=wasm32-unknown-unknown",
    "--profile=release",
];

/// Adds to a command of cargo what selects the page's lib and its flags. Other flags would compile its dependencies
/// again.
pub fn select(cargo: &mut Command) -> Result<()> {
    cargo.args(TARGET).args(remap::arguments(&[])?);
    Ok(())
}

fn compile() -> Result<PathBuf> {
    let mut cargo = process::cargo();
    select(cargo.arg("rustc"))?;
    let linker = [
        "--",
        // The table grows by the functions of a module of kernels.
        "-Clink-arg=--growable-table",
        // The page makes the memory, shared by threads or not.
        "-Clink-arg=--import-memory",
        &format!("-C{MAX_MEMORY}"),
    ];
    let build = cargo::build_with(&mut cargo, &linker)?;
    build
        .module("webtune")
        .ok_or(Error::NoWasmArtifact("webtune"))
}

fn bind(module: &Path, folder: &Path, form: Form) -> Result<()> {
    let size_before = project::read(module)?.len();
    let failed = |error: &dyn std::fmt::Display| Error::WasmBindgen {
        module: module.to_path_buf(),
        reason: error.to_string(),
    };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name("webtune")
        .omit_default_module_path(false)
        .typescript(true);
    bindgen
        .web(true)
        .map_err(|error| failed(&format!("{error:#}")))?;
    bindgen
        .remove_producers_section(true)
        .remove_name_section(form == Form::Published)
        .demangle(form == Form::Development);
    bindgen
        .generate(folder)
        .map_err(|error| failed(&format!("{error:#}")))?;
    let script = folder.join("webtune.js");
    let followed = follow_shared_memory(&project::read_text(&script)?);
    project::write(
        &script,
        followed.ok_or(Error::Glue {
            script: script.clone(),
        })?,
    )?;
    let size_after = project::read(&folder.join("webtune_bg.wasm"))?.len();
    progress::note(format_args!(
        "{} from cargo, {} after wasm-bindgen",
        project::size(size_before as u64),
        project::size(size_after as u64)
    ));
    Ok(())
}

/// Returns wasm-bindgen's script with views that also follow a shared memory when it grows: its old buffer does not
/// become empty. wasm-bindgen does the same for modules that are compiled for a shared memory. None if the script is
/// not as expected.
fn follow_shared_memory(script: &str) -> Option<String> {
    let (is_detached, is_another) = (".byteLength === 0)", ".buffer !== wasm.memory.buffer)");
    let views = script.matches("Memory0 === null || ").count();
    let data_view = "cachedDataViewMemory0.buffer.detached === true";
    let checked = script.matches(is_detached).count() + script.matches(data_view).count();
    (views > 0 && views == checked).then(|| script.replace(is_detached, is_another))
}

fn optimize(module: &Path) -> Result<()> {
    let smaller = module.with_extension("optimized.wasm");
    let mut wasm_opt = process::node();
    wasm_opt
        .arg("--max-old-space-size=8192")
        .arg(project::at("node_modules/binaryen/bin/wasm-opt"));
    wasm_opt
        .arg(module)
        .arg("--output")
        .arg(&smaller)
        .args(OPTIMIZATION);
    process::run(&mut wasm_opt, OPTIMIZE)?;
    let bytes = project::read(&smaller)?;
    progress::note(format_args!(
        "{} after wasm-opt",
        project::size(bytes.len() as u64)
    ));
    project::write(module, bytes)?;
    std::fs::remove_file(&smaller).about("delete", smaller)
}

fn publish(folder: &Path, stamp: &str) -> Result<()> {
    let pkg = project::at("pkg");
    let stamp_file = pkg.join(".stamp");
    if project::stamped(&stamp_file, stamp) {
        return Ok(());
    }
    project::remove_dir(&pkg)?;
    for file in project::files_below(folder)? {
        if let Ok(inside) = file.strip_prefix(folder) {
            project::copy(&file, &pkg.join(inside))?;
        }
    }
    project::write(&stamp_file, stamp)
}

/// The version of wasm-bindgen in Cargo.lock, which must be the one that this program processes.
fn wasm_bindgen_version(lock: &str) -> Result<String> {
    let locked = |package| locked_version(lock, package).ok_or(Error::NotLocked(package));
    let crate_version = locked("wasm-bindgen")?;
    let tool_version = locked("wasm-bindgen-cli-support")?;
    if crate_version == tool_version {
        return Ok(crate_version.to_owned());
    }
    Err(Error::WasmBindgenVersions {
        crate_version: crate_version.to_owned(),
        tool_version: tool_version.to_owned(),
    })
}

/// The version that a Cargo.lock gives for a package.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let mut lines = lock.lines();
    let name = format!("name = \"{package}\"");
    lines.find(|line| *line == name)?;
    lines
        .next()?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
[[package]]
name = "wasm-bindgen"
version = "0.2.130"

[[package]]
name = "wasm-bindgen-cli-support"
version = "0.2.129"
"#;

    #[test]
    fn versions_are_read_from_the_lock() {
        assert_eq!(locked_version(LOCK, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(LOCK, "wasm"), None);
    }

    #[test]
    fn views_follow_a_shared_memory_or_the_build_fails() {
        let view = |check: &str| format!("if (cachedUint8ArrayMemory0 === null || {check}) {{");
        assert_eq!(
            follow_shared_memory(&view("cachedUint8ArrayMemory0.byteLength === 0")),
            Some(view(
                "cachedUint8ArrayMemory0.buffer !== wasm.memory.buffer"
            ))
        );
        assert_eq!(
            follow_shared_memory(&view("isGone(cachedUint8ArrayMemory0)")),
            None
        );
        assert_eq!(follow_shared_memory(""), None);
    }

    #[test]
    fn two_versions_of_wasm_bindgen_are_refused() {
        let message = wasm_bindgen_version(LOCK).unwrap_err().to_string();
        assert!(
            message.contains("0.2.130") && message.contains("0.2.129"),
            "{message}"
        );
        assert_eq!(
            wasm_bindgen_version(&LOCK.replace("129", "130")).unwrap(),
            "0.2.130"
        );
    }
}
