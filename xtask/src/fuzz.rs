//! `cargo xtask fuzz`: what reads bytes from outside, on arbitrary bytes.

use std::process::Command;

use clap::Args;

use crate::error::Error;
use crate::packages;
use crate::run::{cargo, run, status};
use crate::tools::Tool;

const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "^0.13",
};

/// How long each target runs, in seconds.
const SECONDS: u32 = 120;

/// Everything that reads bytes from outside.
const TARGETS: [&str; 7] = [
    "config_space",
    "netlink",
    "libvirt_xml",
    "http",
    "certificate",
    "store_values",
    "hook_files",
];

/// Fuzz what reads bytes from the kernel, devices, libvirt, clients, certificates, the store and /run
///
/// Installs cargo-fuzz below target/tools when it is missing. Runs on the stable toolchain.
/// What is found stays in fuzz/artifacts, what was learned in fuzz/corpus.
#[derive(Debug, Args)]
pub struct Fuzz {
    /// How long to run each target
    #[arg(long, default_value_t = SECONDS, value_name = "SECONDS")]
    seconds: u32,
    /// Only this target
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
}

impl Fuzz {
    /// Every target, for two minutes each.
    pub fn every_target() -> Self {
        Fuzz {
            seconds: SECONDS,
            target: None,
        }
    }

    pub fn run(&self) -> Result<(), Error> {
        packages::ensure(packages::FUZZ)?;
        CARGO_FUZZ.ensure()?;
        let asked = |target: &&str| self.target.as_deref().is_none_or(|only| only == *target);
        let mut failed = Vec::new();
        let mut said = Vec::new();
        for target in TARGETS.into_iter().filter(asked) {
            let sanitizer = sanitizer(target)?;
            let limit = format!("-max_total_time={}", self.seconds);
            let mut fuzz = cargo_fuzz("run", sanitizer, target);
            let found = !status(fuzz.args(["--", &limit, "-print_final_stats=1"]))?.success();
            if found {
                failed.push(target);
            }
            let outcome = if found {
                "something was found"
            } else {
                "nothing found"
            };
            let seconds = self.seconds;
            said.push(format!(
                "{target}: {outcome} (at most {seconds} s, sanitizer {sanitizer})"
            ));
        }
        println!("{}", said.join("\n"));
        match failed.is_empty() {
            true => Ok(()),
            false => Err(Error::Fuzzed(failed)),
        }
    }
}

/// Builds the target, with the address sanitizer where this toolchain has it.
fn sanitizer(target: &str) -> Result<&'static str, Error> {
    if status(&mut cargo_fuzz("build", "address", target))?.success() {
        return Ok("address");
    }
    eprintln!("not built with the address sanitizer; trying without");
    run(&mut cargo_fuzz("build", "none", target))?;
    Ok("none")
}

/// cargo-fuzz wants flags that stable rustc knows, but keeps for nightly.
fn cargo_fuzz(what: &str, sanitizer: &str, target: &str) -> Command {
    let mut command = cargo(["fuzz", what, "--sanitizer", sanitizer, target]);
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}
