//! `accelnet faults`: what is wrong now.

use super::{Result, ask};
use crate::args::ShowOf;
use crate::render;
use crate::session::Session;

/// Lists the faults.
pub fn run(args: &ShowOf, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?;
    ask::known_node(args.node.as_deref(), agent)?;
    let mut faults = agent.status()?.faults;
    if let Some(node) = &args.node {
        faults.retain(|fault| fault.node == *node);
    }
    ask::print_answer(session, args.output, &faults, |faults, colour, _| {
        render::faults(faults, colour)
    });
    Ok(0)
}
