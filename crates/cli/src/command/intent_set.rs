//! `accelnet intent set`: an intent changed.

use accelnet_api::types;

use super::{Result, ask, wait};
use crate::args::IntentSet;
use crate::session::Session;

/// Changes an intent.
pub fn run(args: &IntentSet, session: &mut Session<'_>) -> Result {
    let given = |list: Vec<_>| (!list.is_empty()).then_some(list);
    let adapters = (!args.adapter.is_empty()).then(|| args.adapter.clone());
    let request = types::IntentSet {
        roles: given(args.roles.list()),
        adapters,
        vfs: args.vfs,
        trust: args.security.trust,
        spoof_check: args.security.spoof_check,
        disruptive: args.disruptive,
        dry_run: args.how.dry_run,
    };
    let nothing = types::IntentSet {
        disruptive: request.disruptive,
        dry_run: request.dry_run,
        ..types::IntentSet::default()
    };
    if request == nothing {
        session.wrong(
            "No change of the intent is given",
            "A role, --adapter, --vfs, --trust or --spoof-check is required.",
            "Run 'accelnet intent set --help' for all options.",
        );
        return Ok(ask::NO_SENSE);
    }
    let agent = session.agent()?;
    let what = format!("applying intent {}", args.name);
    let mut changed = ask::waiting(session, &what, || agent.intent_set(&args.name, &request))?;
    wait::wait(&args.name, &mut changed, args.wait, session)?;
    wait::answer(&args.name, &changed, args.wait, args.how.output, session)
}
