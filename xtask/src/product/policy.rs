//! The check of every day: licences of the site's packages and sources of Cargo.lock against the lists of deny.toml.
//! `cargo xtask deny` has cargo-deny check all dependencies against the same lists.

use spdx::Licensee;
use toml::{Table, Value};

use super::{Package, packages, table};
use crate::error::{Error, Result};
use crate::project;

const POLICY: &str = "deny.toml";
const LOCK: &str = "Cargo.lock";

/// Checks licences and sources; returns the number of packages of the site.
pub fn check() -> Result<usize> {
    let policy = table(POLICY)?;
    let packages = packages()?;
    check_licences(&packages, &list(&policy, "licenses", "allow")?)?;
    check_sources(&table(LOCK)?, &list(&policy, "sources", "allow-registry")?)?;
    Ok(packages.len())
}

fn list(policy: &Table, section: &str, name: &str) -> Result<Vec<String>> {
    let values = policy.get(section).and_then(|section| section.get(name));
    let values = values
        .and_then(Value::as_array)
        .ok_or_else(|| Error::Toml {
            path: project::at(POLICY),
            reason: format!("[{section}] has no list `{name}`"),
        })?;
    Ok(values
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect())
}

/// Refuses every package of which no choice of licences is allowed.
fn check_licences(packages: &[Package], allowed: &[String]) -> Result<()> {
    let unknown = |name: &String| Error::Toml {
        path: project::at(POLICY),
        reason: format!("`{name}` is no licence of SPDX"),
    };
    let allowed: Vec<Licensee> = allowed
        .iter()
        .map(|name| Licensee::parse(name).map_err(|_| unknown(name)))
        .collect::<Result<_>>()?;
    let mut refused = Vec::new();
    for package in packages {
        let Ok(expression) = package.expression() else {
            refused.push(format!(
                "{} {}: `{}` is no licence of SPDX",
                package.name, package.version, package.licence
            ));
            continue;
        };
        if !expression.evaluate(|wanted| allowed.iter().any(|licence| licence.satisfies(wanted))) {
            refused.push(format!(
                "{} {}: {}",
                package.name, package.version, package.licence
            ));
        }
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Error::Licences(refused))
    }
}

/// Refuses every package of Cargo.lock that is neither of this repository nor of an allowed registry.
fn check_sources(lock: &Table, allowed: &[String]) -> Result<()> {
    let packages = lock.get("package").and_then(Value::as_array);
    let packages = packages.ok_or_else(|| Error::Toml {
        path: project::at(LOCK),
        reason: "it has no packages".to_owned(),
    })?;
    let allowed: Vec<String> = allowed
        .iter()
        .map(|registry| format!("registry+{registry}"))
        .collect();
    let mut refused = Vec::new();
    for package in packages {
        // A package without a source is a folder of this repository.
        let Some(source) = package.get("source").and_then(Value::as_str) else {
            continue;
        };
        if !allowed.iter().any(|registry| registry == source) {
            let name = package
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            refused.push(format!("{name}: {source}"));
        }
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Error::Sources(refused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::tests::package;

    fn licences(licence: &str) -> Result<()> {
        check_licences(
            &[package("name", licence)],
            &["MIT", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned),
        )
    }

    #[test]
    fn the_site_and_the_lock_follow_the_policy() {
        check().unwrap();
    }

    #[test]
    fn one_allowed_choice_is_enough() {
        licences("GPL-3.0-only OR MIT").unwrap();
        licences("Apache-2.0 WITH LLVM-exception").unwrap();
    }

    #[test]
    fn other_licences_are_refused_by_name() {
        for licence in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "Apache-2.0",
            "",
            "Own licence",
        ] {
            let message = licences(licence).unwrap_err().to_string();
            assert!(
                message.contains("name 1.0.0") && message.contains(licence),
                "{message}"
            );
        }
    }

    #[test]
    fn a_list_with_an_unknown_licence_is_refused() {
        let message = check_licences(&[], &["MIT-2".to_owned()])
            .unwrap_err()
            .to_string();
        assert!(message.contains("MIT-2"), "{message}");
    }

    #[test]
    fn other_sources_are_refused_by_name() {
        let lock = |source: &str| -> Table {
            format!(
                "[[package]]\nname = \"own\"\n[[package]]\nname = \"other\"\nsource = \"{source}\""
            )
            .parse()
            .unwrap()
        };
        let allowed = ["https://registry.example/index".to_owned()];
        check_sources(&lock("registry+https://registry.example/index"), &allowed).unwrap();
        let message = check_sources(&lock("git+https://git.example/other"), &allowed)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("other: git+https://git.example/other"),
            "{message}"
        );
        assert!(check_sources(&Table::new(), &allowed).is_err());
    }
}
