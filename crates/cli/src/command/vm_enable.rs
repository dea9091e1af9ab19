//! `accelnet vm enable`: VMs accelerated.

use accelnet_api::types::{self, VmChange};
use accelnet_rules::management;

use super::Result;
use super::vm_change::{self, Words};
use crate::args::VmEnable;
use crate::session::Session;

/// Accelerates VMs.
pub fn run(args: &VmEnable, session: &mut Session<'_>) -> Result {
    let performance = management::performance(&args.performance)?;
    let node = args.node.as_deref();
    let words = Words {
        verb: "enabling",
        unchanged: format!("already enabled with {performance}"),
    };
    vm_change::run(&args.names, node, args.how, session, &words, |names| {
        VmChange::Enable(types::VmEnable {
            names,
            performance,
            now: args.now,
            add_nic: args.add_nic,
            mac: args.mac,
            trust: args.security.trust.map(Into::into),
            spoof_check: args.security.spoof_check.map(Into::into),
            dry_run: args.how.dry_run,
        })
    })
}
