//! The bridges of a node, and what tests do to them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use accelnet_host::{Links, Switches};
use accelnet_model::Mac;
use accelnet_model::link::BondMode;
use accelnet_model::switch::{
    Address, AddressFlags, Carried, Mention, Network, PortVlan, Route, Stacked, SwitchStep,
};

use crate::kernel::SimKernel;
use crate::mutex::held;
use crate::tree::SoftLink;

/// Errno of what is not there.
pub(super) const ENODEV: i32 = 19;

/// The bridges of a node; clones are the same.
#[derive(Debug, Clone)]
pub struct SimSwitches {
    pub(super) kernel: Arc<SimKernel>,
    pub(super) state: Arc<Mutex<State>>,
}

/// What the kernel knows beside the tree.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) bridges: Vec<String>,
    pub(super) carried: BTreeMap<String, Carried>,
    /// The adapter that each gateway's cable is in.
    pub(super) gateways: BTreeMap<IpAddr, String>,
    pub(super) silent_through_bridges: bool,
    pub(super) silent: bool,
    pub(super) refusals: Vec<Refusal>,
    pub(super) applied: Vec<String>,
    /// The bridges that read VLAN tags, each with the VLAN of a new port.
    pub(super) filtering: BTreeMap<String, Option<u16>>,
    /// The VLANs of ports that do not have the one of a new port.
    pub(super) vlans: BTreeMap<String, Vec<PortVlan>>,
    pub(super) isolated: BTreeSet<String>,
    /// A bridge that is on its way out, and how many looks see it half gone.
    pub(super) going: Option<(String, u32)>,
    /// When addresses run out.
    expiries: BTreeMap<IpAddr, Duration>,
    /// Where links are named, and how often that was asked.
    pub(super) mentions: BTreeMap<String, Vec<Mention>>,
    pub(super) asked: u32,
}

impl State {
    /// What a link carries once so much time has passed: addresses that ran out are gone.
    pub(super) fn carried_at(&mut self, link: &str, now: Duration) -> Carried {
        let expiries = &self.expiries;
        let left = |address: &Address| {
            let at = expiries.get(&address.ip)?;
            Some(at.saturating_sub(now).as_secs())
        };
        let Some(carried) = self.carried.get_mut(link) else {
            return Carried::default();
        };
        carried.addresses.retain(|address| left(address) != Some(0));
        for address in &mut carried.addresses {
            if let Some(left) = left(address).and_then(|left| u32::try_from(left).ok()) {
                (address.valid, address.preferred) = (Some(left), Some(left));
            }
        }
        carried.clone()
    }
}

/// A step that is refused.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// What its words contain.
    pub(super) step: String,
    /// How often.
    pub(super) left: u32,
}

impl SimSwitches {
    /// Those of the node that `kernel` runs.
    pub fn new(kernel: Arc<SimKernel>) -> Self {
        SimSwitches {
            kernel,
            state: Arc::default(),
        }
    }

    /// Gives a link an address, and the routes that lead over `gateway`, which is on the other
    /// end of its cable and answers.
    pub fn address(&self, link: &str, ip: IpAddr, prefix: u8, gateway: Option<IpAddr>) {
        let mut state = held(&self.state);
        let carried = state.carried.entry(link.to_owned()).or_default();
        carried.addresses.push(plain_address(ip, prefix));
        carried.routes.push(Route {
            protocol: Route::BY_KERNEL,
            source: Some(ip),
            ..route(Network::of(ip, prefix), None)
        });
        if let Some(gateway) = gateway {
            let everywhere = Network::of(gateway, 0);
            carried.routes.push(route(everywhere, Some(gateway)));
            state.gateways.insert(gateway, link.to_owned());
        }
    }

    /// The same with an address that is leased for so long.
    pub fn lease(
        &self,
        link: &str,
        ip: IpAddr,
        prefix: u8,
        gateway: Option<IpAddr>,
        time: Duration,
    ) {
        self.address(link, ip, prefix, gateway);
        self.renew(ip, time);
    }

    /// A process renews the lease of an address, which is valid for so long from now on.
    pub fn renew(&self, ip: IpAddr, time: Duration) {
        let at = self.kernel.time.passed() + time;
        held(&self.state).expiries.insert(ip, at);
    }

