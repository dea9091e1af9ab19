//! The command line of accelnet: one file a command, and how answers look.

pub mod args;
mod audit;
pub use accelnet_agent::vf_change as change;
pub mod cmdlet;
mod command;
mod demo;
pub mod output;
mod profile;
mod render;
pub use render::folded;
pub mod session;
pub mod system;
pub mod target;
pub mod wrong;

use args::{
    AdapterCommand, Args, ClusterCommand, CmdletsCommand, Command, IntentCommand, NodeCommand,
    StoreCommand, VmCommand,
};
use session::Session;
use target::Environment;

/// Finds the agent that is meant, and runs one command; returns its exit status.
pub fn start(args: &Args, environment: &Environment, session: &mut Session<'_>) -> u8 {
    if let Some((option, cause)) = target::misplaced(args) {
        session.wrong(
            &format!("{option} cannot be used with this command"),
            cause,
            &match option {
                "--server" | "--profile" => {
                    format!("Omit {option}, or run the command on the other machine.")
                }
                option => format!("Omit {option}."),
            },
        );
        return command::NO_SENSE;
    }
    if let Some(root) = &args.root
        && let Err(why) = std::fs::read_dir(root)
    {
        // It would look like a node without anything.
        session.wrong(
            &format!("--root {} cannot be read", root.display()),
            &why.to_string(),
            "Use a folder with a copy of a node (DIR/sys, DIR/proc, ...).",
        );
        return command::NO_SENSE;
    }
    if args.root.is_none() && !args.command.is_local() {
        match target::client(args, environment) {
            Ok(client) => {
                session.named = target::is_named(args, environment);
                session.agent = Some(client);
            }
            Err(problem) => {
                session.fail(&problem, args.command.wants_json());
                return problem.exit_status();
            }
        }
    }
    run(args, session)
}

/// Runs one command; returns its exit status.
pub fn run(args: &Args, session: &mut Session<'_>) -> u8 {
    let asked = audit::asked(&args.command, session);
    let result = audit::recorded(asked, session, |session| dispatch(&args.command, session));
    match result {
        Ok(status) => status,
        Err(problem) => {
            let status = problem.exit_status();
            session.fail(&problem, args.command.wants_json());
            status
        }
    }
}

fn dispatch(what: &Command, session: &mut Session<'_>) -> command::Result {
    match what {
        Command::Status(args) => command::status::run(args, session),
        Command::Capacity(args) => command::capacity::run(args, session),
        Command::Prereq(args) => command::prereq::run(args, session),
        Command::Enable(args) => command::enable::run(args, session),
        Command::Set(args) => command::set::run(args, session),
        Command::Disable(args) => command::disable::run(args, session),
        Command::Intent(what) => match what {
            IntentCommand::Add(args) => command::intent_add::run(args, session),
            IntentCommand::List(args) => command::intent_list::run(args, session),
            IntentCommand::Show(args) => command::intent_show::run(args, session),
            IntentCommand::Status(args) => command::intent_status::run(args, session),
            IntentCommand::Set(args) => command::intent_set::run(args, session),
            IntentCommand::Remove(args) => command::intent_remove::run(args, session),
        },
        Command::Vm(what) => match what {
            VmCommand::List(args) => command::vm_list::run(args, session),
            VmCommand::Show(args) => command::vm_show::run(args, session),
            VmCommand::Nics(args) => command::vm_nics::run(args, session),
            VmCommand::Enable(args) => command::vm_enable::run(args, session),
            VmCommand::Set(args) => command::vm_set::run(args, session),
            VmCommand::Disable(args) => command::vm_disable::run(args, session),
        },
        Command::Plan(args) => command::plan::run(args, session),
        Command::Log(args) => command::log::run(args, session),
        Command::Health(args) => command::health::run(args, session),
        Command::Faults(args) => command::faults::run(args, session),
        Command::Node(what) => match what {
            NodeCommand::Show(args) => command::node_show::run(args, session),
            NodeCommand::List(args) => command::node_list::run(args, session),
            NodeCommand::Drain(args) => command::node_drain::run(args, session),
            NodeCommand::Undrain(args) => command::node_drain::undo(args, session),
        },
        Command::Cluster(what) => match what {
            ClusterCommand::Init(args) => command::cluster_join::init(args, session),
            ClusterCommand::Join(args) => command::cluster_join::join(args, session),
            ClusterCommand::Leave(args) => command::cluster_leave::run(args, session),
        },
        Command::Store(StoreCommand::Migrate(args)) => command::store_migrate::run(args, session),
        Command::Store(StoreCommand::Check(args)) => command::store_check::run(args, session),
        Command::Store(StoreCommand::Backup(args)) => command::store_backup::run(args, session),
        Command::Store(StoreCommand::Restore(args)) => command::store_restore::run(args, session),
        Command::Store(StoreCommand::Accept(args)) => command::store_accept::run(args, session),
        Command::Adapter(what) => match what {
            AdapterCommand::List(args) => command::adapter_list::run(args, session),
            AdapterCommand::Show(args) => command::adapter_show::run(args, session),
            AdapterCommand::Enable(args) => command::adapter_enable::run(args, session),
            AdapterCommand::Disable(args) => command::adapter_disable::run(args, session),
        },
        Command::Agent(args) => command::agent::run(args, session),
        Command::Demo(args) => command::demo::run(args, session, run),
        Command::Setup(args) => command::setup::run(args, session),
        Command::Explain(args) => command::explain::run(args, session),
        Command::Cmdlets(what) => match what {
            CmdletsCommand::Install(args) => command::cmdlets_install::run(args, session),
            CmdletsCommand::Remove(args) => command::cmdlets_remove::run(args, session),
            CmdletsCommand::List(args) => command::cmdlets_list::run(args, session),
        },
        Command::Generate { folder } => command::generate::run(folder, session),
    }
}
