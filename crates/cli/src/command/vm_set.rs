//! `accelnet vm set`: what accelerated VMs get.

use accelnet_api::types::{self, VmChange};
use accelnet_rules::management;

use super::{Result, vm_change};
use crate::args::VmSet;
use crate::session::Session;

/// Changes accelerated VMs.
pub fn run(args: &VmSet, session: &mut Session<'_>) -> Result {
    let performance = management::performance(&args.performance)?;
    vm_change::run(&args.names, args.how, session, "changing", |names| {
        VmChange::Set(types::VmSet {
            names,
            performance,
            now: args.now,
            dry_run: args.how.dry_run,
        })
    })
}
