//! Running an agent: its engine, its watchers and its API.

mod place;
mod start;

use std::path::{Path, PathBuf};
use std::thread;

use accelnet_api::Server;
use accelnet_api::server::{Remote, RemoteOptions, Stopper};
use accelnet_host::switch::KernelSwitches;
use accelnet_host::switch::guard::{FOLDER, recover};
use accelnet_model::{Code, NodeName, Problem};
use accelnet_rules::vf_path::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::edge::System;
use crate::vital::{self, Vital};

pub use place::{Place, StoreChoice, remembered_beside};
pub use start::{Running, start};

/// The options of an agent.
#[derive(Debug, Clone)]
pub struct Options {
    /// The node's name.
    pub node: NodeName,
    /// The store.
    pub store: StoreChoice,
    /// The socket.
    pub socket: PathBuf,
    /// The network listener, if there is one.
    pub remote: Option<RemoteOptions>,
    /// For the lab: the failpoint where it kills itself, and how often that is passed before.
    pub kill_at: Option<(String, u32)>,
    /// The time that guests have to drive their VFs.
    pub limits: Limits,
}

/// Runs the agent of this machine until a signal ends it.
///
/// # Errors
///
/// The store or the socket cannot be opened.
pub fn run(options: &Options) -> Result<(), Problem> {
    raise_descriptors();
    vital::log_panics();
    let edge = System::new(options.kill_at.clone(), options.limits);
    // First: unusable certificates leave nothing behind.
    let remote = options.remote.as_ref().map(Remote::bind).transpose()?;
    let mut place = Place::open(&options.store, options.node.as_str())?;
    place.noticed.extend(recover_switches());
    let server = Server::bind(&options.socket).map_err(|error| {
        let socket = options.socket.display().to_string();
        let found = format!("It failed to serve {error}.");
        Problem::new(Code::AgentUnreachable, &[&socket], found)
    })?;
    let server = match remote {
        Some(remote) => server.with(remote),
        None => server,
    };
    let running = start(Box::new(edge), place, options.node.clone(), server, true)?;
    end_on_signal(running.stopper());
    running.wait();
    Ok(())
}

/// Raises the limit of open files: the connections of both listeners may need hundreds.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // With a lower limit, connections wait.
    let _ = setrlimit(Resource::Nofile, most);
}

/// Rolls back the changes of switches during which another agent and its guard died. Returns a sentence for
/// each.
fn recover_switches() -> Vec<String> {
    let recovered = match recover(Path::new(FOLDER), &KernelSwitches) {
        Ok(recovered) => recovered,
        Err(error) => return vec![format!("It failed to read {FOLDER}: {error}.")],
    };
    let sentences = recovered.iter().map(|one| match one.failed.as_slice() {
        [] => format!("Undid an unfinished change of bridge {}.", one.bridge),
        failed => format!(
            "An unfinished change of bridge {} was not undone: it failed to {}.",
            one.bridge,
            failed.join("; to ")
        ),
    });
    sentences.collect()
}

/// Ends on SIGTERM and SIGINT.
fn end_on_signal(stopper: Stopper) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGTERM, SIGINT]) else {
        return;
    };
    let vital = Vital::new(&vital::process());
    let thread = thread::Builder::new().name("signals".to_owned());
    drop(thread.spawn(move || {
        let _vital = vital;
        if signals.forever().next().is_some() {
            stopper.stop();
        }
    }));
}
