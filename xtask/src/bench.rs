//! `cargo xtask bench`: accelnet beside what it stands on, on the same nodes.

mod admission;
mod agents;
pub mod document;
mod doors;
mod growth;
mod limit;
mod machine;
mod managed;
mod measure;
mod namespace;
mod node;
mod plot;
mod row;
mod served;
mod simulated;
mod table;
mod tree;

use std::path::Path;
use std::{fmt, fs};

use clap::{Args, Subcommand, ValueEnum};

use crate::error::Error;
use crate::etcd;
use crate::packages;
use crate::run::{cargo, root, run, target};
use limit::Limit;
use row::Row;

/// Where `--write` writes.
const DOCUMENT: &str = "docs/benchmarks.md";

/// A part of what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Generated trees
    Trees,
    /// Simulated nodes
    Simulated,
    /// A thousand agents of simulated nodes on one etcd
    Agents,
    /// A node of the lab without an agent
    Node,
    /// A node of the lab with an agent
    Managed,
}

/// Measure accelnet beside iproute2, pciutils, libvirt and the kernel
///
/// Builds the release program, and times it in turns with what it is compared with: on
/// generated trees, on simulated nodes, and on nodes of the lab. What it costs at rest is
/// measured there, too.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Bench {
    #[command(subcommand)]
    apart: Option<Apart>,
    /// Only this part; may be given several times
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// How often everything is timed
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,
    /// For how many seconds the idle agent is watched
    #[arg(long, default_value_t = 120, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(60..))]
    idle: u32,
    /// Write docs/benchmarks.md
    #[arg(long, conflicts_with = "only")]
    write: bool,
}

/// What is measured by itself.
#[derive(Debug, Subcommand)]
enum Apart {
    Admission(admission::Admission),
    Doors(doors::Doors),
}

impl Bench {
    pub fn run(&self) -> Result<(), Error> {
        match &self.apart {
            Some(Apart::Admission(admission)) => return admission.run(),
            Some(Apart::Doors(doors)) => return doors.run(),
            None => {}
        }
        packages::ensure(packages::TEST)?;
        run(&mut cargo(["build", "--release", "--package", "accelnet"]))?;
        let program = target().join("release/accelnet");
        let mut busy = vec![machine::busy()?];
        let mut all = Measured::default();
        // What asks most of the machine comes first: it is known soonest whether it runs at all.
        for part in [
            Part::Agents,
            Part::Managed,
            Part::Node,
            Part::Trees,
            Part::Simulated,
        ] {
            if self.wants(part) {
                let measured = self.measure(part, &program)?;
                print!("{measured}");
                all.add(measured);
            }
        }
        busy.push(machine::busy()?);
        if self.write {
            let about = machine::about(&program, busy)?;
            let path = root().join(DOCUMENT);
            let mut text = document::text(&about, &all.node, &all.rows, &all.limits);
            let before = fs::read_to_string(&path).unwrap_or_default();
            // What is measured apart stays.
            if let Some((_, doors)) = before.split_once(doors::MARKS[0]) {
                text += &format!("\n{}{doors}", doors::MARKS[0]);
            }
            fs::write(&path, text).map_err(|source| Error::File { path, source })?;
            println!("written: {DOCUMENT}");
        }
        Ok(())
    }

    fn measure(&self, part: Part, program: &Path) -> Result<Measured, Error> {
        Ok(match part {
            Part::Trees => Measured::of(tree::measure(program, self.rounds)?, Vec::new()),
            Part::Simulated => {
                let (row, limit) = simulated::status(program, self.rounds)?;
                let fifty = simulated::fifty(self.rounds)?;
                etcd::ensure()?;
                let mut limits = vec![limit, fifty];
                limits.extend(simulated::thousand()?);
                Measured::of(vec![row], limits)
            }
            Part::Agents => {
                etcd::ensure()?;
                Measured::of(Vec::new(), agents::measure()?)
            }
            Part::Node => {
                let measured = node::measure(program, self.rounds)?;
                Measured {
                    node: measured.versions,
                    ..Measured::of(measured.rows, Vec::new())
                }
            }
            Part::Managed => {
                let (row, limits) = managed::measure(program, self.rounds, self.idle)?;
                Measured::of(vec![row], limits)
            }
        })
    }

    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// What was found.
#[derive(Default)]
struct Measured {
    rows: Vec<Row>,
    limits: Vec<Limit>,
    /// What the lab's node runs.
    node: Vec<(&'static str, String)>,
}

impl Measured {
    fn of(rows: Vec<Row>, limits: Vec<Limit>) -> Self {
        Measured {
            rows,
            limits,
            node: Vec::new(),
        }
    }

    fn add(&mut self, other: Measured) {
        self.rows.extend(other.rows);
        self.limits.extend(other.limits);
        self.node.extend(other.node);
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.rows.is_empty() {
            writeln!(f, "{}", table::plain(&self.rows))?;
        }
        if !self.limits.is_empty() {
            writeln!(f, "{}", table::limits_plain(&self.limits))?;
        }
        Ok(())
    }
}
