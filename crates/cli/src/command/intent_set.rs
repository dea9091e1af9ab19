//! `accelnet intent set`: an intent changed.

use accelnet_api::types;

use super::{Result, ask};
use crate::args::IntentSet;
use crate::render;
use crate::session::Session;

/// Changes an intent.
pub fn run(args: &IntentSet, session: &mut Session<'_>) -> Result {
    let given = |list: Vec<_>| (!list.is_empty()).then_some(list);
    let adapters = (!args.adapter.is_empty()).then(|| args.adapter.clone());
    let request = types::IntentSet {
        roles: given(args.roles.list()),
        adapters,
        vfs: args.vfs,
        disruptive: args.disruptive,
        dry_run: args.how.dry_run,
    };
    if request.roles.is_none() && request.adapters.is_none() && request.vfs.is_none() {
        session.note("error: nothing to change was given: a role, --adapter or --vfs");
        return Ok(ask::NO_SENSE);
    }
    let agent = session.agent()?;
    let what = format!("applying intent {}", args.name);
    let changed = ask::waiting(session, &what, || agent.intent_set(&args.name, &request))?;
    let told = |changed: &_, _, _| render::intent_changed(&args.name, changed);
    ask::tell(session, args.how.output, &changed, told);
    Ok(0)
}
