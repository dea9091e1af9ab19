//! `accelnet adapter`.

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};

use super::output::{ListOutput, Output};
use super::values::filled;

/// `accelnet adapter`
#[derive(Debug, Subcommand)]
pub enum AdapterCommand {
    /// List the network adapters and their SR-IOV support
    List(AdapterList),
    /// Show one adapter and its VFs
    Show(AdapterShow),
    /// Enable SR-IOV: create VFs for VMs
    Enable(AdapterEnable),
    /// Disable SR-IOV: remove all VFs
    Disable(AdapterDisable),
}

/// `accelnet adapter list`
#[derive(Debug, ClapArgs)]
pub struct AdapterList {
    /// Show only adapters of this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: ListOutput,
}

/// `accelnet adapter show`
#[derive(Debug, ClapArgs)]
pub struct AdapterShow {
    /// Netdev name, PCI address or MAC of the adapter; on other nodes, its name or PCI address
    #[arg(value_parser = filled())]
    pub name: String,
    /// Node of the adapter [default: this node, then all other nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// Test the VF settings of the adapter on an unused VF (needs root)
    #[arg(
        long,
        long_help = "Test the VF settings that the adapter supports: set each on one unused VF and restore it. 'adapter enable' tests the VFs that it creates in the same way. Needs root."
    )]
    pub ask: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet adapter enable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Enable SR-IOV: create VFs for VMs, without host netdevs, and wait until all of them exist. VFs in use are never destroyed: if the number would change while a VF is in use, nothing changes and the error names the user. The command can be repeated at any time."
)]
pub struct AdapterEnable {
    /// Netdev name, PCI address or MAC of each adapter
    #[arg(value_name = "NAME", required_unless_present = "all", value_parser = filled())]
    pub names: Vec<String>,
    /// All adapters whose VFs can be assigned to VMs
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// Number of VFs [default: as many as the adapter supports]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub vfs: Option<u32>,
    /// How it is done
    #[command(flatten)]
    pub how: Change,
}

/// `accelnet adapter disable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Disable SR-IOV: remove all VFs of an adapter. VFs in use are never destroyed: if a VF is in use, nothing changes and the error names the user."
)]
pub struct AdapterDisable {
    /// Netdev name, PCI address or MAC of each adapter
    #[arg(value_name = "NAME", required = true, value_parser = filled())]
    pub names: Vec<String>,
    /// How it is done
    #[command(flatten)]
    pub how: Change,
}

/// Options of a change of adapters.
#[derive(Debug, ClapArgs)]
pub struct Change {
    /// Time limit in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = Change::TIMEOUT,
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    pub timeout: u64,
    /// Show the plan without changing anything
    #[arg(long)]
    pub dry_run: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

impl Change {
    /// Seconds to wait when nothing else is said.
    pub const TIMEOUT: u64 = 180;

    /// The deadline of the whole change.
    pub fn within(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}
