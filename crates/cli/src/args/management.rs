//! `accelnet enable`, `set`, `disable`.

use clap::Args as ClapArgs;

use super::Output;
use super::values::filled;

/// `accelnet enable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Enable Accelerated Networking on a compute intent. The prerequisites are checked first: if one fails, nothing changes and the error shows how to fix it.",
    after_help = "Exit status: 0 if it is enabled, otherwise that of the first failed prerequisite."
)]
pub struct Enable {
    /// The compute intent that provides the VFs of VMs
    #[arg(long, value_name = "NAME", value_parser = filled())]
    pub intent: String,
    /// Share of nodes that can fail at once, in percent, 0 to 99 [default: the current value, initially 50]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub node_reserve: Option<String>,
    /// Values of the performance settings: SETTING=QUEUE-PAIRS:LIMIT,...
    #[arg(
        long,
        value_name = "SETTINGS",
        long_help = "Values of the performance settings, separated by commas: SETTING=QUEUE-PAIRS:LIMIT. Default: low=1:10,medium=2:50,high=4:100. LIMIT is the rate limit of a VF in percent of the adapter's transmit rate; 100 is no limit."
    )]
    pub performance_settings: Option<String>,
    /// How long to wait for the other nodes
    #[command(flatten)]
    pub wait: Wait,
    /// How it is told
    #[command(flatten)]
    pub how: ChangeOptions,
}

/// `accelnet set`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Change the settings of Accelerated Networking; omitted settings remain unchanged. A change is refused if the accelerated VMs would no longer fit."
)]
pub struct Set {
    /// The compute intent that provides the VFs of VMs
    #[arg(long, value_name = "NAME", required_unless_present_any = ["node_reserve", "performance_settings"], value_parser = filled())]
    pub intent: Option<String>,
    /// Share of nodes that can fail at once, in percent, 0 to 99
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub node_reserve: Option<String>,
    /// Values of the performance settings: SETTING=QUEUE-PAIRS:LIMIT,...
    #[arg(
        long,
        value_name = "SETTINGS",
        long_help = "Values of the performance settings, separated by commas: SETTING=QUEUE-PAIRS:LIMIT, for example low=1:10,high=8:100. LIMIT is the rate limit of a VF in percent of the adapter's transmit rate. Other settings remain unchanged."
    )]
    pub performance_settings: Option<String>,
    /// How long to wait for the other nodes
    #[command(flatten)]
    pub wait: Wait,
    /// How it is told
    #[command(flatten)]
    pub how: ChangeOptions,
}

/// `accelnet disable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Disable Accelerated Networking. VMs keep their VFs, but are no longer managed or monitored."
)]
pub struct Disable {
    /// How long to wait for the other nodes
    #[command(flatten)]
    pub wait: Wait,
    /// How it is told
    #[command(flatten)]
    pub how: ChangeOptions,
}

/// Options of a change by the agent.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct ChangeOptions {
    /// Show the plan without changing anything
    #[arg(long)]
    pub dry_run: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// How long a change waits for all nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ClapArgs)]
pub struct Wait {
    /// Wait until all nodes have applied the change, at most SECONDS [default: 300]; list the nodes that have not
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "300",
        value_parser = clap::value_parser!(u64).range(1..=86_400),
        conflicts_with = "dry_run"
    )]
    pub wait: Option<u64>,
}
