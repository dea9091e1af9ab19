//! `accelnet intent status`: what became of the intents, by node.

use accelnet_model::intent::IntentState;

use super::{Result, ask};
use crate::args::IntentStatus;
use crate::render;
use crate::session::Session;

/// Reports how far each intent is.
pub fn run(args: &IntentStatus, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?;
    ask::known_node(args.node.as_deref(), agent)?;
    let views = match &args.name {
        Some(name) => vec![agent.intent(name)?],
        None => agent.intents()?,
    };
    let status = views.into_iter().flat_map(|view| view.status);
    let status: Vec<_> = status
        .filter(|status| args.node.as_ref().is_none_or(|node| status.node == *node))
        .collect();
    ask::print_answer(session, args.output, &status, |status, colour, width| {
        render::intent_status(status, colour, width)
    });
    let failed = status.iter().filter(|one| one.state == IntentState::Failed);
    let problems = failed.clone().filter_map(|one| one.problem.as_ref());
    Ok(ask::first(failed.clone().next().is_none(), problems))
}
