//! `accelnet intent`.

use accelnet_model::intent::Role;
use clap::{Args as ClapArgs, Subcommand};

use super::{ListOutput, Output, Told};

/// `accelnet intent`
#[derive(Debug, Subcommand)]
pub enum IntentCommand {
    /// Declare what adapters are for, and wait until it is so
    Add(IntentAdd),
    /// List the intents
    List(IntentList),
    /// Show one intent
    Show(IntentShow),
    /// Tell what became of the intents on every node
    Status(IntentStatus),
    /// Change an intent
    Set(IntentSet),
    /// Remove an intent that nothing uses
    Remove(IntentRemove),
}

/// What an intent's adapters are for.
#[derive(Debug, Clone, Copy, Default, ClapArgs)]
pub struct Roles {
    /// For the traffic of VMs
    #[arg(long)]
    pub compute: bool,
    /// For the node's own management
    #[arg(long)]
    pub management: bool,
    /// For storage traffic
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

/// What guests may do with the VFs of an intent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ClapArgs)]
pub struct IntentSecurity {
    /// Whether guests may change the MAC of their VF and receive what is sent to others; off when never given
    #[arg(long, value_name = "on|off", value_parser = on_off)]
    pub trust: Option<bool>,
    /// Whether the adapter drops what guests send from another MAC; on when never given
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
    long_about = "Declare what adapters are for, and wait until the node is so. A compute intent \
        gives the node its virtual switch: a bridge with the adapter as uplink, and a pool of \
        VFs. An adapter that carries the node's own addresses hands them to the bridge; when \
        the gateway no longer answers then, everything is put back.",
    after_help = "At least one of --compute, --management and --storage is needed."
)]
pub struct IntentAdd {
    /// Its name: letters, digits, '.', '-' and '_', 32 at most
    pub name: String,
    /// What its adapters are for
    #[command(flatten)]
    pub roles: Roles,
    /// Netdev name, PCI address or MAC of an adapter; can be given several times
    #[arg(long, value_name = "NAME", required = true, value_delimiter = ',')]
    pub adapter: Vec<String>,
    /// How many VFs of each adapter; all that it can give when left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub vfs: Option<u32>,
    /// What guests may do
    #[command(flatten)]
    pub security: IntentSecurity,
    /// How it is told
    #[command(flatten)]
    pub how: Told,
}

/// `accelnet intent list`
#[derive(Debug, ClapArgs)]
pub struct IntentList {
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: ListOutput,
}

/// `accelnet intent show`
#[derive(Debug, ClapArgs)]
pub struct IntentShow {
    /// Its name
    pub name: String,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet intent status`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Exit status: 0 only if everything shown is completed, or still pending or \
        applying without an error; otherwise that of the first failure."
)]
pub struct IntentStatus {
    /// Only this intent
    pub name: Option<String>,
    /// Only this node; all nodes when left out
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet intent set`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Change an intent, and wait until the node is so. What is not given stays; roles \
        and adapters that are given take the place of all that it had."
)]
pub struct IntentSet {
    /// Its name
    pub name: String,
    /// What its adapters are for
    #[command(flatten)]
    pub roles: Roles,
    /// Netdev name, PCI address or MAC of an adapter; can be given several times
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub adapter: Vec<String>,
    /// How many VFs of each adapter; 0 for all that it can give
    #[arg(long, value_name = "N")]
    pub vfs: Option<u32>,
    /// What guests may do
    #[command(flatten)]
    pub security: IntentSecurity,
    /// Change the number of VFs though VMs use some: they fall back to their software path meanwhile
    #[arg(long)]
    pub disruptive: bool,
    /// How it is told
    #[command(flatten)]
    pub how: Told,
}

/// `accelnet intent remove`
#[derive(Debug, ClapArgs)]
pub struct IntentRemove {
    /// Its name
    pub name: String,
    /// How it is told
    #[command(flatten)]
    pub how: Told,
}
