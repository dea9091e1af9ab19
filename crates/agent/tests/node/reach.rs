//! Everybody on a node reaches everybody: VMs on VFs, VMs on the software path, containers, the node, and
//! the outside.
//!
//! The oracle sends one frame through what the simulated kernel has: an adapter forwards a frame of a VF to
//! the VFs and to the PF that have its destination, and else to the wire alone; a bridge forwards it by
//! what it learned, and else to all ports.

use std::collections::{BTreeMap, BTreeSet};

use accelnet_host::Links;
use accelnet_libvirt::xml::Definition;
use accelnet_model::link::Link;
use accelnet_model::{Code, Mac, PciAddress, Performance};
use accelnet_netlink::{FdbEvent, FdbKind};
use accelnet_sim::Guest;

use crate::fixture::{Fixture, INTENT, enable, igb, mac};
use crate::invariants;

const LOW: Performance = Performance::Low;
/// The bridge of [`INTENT`].
const BRIDGE: &str = "acn-MyIntent";
/// Somebody outside.
const OUTSIDE: Mac = Mac([0x52, 0x54, 0, 0xbb, 0, 1]);

/// Where a frame goes in or comes out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A VF of the adapter, with that MAC.
    Vf(PciAddress, Mac),
    /// A port of the bridge.
    Port(String),
    /// The node itself.
    Node,
    /// The other end of the cable.
    Wire,
}

/// Whoever has a MAC. A VM between its paths is at two places.
#[derive(Debug)]
struct Station {
    name: String,
    mac: Mac,
    at: BTreeSet<Place>,
}

/// What forwards frames.
struct Net {
    links: Vec<Link>,
    /// MACs of VFs, by adapter.
    vfs: BTreeMap<PciAddress, BTreeSet<Mac>>,
    /// What adapters take in beside their own.
    filters: BTreeSet<(PciAddress, Mac)>,
    /// The port behind which the bridge learned a MAC.
    learned: BTreeMap<Mac, String>,
}

/// The MACs that VFs of an adapter have.
pub fn vf_macs(fixture: &Fixture, adapter: PciAddress) -> BTreeSet<Mac> {
    let links = fixture.machine.kernel.links().expect("links");
    let link = links.iter().find(|link| link.parent == Some(adapter));
    let settings = link.map(|link| fixture.machine.kernel.vf_settings(link).expect("settings"));
    let macs = settings.into_iter().flatten().map(|vf| vf.mac);
    macs.filter(|mac| *mac != Mac::ZERO).collect()
}

impl Net {
    fn of(fixture: &Fixture) -> Self {
        let kernel = &fixture.machine.kernel;
        let links = kernel.links().expect("links");
        let adapters = links.iter().filter_map(|link| link.parent);
        let vfs = adapters.map(|adapter| (adapter, vf_macs(fixture, adapter)));
        let vfs = vfs.collect();
        let entries = kernel.fdb().expect("entries").into_iter();
        let learned = entries.filter(|entry| entry.kind == FdbKind::Learned);
        let learned = learned.filter_map(|entry| {
            let port = links.iter().find(|link| link.index == entry.link)?;
            Some((entry.mac, port.name.clone()))
        });
        Net {
            learned: learned.collect(),
            vfs,
            filters: kernel.taken_in().into_iter().collect(),
            links,
        }
    }

    fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name == name)
    }

    /// The bridge's port that gets what an adapter passes to its PF: its link, or the bond whose active port
    /// that is.
    fn port_of(&self, pf: &Link) -> Option<String> {
        let master = self.link(pf.master.as_ref()?)?;
        if master.name == BRIDGE {
            return Some(pf.name.clone());
        }
        let active = master.bond.as_ref()?.active.as_ref() == Some(&pf.name);
        (active && master.master.as_deref() == Some(BRIDGE)).then(|| master.name.clone())
    }

    fn ports(&self) -> impl Iterator<Item = &Link> {
        let on = |link: &&Link| link.master.as_deref() == Some(BRIDGE);
        self.links.iter().filter(on)
    }

    /// Where a frame to `to` comes out that goes in at `from`.
    fn send(&self, from: &Place, to: Mac) -> BTreeSet<Place> {
        match from {
            Place::Vf(adapter, _) => self.through_adapter(*adapter, to),
            Place::Port(port) => self.through_bridge(Some(port), to),
            Place::Node => self.through_bridge(None, to),
            Place::Wire => self.over_the_wire(None, to),
        }
    }

    /// Out of an adapter: somebody outside gets it, and the other adapters, which are in the same network.
    fn over_the_wire(&self, from: Option<PciAddress>, to: Mac) -> BTreeSet<Place> {
        let mut out = BTreeSet::from([Place::Wire]);
        let adapters = self
            .links
            .iter()
            .filter_map(|link| Some((link, link.parent?)));
        for (link, adapter) in adapters.filter(|(_, adapter)| Some(*adapter) != from) {
            let vf = self.vf_with(adapter, to);
            // A port of a bridge is promiscuous.
            let passed = vf.is_empty() || self.filters.contains(&(adapter, to));
            out.extend(vf);
            if let Some(port) = self.port_of(link).filter(|_| passed) {
                out.extend(self.through_bridge(Some(&port), to));
            }
        }
        out
    }

    fn vf_with(&self, adapter: PciAddress, to: Mac) -> BTreeSet<Place> {
        let vfs = self.vfs.get(&adapter).into_iter().flatten();
        let own = vfs.filter(|mac| **mac == to);
        own.map(|mac| Place::Vf(adapter, *mac)).collect()
    }

    /// From a VF.
    fn through_adapter(&self, adapter: PciAddress, to: Mac) -> BTreeSet<Place> {
        let mut out = self.vf_with(adapter, to);
        let mut links = self.links.iter();
        let pf = links.find(|link| link.parent == Some(adapter));
        let own = pf.is_some_and(|pf| pf.mac == Some(to));
        let passed = own || self.filters.contains(&(adapter, to));
        let port = pf.filter(|_| passed).and_then(|pf| self.port_of(pf));
        if let Some(port) = port {
            out.extend(self.through_bridge(Some(&port), to));
        } else if out.is_empty() {
            out.extend(self.over_the_wire(Some(adapter), to));
        }
        out
    }

    /// From a port, or from the node.
    fn through_bridge(&self, from: Option<&str>, to: Mac) -> BTreeSet<Place> {
        let own = self.link(BRIDGE).and_then(|bridge| bridge.mac);
        if own == Some(to) {
            return BTreeSet::from([Place::Node]);
        }
        let mut out = BTreeSet::new();
        for port in self.ports().filter(|port| Some(port.name.as_str()) != from) {
            match self.learned.get(&to) {
                Some(known) if *known != port.name => {}
                _ => out.extend(self.out_of(port, to)),
            }
        }
        out
    }

    fn out_of(&self, port: &Link, to: Mac) -> BTreeSet<Place> {
        let active = port.bond.as_ref().and_then(|bond| bond.active.as_deref());
        let below = active.and_then(|name| self.link(name)).unwrap_or(port);
        let Some(adapter) = below.parent else {
            return BTreeSet::from([Place::Port(port.name.clone())]);
        };
        let mut out = self.vf_with(adapter, to);
        out.extend(self.over_the_wire(Some(adapter), to));
        out
    }

    /// Running VMs on the bridge, containers that were heard of, the node, and somebody outside.
    fn stations(&self, fixture: &Fixture) -> Vec<Station> {
        let mut stations = Vec::new();
        for (name, _) in fixture.machine.vms.list() {
            let (_, Some(live)) = fixture.machine.vms.texts(&name) else {
                continue;
            };
            let vnics = Definition::parse(&live).expect("a domain").vnics;
            let tap = |port: &str| self.ports().any(|link| link.name == port);
            for vnic in &vnics {
                let Some(port) = vnic.target.clone().filter(|port| tap(port)) else {
                    continue;
                };
                let mac = vnic.mac.expect("a MAC");
                let vf = self.vfs.keys().flat_map(|one| self.vf_with(*one, mac));
                let mut at: BTreeSet<Place> = vf.collect();
                let bridged = self.filters.iter().any(|(_, one)| *one == mac);
                if at.is_empty() || bridged {
                    at.insert(Place::Port(port));
                }
                let name = name.clone();
                stations.push(Station { name, mac, at });
            }
        }
        let known: BTreeSet<Mac> = stations.iter().map(|one| one.mac).collect();
        for (mac, port) in &self.learned {
            let outside = self.link(port).is_some_and(|link| link.parent.is_some());
            if !known.contains(mac) && !outside {
                stations.push(Station {
                    name: port.clone(),
                    mac: *mac,
                    at: BTreeSet::from([Place::Port(port.clone())]),
                });
            }
        }
        if let Some(mac) = self.link(BRIDGE).and_then(|bridge| bridge.mac) {
            stations.push(Station {
                name: "the node".to_owned(),
                mac,
                at: BTreeSet::from([Place::Node]),
            });
        }
        stations.push(Station {
            name: "the outside".to_owned(),
            mac: OUTSIDE,
            at: BTreeSet::from([Place::Wire]),
        });
        stations
    }
}

