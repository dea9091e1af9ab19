//! `accelnet status`: the state of the cluster.

use super::{Result, ask};
use crate::args::ShowOf;
use crate::render;
use crate::session::Session;

/// Shows the settings of the cluster, and the adapters and faults of its nodes.
pub fn run(args: &ShowOf, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?;
    ask::known_node(args.node.as_deref(), agent)?;
    let mut status = agent.status()?;
    if let Some(node) = &args.node {
        status.adapters.retain(|adapter| adapter.node == *node);
        status.faults.retain(|fault| fault.node == *node);
    }
    let node = args.node.as_deref();
    ask::print_answer(session, args.output, &status, |status, colour, width| {
        render::status(status, node, colour, width)
    });
    Ok(0)
}
