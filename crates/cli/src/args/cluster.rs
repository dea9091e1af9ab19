//! `accelnet node`, `accelnet cluster` and `accelnet store`.

use std::path::PathBuf;

use accelnet_model::NodeName;
use accelnet_store::EtcdAddress;
use clap::{Args as ClapArgs, Subcommand};

use super::store::{Place, TlsArgs, place};
use super::{ListOutput, Output};

/// `accelnet node list`
#[derive(Debug, ClapArgs)]
pub struct NodeList {
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: ListOutput,
}

/// `accelnet node drain`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Detach the VFs of the VMs that run on a node: the VMs continue over virtio, and can be moved to another node. Their settings remain: a VM gets a VF on the node where it runs next, or here after 'accelnet node undrain'. Until then no VM is accelerated on the node. With --dry-run nothing changes: the answer lists which VMs can be moved, and which cannot and why."
)]
pub struct NodeDrain {
    /// Name of the node
    #[arg(value_name = "NODE")]
    pub node: NodeName,
    /// Show the plan without changing anything
    #[arg(long, conflicts_with = "apply")]
    pub dry_run: bool,
    /// Accepted for scripts: it is what the command does
    #[arg(long, hide = true)]
    pub apply: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet node undrain`
#[derive(Debug, ClapArgs)]
pub struct NodeUndrain {
    /// Name of the node
    #[arg(value_name = "NODE")]
    pub node: NodeName,
    /// Show the plan without changing anything
    #[arg(long)]
    pub dry_run: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet cluster`
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Create a cluster on an empty etcd, with this node as the first member
    Init(ClusterStore),
    /// Join the cluster on an etcd
    Join(ClusterStore),
    /// Remove a node from the cluster
    Leave(ClusterLeave),
}

/// `accelnet cluster init` and `accelnet cluster join`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Check the content of the etcd, write its address to /etc/accelnet/agent.env, and start the agent with it. The intents and VMs of this node's own store remain in the file of that store; to create a cluster with them, use 'accelnet store migrate' instead. Needs root."
)]
pub struct ClusterStore {
    /// Address of the etcd (etcd://HOST:PORT,HOST:PORT/PREFIX)
    #[arg(long, value_name = "ETCD")]
    pub store: EtcdAddress,
    /// How the etcd is reached
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Name of this node [default: its host name]
    #[arg(long, value_name = "NAME")]
    pub node: Option<NodeName>,
    /// Show the plan without changing anything
    #[arg(long)]
    pub dry_run: bool,
}

/// `accelnet cluster leave`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Remove a node from the cluster: this node, whose agent then restarts with a store of its own, or with --node another node that is down. Accelerated VMs must be moved or disabled first. Needs root."
)]
pub struct ClusterLeave {
    /// Remove this node, which is down, instead of the own node
    #[arg(long, value_name = "NODE")]
    pub node: Option<NodeName>,
    /// Show the plan without changing anything
    #[arg(long)]
    pub dry_run: bool,
}

/// `accelnet store`
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Show unreadable values of the store, and move them to a file
    Check(StoreCheck),
    /// Write a backup of the store to a file
    Backup(StoreBackup),
    /// Restore a backup
    Restore(StoreRestore),
    /// Accept the current state of the store after an older one was restored
    Accept(StoreAccept),
    /// Copy one machine's store to an etcd, as a cluster that others can join
    Migrate(StoreMigrate),
}

/// The store of a command.
#[derive(Debug, ClapArgs)]
pub struct WhichStore {
    /// A file or an etcd (etcd://HOST:PORT,HOST:PORT/PREFIX) [default: the store of this node's agent]
    #[arg(long, value_name = "STORE", value_parser = place)]
    pub store: Option<Place>,
    /// How an etcd is reached
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// `accelnet store check`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Show the values of the store that are damaged, do not match their keys, or were written by a later release. --repair moves the first two kinds to a file, and restores an earlier value if this node's agent has one. Stop the agent of a single machine first; agents of a cluster keep running."
)]
pub struct StoreCheck {
    /// The store
    #[command(flatten)]
    pub which: WhichStore,
    /// Move unreadable values to a file
    #[arg(long)]
    pub repair: bool,
    /// File for the unreadable values [default: a new file in /var/lib/accelnet]
    #[arg(long, value_name = "FILE", requires = "repair")]
    pub into: Option<PathBuf>,
    /// Show the plan without changing anything
    #[arg(long, requires = "repair")]
    pub dry_run: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet store backup`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Write all lasting values of the store to a file, which only its owner can read. Stop the agent of a single machine first; agents of a cluster keep running."
)]
pub struct StoreBackup {
    /// File to write; an existing file is replaced
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The store
    #[command(flatten)]
    pub which: WhichStore,
    /// Show the plan without changing anything
    #[arg(long)]
    pub dry_run: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet store restore`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Restore a backup: the policy is replaced by that of the backup, and other missing values are added. Agents of that cluster then accept the store again, and leave VFs and VMs unchanged. FILE can also be the last state that an agent read (/var/lib/accelnet/last-read with an etcd, /var/lib/accelnet/store.last-read on a single machine). A damaged store file is moved away first. Stop the agent of a single machine first."
)]
pub struct StoreRestore {
    /// File of the backup
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The store
    #[command(flatten)]
    pub which: WhichStore,
    /// Show the plan without changing anything
    #[arg(long)]
    pub dry_run: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet store accept`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Accept the current state of the store although it is empty or older than the state that agents have seen. Every agent of its cluster then uses it again. VFs, VMs and networks remain unchanged; a fault names those that the store does not contain. The store of another cluster is refused (use 'accelnet cluster join'). Stop the agent of a single machine first."
)]
pub struct StoreAccept {
    /// The store
    #[command(flatten)]
    pub which: WhichStore,
    /// Show the plan without changing anything
    #[arg(long)]
    pub dry_run: bool,
}

/// `accelnet store migrate`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Copy the embedded store of one machine to an etcd without a cluster. Stop the agent first. An interrupted copy continues when the command is repeated. The file remains unchanged; 'accelnet cluster join' then starts the agent with the etcd."
)]
pub struct StoreMigrate {
    /// File of the embedded store
    #[arg(long, value_name = "FILE", default_value = "/var/lib/accelnet/store")]
    pub from: PathBuf,
    /// Address of the etcd (etcd://HOST:PORT,HOST:PORT/PREFIX)
    #[arg(long, value_name = "ETCD")]
    pub to: EtcdAddress,
    /// How the etcd is reached
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Show the plan without changing anything
    #[arg(long)]
    pub dry_run: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}