/// The pairs of which one does not reach the other.
fn cut_off(fixture: &Fixture) -> Vec<(String, String)> {
    let net = Net::of(fixture);
    let stations = net.stations(fixture);
    let mut missed = Vec::new();
    for from in &stations {
        for to in stations.iter().filter(|to| to.mac != from.mac) {
            // A frame is to reach each place at which its receiver may be, from each of the sender's.
            let all = from.at.iter().all(|place| {
                let out = net.send(place, to.mac);
                to.at.is_subset(&out)
            });
            if !all {
                missed.push((from.name.clone(), to.name.clone()));
            }
        }
    }
    missed
}

/// All pairs reach each other, where the intent has its bridge.
pub fn all_reach_each_other(fixture: &Fixture, what: &str) {
    let status = fixture.status_of(INTENT);
    let uplink = status.is_some_and(|status| {
        let bridge = status.bridge.clone().unwrap_or_default();
        let ports = fixture.machine.switches.ports(&bridge);
        ports.iter().any(|port| port.starts_with("en"))
    });
    if uplink {
        assert_eq!(cut_off(fixture), [], "{what}");
    }
}

fn taken_in(fixture: &Fixture) -> BTreeSet<Mac> {
    let all = fixture.machine.kernel.taken_in();
    all.into_iter().map(|(_, mac)| mac).collect()
}

/// A frame from `mac` comes in by `port`, and the agent hears of what the bridge learned.
pub fn speaks(fixture: &mut Fixture, port: &str, mac: Mac) {
    let event = fixture
        .machine
        .kernel
        .receives(port, mac)
        .expect("a bridge");
    if let Some(event) = event {
        fixture.agent().address_event(event);
    }
    if fixture.agent().next_filter().is_some() {
        fixture.agent().apply_filter();
    }
}

/// `web` is on its VF, `db` on the software path.
fn web_and_db() -> Fixture {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    fixture.run("db", 2, 4);
    assert!(fixture.change(&enable("web", LOW, true)).ok);
    invariants::have_crossed(&mut fixture, "web has crossed");
    fixture.reconcile();
    fixture
}

#[test]
fn a_vm_on_its_vf_and_one_on_the_software_path() {
    let mut fixture = web_and_db();
    assert_eq!(taken_in(&fixture), BTreeSet::from([mac(2)]));
    invariants::hold(&fixture, "one on each path");
    // Without the entry, the oracle sees what the lab saw.
    let links = fixture.machine.kernel.links().expect("links");
    let pf = links.iter().find(|link| link.parent == Some(igb()));
    let index = pf.expect("a PF").index;
    let kernel = fixture.machine.kernel.clone();
    assert!(kernel.take_in(index, mac(2), false).expect("removed"));
    let missed = ("web".to_owned(), "db".to_owned());
    assert_eq!(cut_off(&fixture), [missed]);
    // Somebody removed it: the next pass adds it again.
    fixture.reconcile();
    invariants::hold(&fixture, "mended");
    assert!(fixture.vm_enable("db", LOW).ok);
    assert!(fixture.vm_disable("web").ok);
    invariants::hold(&fixture, "the other way round");
    fixture.machine.vms.virsh_stop("db").expect("stopped");
    fixture.reconcile();
    invariants::have_crossed(&mut fixture, "db is off");
    // One that is accelerated may be started by anybody.
    assert_eq!(taken_in(&fixture), BTreeSet::from([mac(1), mac(2)]));
}

