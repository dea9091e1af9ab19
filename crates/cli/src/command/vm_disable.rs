//! `accelnet vm disable`: VMs back on their software path.

use accelnet_api::types::{self, VmChange};

use super::{Result, vm_change};
use crate::args::VmDisable;
use crate::session::Session;

/// Takes VMs back to their software path.
pub fn run(args: &VmDisable, session: &mut Session<'_>) -> Result {
    vm_change::run(&args.names, args.how, session, "taking back", |names| {
        VmChange::Disable(types::VmDisable {
            names,
            dry_run: args.how.dry_run,
        })
    })
}
