//! `cargo xtask test`: every test there is, from nothing.

use std::env;
use std::panic::resume_unwind;
use std::path::Path;
use std::process::Command;
use std::thread;

use clap::Args;

use crate::error::Error;
use crate::etcd;
use crate::fuzz::Fuzz;
use crate::packages;
use crate::run::{cargo, run, status};
use crate::schemathesis;
use crate::tools::Tool;

/// Preferred over cargo's own runner: it has deadlines, and runs the lab beside the rest.
const NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    version: "^0.9",
};

/// The feature that runs the tests that take long.
pub const LONG: &str = "accelnet-lab/long";

/// Where tests write, if it is there: in memory. Thousands of trees and stores are made, each of them
/// synced, which keeps a disk busier than everything else together.
const MEMORY: &str = "/dev/shm";

/// Run the tests, the lab with its real kernels included
///
/// Installs the Debian packages that are missing (as root or with sudo), fetches an etcd into
/// target/tools, builds the lab's
/// node image (once, about three minutes) beside the workspace, has schemathesis (installed below
/// target/tools) ask an agent what docs/openapi.json permits and what it does not, and runs the tests: with
/// cargo-nextest where it is installed, else with `cargo test`. The exit status is the
/// runner's. The long ones run with `--long`, fuzzing with `--all`.
#[derive(Debug, Args)]
pub struct Test {
    /// Leave out the lab, and install nothing: for a quick answer
    #[arg(long)]
    no_lab: bool,
    /// Run the long tests of the lab as well, such as that of three nodes: a quarter of an hour more on two cores
    #[arg(long, conflicts_with = "no_lab")]
    long: bool,
    /// Run everything: the long tests, and each fuzz target for two minutes
    #[arg(long, conflicts_with = "no_lab")]
    all: bool,
    /// More words for the test runner, such as the name of a test
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    args: Vec<String>,
}

impl Test {
    pub fn run(&self) -> Result<(), Error> {
        if self.no_lab {
            return runner(&["--workspace", "--exclude", "accelnet-lab"], &self.args);
        }
        if self.all {
            Fuzz::every_target().run()?;
        }
        packages::ensure(packages::TEST)?;
        etcd::ensure()?;
        let which: &[&str] = match self.long || self.all {
            true => &["--workspace", "--features", LONG],
            false => &["--workspace"],
        };
        let lab = thread::scope(|scope| {
            // Mostly waits: for packages, and for a node that boots.
            let lab = scope.spawn(accelnet_lab::build);
            let built = build(which);
            let lab = lab.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            built.map(|()| lab)
        })?;
        if self.args.is_empty() {
            schemathesis::run_all()?;
        }
        runner(which, &self.args)?;
        // Held until the tests are done, so that no other run removes it.
        drop(lab);
        Ok(())
    }
}

/// Builds the program, which the lab runs, and the tests.
fn build(which: &[&str]) -> Result<(), Error> {
    run(&mut cargo(["build", "--workspace"]))?;
    run(cargo(["test", "--no-run", "--quiet"]).args(which))
}

/// Has a command write what it needs for a while to memory, unless a path is set.
pub fn writes_to_memory(command: &mut Command) {
    if env::var_os("TMPDIR").is_none() && Path::new(MEMORY).is_dir() {
        command.env("TMPDIR", MEMORY);
    }
}

/// Runs the tests of the packages that `which` selects; the runner's summary comes last.
pub fn runner(which: &[&str], args: &[String]) -> Result<(), Error> {
    let mut command: Command = match NEXTEST.is_installed() {
        true => {
            // nextest leaves out the examples in the documentation.
            if args.is_empty() {
                let doc = ["test", "--quiet", "--doc"];
                run(cargo(doc).args(which))?;
            }
            let profile = if env::var_os("CI").is_some() {
                "ci"
            } else {
                "default"
            };
            cargo(["nextest", "run", "--profile", profile])
        }
        false => cargo(["test", "--no-fail-fast"]),
    };
    command.args(which).args(args);
    writes_to_memory(&mut command);
    let status = status(&mut command)?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::Tests { status }),
    }
}
