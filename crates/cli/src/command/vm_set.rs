//! `accelnet vm set`: what accelerated VMs get.

use accelnet_api::types::{self, VmChange};
use accelnet_rules::management;

use super::Result;
use super::vm_change::{self, Words};
use crate::args::VmSet;
use crate::session::Session;

/// Changes accelerated VMs.
pub fn run(args: &VmSet, session: &mut Session<'_>) -> Result {
    let performance = args.performance.as_deref().map(management::performance);
    let performance = performance.transpose()?;
    let node = args.node.as_deref();
    let words = Words {
        verb: "changing",
        unchanged: "already as requested".to_owned(),
    };
    vm_change::run(&args.names, node, args.how, session, &words, |names| {
        VmChange::Set(types::VmSet {
            names,
            performance,
            trust: args.security.trust.map(Into::into),
            spoof_check: args.security.spoof_check.map(Into::into),
            now: args.now,
            dry_run: args.how.dry_run,
        })
    })
}
