//! vNICs that are added to VMs which have none on the intent's virtual switch, and go when the
//! VM goes back.

use accelnet_api::types::VmResult;
use accelnet_host::vms::Side;
use accelnet_libvirt::xml::{self, Part};
use accelnet_model::{Domain, Mac, Problem, VmSetting};
use accelnet_rules::vm;

use super::apply::libvirt_failed;
use super::{Core, GIVE_UP, Seen};
use crate::policy::Policy;
use crate::view;

impl Core {
    /// Adds a vNIC to each VM of `results` that has none on the switch; looks again when it
    /// did.
    pub(crate) fn add_nics(
        &mut self,
        results: &mut [VmResult],
        policy: &Policy,
        seen: Seen,
    ) -> Seen {
        let Some(switch) = self.switch(policy, &seen) else {
            return seen;
        };
        let mut added = false;
        for result in results.iter_mut().filter(|result| result.problem.is_none()) {
            let uuid = result.vm.as_ref().map(|vm| vm.uuid.clone());
            let domain = seen
                .domains()
                .iter()
                .find(|one| Some(&one.uuid) == uuid.as_ref());
            let Some(domain) = domain else { continue };
            let definition = match self.definition(domain) {
                Ok(definition) => definition,
                Err(problem) => {
                    result.message = problem.message.clone();
                    result.problem = Some(problem);
                    continue;
                }
            };
            if vm::vnic_on(&definition, &switch).is_ok() {
                continue;
            }
            let network = switch.networks.first().cloned().unwrap_or_default();
            let mac = new_mac(&domain.uuid, &view::macs(&seen));
            match self.add_nic(domain, &network, mac) {
                Ok(()) => {
                    added = true;
                    self.added.insert(domain.uuid.clone());
                }
                Err(problem) => {
                    result.message = problem.message.clone();
                    result.problem = Some(problem);
                }
            }
        }
        match added {
            true => self.look(),
            false => seen,
        }
    }

    fn add_nic(&self, domain: &Domain, network: &str, mac: Mac) -> Result<(), Problem> {
        let device = xml::bridge_interface(network, mac, &xml::persistent_alias(mac));
        let vms = self.edge.vms();
        let attach = |side| vms.attach(&domain.uuid, &device, side);
        let failed = |error: accelnet_libvirt::LibvirtError| {
            libvirt_failed(
                &format!("add a vNIC to VM {}", domain.name),
                &error.to_string(),
            )
        };
        self.edge.passing("add-nic");
        attach(Side::Config).map_err(failed)?;
        if domain.state.holds_devices()
            && let Err(error) = attach(Side::Live)
        {
            // Both or none.
            drop(vms.detach(&domain.uuid, &device, Side::Config, GIVE_UP));
            return Err(failed(error));
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
                &format!("take the added vNIC from VM {}", domain.name),
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
            if let Some(nic) = xml::interface_fragment(&xml, setting.mac, Part::Persistent) {
                self.edge.passing("remove-nic");
                vms.detach(&setting.uuid, &nic, side, GIVE_UP)
                    .map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// A MAC in QEMU's range that follows from the VM's UUID, and that nobody here has.
fn new_mac(uuid: &str, taken: &[(Mac, String)]) -> Mac {
    let mut sum = uuid.bytes().fold(0x811c_9dc5_u32, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    loop {
        let [_, a, b, c] = sum.to_be_bytes();
        let mac = Mac([0x52, 0x54, 0x00, a, b, c]);
        if !taken.iter().any(|(other, _)| *other == mac) {
            return mac;
        }
        sum = sum.wrapping_add(1);
    }
}