/// The port of the vNIC of a running VM.
fn port_of(fixture: &Fixture, vm: &str) -> String {
    let (_, live) = fixture.machine.vms.texts(vm);
    let vnics = Definition::parse(&live.expect("it runs"))
        .expect("a domain")
        .vnics;
    let mut ports = vnics.into_iter().filter_map(|vnic| vnic.target);
    ports.next().expect("a port")
}

#[test]
fn a_vm_is_reached_whichever_path_it_last_sent_over() {
    let mut fixture = web_and_db();
    let port = port_of(&fixture, "db");
    // The bridge has learned where it is, and its guest takes a while to use its VF.
    speaks(&mut fixture, &port, mac(2));
    let slow = Guest {
        slow: true,
        ..Guest::default()
    };
    fixture.machine.vms.set_guest("db", slow).expect("a guest");
    assert!(fixture.change(&enable("db", LOW, true)).ok);
    invariants::hold(&fixture, "either path");
    let port = port_of(&fixture, "db");
    speaks(&mut fixture, &port, mac(2));
    invariants::hold(&fixture, "it sends over its vNIC");
    // The agent dies in between.
    fixture.start();
    speaks(&mut fixture, &port, mac(2));
    invariants::hold(&fixture, "after a restart");
    fixture.machine.vms.guest_binds("db").expect("bound");
    invariants::have_crossed(&mut fixture, "on its VF");
    let learned = |fixture: &Fixture| Net::of(fixture).learned.get(&mac(2)).cloned();
    assert_eq!(learned(&fixture).as_deref(), Some("ens1"), "not flooded");
    invariants::hold(&fixture, "on its VF");
    // It goes back, and has not sent yet.
    assert!(fixture.vm_disable("db").ok);
    invariants::hold(&fixture, "on its software path");
    speaks(&mut fixture, &port, mac(2));
    assert_eq!(learned(&fixture), Some(port), "the port learns again");
    fixture.machine.vms.virsh_stop("db").expect("stopped");
    fixture.reconcile();
    assert_eq!(learned(&fixture), None);
}

#[test]
fn a_vm_that_moved_here_is_reached_from_the_moment_it_runs() {
    let mut fixture = web_and_db();
    let slow = Guest {
        slow: true,
        ..Guest::default()
    };
    fixture.machine.vms.set_guest("db", slow).expect("a guest");
    assert!(fixture.change(&enable("db", LOW, true)).ok);
    // Until now it ran elsewhere, and its frames came over the wire.
    let learned = fixture.machine.kernel.receives("ens1", mac(2));
    assert!(learned.expect("a bridge").is_some());
    assert!(!cut_off(&fixture).is_empty());
    let uuid = fixture.machine.vms.uuid("db").expect("a VM");
    fixture.agent().vm_resumed(&uuid);
    all_reach_each_other(&fixture, "it goes on");
}

#[test]
fn a_vm_that_falls_back_is_reached() {
    let mut fixture = web_and_db();
    // The bridge has heard it through the adapter.
    speaks(&mut fixture, "ens1", mac(1));
    drop(fixture.machine.vms.virsh_detach_vf("web", mac(1)));
    fixture.use_all_vfs();
    fixture.reconcile();
    all_reach_each_other(&fixture, "fallen back");
    assert!(taken_in(&fixture).is_superset(&BTreeSet::from([mac(1), mac(2)])));
}

#[test]
fn a_container_is_reached_from_its_first_frame_on() {
    let mut fixture = web_and_db();
    let container = Mac([0x02, 0x42, 0, 0, 0, 9]);
    fixture
        .machine
        .switches
        .connect("veth0", BRIDGE)
        .expect("a port");
    speaks(&mut fixture, "veth0", container);
    assert_eq!(taken_in(&fixture), BTreeSet::from([mac(2), container]));
    fixture.reconcile();
    invariants::hold(&fixture, "a container");
    // It is silent for long, and still there.
    let aged = fixture.machine.kernel.ages(container).expect("a bridge");
    fixture.agent().address_event(aged.expect("an event"));
    fixture.reconcile();
    assert!(taken_in(&fixture).contains(&container));
    // It goes elsewhere.
    speaks(&mut fixture, "ens1", container);
    assert_eq!(taken_in(&fixture), BTreeSet::from([mac(2)]));
    speaks(&mut fixture, "veth0", container);
    assert!(taken_in(&fixture).contains(&container));
    fixture.machine.switches.disconnect("veth0");
    fixture.reconcile();
    assert_eq!(taken_in(&fixture), BTreeSet::from([mac(2)]));
}

