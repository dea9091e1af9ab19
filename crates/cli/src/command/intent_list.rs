//! `accelnet intent list`: the intents.

use super::Result;
use crate::args::{IntentList, ListOutput};
use crate::render;
use crate::session::Session;

/// Lists the intents.
pub fn run(args: &IntentList, session: &mut Session<'_>) -> Result {
    let intents = session.agent()?.intents()?;
    match args.output {
        ListOutput::Json => session.say_json(&intents),
        ListOutput::Table => {
            let text = render::intents(&render::clean(&intents), session.colour, session.width);
            session.say(&text);
        }
        ListOutput::Name => {
            for view in &intents {
                session.say(&format!("{}\n", view.intent.name));
            }
        }
    }
    Ok(0)
}