    /// Rules and the like name `link` from now on.
    pub fn mention(&self, link: &str, mentions: &[Mention]) {
        let mut state = held(&self.state);
        state.mentions.insert(link.to_owned(), mentions.to_vec());
    }

    /// How often it was asked where links are named.
    pub fn mentions_asked(&self) -> u32 {
        held(&self.state).asked
    }

    /// From now on no gateway answers through a bridge, or they do again.
    pub fn silence_through_bridges(&self, silent: bool) {
        held(&self.state).silent_through_bridges = silent;
    }

    /// From now on no gateway answers at all, or they do again.
    pub fn silence(&self, silent: bool) {
        held(&self.state).silent = silent;
    }

    /// Refuses steps whose words contain `step`, the next `times`.
    pub fn refuse(&self, step: &str, times: u32) {
        held(&self.state).refusals.push(Refusal {
            step: step.to_owned(),
            left: times,
        });
    }

    /// Refuses nothing more.
    pub fn accept(&self) {
        held(&self.state).refusals.clear();
    }

    /// What was done, in words, since the last time.
    pub fn applied(&self) -> Vec<String> {
        std::mem::take(&mut held(&self.state).applied)
    }

    /// Another process makes a bridge with these ports.
    pub fn create_bridge_externally(&self, name: &str, ports: &[&str]) {
        let mac = Mac([0x02, 0, 0, 0, 0xbb, 1]);
        let made = SwitchStep::CreateBridge {
            bridge: name.to_owned(),
            mac: Some(mac),
            mtu: 1500,
        };
        drop(self.apply(&made));
        drop(self.apply(&SwitchStep::Up {
            link: name.to_owned(),
        }));
        for port in ports {
            drop(self.apply(&SwitchStep::AddPort {
                bridge: name.to_owned(),
                port: (*port).to_owned(),
            }));
        }
    }

    /// Another process makes a bond of these ports, of which the first is active in a mode that has one.
    /// A port leaves what it was a port of before.
    pub fn create_bond_externally(&self, name: &str, mode: BondMode, ports: &[&str]) {
        let mac = Mac([0x02, 0, 0, 0, 0xbb, 3]);
        let node = self.kernel.node();
        let made = node.add_link(SoftLink::Bond(mode), name, mac, 1500);
        let made = made.and_then(|_| node.set_up(name, true, Some(10_000)));
        drop(made);
        for port in ports {
            drop(node.set_master(port, Some(name)));
        }
        drop(node);
        self.active_port(name, ports.first().copied().unwrap_or_default());
    }

    /// Another port of a bond becomes the active one.
    pub fn active_port(&self, bond: &str, port: &str) {
        let node = self.kernel.node();
        drop(node.set_attribute(bond, "bonding/active_slave", port));
    }

    /// Another process gives a bond another mode. (The kernel wants it without ports meanwhile.)
    pub fn change_bond_externally(&self, bond: &str, mode: BondMode) {
        let words = format!("{mode} {}", mode.number());
        let node = self.kernel.node();
        drop(node.set_attribute(bond, "bonding/mode", words));
    }

    /// Another process deletes a bridge, and with it what it carried.
    pub fn delete_bridge_externally(&self, name: &str) {
        drop(self.apply(&SwitchStep::DeleteBridge {
            bridge: name.to_owned(),
        }));
    }

    /// Another process deletes a bridge, and the next `looks` fall into the middle of it: it is no
    /// bridge any more, and its ports have not left it.
    pub fn delete_bridge_slowly(&self, name: &str, looks: u32) {
        held(&self.state).going = Some((name.to_owned(), looks));
    }

    /// One read of a bridge that is on its way out: its name, until it is gone.
    pub(super) fn half_gone(&self) -> Option<String> {
        let mut state = held(&self.state);
        let (name, looks) = state.going.take()?;
        let Some(left) = looks.checked_sub(1) else {
            drop(state);
            self.delete_bridge_externally(&name);
            return None;
        };
        state.going = Some((name.clone(), left));
        Some(name)
    }

    /// A process connects a container to `bridge`, by a port called `port`.
    ///
    /// # Errors
    ///
    /// There is no such bridge, or the tree cannot be written.
    pub fn connect(&self, port: &str, bridge: &str) -> Result<(), String> {
        self.add_tap(port, bridge)
    }

