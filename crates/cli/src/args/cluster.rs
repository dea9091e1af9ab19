//! What can be typed about nodes, clusters and their stores.

use std::path::PathBuf;

use accelnet_model::NodeName;
use accelnet_store::EtcdAddress;
use clap::{Args as ClapArgs, Subcommand};

use super::store::TlsArgs;
use super::{ListOutput, Output};

/// `accelnet node list`
#[derive(Debug, ClapArgs)]
pub struct NodeList {
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: ListOutput,
}

/// `accelnet node drain`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Take the VFs from the VMs that run on a node: they go on over virtio, and can be \
        moved to another node. Their settings stay: a VM gets its VF where it runs next, or here \
        after 'accelnet node undrain'. Meanwhile no VM is accelerated on the node. Without \
        --apply nothing is done: shown is which VMs can be moved, and which cannot and why."
)]
pub struct NodeDrain {
    /// The node
    #[arg(value_name = "NODE")]
    pub node: NodeName,
    /// Do it
    #[arg(long)]
    pub apply: bool,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet node undrain`
#[derive(Debug, ClapArgs)]
pub struct NodeUndrain {
    /// The node
    #[arg(value_name = "NODE")]
    pub node: NodeName,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet cluster`
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Found a cluster on an etcd that has none, with this node as its first
    Init(ClusterStore),
    /// Make this node one of the cluster on an etcd
    Join(ClusterStore),
    /// Take a node out of the cluster for good
    Leave(ClusterLeave),
}

/// `accelnet cluster init` and `accelnet cluster join`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Checks what the etcd has, writes it into /etc/accelnet/agent.env, and starts the \
        agent on it. What this node declared for itself stays in its file: 'accelnet store \
        migrate' founds a cluster with it instead. Needs root."
)]
pub struct ClusterStore {
    /// The etcd (etcd://HOST:PORT,HOST:PORT/PREFIX)
    #[arg(long, value_name = "ETCD")]
    pub store: EtcdAddress,
    /// How the etcd is reached
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Name of this node; its host name when left out
    #[arg(long, value_name = "NAME")]
    pub node: Option<NodeName>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `accelnet cluster leave`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Take a node out of the cluster for good: this one, whose agent is stopped and \
        started again on a file of its own, or with --node another that is down. VMs with a \
        setting must have left it. Needs root."
)]
pub struct ClusterLeave {
    /// Another node, which is down
    #[arg(long, value_name = "NODE")]
    pub node: Option<NodeName>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `accelnet store`
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Move what one machine declared into an etcd, as a cluster of one that others can join
    Migrate(StoreMigrate),
}

/// `accelnet store migrate`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Copy everything that the embedded store of one machine holds into an etcd that \
        has no cluster. The agent has to be stopped. One that was interrupted goes on when it is \
        called again. The file stays as it was; 'accelnet cluster join' then starts the agent on \
        the etcd."
)]
pub struct StoreMigrate {
    /// File of the embedded store
    #[arg(long, value_name = "FILE", default_value = "/var/lib/accelnet/store")]
    pub from: PathBuf,
    /// The etcd (etcd://HOST:PORT,HOST:PORT/PREFIX)
    #[arg(long, value_name = "ETCD")]
    pub to: EtcdAddress,
    /// How the etcd is reached
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}
