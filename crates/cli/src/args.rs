//! What can be typed.

mod cluster;
mod cmdlets;
mod intent;
mod management;
mod remote;
mod store;
mod vm;

use std::path::PathBuf;
use std::time::Duration;

use accelnet_model::NodeName;
use accelnet_rules::vf_path::Limits;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub use cluster::{
    ClusterCommand, ClusterLeave, ClusterStore, NodeDrain, NodeList, NodeUndrain, StoreAccept,
    StoreBackup, StoreCheck, StoreCommand, StoreMigrate, StoreRestore, WhichStore,
};
pub use cmdlets::{CmdletsChange, CmdletsCommand, CmdletsList};
pub use intent::{
    IntentAdd, IntentCommand, IntentList, IntentRemove, IntentSecurity, IntentSet, IntentShow,
    IntentStatus, Roles,
};
pub use management::{Disable, Enable, Set, Told};
pub use remote::Remote;
pub use store::{Place, REMEMBERED, StoreArgs, TlsArgs};
pub use vm::{VmCommand, VmDisable, VmEnable, VmList, VmSecurity, VmSet, VmShow};

/// Accelerated networking for virtual machines on Linux.
#[derive(Debug, Parser)]
#[command(
    name = "accelnet",
    version,
    about = "Manage SR-IOV virtual functions for virtual machines",
    long_about = "Manage SR-IOV virtual functions (VFs) for virtual machines.\n\n\
        Begin with 'accelnet prereq', which says what this machine can and cannot do and \
        what to do about it. Every error has a code; 'accelnet explain CODE' tells more.",
    after_help = "Exit status: 0 when all is well; 2 for a command line that makes no sense; \
        3 when the output cannot be written; otherwise the number that 'accelnet explain' shows for the code of the error.",
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub struct Args {
    /// Read a copy of a node below DIR instead of the running system
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        long_help = "Read a copy of a node below DIR instead of the running system: DIR/sys, \
            DIR/proc and so on, as copied from it. Nothing can be changed in a copy."
    )]
    pub root: Option<PathBuf>,

    /// Ask the agent that listens at PATH
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        conflicts_with = "root",
        long_help = "Ask the agent that listens at PATH. Without it, at the path in the \
            environment variable ACCELNET_SOCKET, or else at /run/accelnet/agent.sock."
    )]
    pub socket: Option<PathBuf>,

    /// Ask the agent of another machine, at HOST:PORT
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        conflicts_with_all = ["root", "socket"],
        long_help = "Ask the agent of another machine, at HOST:PORT or https://HOST:PORT, with the \
            certificates of a profile: that of --profile, or else the profile called default. \
            Without it, the one in the environment variable ACCELNET_SERVER."
    )]
    pub server: Option<String>,

    /// Ask the agent of a profile
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        conflicts_with_all = ["root", "socket"],
        long_help = "Ask the agent of a profile in accelnet/profiles.toml below XDG_CONFIG_HOME \
            (~/.config where that is not set), or in /etc/accelnet/profiles.toml. Without it, the \
            one in the environment variable ACCELNET_PROFILE."
    )]
    pub profile: Option<String>,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Table,
    /// For programs; documented and stable
    Json,
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListOutput {
    /// For people
    Table,
    /// For programs; documented and stable
    Json,
    /// One name a line
    Name,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell how things stand: settings, capacity, what is promised
    Status(Show),
    /// Show what there is to give, and what it has room for
    Capacity(Capacity),
    /// Check what Accelerated Networking needs
    Prereq(Prereq),
    /// Enable Accelerated Networking on a compute intent
    Enable(Enable),
    /// Change the settings of Accelerated Networking
    Set(Set),
    /// Disable Accelerated Networking; VMs stay as they are
    Disable(Disable),
    /// Declare what adapters are for
    #[command(subcommand)]
    Intent(IntentCommand),
    /// Look at VMs, and accelerate them
    #[command(subcommand)]
    Vm(VmCommand),
    /// Show what the agent would do now, and why
    Plan(Show),
    /// Show what happened
    Log(Log),
    /// Tell whether all is well
    Health(ShowOf),
    /// List what is wrong now
    Faults(ShowOf),
    /// Look at this node and the others, and take VFs from a node's VMs
    #[command(subcommand)]
    Node(NodeCommand),
    /// Found a cluster on an etcd, join one, or leave it
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Move what a store holds
    #[command(subcommand)]
    Store(StoreCommand),
    /// Look at network adapters, and switch SR-IOV on and off
    #[command(subcommand)]
    Adapter(AdapterCommand),
    /// Run the agent of this node
    Agent(Box<Agent>),
    /// Make this node ready for its agent: group, systemd unit, libvirt hook
    Setup(Setup),
    /// Explain an error code, or list them all
    Explain(Explain),
    /// Lay out the names that PowerShell users know, as links to this program
    #[command(subcommand)]
    Cmdlets(CmdletsCommand),
    /// Try everything on four simulated nodes, without touching this machine
    Demo(Demo),
    /// Write the generated part of the documentation into FOLDER
    #[command(hide = true)]
    Generate {
        /// Folder to write into
        folder: PathBuf,
    },
}

