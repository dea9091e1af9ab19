//! `cargo xtask lint`: everything that judges the text of the program.

use clap::Args;

use crate::error::Error;
use crate::run::{cargo, status};
use crate::tools::Tool;

const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "^0.20",
};

/// What is built with them only is linted, too: long tests of the lab, and what the fuzz targets call.
const FEATURES: &str = "accelnet-lab/long,accelnet-api/fuzzing";

/// Check formatting, dependencies, clippy and documentation
///
/// Runs rustfmt, cargo-deny (installed below target/tools when it is missing), clippy and
/// rustdoc, all of them even when one fails, with every warning an error.
#[derive(Debug, Args)]
pub struct Lint {}

impl Lint {
    pub fn run(&self) -> Result<(), Error> {
        let mut failed = Vec::new();
        let mut check = |name, command: &mut std::process::Command| {
            status(command).map(|status| {
                if !status.success() {
                    failed.push(name);
                }
            })
        };
        check("fmt", &mut cargo(["fmt", "--all", "--check"]))?;
        DENY.ensure()?;
        check(
            "deny",
            &mut cargo(["deny", "check", "bans", "licenses", "sources"]),
        )?;
        check(
            "clippy",
            &mut cargo([
                "clippy",
                "--workspace",
                "--all-targets",
                "--features",
                FEATURES,
                "--",
                "-D",
                "warnings",
            ]),
        )?;
        check(
            "doc",
            cargo(["doc", "--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "-D warnings"),
        )?;
        match failed.is_empty() {
            true => Ok(()),
            false => Err(Error::Checks(failed)),
        }
    }
}
