//! Builds the kernels of the CPU device as modules of their own, for instructions that not every browser has: a browser
//! refuses a module as a whole for one instruction that it lacks.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::{cargo, process, project};

const PACKAGE: &str = "webtune-cpu-module";

/// A module of kernels.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// Its name in `pkg/`.
    pub file: &'static str,
    /// What it is compiled for, beyond the features of `.cargo/config.toml`.
    features: &'static str,
}

/// The modules that the page may load.
pub const MODULES: [Module; 1] = [Module {
    file: "cpu_relaxed.wasm",
    features: "+relaxed-simd",
}];

impl Module {
    /// Compiles it and returns its bytes.
    ///
    /// # Errors
    /// If it has data: its memory is that of the page's module, which has its own data there.
    pub fn build(self) -> Result<Vec<u8>> {
        let mut cargo = process::cargo();
        // The memory and the stack are given by the page's module.
        let flags = [
            format!("target-feature={}", self.features),
            "link-arg=--import-memory".into(),
            "link-arg=--export=__stack_pointer".into(),
            "link-arg=--strip-all".into(),
        ];
        let flags: Vec<String> = flags.iter().map(|flag| format!("\"-C{flag}\"")).collect();
        // Another folder, because the dependencies differ in their features from those of the page's module.
        let name = self.file.replace(".wasm", "");
        cargo
            .args(["build", "--target=wasm32-unknown-unknown", "--release"])
            .arg(format!("--package={PACKAGE}"))
            .arg("--target-dir")
            .arg(project::cache().join(name))
            .arg("--config")
            .arg(format!(
                "target.wasm32-unknown-unknown.rustflags=[{}]",
                flags.join(",")
            ));
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

/// Whether a module has a data section, whose id is 11. A section is its id, its length as LEB128, and its content.
fn has_data(module: &[u8]) -> bool {
    const HEADER: usize = 8;
    const DATA: u8 = 11;
    let mut rest = module.get(HEADER..).unwrap_or_default();
    while let [id, after @ ..] = rest {
        if *id == DATA {
            return true;
        }
        let (mut len, mut at) = (0_usize, 0);
        while let Some(byte) = after.get(at) {
            len |= usize::from(byte & 0x7f) << (7 * at);
            at += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        rest = after.get(at + len..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_found_behind_long_sections() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        // A section of 200 bytes that contains the id of a data section.
        module.extend([1, 0xc8, 0x01]);
        module.extend([11; 200]);
        assert!(!has_data(&module));
        module.extend([11, 1, 0]);
        assert!(has_data(&module));
    }
}
