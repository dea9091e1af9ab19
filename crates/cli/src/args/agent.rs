//! `accelnet agent`.

use std::path::PathBuf;
use std::time::Duration;

use accelnet_agent::logging::Levels;
use accelnet_model::NodeName;
use accelnet_rules::vf_path::Limits;
use clap::Args as ClapArgs;

use super::remote::Remote;
use super::store::StoreArgs;

/// `accelnet agent`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Run the agent of this node until SIGTERM. The agent owns the store, answers on its socket and applies the intents to the node. systemd starts it: see 'accelnet setup'."
)]
pub struct Agent {
    /// Name of this node [default: its host name]
    #[arg(long, value_name = "NAME")]
    pub node: Option<NodeName>,
    /// File of the embedded store, or the etcd of a cluster
    #[command(flatten)]
    pub store: StoreArgs,
    /// Socket to listen on
    #[arg(long, value_name = "PATH", default_value = "/run/accelnet/agent.sock")]
    pub serve: PathBuf,
    /// How to answer remote clients
    #[command(flatten)]
    pub remote: Remote,
    /// Levels of the agent's log
    #[arg(
        long,
        value_name = "LEVELS",
        env = "ACCELNET_LOG",
        hide_env_values = true,
        default_value = "warn",
        long_help = "Levels of the agent's log: off, error, warn, info or debug, of all modules or by module ('warn,accelnet_api=info'). The log goes to the journal if systemd connects stderr to it, else to stderr. While /run/accelnet/log exists, the levels in this file apply instead, without a restart."
    )]
    pub log: Levels,
    /// For tests: kill the process before the named step, after so many passings (STEP:N)
    #[arg(long, hide = true, value_parser = read_kill_at)]
    pub kill_at: Option<(String, u32)>,
    /// For tests: seconds that a guest may take to drive a VF that was attached, and after a start
    /// (ATTACHED:STARTED)
    #[arg(long, hide = true, value_parser = read_limits)]
    pub vf_limits: Option<Limits>,
}

fn read_limits(text: &str) -> Result<Limits, String> {
    let wrong = || format!("{text:?} is not two numbers of seconds");
    let (attached, started) = text.split_once(':').ok_or_else(wrong)?;
    let seconds = |text: &str| text.parse().map(Duration::from_secs).map_err(|_| wrong());
    Ok(Limits {
        attached: seconds(attached)?,
        started: seconds(started)?,
    })
}

fn read_kill_at(text: &str) -> Result<(String, u32), String> {
    let (step, times) = text.split_once(':').unwrap_or((text, "0"));
    let times = times
        .parse()
        .map_err(|_| format!("{times:?} is no number"))?;
    Ok((step.to_owned(), times))
}
