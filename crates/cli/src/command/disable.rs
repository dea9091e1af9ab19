//! `accelnet disable`: management off.

use super::{Result, ask, wait};
use crate::args::Disable;
use crate::session::Session;

/// Disables management.
pub fn run(args: &Disable, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?;
    let what = "disabling Accelerated Networking";
    let changed = ask::waiting(session, what, || agent.disable(args.how.dry_run))?;
    wait::settings(changed, args.wait, args.how.output, session)
}
