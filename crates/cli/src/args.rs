//! The command line.

mod adapter;
mod agent;
mod cluster;
mod cmdlets;
mod examples;
mod intent;
mod management;
mod node;
mod output;
mod remote;
mod store;
mod values;
mod vm;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as ClapArgs, CommandFactory, Parser, Subcommand};

pub use adapter::{
    AdapterCommand, AdapterDisable, AdapterEnable, AdapterList, AdapterShow, Change,
};
pub use agent::Agent;
pub use cluster::{
    ClusterCommand, ClusterLeave, ClusterStore, NodeDrain, NodeList, NodeUndrain, StoreAccept,
    StoreBackup, StoreCheck, StoreCommand, StoreMigrate, StoreRestore, WhichStore,
};
pub use cmdlets::{CmdletsChange, CmdletsCommand, CmdletsList};
pub use examples::EXAMPLES;
pub use intent::{
    IntentAdd, IntentCommand, IntentList, IntentRemove, IntentSecurity, IntentSet, IntentShow,
    IntentStatus, Roles,
};
pub use management::{ChangeOptions, Disable, Enable, Set, Wait};
pub use node::{NodeCommand, NodeShow};
pub use output::{ColorChoice, ListOutput, Output};
pub use remote::Remote;
pub use store::{Place, REMEMBERED, StoreArgs, TlsArgs};
pub use vm::{VmCommand, VmDisable, VmEnable, VmList, VmSecurity, VmSet, VmShow};

use values::filled;

/// Columns of help.
pub const COLUMNS: usize = 80;
/// Heading of the options that every command has.
const GLOBAL: &str = "Global options";

/// Accelerated networking for virtual machines on Linux.
#[derive(Debug, Parser)]
#[command(
    name = "accelnet",
    version,
    about = "Manage SR-IOV virtual functions for virtual machines",
    long_about = "Manage SR-IOV virtual functions (VFs) for virtual machines.\n\n\
        Start with 'accelnet prereq', which checks this machine and shows how to fix what is missing. Every error has a code; 'accelnet explain CODE' describes it.",
    after_help = "Exit status: 0 on success; 2 for an invalid command line; 3 if the output cannot be written; otherwise the exit status of the error's code ('accelnet explain' lists all).",
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub struct Args {
    /// Read a copy of a node below DIR instead of the running system
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "DIR",
        long_help = "Read a copy of a node below DIR (DIR/sys, DIR/proc, ...) instead of the running system. A copy cannot be changed."
    )]
    pub root: Option<PathBuf>,

    /// Use the agent that listens on the socket PATH
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "PATH",
        conflicts_with = "root",
        long_help = "Use the agent that listens on the socket PATH. Default: the environment variable ACCELNET_SOCKET, or /run/accelnet/agent.sock."
    )]
    pub socket: Option<PathBuf>,

    /// Use the agent of another machine, at HOST:PORT
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "HOST:PORT",
        value_parser = filled(),
        conflicts_with_all = ["root", "socket"],
        long_help = "Use the agent of another machine, at HOST:PORT or https://HOST:PORT, with the certificates of --profile, or of the profile 'default'. Default: the environment variable ACCELNET_SERVER."
    )]
    pub server: Option<String>,

    /// Use the agent of a profile
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "NAME",
        value_parser = filled(),
        conflicts_with_all = ["root", "socket"],
        long_help = "Use the agent of a profile in accelnet/profiles.toml below XDG_CONFIG_HOME (~/.config if it is not set), or in /etc/accelnet/profiles.toml. Default: the environment variable ACCELNET_PROFILE."
    )]
    pub profile: Option<String>,

    /// When to use colors
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub color: ColorChoice,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// Reads the words of a command line, the program's name first.
    ///
    /// # Errors
    ///
    /// Help was asked for, or the words are not a command line.
    pub fn read<Words>(words: Words) -> Result<Self, clap::Error>
    where
        Words: IntoIterator<Item: Into<OsString> + Clone> + Clone,
    {
        // Examples take time to add, and only help shows them.
        Args::try_parse_from(words.clone()).map_err(|error| {
            let shown = Args::with_examples().try_get_matches_from(words);
            shown.err().unwrap_or(error)
        })
    }

    /// The commands with their examples.
    pub fn with_examples() -> clap::Command {
        examples::added(Args::command().max_term_width(COLUMNS), "")
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show cluster status: settings, capacity, failover
    Status(ShowOf),
    /// Show capacity: in use, allocated, free
    Capacity(Capacity),
    /// Check the prerequisites of Accelerated Networking
    Prereq(Prereq),
    /// Enable Accelerated Networking on a compute intent
    Enable(Enable),
    /// Change the settings of Accelerated Networking
    Set(Set),
    /// Disable Accelerated Networking; VMs remain unchanged
    Disable(Disable),
    /// Manage intents: the roles of adapters
    #[command(subcommand)]
    Intent(IntentCommand),
    /// Show and accelerate VMs
    #[command(subcommand)]
    Vm(VmCommand),
    /// Show the steps that the agent would run now, and why
    Plan(Show),
    /// Show events
    Log(Log),
    /// Show health
    Health(ShowOf),
    /// List current faults
    Faults(ShowOf),
    /// Show nodes, and drain them for maintenance
    #[command(subcommand)]
    Node(NodeCommand),
    /// Create, join or leave a cluster
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Check, back up, restore and migrate the store
    #[command(subcommand)]
    Store(StoreCommand),
    /// Show network adapters, and enable or disable SR-IOV
    #[command(subcommand)]
    Adapter(AdapterCommand),
    /// Run the agent of this node
    Agent(Box<Agent>),
    /// Set up this node for the agent: group, systemd unit, libvirt hook
    Setup(Setup),
    /// Explain an error code, or list all codes
    Explain(Explain),
    /// Install PowerShell-style command names
    #[command(subcommand)]
    Cmdlets(CmdletsCommand),
    /// Try all commands on four simulated nodes
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
    long_about = "Try all commands on a cluster of four simulated nodes in this process: real agents with their store and sockets, on simulated hardware. The demo runs the tasks of the documentation and shows the output of each. It changes nothing on this machine and does not need root.",
    after_help = "Exit status: 0 only if every step had the expected result."
)]
pub struct Demo {
    /// Keep the cluster running for commands from another terminal, and run no tasks
    #[arg(long)]
    pub serve: bool,
}

