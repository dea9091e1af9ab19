//! `accelnet intent add`: what adapters are for.

use accelnet_api::types;

use super::{Result, ask, wait};
use crate::args::IntentAdd;
use crate::session::Session;

/// Declares an intent.
pub fn run(args: &IntentAdd, session: &mut Session<'_>) -> Result {
    if args.roles.list().is_empty() {
        session.wrong(
            &format!("intent {} has no role", args.name),
            "None of --compute, --management and --storage is given.",
            "Add one of them.",
        );
        return Ok(ask::NO_SENSE);
    }
    let request = types::IntentAdd {
        name: args.name.clone(),
        roles: args.roles.list(),
        adapters: args.adapter.clone(),
        vfs: args.vfs,
        trust: args.security.trust,
        spoof_check: args.security.spoof_check,
        dry_run: args.how.dry_run,
    };
    let agent = session.agent()?;
    let what = format!("applying intent {}", args.name);
    let mut changed = ask::waiting(session, &what, || agent.intent_add(&request))?;
    wait::wait(&args.name, &mut changed, args.wait, session)?;
    wait::answer(&args.name, &changed, args.wait, args.how.output, session)
}
