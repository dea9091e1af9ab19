//! Virtual networks: bridges of the host, and pools of VFs.

use accelnet_libvirt::xml::network;
use accelnet_libvirt::{LibvirtError, NetworkChange, VirtualNetwork, VmEvent};
use accelnet_model::PciAddress;

use super::state::{SimNetwork, State, failed};
use super::{SimVms, text};
use crate::kernel::SimKernel;

impl SimVms {
    pub(super) fn list_networks(&self) -> Result<Vec<VirtualNetwork>, LibvirtError> {
        let state = self.open()?;
        let all = state.networks.iter().map(|(name, one)| VirtualNetwork {
            name: name.clone(),
            uuid: one.uuid.clone(),
            active: one.live.is_some(),
            persistent: one.config.is_some(),
            autostart: one.autostart,
            xml: match &one.live {
                Some(live) => counted(live, one.taken.len()),
                None => one.config.clone().unwrap_or_default(),
            },
        });
        Ok(all.collect())
    }

    pub(super) fn put_network(&self, xml: &str, autostart: bool) -> Result<(), LibvirtError> {
        let doing = "define the network";
        let name = text::value(xml, "name").ok_or_else(|| failed(doing, "XML error: no name"))?;
        let mut state = self.change(doing, format!("define network {name}"))?;
        let number = state.number();
        let known = state.networks.get(&name).map(|one| one.uuid.clone());
        let uuid = known.unwrap_or_else(|| format!("6e657477-6f72-4b00-8000-{number:012x}"));
        let xml = match text::value(xml, "uuid") {
            Some(_) => xml.to_owned(),
            None => xml.replacen("</name>", &format!("</name><uuid>{uuid}</uuid>"), 1),
        };
        let network = state.networks.entry(name.clone()).or_insert(SimNetwork {
            uuid,
            config: None,
            live: None,
            autostart,
            taken: Vec::new(),
        });
        network.config = Some(xml);
        network.autostart = autostart;
        state.notify_network(&name, NetworkChange::Defined);
        Ok(())
    }

    pub(super) fn run_network(&self, name: &str) -> Result<(), LibvirtError> {
        let mut state = self.change("start the network", format!("start network {name}"))?;
        state.start_network(&self.kernel, name)
    }

    pub(super) fn end_network(&self, name: &str) -> Result<(), LibvirtError> {
        let mut state = self.change("stop the network", format!("stop network {name}"))?;
        let Some(network) = state.networks.get_mut(name) else {
            return Ok(());
        };
        if network.live.take().is_some() {
            // What it had handed out is forgotten; the domains keep it.
            network.taken.clear();
            if network.config.is_none() {
                state.networks.remove(name);
            }
            state.notify_network(name, NetworkChange::Stopped);
        }
        Ok(())
    }

    pub(super) fn drop_network(&self, name: &str) -> Result<(), LibvirtError> {
        let mut state = self.change("remove the network", format!("remove network {name}"))?;
        let Some(network) = state.networks.get_mut(name) else {
            return Ok(());
        };
        network.config = None;
        network.autostart = false;
        if network.live.is_none() {
            state.networks.remove(name);
        }
        state.notify_network(name, NetworkChange::Undefined);
        Ok(())
    }
}

/// A network that runs, with how many interfaces it counts.
fn counted(live: &str, connections: usize) -> String {
    match connections {
        0 => live.to_owned(),
        some => live.replacen("<network", &format!("<network connections='{some}'"), 1),
    }
}

impl State {
    pub(super) fn start_network(
        &mut self,
        kernel: &SimKernel,
        name: &str,
    ) -> Result<(), LibvirtError> {
        let doing = "start the network";
        let Some(network) = self.networks.get_mut(name) else {
            return Err(LibvirtError::NoNetwork {
                words: format!("Network not found: no network with matching name '{name}'"),
            });
        };
        if network.live.is_some() {
            return Ok(());
        }
        let xml = network.config.clone().unwrap_or_default();
        network.live = Some(running(kernel, &xml).map_err(|words| failed(doing, words))?);
        self.notify_network(name, NetworkChange::Started);
        Ok(())
    }

    pub(super) fn notify_network(&mut self, name: &str, change: NetworkChange) {
        let uuid = self.networks.get(name).map(|one| one.uuid.clone());
        self.notify(VmEvent::Network {
            uuid: uuid.unwrap_or_default(),
            name: name.to_owned(),
            change,
        });
    }

    /// The VF that a pool hands out next.
    pub(super) fn take_vf(&mut self, kernel: &SimKernel, name: &str) -> Result<PciAddress, String> {
        let Some(network) = self.networks.get_mut(name) else {
            return Err(format!(
                "Network not found: no network with matching name '{name}'"
            ));
        };
        let live = network.live.as_deref().unwrap_or_default();
        let vfs = accelnet_libvirt::xml::network(live).unwrap_or_default().vfs;
        let node = kernel.node();
        let free = vfs
            .into_iter()
            .find(|vf| !network.taken.contains(vf) && node.vf_at(*vf).is_some());
        let free = free.ok_or_else(|| {
            format!(
                "internal error: network '{name}' requires exclusive access to interfaces, but none are available"
            )
        })?;
        network.taken.push(free);
        Ok(free)
    }
}

/// What a network shows while it runs: of a pool, the VFs that its PF has now.
fn running(kernel: &SimKernel, xml: &str) -> Result<String, String> {
    let facts = network(xml).unwrap_or_default();
    if facts.mode.as_deref() != Some("hostdev") {
        return Ok(xml.to_owned());
    }
    let Some(pf) = facts.pfs.first() else {
        return Ok(xml.to_owned());
    };
    let vfs = kernel.node().vfs_of(pf).map(|(_, vfs)| vfs);
    let vfs =
        vfs.ok_or_else(|| format!("internal error: Could not get Virtual functions on {pf}"))?;
    if vfs.is_empty() {
        return Err(format!("internal error: No Vf's present on SRIOV PF {pf}"));
    }
    let members: String = vfs.iter().map(address).collect();
    Ok(xml.replacen("</forward>", &format!("{members}</forward>"), 1))
}

/// As libvirt writes a host's PCI function.
pub(super) fn address(vf: &PciAddress) -> String {
    format!(
        "<address type='pci' domain='{:#06x}' bus='{:#04x}' slot='{:#04x}' function='{:#x}'/>",
        vf.domain, vf.bus, vf.device, vf.function
    )
}
