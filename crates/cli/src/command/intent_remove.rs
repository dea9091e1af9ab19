//! `accelnet intent remove`: an intent that nothing uses.

use super::{Result, ask};
use crate::args::IntentRemove;
use crate::render;
use crate::session::Session;

/// Removes an intent.
pub fn run(args: &IntentRemove, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?;
    let what = format!("removing intent {}", args.name);
    let removed = || agent.intent_remove(&args.name, args.how.dry_run);
    let changed = ask::waiting(session, &what, removed)?;
    let told = |changed: &_, _, _| render::intent_changed(&args.name, changed);
    ask::tell(session, args.how.output, &changed, told);
    Ok(0)
}
