//! The fragments of interfaces.

use accelnet_libvirt::xml::Definition;
use accelnet_model::domain::{Teaming, Vnic};

/// The interface that a fragment is.
pub(super) fn vnic(fragment: &str) -> Option<Vnic> {
    let alone = format!("<domain><devices>{fragment}</devices></domain>");
    Definition::parse(&alone).ok()?.vnics.pop()
}

/// The tap of an interface of a running domain, or that a definition names.
pub(super) fn tap(fragment: &str) -> Option<String> {
    vnic(fragment)?.target
}

/// Whether an interface is the VF of a pair, or any VF.
pub(super) fn is_vf(vnic: &Vnic) -> bool {
    vnic.host_device.is_some()
        || vnic.kind == "hostdev"
        || matches!(vnic.teaming, Some(Teaming::Transient { .. }))
}
