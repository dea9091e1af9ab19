//! `accelnet agent`: the agent of this node.

use accelnet_agent::{Options, logging};

use super::{Result, service};
use crate::args::Agent;
use crate::session::Session;

/// Runs until it is asked to end.
pub fn run(args: &Agent, session: &mut Session<'_>) -> Result {
    let node = service::node_name(args.node.as_ref(), session)?;
    logging::begin(&args.log);
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
