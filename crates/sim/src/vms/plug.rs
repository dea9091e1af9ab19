//! What an interface of a running domain takes of its host, and gives back.

use accelnet_host::Links;
use accelnet_host::hook::{self, Operation};
use accelnet_libvirt::xml::network;
use accelnet_model::domain::{Teaming, Vnic};
use accelnet_model::vf::VlanProtocol;
use accelnet_model::{Mac, PciAddress};
use accelnet_netlink::VfChange;

use super::fragment::{tap, vnic};
use super::networks::address;
use super::normal::{self, Shows};
use super::state::{Plug, PlugKind, State};
use super::{SimVms, text};

impl SimVms {
    /// Plugs the interface that `fragment` defines into the domain `uuid`; its text as libvirt
    /// shows it then.
    pub(super) fn plug(
        &self,
        state: &mut State,
        uuid: &str,
        fragment: &str,
    ) -> Result<String, String> {
        let vnic = vnic(fragment).ok_or("XML error: not an interface")?;
        let mac = vnic.mac.ok_or("XML error: an interface without a MAC")?;
        let source = vnic.source.clone().unwrap_or_default();
        let (bridge, pool) = match vnic.kind.as_str() {
            "bridge" => (Some(source.clone()), false),
            "network" => {
                let found = state.networks.get(&source).ok_or_else(|| {
                    format!("Network not found: no network with matching name '{source}'")
                })?;
                let live = found.live.as_deref().ok_or_else(|| {
                    format!("Requested operation is not valid: network '{source}' is not active")
                })?;
                let facts = network(live).unwrap_or_default();
                (facts.bridge, facts.mode.as_deref() == Some("hostdev"))
            }
            // Not on a switch.
            _ => (None, false),
        };
        if pool {
            return self.plug_vf(state, uuid, fragment, &vnic, mac, &source);
        }
        let number = state.number();
        let fragment = &normal::interface(fragment, Shows::Definition);
        // A tap has the name that it was given, or one that libvirt makes up.
        let named = tap(fragment);
        let tap = match (vnic.kind.as_str(), bridge) {
            ("direct", _) => {
                let tap = named.clone().unwrap_or_else(|| format!("macvtap{number}"));
                self.switches.add_macvtap(&tap, &source)?;
                tap
            }
            (_, Some(bridge)) => {
                let tap = named.clone().unwrap_or_else(|| format!("vnet{number}"));
                self.switches.add_tap(&tap, &bridge)?;
                tap
            }
            ("network", None) => {
                return Err("internal error: the network has no bridge".to_owned());
            }
            _ => return Ok(normal::interface(fragment, Shows::Running)),
        };
        if let Some(vlan) = &vnic.vlan {
            let own = !vlan.trunk && vlan.tags.len() == 1;
            let vlans: Vec<_> = vlan.tags.iter().map(|id| (*id, own, own)).collect();
            self.switches.set_vlans(&tap, &vlans);
        }
        if vnic.port.isolated {
            self.switches.isolate(&tap);
        }
        let domain = state.domain(uuid).map_err(|error| error.to_string())?;
        domain.plugs.push(Plug {
            mac,
            kind: PlugKind::Tap(tap.clone()),
        });
        let mut shown = match named {
            Some(_) => fragment.clone(),
            None => text::with_child(fragment, &format!("<target dev='{tap}'/>")),
        };
        if !text::has_child(&shown, "alias") {
            shown = text::with_child(&shown, &format!("<alias name='net{number}'/>"));
        }
        Ok(normal::interface(&shown, Shows::Running))
    }

    fn plug_vf(
        &self,
        state: &mut State,
        uuid: &str,
        fragment: &str,
        vnic: &Vnic,
        mac: Mac,
        pool: &str,
    ) -> Result<String, String> {
        let vf = state.take_vf(&self.kernel, pool)?;
        self.hook(state, Operation::Created, uuid, pool, mac, vf);
        let holder = state.domains.values().find(|domain| {
            let mut plugs = domain.plugs.iter();
            plugs.any(|plug| matches!(plug.kind, PlugKind::Vf { vf: held, .. } if held == vf))
        });
        if let Some(holder) = holder {
            let words = format!(
                "Requested operation is not valid: PCI device {vf} is in use by driver QEMU, domain {}",
                holder.name
            );
            self.hook(state, Operation::Deleted, uuid, pool, mac, vf);
            // The port goes again, and with it what the pool knew of the VF.
            if let Some(network) = state.networks.get_mut(pool) {
                network.taken.retain(|one| *one != vf);
            }
            return Err(words);
        }
        let known = self.kernel.node().vf_at(vf);
        let Some((pf, index)) = known else {
            return Err(format!("Device {vf} not found: could not access"));
        };
        let bound = self.kernel.node().bind_vf(pf, index, "vfio-pci");
        bound.map_err(|error| format!("Failed to bind PCI device '{vf}' to vfio-pci: {error}"))?;
        self.set_mac(pf, index, mac);
        let tags = vnic.vlan.as_ref().map(|vlan| vlan.tags.as_slice());
        self.set_vlan(
            pf,
            index,
            tags.and_then(<[u16]>::first).copied().unwrap_or(0),
        );
        let domain = state.domain(uuid).map_err(|error| error.to_string())?;
        domain.plugs.push(Plug {
            mac,
            kind: PlugKind::Vf {
                vf,
                network: pool.to_owned(),
                transient: matches!(vnic.teaming, Some(Teaming::Transient { .. })),
                plugged: false,
            },
        });
        let alias = vnic.alias.clone().unwrap_or_else(|| "hostdev0".to_owned());
        let teaming = text::child_text(fragment, "teaming").unwrap_or_default();
        let vlan = text::child_text(fragment, "vlan").unwrap_or_default();
        let model = text::child_text(fragment, "model").unwrap_or_default();
        let place = text::child_text(fragment, "address").unwrap_or_default();
        let shown = format!(
            "<interface type='hostdev' managed='yes'><mac address='{mac}'/><driver name='vfio'/>\
             <source>{}</source>{vlan}{model}{teaming}<alias name='{alias}'/>{place}</interface>",
            address(&vf)
        );
        Ok(normal::interface(&shown, Shows::Running))
    }