#[test]
fn the_outside_is_in_no_filter() {
    let mut fixture = web_and_db();
    let before = taken_in(&fixture);
    for port in ["ens1", "ens1"] {
        speaks(&mut fixture, port, OUTSIDE);
        // A guest on its VF is heard through the adapter.
        speaks(&mut fixture, port, mac(1));
    }
    fixture.reconcile();
    assert_eq!(taken_in(&fixture), before);
    invariants::hold(&fixture, "the outside");
    // Events that were lost cost nothing: the bridge is asked.
    fixture
        .machine
        .switches
        .connect("veth0", BRIDGE)
        .expect("a port");
    let container = Mac([0x02, 0x42, 0, 0, 0, 9]);
    drop(fixture.machine.kernel.receives("veth0", container));
    fixture.agent().address_event(FdbEvent::Lost);
    fixture.agent().apply_filter();
    assert!(taken_in(&fixture).contains(&container));
}

#[test]
fn entries_of_others_stay_and_those_of_a_dead_agent_go() {
    let mut fixture = web_and_db();
    let links = fixture.machine.kernel.links().expect("links");
    let pf = links.iter().find(|link| link.parent == Some(igb()));
    let index = pf.expect("a PF").index;
    let theirs = Mac([0x52, 0x54, 0, 0xcc, 0, 1]);
    for mac in [theirs, mac(3)] {
        let kernel = &fixture.machine.kernel;
        assert!(kernel.take_in(index, mac, true).expect("added"));
    }
    fixture.run("third", 3, 4);
    fixture.reconcile();
    let all = BTreeSet::from([mac(2), mac(3), theirs]);
    assert_eq!(taken_in(&fixture), all);
    // The agent dies, and two VMs end before the next one begins.
    for vm in ["db", "third"] {
        fixture.machine.vms.virsh_stop(vm).expect("stopped");
    }
    fixture.start();
    assert_eq!(taken_in(&fixture), BTreeSet::from([mac(3), theirs]));
}

#[test]
fn a_filter_that_is_full_is_told_before_and_after() {
    let mut fixture = Fixture::enabled();
    fixture.machine.kernel.limit_filters(Some(1));
    for (vm, number) in [("a", 1), ("b", 2), ("web", 3)] {
        fixture.run(vm, number, 4);
    }
    fixture.reconcile();
    let result = fixture.change(&enable("web", LOW, true));
    let warned = |warning: &accelnet_model::Problem| warning.code == Code::FilterIncomplete;
    let warning = result.warnings.iter().find(|one| warned(one));
    let warning = warning.expect("a warning");
    assert!(warning.found.contains("ENOMEM"), "{warning:?}");
    invariants::have_crossed(&mut fixture, "crossed");
    fixture.reconcile();
    let faults = fixture.report().faults;
    let fault = faults.iter().find(|one| one.code == Code::FilterIncomplete);
    let fault = fault.expect("a fault");
    assert_eq!(fault.subject, "ens1");
    assert!(fault.found.contains("VM b") && !fault.found.contains("VM a"));
    assert_eq!(cut_off(&fixture), [("web".to_owned(), "b".to_owned())]);
    // A VM in failover bridging is more important than one that is not accelerated.
    let slow = Guest {
        slow: true,
        ..Guest::default()
    };
    fixture.machine.vms.set_guest("a", slow).expect("a guest");
    assert!(fixture.change(&enable("a", LOW, true)).ok);
    assert_eq!(taken_in(&fixture), BTreeSet::from([mac(1)]));
    fixture.machine.vms.guest_binds("a").expect("bound");
    invariants::have_crossed(&mut fixture, "crossed");
    fixture.reconcile();
    assert_eq!(taken_in(&fixture), BTreeSet::from([mac(2)]));
    assert!(
        fixture
            .report()
            .faults
            .iter()
            .all(|one| one.code != Code::FilterIncomplete)
    );
}
