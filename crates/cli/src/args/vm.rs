//! `accelnet vm`.

use accelnet_model::{Mac, VfChoice};
use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::values::filled;
use super::{ChangeOptions, ListOutput, Output};

/// `accelnet vm`
#[derive(Debug, Subcommand)]
pub enum VmCommand {
    /// List VMs and their acceleration
    List(VmList),
    /// Show VMs: settings, traffic path, verification
    Show(VmShow),
    /// Show the vNICs of VMs, and which are on the intent's virtual switch
    Nics(VmShow),
    /// Accelerate VMs
    Enable(VmEnable),
    /// Change the settings of accelerated VMs
    Set(VmSet),
    /// Move VMs to their software path
    Disable(VmDisable),
}

/// A VF security setting of one VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// It may
    On,
    /// It may not
    Off,
    /// The setting of the intent
    Intent,
}

impl From<Choice> for VfChoice {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::On => VfChoice::On,
            Choice::Off => VfChoice::Off,
            Choice::Intent => VfChoice::Intent,
        }
    }
}

/// VF security of VMs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ClapArgs)]
pub struct VmSecurity {
    /// Let the guest change the VF's MAC and receive traffic for other MACs (VRRP, bridges, bonds)
    #[arg(
        long,
        value_enum,
        value_name = "on|off|intent",
        hide_possible_values = true
    )]
    pub trust: Option<Choice>,
    /// Drop frames that the guest sends from other MACs
    #[arg(
        long,
        value_enum,
        value_name = "on|off|intent",
        hide_possible_values = true
    )]
    pub spoof_check: Option<Choice>,
}

/// `accelnet vm list`
#[derive(Debug, ClapArgs)]
pub struct VmList {
    /// Show only accelerated VMs
    #[arg(long, conflicts_with = "not_accelerated")]
    pub accelerated: bool,
    /// Show only VMs that are not accelerated
    #[arg(long)]
    pub not_accelerated: bool,
    /// Show only these VMs: names, UUIDs or patterns, separated by commas
    #[arg(long, value_name = "VM", value_delimiter = ',', value_parser = filled())]
    pub name: Vec<String>,
    /// Show only VMs of this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: ListOutput,
}

/// `accelnet vm show`, `accelnet vm nics`
#[derive(Debug, ClapArgs)]
pub struct VmShow {
    /// Names, UUIDs or patterns
    #[arg(required = true, value_name = "VM")]
    pub names: Vec<String>,
    /// Show only VMs of this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

const SEVERAL: &str = "Names, UUIDs or patterns in quotes ('web*'; [*] matches a star; an exact name takes precedence); - reads names from standard input, one per line";
const AFTER: &str = "Each VM has its own result. Exit status: 0 if all succeeded, 26 if a change on another node may still be carried out, otherwise that of the first VM that failed.";

/// `accelnet vm enable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Accelerate VMs: each VM gets a VF beside its vNIC, with the same MAC. A running VM gets its VF immediately if its vNIC supports failover; otherwise at its next start, or immediately with --now.",
    after_help = AFTER
)]
pub struct VmEnable {
    #[arg(required = true, value_name = "VM", help = SEVERAL)]
    /// The VMs
    pub names: Vec<String>,
    /// Performance setting: low, medium or high
    #[arg(long, short, value_name = "SETTING")]
    pub performance: String,
    /// Attach the vNIC of a running VM again if needed; this interrupts its network for a moment
    #[arg(long)]
    pub now: bool,
    /// Add a vNIC on the intent's virtual switch to VMs without one
    #[arg(long)]
    pub add_nic: bool,
    /// MAC of the vNIC to accelerate, see 'accelnet vm nics' [default: the first on the intent's virtual switch]
    #[arg(long, value_name = "MAC", conflicts_with = "add_nic")]
    pub mac: Option<Mac>,
    /// What the guest may do
    #[command(flatten)]
    pub security: VmSecurity,
    /// Change only VMs of this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// How it is told
    #[command(flatten)]
    pub how: ChangeOptions,
}

/// `accelnet vm set`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Change the settings of accelerated VMs. Omitted settings remain unchanged.",
    after_help = AFTER
)]
pub struct VmSet {
    #[arg(required = true, value_name = "VM", help = SEVERAL)]
    /// The VMs
    pub names: Vec<String>,
    /// Performance setting: low, medium or high
    #[arg(long, short, value_name = "SETTING", required_unless_present_any = ["trust", "spoof_check"])]
    pub performance: Option<String>,
    /// What the guest may do
    #[command(flatten)]
    pub security: VmSecurity,
    /// Detach and attach the VF of a running VM again if the setting needs it
    #[arg(long)]
    pub now: bool,
    /// Change only VMs of this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// How it is told
    #[command(flatten)]
    pub how: ChangeOptions,
}

/// `accelnet vm disable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Move VMs to their software path. They keep their MAC and their connections.",
    after_help = AFTER
)]
pub struct VmDisable {
    #[arg(required = true, value_name = "VM", help = SEVERAL)]
    /// The VMs
    pub names: Vec<String>,
    /// Change only VMs of this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// How it is told
    #[command(flatten)]
    pub how: ChangeOptions,
}
