//! `accelnet vm`.

use accelnet_model::{Mac, VfChoice};
use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::{ListOutput, Output, Told};

/// `accelnet vm`
#[derive(Debug, Subcommand)]
pub enum VmCommand {
    /// List the VMs, and how accelerated they are
    List(VmList),
    /// Show VMs: settings, path of their traffic, what was verified
    Show(VmShow),
    /// Show the vNICs of VMs, and which are on the enabled intent's virtual switch
    Nics(VmShow),
    /// Accelerate VMs
    Enable(VmEnable),
    /// Change what accelerated VMs get
    Set(VmSet),
    /// Take VMs back to their software path
    Disable(VmDisable),
}

/// What a guest may do with its VF, of one VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// It may
    On,
    /// It may not
    Off,
    /// As its intent says
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

/// What the guests of VMs may do with their VFs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ClapArgs)]
pub struct VmSecurity {
    /// Whether the guest may change the VF's MAC and receive what is sent to others (VRRP, a bridge or a bond in it)
    #[arg(
        long,
        value_enum,
        value_name = "on|off|intent",
        hide_possible_values = true
    )]
    pub trust: Option<Choice>,
    /// Whether the adapter drops what the guest sends from another MAC
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
    /// Only VMs that have a performance setting
    #[arg(long, conflicts_with = "not_accelerated")]
    pub accelerated: bool,
    /// Only VMs that have none
    #[arg(long)]
    pub not_accelerated: bool,
    /// Only these: names, UUIDs or globs, with a comma between or several times
    #[arg(long, value_name = "VM", value_delimiter = ',')]
    pub name: Vec<String>,
    /// Only VMs on this node; all nodes when left out
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: ListOutput,
}

/// `accelnet vm show`, `accelnet vm nics`
#[derive(Debug, ClapArgs)]
pub struct VmShow {
    /// Names, UUIDs or globs
    #[arg(required = true, value_name = "VM")]
    pub names: Vec<String>,
    /// Only VMs on this node; all nodes when left out
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

const SEVERAL: &str = "Names, UUIDs or globs (quote them: 'web*'; a VM called exactly so comes first, and [*] is a plain star); - reads \
     names from standard input, one a line";
const AFTER: &str = "Every VM has a result of its own. Exit status: 0 only if all went well, \
    otherwise that of the first VM that did not.";

/// `accelnet vm enable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Accelerate VMs: each gets a VF beside its vNIC, with the same MAC. A running VM \
        gets it at once where its vNIC can fail over already; otherwise the change waits for \
        its next start, unless --now is given.",
    after_help = AFTER
)]
pub struct VmEnable {
    #[arg(required = true, value_name = "VM", help = SEVERAL)]
    /// The VMs
    pub names: Vec<String>,
    /// What they get: low, medium or high
    #[arg(long, short, value_name = "SETTING")]
    pub performance: String,
    /// Re-plug the vNIC of a running VM that cannot get its VF otherwise: a moment without network
    #[arg(long)]
    pub now: bool,
    /// Add a vNIC on the intent's virtual switch where a VM has none
    #[arg(long)]
    pub add_nic: bool,
    /// MAC of the vNIC to accelerate ('accelnet vm nics'); the first on the intent's virtual switch when left out
    #[arg(long, value_name = "MAC", conflicts_with = "add_nic")]
    pub mac: Option<Mac>,
    /// What the guest may do
    #[command(flatten)]
    pub security: VmSecurity,
    /// How it is told
    #[command(flatten)]
    pub how: Told,
}

/// `accelnet vm set`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Change what accelerated VMs get.",
    after_help = AFTER
)]
pub struct VmSet {
    #[arg(required = true, value_name = "VM", help = SEVERAL)]
    /// The VMs
    pub names: Vec<String>,
    /// What they get: low, medium or high; as it is when left out
    #[arg(long, short, value_name = "SETTING", required_unless_present_any = ["trust", "spoof_check"])]
    pub performance: Option<String>,
    /// What the guest may do
    #[command(flatten)]
    pub security: VmSecurity,
    /// Take the VF of a running VM away and give it again where the setting needs that
    #[arg(long)]
    pub now: bool,
    /// How it is told
    #[command(flatten)]
    pub how: Told,
}

/// `accelnet vm disable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Take VMs back to their software path. They keep their MAC and their connections.",
    after_help = AFTER
)]
pub struct VmDisable {
    #[arg(required = true, value_name = "VM", help = SEVERAL)]
    /// The VMs
    pub names: Vec<String>,
    /// How it is told
    #[command(flatten)]
    pub how: Told,
}
