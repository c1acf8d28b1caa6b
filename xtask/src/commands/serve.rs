//! `cargo xtask serve`: builds what is missing and serves the page on this machine.

use std::net::TcpListener;
use std::process::Command;

use serde_json::json;

use super::build;
use crate::error::{Error, Result};
use crate::site::{self, Mount};
use crate::wasm::{self, Form};
use crate::{demo, process, product, progress, project, setup};

const SERVER: &str = "xtask/server.js";
#[cfg(not(unix))]
const STOPPED: &str = "The server's message is above.";

/// Sets up, builds and serves until the process ends.
pub fn run(port: u16, release: bool) -> Result<()> {
    // A port in use is reported before the build, not after it.
    check_port(port)?;
    let mounts = if release { published()? } else { live()? };
    let mounts: Vec<_> = mounts.iter().map(Mount::to_json).collect();
    let site = json!({ "port": port, "live": !release, "mounts": mounts });
    let mut server = process::node();
    server.arg(project::at(SERVER)).arg(site.to_string());
    become_or_run(&mut server)
}

fn check_port(port: u16) -> Result<()> {
    TcpListener::bind(("127.0.0.1", port))
        .map(drop)
        .map_err(|reason| Error::Port {
            port,
            reason: reason.to_string(),
        })
}

/// The published form: `dist/` with its compressed files and its caching.
fn published() -> Result<Vec<Mount>> {
    let dist = build::run(Form::Published)?;
    progress::note("serving dist/ as a visitor gets it");
    Ok(vec![Mount::new("", dist)])
}

/// The development form: the page and its scripts as they are in the repository at each request.
fn live() -> Result<Vec<Mount>> {
    setup::npm_for_page()?;
    let pkg = wasm::build(Form::Development)?;
    site::write_vendor()?;
    let mut mounts = site::versioned(&pkg);
    mounts.extend(demo::mounts()?);
    mounts.extend(site::models(site::MODELS));
    mounts.extend(site::licences());
    mounts.push(site::service_worker());
    let (licences, packages) = product::documents()?;
    mounts.extend([licences, packages]);
    mounts.push(Mount::new(site::INDEX, project::at(site::INDEX)));
    progress::note(
        "serving index.html and www/ from the disk: reload to see a change (a change in src/ needs a restart)",
    );
    Ok(mounts)
}

/// Replaces this process with the server where the system can, so that whoever ends this process ends the server.
fn become_or_run(server: &mut Command) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let reason = server.exec();
        Err(process::not_started(server, reason))
    }
    #[cfg(not(unix))]
    process::run(server, STOPPED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named_with_what_to_do() {
        let first = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let message = check_port(port).unwrap_err().to_string();
        assert!(
            message.contains(&port.to_string()) && message.contains("--port"),
            "{message}"
        );
    }
}
