//! `accelnet vm nics`: the vNICs of VMs, and which are on the enabled intent's virtual switch.

use super::{Result, vm_show};
use crate::args::VmShow;
use crate::render;
use crate::session::Session;

/// Shows the vNICs of VMs.
pub fn run(args: &VmShow, session: &mut Session<'_>) -> Result {
    vm_show::show(args, session, render::vnics)
}
