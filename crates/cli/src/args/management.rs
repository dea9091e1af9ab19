//! `accelnet enable`, `set`, `disable`.

use clap::Args as ClapArgs;

use super::Output;

/// `accelnet enable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Enable Accelerated Networking on a compute intent. The prerequisites are \
        checked first: where one does not pass, nothing is changed and the error says what \
        to do.",
    after_help = "Exit status: 0 when it is enabled, otherwise that of the first thing in the way."
)]
pub struct Enable {
    /// The compute intent that VMs get their VFs from
    #[arg(long, value_name = "NAME")]
    pub intent: String,
    /// Share of nodes that may be down at once, in percent, 0 to 99 [default: 50]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub node_reserve: Option<String>,
    /// What the performance settings stand for: SETTING=QUEUE-PAIRS:WEIGHT,...
    #[arg(
        long,
        value_name = "FIGURES",
        long_help = "What the performance settings stand for: SETTING=QUEUE-PAIRS:WEIGHT, several \
            with a comma between; low=1:10,medium=2:50,high=4:100 unless said otherwise. The \
            weight is the share of the adapter's transmit rate that a VF may use at most, in \
            percent; 100 sets no limit."
    )]
    pub figures: Option<String>,
    /// How it is told
    #[command(flatten)]
    pub how: Told,
}

/// `accelnet set`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Change the settings of Accelerated Networking; what is not given stays. It is \
        refused when the VMs that are accelerated already would no longer fit, and then \
        everything stays as it was."
)]
pub struct Set {
    /// Another compute intent
    #[arg(long, value_name = "NAME", required_unless_present_any = ["node_reserve", "figures"])]
    pub intent: Option<String>,
    /// Another share of nodes that may be down at once, in percent, 0 to 99
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub node_reserve: Option<String>,
    /// What the performance settings stand for: SETTING=QUEUE-PAIRS:WEIGHT,...
    #[arg(
        long,
        value_name = "FIGURES",
        long_help = "What the performance settings stand for: SETTING=QUEUE-PAIRS:WEIGHT, several \
            with a comma between, as in low=1:10,high=8:100; settings that are not named stay \
            as they are."
    )]
    pub figures: Option<String>,
    /// How it is told
    #[command(flatten)]
    pub how: Told,
}

/// `accelnet disable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Disable Accelerated Networking. VMs stay as they are, with their VFs; they are \
        no longer managed and no longer watched."
)]
pub struct Disable {
    /// How it is told
    #[command(flatten)]
    pub how: Told,
}

/// How a change that an agent makes is told.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct Told {
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}
