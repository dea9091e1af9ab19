//! `cargo xtask bench`: accelnet beside what it stands on, on the same nodes.

mod admission;
mod document;
mod machine;
mod measure;
mod namespace;
mod node;
mod plot;
mod row;
mod table;
mod tree;

use std::fs;

use clap::{Args, Subcommand};

use crate::error::Error;
use crate::packages;
use crate::run::{cargo, root, run, target};

/// Where `--write` writes.
const DOCUMENT: &str = "docs/benchmarks.md";

/// Measure accelnet beside iproute2, pciutils and the kernel
///
/// Builds the release program, and times it in turns with what it is compared with: on
/// generated trees, and on a node of the lab.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Bench {
    #[command(subcommand)]
    only: Option<Only>,
    /// Only the generated trees
    #[arg(long)]
    without_lab: bool,
    /// How often everything is timed
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,
    /// Write docs/benchmarks.md
    #[arg(long, conflicts_with = "without_lab")]
    write: bool,
}

/// What is measured by itself.
#[derive(Debug, Subcommand)]
enum Only {
    Admission(admission::Admission),
}

impl Bench {
    pub fn run(&self) -> Result<(), Error> {
        if let Some(Only::Admission(admission)) = &self.only {
            return admission.run();
        }
        packages::ensure(packages::TEST)?;
        run(&mut cargo(["build", "--release", "--package", "accelnet"]))?;
        let program = target().join("release/accelnet");
        let mut busy = vec![machine::busy()?];
        let mut rows = tree::measure(&program, self.rounds)?;
        let mut node = None;
        if !self.without_lab {
            let measured = node::measure(&program, self.rounds)?;
            rows.extend(measured.rows);
            node = Some(measured.versions);
        }
        busy.push(machine::busy()?);
        print!("{}", table::plain(&rows));
        if let (true, Some(node)) = (self.write, node) {
            let about = machine::about(&program, busy)?;
            let path = root().join(DOCUMENT);
            let text = document::text(&about, &node, &rows);
            fs::write(&path, text).map_err(|source| Error::File { path, source })?;
            println!("written: {DOCUMENT}");
        }
        Ok(())
    }
}