/// `accelnet demo`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Try everything on a cluster of four simulated nodes in this process: real \
        agents, one store, their sockets and these commands, over hardware that never existed. \
        It walks through the tasks of the documentation with what each showed. Nothing on this \
        machine is changed, and root is not needed.",
    after_help = "Exit status: 0 only if every step behaved as it should."
)]
pub struct Demo {
    /// Keep the cluster up for commands from another terminal, instead of the walk
    #[arg(long)]
    pub serve: bool,
}

/// `accelnet capacity`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Show what the cluster has to give, node by node: VFs and queue pairs that are \
        in use, promised, free, and of those kept for nodes that fail; how many node failures \
        the accelerated VMs survive, the largest reserve that would still hold, and how many \
        more VMs would be admitted. With --from it tells the same of a cluster that a file \
        describes, and what would come of the VMs that the file asks for; no agent is needed.",
    after_help = "Exit status: 0 only if the promise of the node reserve holds and every VM that \
        the file asks for is admitted, otherwise that of the first code. docs/capacity.md \
        describes the file."
)]
pub struct Capacity {
    /// Judge the cluster that this JSON file describes; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet prereq`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Check what Accelerated Networking needs: the machine, and each adapter for \
        itself. Each check is one row with what was found and, where it did not pass, what to \
        do. Checks that need root to be read are shown as unknown for other users.",
    after_help = "Exit status: 0 only if every check passed (warnings pass), otherwise that of \
        the first that did not."
)]
pub struct Prereq {
    /// Check only the adapters of this intent
    #[arg(long, value_name = "NAME", conflicts_with = "adapter")]
    pub intent: Option<String>,
    /// Check only this adapter; can be given several times
    #[arg(long, value_name = "NAME")]
    pub adapter: Vec<String>,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet node`
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Show all that can be seen of this node, or the last report of another
    Show(NodeShow),
    /// List the nodes of the cluster, and who is up
    List(NodeList),
    /// Take the VFs from a node's VMs, so that they can be moved; shows first which can
    Drain(NodeDrain),
    /// Let a node that was drained have VFs for its VMs again
    Undrain(NodeUndrain),
}

/// Commands that only show.
#[derive(Debug, ClapArgs)]
pub struct Show {
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// Commands that show something of all nodes.
#[derive(Debug, ClapArgs)]
pub struct ShowOf {
    /// Only this node; all nodes when left out
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet node show`
#[derive(Debug, ClapArgs)]
pub struct NodeShow {
    /// The node; this one when left out
    #[arg(value_name = "NODE")]
    pub node: Option<String>,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet adapter`
#[derive(Debug, Subcommand)]
pub enum AdapterCommand {
    /// List the network adapters, and whether they can have VFs
    List(AdapterList),
    /// Show one adapter and its VFs
    Show(AdapterShow),
    /// Switch SR-IOV on: create VFs that are ready for VMs
    Enable(AdapterEnable),
    /// Switch SR-IOV off: remove all VFs
    Disable(AdapterDisable),
}

/// `accelnet adapter list`
#[derive(Debug, ClapArgs)]
pub struct AdapterList {
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: ListOutput,
}

/// `accelnet adapter show`
#[derive(Debug, ClapArgs)]
pub struct AdapterShow {
    /// Netdev name, PCI address or MAC of the adapter
    pub name: String,
    /// Ask the adapter, on a VF that nobody uses, what it can do for VFs (needs root)
    #[arg(
        long,
        long_help = "Ask the adapter what it can do for VFs: on one VF that nobody uses, \
            settings are made and put back. 'adapter enable' does the same with the VFs that \
            it creates. Needs root."
    )]
    pub ask: bool,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet adapter enable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Switch SR-IOV on: create VFs, without host netdevs and ready for VMs, and \
        wait until all of them are there. VFs that are in use are never destroyed: if the \
        number would have to change while any VF is used, nothing is done and the error names \
        what uses it. Running it again is safe at any time."
)]
pub struct AdapterEnable {
    /// Netdev name, PCI address or MAC of each adapter
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub names: Vec<String>,
    /// Every adapter whose VFs can be given to VMs
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// How many VFs; all that the adapter can give when left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub vfs: Option<u32>,
    /// How it is done
    #[command(flatten)]
    pub how: Change,
}

/// `accelnet adapter disable`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Switch SR-IOV off: remove all VFs of an adapter. VFs that are in use are \
        never destroyed: if any VF is used, nothing is done and the error names what uses it."
)]
pub struct AdapterDisable {
    /// Netdev name, PCI address or MAC of each adapter
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// How it is done
    #[command(flatten)]
    pub how: Change,
}

/// How a change is made and told.
#[derive(Debug, ClapArgs)]
pub struct Change {
    /// Give up waiting after so many seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = Change::TIMEOUT,
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    pub timeout: u64,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

impl Change {
    /// Seconds to wait when nothing else is said.
    pub const TIMEOUT: u64 = 180;

    /// The deadline of the whole change.
    pub fn within(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// `accelnet log`
#[derive(Debug, ClapArgs)]
pub struct Log {
    /// At most so many of the newest events
    #[arg(
        long,
        value_name = "N",
        default_value_t = Log::LIMIT,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    pub limit: u16,
    /// Only events of this node
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Go on with what happens, until interrupted; as JSON, one event a line
    #[arg(long, short)]
    pub follow: bool,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet agent`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Run the agent of this node, until it is told to end (SIGTERM). It owns the \
        store, answers on its socket, and keeps the node as it was declared. systemd starts \
        it: see 'accelnet setup'."
)]
pub struct Agent {
    /// Name of this node; its host name when left out
    #[arg(long, value_name = "NAME")]
    pub node: Option<NodeName>,
    /// File of the embedded store, or the etcd of a cluster
    #[command(flatten)]
    pub store: StoreArgs,
    /// Socket to answer on
    #[arg(long, value_name = "PATH", default_value = "/run/accelnet/agent.sock")]
    pub serve: PathBuf,
    /// How to answer from afar
    #[command(flatten)]
    pub remote: Remote,
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

/// `accelnet setup`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Make this node ready for its agent: the group accelnet, whose members may \
        change things, libvirt's hooks, and a systemd unit, which is started. Running \
        it again is safe at any time. Needs root."
)]
pub struct Setup {
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Log {
    /// Events that are shown when nothing else is said.
    pub const LIMIT: u16 = 100;
}

/// `accelnet explain`
#[derive(Debug, ClapArgs)]
pub struct Explain {
    /// The code, in any case; all codes are listed when left out
    pub code: Option<String>,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: ListOutput,
}

impl Command {
    /// Whether it is about this machine, whatever agent would be asked.
    pub fn is_local(&self) -> bool {
        matches!(
            self,
            Command::Agent(_)
                | Command::Cluster(_)
                | Command::Store(_)
                | Command::Setup(_)
                | Command::Demo(_)
                | Command::Explain(_)
                | Command::Cmdlets(_)
                | Command::Generate { .. }
        )
    }

