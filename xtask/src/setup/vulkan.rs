//! The driver that the native GPU test runs on: any that is installed, or Mesa's software driver.

use std::path::{Path, PathBuf};

use super::apt::Apt;
use crate::error::{Error, Result};
use crate::progress;

/// Has llvmpipe, which computes on the CPU.
const PACKAGES: [&str; 1] = ["mesa-vulkan-drivers"];

/// Installs Mesa's Vulkan drivers on a Linux without any. Other systems have Metal or DirectX 12.
pub fn find_or_install() -> Result<()> {
    if !cfg!(target_os = "linux") || is_installed() {
        return Ok(());
    }
    let none = |reason: &str| Error::NoVulkan {
        reason: reason.to_owned(),
    };
    let Some(apt) = Apt::available() else {
        return Err(none(
            "looked in the usual folders; this user cannot install one with apt",
        ));
    };
    progress::step("Vulkan driver by apt", || apt.install(&PACKAGES))?;
    if is_installed() {
        return Ok(());
    }
    Err(none("apt installed mesa-vulkan-drivers, yet there is none"))
}

/// Whether a manifest names a driver, where the [Vulkan loader] looks for it.
///
/// [Vulkan loader]: https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md
fn is_installed() -> bool {
    let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]
        .into_iter()
        .filter_map(std::env::var_os)
        .flat_map(|files| std::env::split_paths(&files).collect::<Vec<PathBuf>>());
    named.into_iter().any(|file| file.is_file())
        || ["/usr/share", "/usr/local/share", "/etc"]
            .into_iter()
            .any(|folder| has_manifest(&Path::new(folder).join("vulkan/icd.d")))
}

fn has_manifest(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.map(|file| file.path()).any(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_a_json_file() {
        let folder = std::env::temp_dir().join(format!("webtune-vulkan-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let found = |name: &str| {
            std::fs::write(folder.join(name), "{}").unwrap();
            has_manifest(&folder)
        };
        assert!(!has_manifest(&folder.join("missing")));
        assert!(!found("readme.txt"));
        assert!(found("driver.json"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
