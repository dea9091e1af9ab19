//! Records in the journal of the node of what commands change without its agent.

use accelnet_agent::journal::{self, NewEvent};
use accelnet_api::types::EventKind;
use accelnet_model::Code;
use accelnet_model::past::past;

use crate::args::{ClusterCommand, Command, StoreCommand, WhichStore};
use crate::command;
use crate::session::Session;

/// What a command is about to change.
pub struct Asked {
    subject: String,
    /// An imperative.
    what: String,
}

/// Runs a command, and writes one record of what came of what was requested. What changed nothing, and was
/// not refused, has none.
pub fn recorded(
    asked: Option<Asked>,
    session: &mut Session<'_>,
    run: impl FnOnce(&mut Session<'_>) -> command::Result,
) -> command::Result {
    let done = run(session);
    let Some(asked) = asked else {
        return done;
    };
    if let Some(word) = asked.outcome(&done, session.changed) {
        write(word, session);
    }
    done
}

impl Asked {
    /// A change of adapters of this machine.
    pub fn of_adapters(names: &[String], what: &str) -> Self {
        Asked {
            subject: match names {
                [] => "all adapters".to_owned(),
                names => names.join(", "),
            },
            what: what.to_owned(),
        }
    }

    fn outcome(&self, done: &command::Result, changed: bool) -> Option<NewEvent> {
        let what = &self.what;
        let (kind, code, message) = match done {
            Ok(0) if changed => (EventKind::Changed, None, format!("{}.", past(what))),
            Ok(0) => return None,
            Ok(status) => {
                let (kind, word) = kind(changed);
                let message = format!("{word} (exit status {status}): {what}.");
                (kind, None, message)
            }
            Err(problem) => {
                // It may have been done in part.
                let begun = matches!(
                    problem.code,
                    Code::StoreFailed
                        | Code::NodeCutOff
                        | Code::EtcdUnreachable
                        | Code::SetupFailed
                );
                let (kind, word) = kind(changed || begun);
                let message = format!("{word}: {what}: {} {}", problem.message, problem.found);
                (kind, Some(problem.code), message)
            }
        };
        Some(NewEvent {
            code,
            ..NewEvent::of(kind, &self.subject, message)
        })
    }
}

/// Of what did not succeed.
fn kind(begun: bool) -> (EventKind, &'static str) {
    match begun {
        true => (EventKind::Failed, "Failed"),
        false => (EventKind::Refused, "Refused"),
    }
}

fn write(word: NewEvent, session: &Session<'_>) {
    let Some(journald) = session.system.journald() else {
        return;
    };
    let caller = session.system.caller();
    let word = NewEvent {
        who: Some(caller.name),
        claimed: session.system.claimed().map(str::to_owned),
        role: Some(caller.role),
        from: Some(caller.from),
        ..word
    };
    let at = session.host.clock.now();
    journal::write(journald, &at, &node(session), &word);
}

/// The node, as the kernel calls it: its agent may have another name for it.
fn node(session: &Session<'_>) -> String {
    let name = session.host.root.text("/proc/sys/kernel/hostname");
    name.unwrap_or_else(|_| "localhost".to_owned())
}

/// What a command asks for, if it changes the node or a store without an agent.
pub fn asked(command: &Command, session: &Session<'_>) -> Option<Asked> {
    let (dry_run, subject, what) = match command {
        Command::Setup(args) => {
            let what = "set up this node";
            (args.dry_run, node(session), what.to_owned())
        }
        Command::Cluster(command) => {
            let (dry_run, what) = of_cluster(command);
            (dry_run, "cluster".to_owned(), what)
        }
        Command::Store(command) => {
            let (dry_run, what) = of_store(command)?;
            (dry_run, "store".to_owned(), what)
        }
        _ => return None,
    };
    (!dry_run).then_some(Asked { subject, what })
}

fn of_cluster(command: &ClusterCommand) -> (bool, String) {
    match command {
        ClusterCommand::Init(args) => (args.dry_run, format!("create a cluster on {}", args.store)),
        ClusterCommand::Join(args) => {
            let what = format!("join the cluster on {}", args.store);
            (args.dry_run, what)
        }
        ClusterCommand::Leave(args) => {
            let name = args.node.as_ref().map(|node| format!("node {node}"));
            let name = name.unwrap_or_else(|| "this node".to_owned());
            (args.dry_run, format!("remove {name} from its cluster"))
        }
    }
}

fn of_store(command: &StoreCommand) -> Option<(bool, String)> {
    let store = |which: &WhichStore| match &which.store {
        Some(store) => store.to_string(),
        None => "the store of this node".to_owned(),
    };
    Some(match command {
        StoreCommand::Check(args) => {
            let what = format!(
                "move the unreadable values of {} to a file",
                store(&args.which)
            );
            (!args.repair || args.dry_run, what)
        }
        StoreCommand::Restore(args) => {
            let what = format!("restore {} to {}", args.file.display(), store(&args.which));
            (args.dry_run, what)
        }
        StoreCommand::Accept(args) => {
            let what = format!("accept the current state of {}", store(&args.which));
            (args.dry_run, what)
        }
        StoreCommand::Migrate(args) => {
            let what = format!("migrate {} to {}", args.from.display(), args.to);
            (args.dry_run, what)
        }
        StoreCommand::Backup(_) => return None,
    })
}