/// `accelnet capacity`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Show the capacity of the cluster by node: VFs and queue pairs in use, allocated to VMs, free, and unavailable to new VMs; the number of node failures that the accelerated VMs survive; the largest reserve that the capacity allows; and the number of additional VMs that would be admitted. With --from, calculate the same for a cluster that a file describes, and evaluate the VMs that the file requests. This needs no agent.",
    after_help = "Exit status: 0 only if failover capacity is sufficient and every requested VM is admitted, otherwise that of the first error. docs/capacity.md describes the file."
)]
pub struct Capacity {
    /// Evaluate the cluster in this JSON file; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Show only the row of this node; other values are those of the whole cluster
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet prereq`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Check the prerequisites of Accelerated Networking: the machine, and each adapter. Each check is one row with its result; a failed check also shows how to fix it. Checks that need root are unknown for other users.",
    after_help = "Exit status: 0 if every check passed (warnings pass), otherwise that of the first failed check."
)]
pub struct Prereq {
    /// Check only the adapters of this intent
    #[arg(long, value_name = "NAME", conflicts_with = "adapter", value_parser = filled())]
    pub intent: Option<String>,
    /// Check only this adapter; repeat for several
    #[arg(long, value_name = "NAME", value_parser = filled())]
    pub adapter: Vec<String>,
    /// Show only this node [default: all nodes]
    #[arg(long, value_name = "NODE", conflicts_with = "adapter", value_parser = filled())]
    pub node: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// Commands that only show.
#[derive(Debug, ClapArgs)]
pub struct Show {
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// Commands that show something of all nodes.
#[derive(Debug, ClapArgs)]
pub struct ShowOf {
    /// Show only this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet log`
#[derive(Debug, ClapArgs)]
pub struct Log {
    /// Number of newest events to show
    #[arg(
        long,
        value_name = "N",
        default_value_t = Log::LIMIT,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    pub limit: u16,
    /// Show only events of this node [default: all nodes]
    #[arg(long, value_name = "NODE", value_parser = filled())]
    pub node: Option<String>,
    /// Wait for new events until interrupted; with JSON, one event per line
    #[arg(long, short)]
    pub follow: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet setup`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Set up this node for the agent: create the group accelnet, whose members may make changes, install libvirt's hooks, and install and start a systemd unit. The command can be repeated at any time. Needs root."
)]
pub struct Setup {
    /// Show the plan without changing anything
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
    /// The code, in any case, or its exit status [default: list all codes]
    pub code: Option<String>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
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
            Command::Plan(args) => args.output,
            Command::Status(args) | Command::Health(args) | Command::Faults(args) => args.output,
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
