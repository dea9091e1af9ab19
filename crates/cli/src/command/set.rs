//! `accelnet set`: other settings of management.

use accelnet_api::types;
use accelnet_rules::management;

use super::{Result, ask, wait};
use crate::args::Set;
use crate::session::Session;

/// Changes management.
pub fn run(args: &Set, session: &mut Session<'_>) -> Result {
    let reserve = args.node_reserve.as_deref();
    let reserve = reserve.map(management::reserve).transpose()?;
    let agent = session.agent()?;
    let performance = match &args.performance_settings {
        None => None,
        // Settings that are not named stay as they are.
        Some(text) => Some(management::performance_settings(
            text,
            agent.management()?.performance,
        )?),
    };
    let request = types::Set {
        intent: args.intent.clone(),
        node_reserve_percentage: reserve.map(i64::from),
        performance,
        dry_run: args.how.dry_run,
    };
    let changed = ask::waiting(session, "changing the settings", || agent.set(&request))?;
    wait::settings(changed, args.wait, args.how.output, session)
}
