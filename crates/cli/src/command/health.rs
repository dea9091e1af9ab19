//! `accelnet health`: whether all is well.

use accelnet_api::types::Severity;

use super::{Result, ask};
use crate::args::ShowOf;
use crate::render;
use crate::session::Session;

/// Shows whether all is well, and ends with the status of the first fault that is an error.
pub fn run(args: &ShowOf, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?;
    ask::known_node(args.node.as_deref(), agent)?;
    let mut status = agent.status()?;
    if let Some(node) = &args.node {
        status.faults.retain(|fault| fault.node == *node);
    }
    let health = render::Health::of(&status);
    ask::print_answer(session, args.output, &health, render::health);
    let error = status
        .faults
        .iter()
        .find(|fault| fault.severity == Severity::Error);
    Ok(error.map_or(0, |fault| fault.code.entry().exit_status))
}
