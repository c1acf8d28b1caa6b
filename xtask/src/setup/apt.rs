//! Debian's package manager, as root or through a `sudo` that asks no password.

use std::process::Command;

use crate::error::Result;
use crate::process;

const HINT: &str = "Check that apt can reach its mirror and that no other apt is running.";

/// Runs apt.
pub struct Apt {
    sudo: bool,
}

impl Apt {
    /// Returns `None` if there is no apt or this user may not install packages.
    pub fn available() -> Option<Self> {
        if !process::succeeds(Command::new("apt-get").arg("--version")) {
            return None;
        }
        let user = process::output(Command::new("id").arg("-u"), HINT).ok()?;
        if user.trim() == "0" {
            return Some(Self { sudo: false });
        }
        process::succeeds(Command::new("sudo").args(["-n", "true"])).then_some(Self { sudo: true })
    }

    /// Installs packages without questions and without recommended packages.
    pub fn install(&self, packages: &[&str]) -> Result<()> {
        process::run(self.get().arg("update").arg("--quiet"), HINT)?;
        process::run(
            self.get()
                .args(["install", "--yes", "--quiet", "--no-install-recommends"])
                .args(packages),
            HINT,
        )
    }

    fn get(&self) -> Command {
        let mut command = Command::new(if self.sudo { "sudo" } else { "env" });
        if self.sudo {
            command.args(["-n", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    }
}
