//! Builds the kernels of the CPU device as modules of their own, for instructions that not every browser has: a browser
//! refuses a module as a whole for one instruction that it lacks.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::memory_import::has_data;
use crate::{cargo, process, project, remap};

const PACKAGE: &str = "webtune-cpu-module";

/// The argument of a linker for the size that a memory may reach, all of the address space. A shared memory has such a
/// limit, and all modules that import it agree on it.
pub const MAX_MEMORY: &str = "link-arg=--max-memory=4294967296";

/// A module of kernels.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// Its name in `pkg/`.
    pub file: &'static str,
    /// Whether it has the instructions of relaxed SIMD.
    relaxed_simd: bool,
    /// Whether it has the atomic instructions of threads, and a memory that they share.
    threads: bool,
}

/// The modules that the page may load. The kernels without either are a part of the page's module.
pub const MODULES: [Module; 3] = [
    Module {
        file: "cpu_relaxed.wasm",
        relaxed_simd: true,
        threads: false,
    },
    Module {
        file: "cpu_threads.wasm",
        relaxed_simd: false,
        threads: true,
    },
    Module {
        file: "cpu_threads_relaxed.wasm",
        relaxed_simd: true,
        threads: true,
    },
];

impl Module {
    /// Compiles it and returns its bytes.
    ///
    /// # Errors
    /// If it has data: its memory is that of the page's module, which has its own data there.
    pub fn build(self) -> Result<Vec<u8>> {
        let mut cargo = process::cargo();
        let mut features = "target-feature=+simd128".to_owned();
        // The memory and the stack are given by the page's module.
        let mut flags = vec![
            "link-arg=--import-memory",
            "link-arg=--export=__stack_pointer",
            "link-arg=--strip-all",
        ];
        if self.relaxed_simd {
            features += ",+relaxed-simd";
        }
        if self.threads {
            features += ",+atomics,+bulk-memory";
            flags.extend([
                MAX_MEMORY,
                "link-arg=--shared-memory",
                // The core library is compiled without atomic instructions. Those that the kernels use are inlined.
                "link-arg=--no-check-features",
            ]);
        }
        flags.push(&features);
        let flags: Vec<String> = flags.iter().map(|flag| format!("-C{flag}")).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        // Another folder, because the dependencies differ in their features from those of the page's module.
        let name = self.file.replace(".wasm", "");
        cargo
            .args(["build", "--target=wasm32-unknown-unknown", "--release"])
            .arg(format!("--package={PACKAGE}"))
            .args(self.threads.then_some("--features=threads"))
            .arg("--target-dir")
            .arg(project::cache().join(name))
            .args(remap::arguments(&flags)?);
        let built = cargo::build(&mut cargo)?;
        let path = built.module("webtune_cpu_module");
        let path: PathBuf = path.ok_or(Error::NoWasmArtifact(PACKAGE))?;
        let bytes = project::read(&path)?;
        match has_data(&bytes) {
            true => Err(Error::KernelData { module: path }),
            false => Ok(bytes),
        }
    }
}
