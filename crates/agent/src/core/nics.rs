//! vNICs that are added to VMs which have none on the intent's virtual switch, and go when the
//! VM goes back.

use accelnet_host::vms::Side;
use accelnet_libvirt::xml::{self, DomainXml, Part};
use accelnet_model::domain::{Teaming, Vnic};
use accelnet_model::{Domain, Mac, Problem, VmSetting};
use accelnet_rules::vm::Switch;

use super::apply::libvirt_failed;
use super::vms::undefine_ports;
use super::{Core, GIVE_UP};
use crate::policy::Policy;

impl Core {
    /// Adds the vNIC that a setting brings with it; one that is there is left as it is. The
    /// setting is in the policy already, so that whoever comes after knows whose it is.
    pub(crate) fn add_nic(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
    ) -> Result<(), Problem> {
        let network = policy
            .managed_intent()
            .map(|intent| intent.switch_network())
            .unwrap_or_default();
        let device =
            xml::bridge_interface(&network, setting.mac, &xml::persistent_alias(setting.mac));
        let vms = self.edge.vms();
        for (side, there) in [
            (Side::Config, true),
            (Side::Live, domain.state.holds_devices()),
        ] {
            if !there {
                continue;
            }
            self.edge.passing("add-nic");
            vms.attach(&domain.uuid, &device, side).map_err(|error| {
                libvirt_failed(
                    &format!("add a vNIC to VM {}", domain.name),
                    &error.to_string(),
                )
            })?;
        }
        Ok(())
    }

    /// Takes away the vNIC that was added for a setting.
    pub(crate) fn remove_added_nic(
        &self,
        setting: &VmSetting,
        domain: &Domain,
    ) -> Result<(), Problem> {
        let vms = self.edge.vms();
        let failed = |error: accelnet_libvirt::LibvirtError| {
            libvirt_failed(
                &format!("remove the added vNIC from VM {}", domain.name),
                &error.to_string(),
            )
        };
        for (side, there) in [
            (Side::Live, domain.state.holds_devices()),
            (Side::Config, true),
        ] {
            if !there {
                continue;
            }
            let xml = vms.xml(&setting.uuid, side).map_err(failed)?;
            let domain = DomainXml::parse(&xml).map_err(|error| failed(error.into()))?;
            if let Some(nic) = domain.interface(setting.mac, Part::Persistent) {
                self.edge.passing("remove-nic");
                vms.detach(&setting.uuid, nic.as_str(), side, GIVE_UP)
                    .map_err(failed)?;
            }
            if side == Side::Config {
                let left = vms.xml(&setting.uuid, side).map_err(failed)?;
                undefine_ports(vms, &setting.uuid, &left).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// The vNIC that a VM which has none on the switch would get.
pub(crate) fn nic_to_add(domain: &Domain, switch: &Switch, taken: &[Mac]) -> Option<Vnic> {
    // One that is there and no virtio vNIC is to be mended, not doubled.
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

/// A MAC in QEMU's range that follows from the VM's UUID, and that nobody here has.
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
