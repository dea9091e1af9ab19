//! Cargo's subcommands that are not part of the toolchain, installed below `target/tools`.

use crate::error::Error;
use crate::run::{cargo, program, run, tools, works};

/// A tool and the versions known to do.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// The name of its crate and of its program.
    pub name: &'static str,
    /// A version requirement, as cargo reads it.
    pub version: &'static str,
}

impl Tool {
    /// Whether it is there.
    pub fn is_installed(self) -> bool {
        works(program(self.name).arg("--version"))
    }

    /// Installs it unless it is there.
    pub fn ensure(self) -> Result<(), Error> {
        if self.is_installed() {
            return Ok(());
        }
        let tools = tools();
        eprintln!(
            "installing {} below {} (some minutes, once)",
            self.name,
            tools.display()
        );
        let mut install = cargo(["install", "--quiet", "--locked", "--version", self.version]);
        run(install.arg(self.name).arg("--root").arg(tools))
    }
}