    /// Gives back what the domain `uuid` has for `mac`: its tap, or its VF.
    pub(super) fn unplug(&self, state: &mut State, uuid: &str, mac: Mac, vf: bool) {
        let Ok(domain) = state.domain(uuid) else {
            return;
        };
        let is = |plug: &Plug| plug.mac == mac && matches!(plug.kind, PlugKind::Vf { .. }) == vf;
        let Some(place) = domain.plugs.iter().position(is) else {
            return;
        };
        match domain.plugs.remove(place).kind {
            PlugKind::Tap(tap) => self.switches.remove_tap(&tap),
            PlugKind::Vf { vf, network, .. } => {
                self.show_vf(state, uuid, vf, false, false);
                if let Some((pf, index)) = self.kernel.node().vf_at(vf) {
                    drop(self.kernel.node().release_vf(pf, index));
                    self.set_mac(pf, index, Mac::ZERO);
                    self.set_vlan(pf, index, 0);
                }
                if let Some(network) = state.networks.get_mut(&network) {
                    network.taken.retain(|one| *one != vf);
                }
                self.hook(state, Operation::Deleted, uuid, &network, mac, vf);
            }
        }
    }

    /// Takes back one tap of the domain `uuid`: several may have the same MAC.
    pub(super) fn unplug_tap(&self, state: &mut State, uuid: &str, tap: &str) {
        let Ok(domain) = state.domain(uuid) else {
            return;
        };
        let is = |plug: &Plug| plug.kind == PlugKind::Tap(tap.to_owned());
        if domain.plugs.iter().any(is) {
            domain.plugs.retain(|plug| !is(plug));
            self.switches.remove_tap(tap);
        }
    }

    fn set_mac(&self, pf: PciAddress, index: u16, mac: Mac) {
        self.set(pf, index, VfChange::Mac(mac));
    }

    /// libvirt sets the VLAN of the interface's XML, or none.
    fn set_vlan(&self, pf: PciAddress, index: u16, id: u16) {
        let protocol = VlanProtocol::Dot1Q;
        self.set(
            pf,
            index,
            VfChange::Vlan {
                id,
                qos: 0,
                protocol,
            },
        );
    }

    fn set(&self, pf: PciAddress, index: u16, change: VfChange) {
        let links = self.kernel.links().unwrap_or_default();
        let link = links.into_iter().find(|link| link.parent == Some(pf));
        if let Some(link) = link {
            drop(self.kernel.set_vf(link.index, index.into(), change));
        }
    }

    /// What libvirt's network hook does.
    fn hook(
        &self,
        state: &State,
        operation: Operation,
        uuid: &str,
        network: &str,
        mac: Mac,
        vf: PciAddress,
    ) {
        let name = state.domains.get(uuid).map(|domain| domain.name.as_str());
        let xml = format!(
            "<hookData><network><name>{network}</name></network><networkport>\
             <owner><name>{}</name><uuid>{uuid}</uuid></owner><mac address='{mac}'/>\
             <plug type='hostdev-pci' managed='yes'>{}</plug></networkport></hookData>",
            name.unwrap_or_default(),
            address(&vf).replace(" type='pci'", "")
        );
        let edge = hook::Edge {
            root: &self.kernel.root,
            links: &*self.kernel,
            knobs: &*self.kernel,
        };
        // libvirt does not care how its hook went; the outcome is in its file.
        drop(hook::serve(&edge, operation, &xml));
        if let Some((pf, index)) = self.kernel.node().vf_at(vf) {
            drop(self.kernel.node().apply_msix_count(pf, index));
        }
    }
}
