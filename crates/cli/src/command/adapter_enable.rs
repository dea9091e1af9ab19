//! `accelnet adapter enable`: SR-IOV on.

use accelnet_model::vf_plan::Ask;

use super::{Result, adapter_disable};
use crate::args::AdapterEnable;
use crate::change::Request;
use crate::session::Session;

/// Creates VFs.
pub fn run(args: &AdapterEnable, session: &mut Session<'_>) -> Result {
    let request = Request {
        name: &args.name,
        ask: args.vfs.map_or(Ask::All, Ask::Exactly),
        within: args.how.within(),
        dry_run: args.how.dry_run,
    };
    adapter_disable::change(request, args.how.output, session)
}
