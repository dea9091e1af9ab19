//! `accelnet intent list`: the intents.

use super::{Result, ask};
use crate::args::{IntentList, ListOutput};
use crate::render;
use crate::session::Session;

/// Lists the intents.
pub fn run(args: &IntentList, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?;
    ask::known_node(args.node.as_deref(), agent)?;
    let mut intents = agent.intents()?;
    if let Some(node) = &args.node {
        for view in &mut intents {
            view.status.retain(|status| status.node == *node);
        }
    }
    match args.output {
        ListOutput::Json => session.print_json(&intents),
        ListOutput::Table => {
            let text = render::intents(&render::clean(&intents), session.colour, session.width);
            session.print(&text);
        }
        ListOutput::Name => {
            for view in &intents {
                session.print(&format!("{}\n", view.intent.name));
            }
        }
    }
    Ok(0)
}
