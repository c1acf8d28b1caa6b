//! `cargo xtask build`: the self-contained static site in `dist/`.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::site::{self, Mount};
use crate::wasm::{self, Form};
use crate::{compress, demo, product, progress, project, setup};

/// The number of digits of the content hash in the folder's name. Collisions do not occur.
const VERSION_DIGITS: usize = 16;

/// Sets up what the build needs, builds, and returns the folder of the site.
pub fn run(form: Form) -> Result<PathBuf> {
    setup::npm()?;
    let pkg = wasm::build(form)?;
    site::write_vendor()?;
    let dist = assemble(&pkg, form)?;
    progress::note(format_args!("the site is in {}", dist.display()));
    Ok(dist)
}

fn assemble(pkg: &Path, form: Form) -> Result<PathBuf> {
    let dist = project::at("dist");
    let mut versioned = shipped(&site::versioned(pkg))?;
    versioned.extend(demo::mounts()?);
    let (licences, packages) = product::documents()?;
    versioned.push(licences);
    let page = project::read_text(&project::at(site::INDEX))?;
    let version = version_of(&content_hash(&versioned)?, &page);
    let models = content_hash(&site::models(site::MODELS))?;
    let models = format!("{}/{}", site::MODELS, &models[..VERSION_DIGITS]);
    let mut lasting = shipped(&site::models(&models))?;
    lasting.extend(shipped(&site::licences())?);
    lasting.push(site::service_worker());
    lasting.push(packages);
    let page = site::point_at_versions(&page, &version[..VERSION_DIGITS], &models)?;

    let stamp_file = project::cache().join("dist.stamp");
    let stamp = project::hash_parts([
        ("page", page.as_bytes()),
        ("form", form.name().as_bytes()),
        ("lasting", content_hash(&lasting)?.as_bytes()),
    ]);
    if dist.join(site::INDEX).is_file() && project::stamped(&stamp_file, &stamp) {
        return Ok(dist);
    }
    progress::step("the site", || {
        project::remove_dir(&dist)?;
        let scripts = dist.join("v").join(&version[..VERSION_DIGITS]);
        let mut written = copy_all(&versioned, &scripts)?;
        written.extend(copy_all(&lasting, &dist)?);
        let index = dist.join(site::INDEX);
        project::write(&index, &page)?;
        written.push(index);
        compress::beside(&written, form)?;
        print_sizes(&scripts)?;
        project::write(&stamp_file, &stamp)
    })?;
    Ok(dist)
}

/// The page's policy is a header of the scripts, and a browser keeps it with them. So another policy is another
/// version.
fn version_of(scripts: &str, page: &str) -> String {
    project::hash_parts([("scripts", scripts.as_bytes()), ("page", page.as_bytes())])
}

fn shipped(mounts: &[Mount]) -> Result<Vec<Mount>> {
    let mut files = Vec::new();
    for mount in mounts {
        files.extend(
            mount
                .files()?
                .into_iter()
                .filter(|file| !site::only_for_editors(&file.address))
                .filter(|file| !demo::is_source(&file.address)),
        );
    }
    Ok(files)
}

fn content_hash(files: &[Mount]) -> Result<String> {
    let mut hashes = Vec::new();
    for file in files {
        hashes.push((
            file.address.as_str(),
            project::hash(&project::read(&file.source)?),
        ));
    }
    Ok(project::hash_parts(
        hashes
            .iter()
            .map(|(address, hash)| (*address, hash.as_bytes())),
    ))
}

fn copy_all(files: &[Mount], folder: &Path) -> Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for file in files {
        let place = folder.join(&file.address);
        project::copy(&file.source, &place)?;
        written.push(place);
    }
    Ok(written)
}

fn print_sizes(scripts: &Path) -> Result<()> {
    let module = scripts.join("pkg/webtune_bg.wasm");
    for (form, suffix) in [("raw", ""), ("gzip", ".gz"), ("brotli", ".br")] {
        let bytes = project::read(&compress::with_suffix(&module, suffix))?.len();
        progress::note(format_args!(
            "webtune_bg.wasm {form}: {}",
            project::size(bytes as u64)
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_policy_of_the_page_is_another_version_of_the_scripts() {
        let [policy, other] = ["connect-src 'self'", "connect-src 'none'"];
        assert_eq!(version_of("12ab", policy), version_of("12ab", policy));
        assert_ne!(version_of("12ab", policy), version_of("12ab", other));
        assert_ne!(version_of("12ab", policy), version_of("34cd", policy));
    }
}
