//! `accelnet vm disable`: VMs back on their software path.

use accelnet_api::types::{self, VmChange};

use super::Result;
use super::vm_change::{self, Words};
use crate::args::VmDisable;
use crate::session::Session;

/// Takes VMs back to their software path.
pub fn run(args: &VmDisable, session: &mut Session<'_>) -> Result {
    let node = args.node.as_deref();
    let words = Words {
        verb: "disabling",
        unchanged: "not accelerated".to_owned(),
    };
    vm_change::run(&args.names, node, args.how, session, &words, |names| {
        VmChange::Disable(types::VmDisable {
            names,
            dry_run: args.how.dry_run,
        })
    })
}
