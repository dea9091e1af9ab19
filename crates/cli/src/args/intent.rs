//! `accelnet intent`.

use accelnet_model::intent::Role;
use clap::{Args as ClapArgs, Subcommand};

use super::values::filled;
use super::{ChangeOptions, ListOutput, Output, Wait};

/// `accelnet intent`
#[derive(Debug, Subcommand)]
pub enum IntentCommand {
    /// Add an intent, and wait until it is applied
    Add(IntentAdd),
    /// List the intents
    List(IntentList),
    /// Show one intent
    Show(IntentShow),
    /// Show the state of intents on every node
    Status(IntentStatus),
    /// Change an intent
    Set(IntentSet),
    /// Remove an unused intent
    Remove(IntentRemove),
}

/// The roles of an intent.
#[derive(Debug, Clone, Copy, Default, ClapArgs)]
pub struct Roles {
    /// Role compute: traffic of VMs
    #[arg(long)]
    pub compute: bool,
    /// Role management: the node's own management traffic
    #[arg(long)]
    pub management: bool,
    /// Role storage: storage traffic
    #[arg(long)]
    pub storage: bool,
}

impl Roles {
    /// As a list.
    pub fn list(self) -> Vec<Role> {
        [
            (self.compute, Role::Compute),
            (self.management, Role::Management),
            (self.storage, Role::Storage),
        ]
        .into_iter()
        .filter_map(|(given, role)| given.then_some(role))
        .collect()
    }
}

/// VF security of an intent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ClapArgs)]
pub struct IntentSecurity {
    /// Let guests change the MAC of their VF and receive traffic for other MACs [initially: off]
    #[arg(long, value_name = "on|off", value_parser = on_off)]
    pub trust: Option<bool>,
    /// Drop frames that guests send from other MACs [initially: on]
    #[arg(long, value_name = "on|off", value_parser = on_off)]
    pub spoof_check: Option<bool>,
}

fn on_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("{other:?} is neither on nor off")),
    }
}

/// `accelnet intent add`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Add an intent, and wait until the node has applied it. A compute intent creates a virtual switch: a bridge with the adapter as uplink, and a pool of VFs. If the adapter has the node's own addresses, they move to the bridge; if the gateway then stops answering, the change is rolled back.",
    after_help = "At least one of --compute, --management and --storage is required."
)]
pub struct IntentAdd {
    /// Name of the intent: at most 32 letters, digits, '.', '-' and '_'
    #[arg(value_parser = filled())]
    pub name: String,
    /// The roles of its adapters
    #[command(flatten)]
    pub roles: Roles,
    /// Netdev name, PCI address or MAC of an adapter; repeat for several
    #[arg(long, value_name = "NAME", required = true, value_delimiter = ',', value_parser = filled())]
    pub adapter: Vec<String>,
    /// Number of VFs of each adapter [default: the maximum of the adapter]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub vfs: Option<u32>,
    /// What guests may do
    #[command(flatten)]
    pub security: IntentSecurity,
    /// How long to wait for the other nodes
    #[command(flatten)]
    pub wait: Wait,
    /// How it is told
    #[command(flatten)]
    pub how: ChangeOptions,
}

/// `accelnet intent list`
#[derive(Debug, ClapArgs)]
pub struct IntentList {
    /// Show only the state on this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: ListOutput,
}

/// `accelnet intent show`
#[derive(Debug, ClapArgs)]
pub struct IntentShow {
    /// Name of the intent
    #[arg(value_parser = filled())]
    pub name: String,
    /// Show only the state on this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet intent status`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Exit status: 0 if every intent is completed, pending or applying without an error, otherwise that of the first failure."
)]
pub struct IntentStatus {
    /// Show only this intent
    pub name: Option<String>,
    /// Show only this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet intent set`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Change an intent, and wait until the node has applied it. Omitted settings remain unchanged. Roles on the command line replace all roles of the intent, and adapters replace all adapters."
)]
pub struct IntentSet {
    /// Name of the intent
    #[arg(value_parser = filled())]
    pub name: String,
    /// The roles of its adapters
    #[command(flatten)]
    pub roles: Roles,
    /// Netdev name, PCI address or MAC of an adapter; repeat for several
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = filled())]
    pub adapter: Vec<String>,
    /// Number of VFs of each adapter; 0 for the maximum of the adapter
    #[arg(long, value_name = "N")]
    pub vfs: Option<u32>,
    /// What guests may do
    #[command(flatten)]
    pub security: IntentSecurity,
    /// Change the number of VFs even if VMs use some; these VMs use their software path during the change
    #[arg(long)]
    pub disruptive: bool,
    /// How long to wait for the other nodes
    #[command(flatten)]
    pub wait: Wait,
    /// How it is told
    #[command(flatten)]
    pub how: ChangeOptions,
}

/// `accelnet intent remove`
#[derive(Debug, ClapArgs)]
pub struct IntentRemove {
    /// Name of the intent
    #[arg(value_parser = filled())]
    pub name: String,
    /// How long to wait for the other nodes
    #[command(flatten)]
    pub wait: Wait,
    /// How it is told
    #[command(flatten)]
    pub how: ChangeOptions,
}
