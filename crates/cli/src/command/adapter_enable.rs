//! `accelnet adapter enable`: SR-IOV on.

use accelnet_model::vf_plan::Ask;

use super::{Result, adapter_change};
use crate::args::AdapterEnable;
use crate::session::Session;

/// Creates VFs.
pub fn run(args: &AdapterEnable, session: &mut Session<'_>) -> Result {
    let ask = args.vfs.map_or(Ask::All, Ask::Exactly);
    adapter_change::run(&args.names, ask, &args.how, session)
}