    /// Its port is gone.
    pub fn disconnect(&self, port: &str) {
        self.remove_tap(port);
    }

    /// The host's end of a vNIC comes to be, as a port of `bridge`.
    pub(crate) fn add_tap(&self, name: &str, bridge: &str) -> Result<(), String> {
        if !held(&self.state).bridges.iter().any(|one| one == bridge) {
            return Err(format!(
                "Cannot get interface MTU on '{bridge}': No such device"
            ));
        }
        let node = self.kernel.node();
        let mac = Mac([0xfe, 0x54, 0, 0, 0, 1]);
        let made = node.add_link(SoftLink::Tap, name, mac, 1500);
        let made = made.and_then(|_| node.set_up(name, true, Some(10)));
        let made = made.and_then(|()| node.set_master(name, Some(bridge)));
        made.map_err(|error| error.to_string())
    }

    /// A macvtap comes to be on `link`, which is no port (`macvlan_port_create` of Linux).
    pub(crate) fn add_macvtap(&self, name: &str, link: &str) -> Result<(), String> {
        let links = self.kernel.links().map_err(|error| error.to_string())?;
        let own = links.iter().find(|one| one.name == link);
        let own =
            own.ok_or_else(|| format!("Cannot get interface index on '{link}': No such device"))?;
        if own.master.is_some() {
            return Err(format!(
                "error creating macvtap interface {name}@{link}: Device or resource busy"
            ));
        }
        let mut state = held(&self.state);
        let carried = state.carried.entry(link.to_owned()).or_default();
        carried.stacked.push(Stacked {
            name: name.to_owned(),
            kind: "macvtap".to_owned(),
        });
        Ok(())
    }

    /// The host's end of a vNIC goes.
    pub(crate) fn remove_tap(&self, name: &str) {
        for carried in held(&self.state).carried.values_mut() {
            carried.stacked.retain(|one| one.name != name);
        }
        let node = self.kernel.node();
        if node.has_link(name) {
            drop(node.remove_link(name));
        }
    }

    /// The power was off: only what the adapters get at boot is there.
    pub(crate) fn reboot(&self) {
        let bridges = held(&self.state).bridges.clone();
        // What went over to a bridge was the node's own before: its boot gives it back.
        for bridge in bridges {
            let ports = self.ports(&bridge);
            let carried = held(&self.state).carried.remove(&bridge);
            drop(self.apply(&SwitchStep::DeleteBridge { bridge }));
            let uplink = ports.iter().find(|port| self.is_adapter(port));
            if let (Some(carried), Some(uplink)) = (carried, uplink) {
                held(&self.state).carried.insert(uplink.clone(), carried);
            }
        }
    }

    fn is_adapter(&self, name: &str) -> bool {
        let device = format!("/sys/class/net/{name}/device");
        self.kernel.root.exists(&device)
    }

    /// The ports of a bridge, by name.
    pub fn ports(&self, bridge: &str) -> Vec<String> {
        let links = self.kernel.links().unwrap_or_default();
        let ports = links
            .into_iter()
            .filter(|link| link.master.as_deref() == Some(bridge));
        ports.map(|link| link.name).collect()
    }

    /// What a link carries.
    pub fn carries(&self, link: &str) -> Carried {
        let now = self.kernel.time.passed();
        held(&self.state).carried_at(link, now)
    }
}

fn plain_address(ip: IpAddr, prefix: u8) -> Address {
    Address {
        ip,
        prefix,
        peer: None,
        broadcast: None,
        scope: 0,
        flags: AddressFlags(0x80),
        label: None,
        metric: 0,
        origin: 0,
        preferred: None,
        valid: None,
    }
}

pub(super) fn route(to: Network, via: Option<IpAddr>) -> Route {
    Route {
        to,
        from: None,
        via,
        source: None,
        metric: 0,
        table: Route::MAIN,
        protocol: 3,
        scope: 0,
        kind: 1,
        tos: 0,
        on_link: false,
        preference: None,
        expires: None,
        realm: None,
        metrics: Vec::new(),
        congestion: None,
        peculiar: None,
    }
}
