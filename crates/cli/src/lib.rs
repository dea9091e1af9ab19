//! The command line of accelnet: one file a command, and how answers look.

pub mod args;
pub use accelnet_agent::vf_change as change;
mod command;
mod render;
pub mod session;

use args::{AdapterCommand, Args, Command, NodeCommand};
use session::Session;

/// Runs one command; returns its exit status.
pub fn run(args: &Args, session: &mut Session<'_>) -> u8 {
    let result = match &args.command {
        Command::Prereq(args) => command::prereq::run(args, session),
        Command::Node(NodeCommand::Show(args)) => command::node_show::run(args, session),
        Command::Adapter(command) => match command {
            AdapterCommand::List(args) => command::adapter_list::run(args, session),
            AdapterCommand::Show(args) => command::adapter_show::run(args, session),
            AdapterCommand::Enable(args) => command::adapter_enable::run(args, session),
            AdapterCommand::Disable(args) => command::adapter_disable::run(args, session),
        },
        Command::Explain(args) => command::explain::run(args, session),
        Command::Generate { folder } => command::generate::run(folder, session),
    };
    match result {
        Ok(status) => status,
        Err(problem) => {
            let status = problem.exit_status();
            session.fail(&problem, args.command.wants_json());
            status
        }
    }
}