    /// Whether errors go to a program, too.
    pub fn wants_json(&self) -> bool {
        let one = match self {
            Command::Status(args) | Command::Plan(args) => args.output,
            Command::Health(args) | Command::Faults(args) => args.output,
            Command::Node(NodeCommand::Show(args)) => args.output,
            Command::Capacity(args) => args.output,
            Command::Node(NodeCommand::List(args)) => match args.output {
                ListOutput::Json => Output::Json,
                ListOutput::Table | ListOutput::Name => Output::Table,
            },
            Command::Node(NodeCommand::Drain(args)) => args.output,
            Command::Node(NodeCommand::Undrain(args)) => args.output,
            Command::Store(StoreCommand::Migrate(args)) => args.output,
            Command::Store(StoreCommand::Check(args)) => args.output,
            Command::Store(StoreCommand::Accept(_)) => Output::Table,
            Command::Store(StoreCommand::Backup(args)) => args.output,
            Command::Store(StoreCommand::Restore(args)) => args.output,
            Command::Cluster(_) => Output::Table,
            Command::Prereq(args) => args.output,
            Command::Log(args) => args.output,
            Command::Enable(args) => args.how.output,
            Command::Set(args) => args.how.output,
            Command::Disable(args) => args.how.output,
            Command::Intent(command) => match command {
                IntentCommand::List(args) => return args.output == ListOutput::Json,
                IntentCommand::Add(args) => args.how.output,
                IntentCommand::Show(args) => args.output,
                IntentCommand::Status(args) => args.output,
                IntentCommand::Set(args) => args.how.output,
                IntentCommand::Remove(args) => args.how.output,
            },
            Command::Vm(command) => match command {
                VmCommand::List(args) => return args.output == ListOutput::Json,
                VmCommand::Show(args) | VmCommand::Nics(args) => args.output,
                VmCommand::Enable(args) => args.how.output,
                VmCommand::Set(args) => args.how.output,
                VmCommand::Disable(args) => args.how.output,
            },
            Command::Adapter(command) => match command {
                AdapterCommand::List(args) => return args.output == ListOutput::Json,
                AdapterCommand::Show(args) => args.output,
                AdapterCommand::Enable(args) => args.how.output,
                AdapterCommand::Disable(args) => args.how.output,
            },
            Command::Explain(args) => return args.output == ListOutput::Json,
            Command::Cmdlets(CmdletsCommand::List(args)) => return args.output == ListOutput::Json,
            Command::Cmdlets(CmdletsCommand::Install(args) | CmdletsCommand::Remove(args)) => {
                args.output
            }
            Command::Generate { .. } | Command::Agent(_) | Command::Setup(_) | Command::Demo(_) => {
                Output::Table
            }
        };
        one == Output::Json
    }
}
