//! The edge of one node.

use accelnet_pci::Root;

use crate::clock::Clock;
use crate::firewall::Rulesets;
use crate::hypervisor::Hypervisor;
use crate::knobs::Knobs;
use crate::links::Links;

/// The edge of one node.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    /// What is read is read below it.
    pub root: &'a Root,
    /// Links and VFs.
    pub links: &'a dyn Links,
    /// What is written, and what may hang.
    pub knobs: &'a dyn Knobs,
    /// VMs.
    pub hypervisor: &'a dyn Hypervisor,
    /// What prints the rules of the firewall.
    pub rulesets: &'a dyn Rulesets,
    /// Time.
    pub clock: &'a dyn Clock,
}
