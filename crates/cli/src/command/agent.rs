//! `accelnet agent`: the agent of this node.

use accelnet_agent::Options;

use super::Result;
use crate::args::Agent;
use crate::session::Session;

/// Runs until it is told to end.
pub fn run(args: &Agent, session: &mut Session<'_>) -> Result {
    let node = match &args.node {
        Some(node) => node.clone(),
        None => {
            let name = session.host.root.text("/proc/sys/kernel/hostname");
            name.unwrap_or_else(|_| "localhost".to_owned())
        }
    };
    accelnet_agent::run(&Options {
        node,
        store: args.store.choice()?,
        socket: args.serve.clone(),
        remote: args.remote.options(),
        kill_at: args.kill_at.clone(),
        limits: args.vf_limits.unwrap_or_default(),
    })?;
    Ok(0)
}
