//! `accelnet node`.

use clap::{Args as ClapArgs, Subcommand};

use super::cluster::{NodeDrain, NodeList, NodeUndrain};
use super::output::Output;

/// `accelnet node`
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Show the state of this node, or the last report of another node
    Show(NodeShow),
    /// List the nodes of the cluster and their state
    List(NodeList),
    /// Detach the VFs of a node's VMs, so that the VMs can be moved
    Drain(NodeDrain),
    /// End a drain: VMs on the node get VFs again
    Undrain(NodeUndrain),
}

/// `accelnet node show`
#[derive(Debug, ClapArgs)]
pub struct NodeShow {
    /// Name of the node [default: this node]
    #[arg(value_name = "NODE")]
    pub node: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}
