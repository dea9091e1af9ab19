//! `accelnet intent remove`: an intent that nothing uses.

use super::wait::{self, Change};
use super::{Result, ask};
use crate::args::{IntentRemove, Output};
use crate::render;
use crate::session::Session;

/// Removes an intent.
pub fn run(args: &IntentRemove, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?;
    let what = format!("removing intent {}", args.name);
    let removed = || agent.intent_remove(&args.name, args.how.dry_run);
    let mut changed = ask::waiting(session, &what, removed)?;
    let change = Change::Removed(&args.name);
    let left = match changed.applied {
        true => wait::left(change, args.wait, session)?,
        false => Vec::new(),
    };
    let nodes: Vec<&str> = left.iter().map(|node| node.name.as_str()).collect();
    let pending = render::not_applied_yet(&nodes);
    if args.how.output == Output::Json {
        changed.warnings.extend(pending.lines().map(str::to_owned));
    }
    ask::print_answer(session, args.how.output, &changed, |changed, _, _| {
        let text = render::intent_changed(&args.name, changed);
        match args.wait.wait {
            None => text + &pending,
            Some(_) => text,
        }
    });
    let waited = args.wait.wait.and(wait::unapplied_after(change, &left));
    wait::end(waited, args.how.output, session)
}
