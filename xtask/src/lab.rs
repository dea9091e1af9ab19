//! `cargo xtask lab`: the real-kernel test bench.

use accelnet_lab::topologies;
use clap::Subcommand;

use crate::error::Error;
use crate::run::{cargo, run};
use crate::test;

/// Boot real kernels with SR-IOV adapters under QEMU
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Make what nodes boot from, unless it is there
    ///
    /// Installs the Debian packages that are missing and makes a node's kernel and disk
    /// from Debian's packages, once for as long as the recipe stays the same.
    Build,
    /// Run the lab's tests only, the long ones included
    Test {
        /// More words for the test runner, such as the name of a test
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGS"
        )]
        args: Vec<String>,
    },
    /// Boot a node and give a shell on it
    Shell {
        /// Which adapters it has: a name from `cargo xtask lab list`
        #[arg(default_value = "igb-acs")]
        topology: String,
    },
    /// List the topologies that a node can have
    List,
}

impl Lab {
    pub fn run(&self) -> Result<(), Error> {
        match self {
            Lab::Build => {
                let artifacts = accelnet_lab::build()?;
                println!("{}", artifacts.folder().display());
                Ok(())
            }
            Lab::Test { args } => {
                let _lab = accelnet_lab::build()?;
                run(&mut cargo(["build", "--package", "accelnet"]))?;
                // What a test drives libvirt with.
                let example = ["--package", "accelnet-host", "--example", "vms"];
                run(cargo(["build"]).args(example))?;
                test::runner(
                    &["--package", "accelnet-lab", "--features", test::LONG],
                    args,
                )
            }
            Lab::Shell { topology } => {
                run(&mut cargo(["build", "--package", "accelnet"]))?;
                Ok(accelnet_lab::shell(topology)?)
            }
            Lab::List => {
                for topology in topologies::list() {
                    println!("{:<14} {}", topology.name(), topology.about());
                }
                Ok(())
            }
        }
    }
}
