//! vNICs that are added to VMs without one on the intent's virtual switch, and are removed with the setting.

use std::time::Duration;

use accelnet_host::Vms;
use accelnet_host::vms::Side;
use accelnet_libvirt::LibvirtError;
use accelnet_libvirt::xml::{self, DomainXml, Part};
use accelnet_model::domain::{Teaming, Vnic};
use accelnet_model::{Domain, Mac, Problem, VmSetting};
use accelnet_rules::vm::Switch;

use crate::context::Context;
use crate::problems::libvirt_failed;
use crate::world::World;

/// How long a guest may take to release a device (QEMU's own unplug of a busy guest takes seconds).
pub(crate) const RELEASE_WITHIN: Duration = Duration::from_secs(30);

/// Adds the vNIC of a setting; an existing one is left as it is. The setting is in the policy already, so that the next
/// agent knows whose vNIC it is.
pub(crate) fn add(
    ctx: &Context,
    world: &World,
    setting: &VmSetting,
    domain: &Domain,
) -> Result<(), Problem> {
    let intent = world.policy.managed_intent();
    let network = intent
        .map(|intent| intent.switch_network())
        .unwrap_or_default();
    let device = xml::bridge_interface(&network, setting.mac, &xml::persistent_alias(setting.mac));
    for side in sides(domain) {
        ctx.failpoint("add-nic");
        let added = ctx.edge.vms().attach(&domain.uuid, &device, side);
        added.map_err(|error| {
            let what = format!("add a vNIC to VM {}", domain.name);
            libvirt_failed(&what, &error.to_string())
        })?;
    }
    Ok(())
}

/// Removes the vNIC that was added for a setting.
pub(crate) fn remove(ctx: &Context, setting: &VmSetting, domain: &Domain) -> Result<(), Problem> {
    let vms = ctx.edge.vms();
    let uuid = &setting.uuid;
    let failed = |error: LibvirtError| {
        let what = format!("remove the added vNIC from VM {}", domain.name);
        libvirt_failed(&what, &error.to_string())
    };
    for side in sides(domain).rev() {
        let xml = vms.xml(uuid, side).map_err(failed)?;
        let parsed = DomainXml::parse(&xml).map_err(|error| failed(error.into()))?;
        if let Some(nic) = parsed.interface(setting.mac, Part::Persistent) {
            ctx.failpoint("remove-nic");
            let removed = vms.detach(uuid, nic.as_str(), side, RELEASE_WITHIN);
            removed.map_err(failed)?;
        }
        if side == Side::Config {
            let left = vms.xml(uuid, side).map_err(failed)?;
            remove_ports(vms, uuid, &left).map_err(failed)?;
        }
    }
    Ok(())
}

/// The definition, and what runs.
fn sides(domain: &Domain) -> impl DoubleEndedIterator<Item = Side> + use<> {
    let live = domain.state.holds_devices().then_some(Side::Live);
    [Some(Side::Config), live].into_iter().flatten()
}

/// Removes those ports from a definition that accelnet added and that nothing requires.
pub(crate) fn remove_ports(
    vms: &dyn Vms,
    uuid: &str,
    definition: &str,
) -> Result<(), LibvirtError> {
    for port in DomainXml::parse(definition)?.ports_to_remove() {
        vms.detach(uuid, port, Side::Config, RELEASE_WITHIN)?;
    }
    Ok(())
}

/// The vNIC that a VM which has none on the switch would get.
pub(crate) fn to_add(domain: &Domain, switch: &Switch, taken: &[Mac]) -> Option<Vnic> {
    // A vNIC that is there and not virtio is to be changed, not doubled.
    if domain.vnics.iter().any(|vnic| switch.has(vnic)) {
        return None;
    }
    let mac = new_mac(&domain.uuid, taken);
    Some(Vnic {
        mac: Some(mac),
        kind: "network".to_owned(),
        source: switch.networks.first().cloned(),
        model: Some("virtio".to_owned()),
        alias: Some(xml::persistent_alias(mac)),
        teaming: Some(Teaming::Persistent),
        ..Vnic::default()
    })
}

/// A MAC in QEMU's range that follows from the VM's UUID, and is not in use here.
fn new_mac(uuid: &str, taken: &[Mac]) -> Mac {
    let mut sum = uuid.bytes().fold(0x811c_9dc5_u32, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    loop {
        let [_, a, b, c] = sum.to_be_bytes();
        let mac = Mac([0x52, 0x54, 0x00, a, b, c]);
        if !taken.contains(&mac) {
            return mac;
        }
        sum = sum.wrapping_add(1);
    }
}
