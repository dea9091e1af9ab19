//! `accelnet adapter disable`: SR-IOV off.

use accelnet_model::vf_plan::Ask;

use super::{Result, adapter_change};
use crate::args::AdapterDisable;
use crate::session::Session;

/// Removes all VFs.
pub fn run(args: &AdapterDisable, session: &mut Session<'_>) -> Result {
    adapter_change::run(&args.names, Ask::Off, &args.how, session)
}
