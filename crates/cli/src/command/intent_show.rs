//! `accelnet intent show`: one intent.

use super::{Result, ask};
use crate::args::IntentShow;
use crate::render;
use crate::session::Session;

/// Shows an intent.
pub fn run(args: &IntentShow, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?;
    ask::known_node(args.node.as_deref(), agent)?;
    let mut intent = agent.intent(&args.name)?;
    if let Some(node) = &args.node {
        intent.status.retain(|status| status.node == *node);
    }
    ask::print_answer(session, args.output, &intent, render::intent);
    Ok(0)
}
