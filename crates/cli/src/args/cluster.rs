//! What can be typed about nodes, clusters and their stores.

use std::path::PathBuf;

use accelnet_model::NodeName;
use accelnet_store::EtcdAddress;
use clap::{Args as ClapArgs, Subcommand};

use super::store::{Place, TlsArgs, place};
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
    /// Show values of the store that cannot be read, and move them into a file
    Check(StoreCheck),
    /// Write everything that the store has into a file
    Backup(StoreBackup),
    /// Put a backup into the store
    Restore(StoreRestore),
    /// Go on with the store as it is, after an older state of it was put back
    Accept(StoreAccept),
    /// Move what one machine declared into an etcd, as a cluster of one that others can join
    Migrate(StoreMigrate),
}

/// The store of a command.
#[derive(Debug, ClapArgs)]
pub struct WhichStore {
    /// Another store than that of this node's agent: a file, or an etcd (etcd://HOST:PORT,HOST:PORT/PREFIX)
    #[arg(long, value_name = "STORE", value_parser = place)]
    pub store: Option<Place>,
    /// How an etcd is reached
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// `accelnet store check`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Show the values of the store that are damaged, are about something else than their \
        keys, or were written by a later release. With --repair the first two are moved into a file; \
        where this node's agent has read an earlier value of such a key, that one takes its place. The \
        agent of a machine on its own has to be stopped; those of a cluster work on meanwhile."
)]
pub struct StoreCheck {
    /// The store
    #[command(flatten)]
    pub which: WhichStore,
    /// Move what cannot be read into a file
    #[arg(long)]
    pub repair: bool,
    /// That file; one below /var/lib/accelnet named for the time when left out
    #[arg(long, value_name = "FILE", requires = "repair")]
    pub into: Option<PathBuf>,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet store backup`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Write everything that lasts in the store into a file, which only its owner can read. \
        The agent of a machine on its own has to be stopped; those of a cluster work on meanwhile."
)]
pub struct StoreBackup {
    /// The file, which is replaced
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The store
    #[command(flatten)]
    pub which: WhichStore,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet store restore`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Put a backup into the store: the policy becomes the backup's, and what else is missing \
        is added. Agents of that cluster take the store for theirs again, and take nothing down that \
        runs. FILE may also be what an agent read last (/var/lib/accelnet/last-read of an etcd, \
        /var/lib/accelnet/store.last-read of a machine on its own). A damaged file of a store is moved \
        away first. The agent of a machine on its own has to be stopped."
)]
pub struct StoreRestore {
    /// The backup
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The store
    #[command(flatten)]
    pub which: WhichStore,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet store accept`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Go on with the store as it is, although it is older than what agents have seen, or was \
        emptied: every agent of its cluster takes it for theirs again. Nothing that runs is taken down; \
        what it does not have and runs is named by a fault. The store of another cluster is refused \
        ('accelnet cluster join' is for that). The agent of a machine on its own has to be stopped."
)]
pub struct StoreAccept {
    /// The store
    #[command(flatten)]
    pub which: WhichStore,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
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
