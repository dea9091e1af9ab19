//! libvirt refuses one call after the other: then the definition and what runs are as before.

use std::time::Duration;

use accelnet_agent::simulated::DirectAgent;
use accelnet_api::types::{EventKind, IntentSet, VmChange, VmEnable};
use accelnet_host::Vms;
use accelnet_libvirt::Side;
use accelnet_libvirt::xml::{Definition, DomainXml, Part};
use accelnet_model::intent::Role;
use accelnet_model::{Code, Performance};
use accelnet_sim::{DomainSpec, Guest, NicSpec};

use crate::elements::interface_fragment;
use crate::fixture::{Fixture, INTENT, WHO, disable, enable, intent_add, mac, refused, set};
use crate::invariants;

const LOW: Performance = Performance::Low;

/// What a VM is, whatever libvirt calls its devices and wherever it puts them.
#[derive(Debug, PartialEq)]
struct State {
    config: Option<String>,
    live: Vec<String>,
    vfs: usize,
    setting: Option<Performance>,
}

fn state(fixture: &Fixture) -> State {
    let (config, live) = fixture.machine.vms.texts("web");
    let live = live.map_or_else(Vec::new, |live| {
        let vnics = Definition::parse(&live).expect("a domain").vnics;
        let mut all: Vec<String> = vnics
            .iter()
            .map(|vnic| {
                let own = vnic.alias.as_ref().filter(|name| name.starts_with("ua-"));
                format!(
                    "{:?} {} {:?} {:?} {:?} {own:?}",
                    vnic.mac, vnic.kind, vnic.source, vnic.model, vnic.teaming
                )
            })
            .collect();
        all.sort();
        all
    });
    let uuid = fixture.machine.vms.uuid("web").expect("a VM");
    State {
        config,
        live,
        vfs: fixture.machine.vms.vfs_in_use().len(),
        setting: fixture.policy().vm(&uuid).map(|vm| vm.performance),
    }
}

/// Refuses the first changing call of `change`, then the second, until it goes through.
fn refused_everywhere(name: &str, before: impl Fn() -> Fixture, change: &VmChange) {
    for call in 0.. {
        let what = format!("{name}, call {call} refused");
        let mut fixture = before();
        let as_before = state(&fixture);
        fixture
            .machine
            .vms
            .refuse_call(call, "error from the hypervisor");
        let result = fixture.change(change);
        if fixture.machine.vms.accept() {
            assert!(result.ok, "{what}: {result:?}");
            assert!(call > 0, "{name} changes nothing");
            println!("{name}: each of {call} calls refused");
            return;
        }
        assert!(!result.ok, "{what}: {result:?}");
        let problem = result.problem.as_ref().expect("a problem");
        assert_eq!(problem.code, Code::LibvirtFailed, "{what}");
        let cause = problem.cause.as_deref().unwrap_or_default();
        assert!(
            cause.contains("error from the hypervisor"),
            "{what}: {problem:?}"
        );
        assert_eq!(state(&fixture), as_before, "{what}");
        invariants::hold(&fixture, &what);
        // The way is free again.
        fixture.reconcile();
        assert_eq!(state(&fixture), as_before, "{what}, after a pass");
        let result = fixture.change(change);
        assert!(result.ok, "{what}, again: {result:?}");
        invariants::hold(&fixture, &format!("{what}, again"));
    }
}

fn stopped() -> Fixture {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    fixture.reconcile();
    fixture
}

fn running() -> Fixture {
    let mut fixture = stopped();
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    fixture
}

fn with_failover() -> Fixture {
    let mut fixture = stopped();
    let edit = |xml: String| {
        let pair = "<model type='virtio'/><teaming type='persistent'/><alias name='ua-mine'/>";
        xml.replacen("<model type='virtio'/>", pair, 1)
    };
    fixture.machine.vms.virsh_edit("web", edit).expect("edited");
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    fixture
}

fn accelerated() -> Fixture {
    let mut fixture = Fixture::enabled_on("ens2");
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    fixture
}

#[test]
fn enabling() {
    let plain = enable("web", LOW, false);
    refused_everywhere("stopped", stopped, &plain);
    refused_everywhere("running, waits", running, &plain);
    refused_everywhere("running with failover", with_failover, &plain);
    refused_everywhere("running, now", running, &enable("web", LOW, true));
}

#[test]
fn setting_and_disabling() {
    let other = set("web", Performance::High, true);
    refused_everywhere("set, now", accelerated, &other);
    refused_everywhere("disable", accelerated, &disable("web"));
}

#[test]
fn adding_a_vnic() {
    let before = || {
        let mut fixture = Fixture::enabled();
        fixture
            .machine
            .switches
            .create_bridge_externally("br9", &[]);
        let spec = DomainSpec::new("web", 1, 4).nic(NicSpec::on_bridge(mac(9), "br9"));
        fixture.machine.vms.add(&spec).expect("defined");
        fixture.machine.vms.virsh_start("web").expect("started");
        fixture.reconcile();
        fixture
    };
    let change = VmChange::Enable(VmEnable {
        names: vec!["web".to_owned()],
        performance: LOW,
        now: false,
        add_nic: true,
        dry_run: false,
        mac: None,
        trust: None,
        spoof_check: None,
    });
    refused_everywhere("--add-nic", before, &change);
}

#[test]
fn a_guest_that_keeps_its_vf() {
    let mut fixture = accelerated();
    let keeps = Guest {
        keeps_devices: true,
        ..Guest::default()
    };
    fixture
        .machine
        .vms
        .set_guest("web", keeps)
        .expect("a guest");
    let before = state(&fixture);
    let result = fixture.vm_disable("web");
    let problem = result.problem.expect("a problem");
    assert_eq!(problem.code, Code::LibvirtFailed);
    assert!(problem.cause.expect("words").contains("did not release"));
    assert_eq!(state(&fixture), before);
    invariants::hold(&fixture, "kept");
    // Nor does it for a disruptive change: everything is as it was.
    let request = IntentSet {
        vfs: Some(3),
        disruptive: true,
        ..IntentSet::default()
    };
    fixture.set_intent(&request).expect_err("kept");
    fixture.reconcile();
    assert_eq!(state(&fixture), before);
    assert_eq!(fixture.policy().intent(INTENT).expect("one").vfs, None);
    invariants::hold(&fixture, "kept, disruptive");
}

#[test]
fn a_guest_that_gives_up_its_vnic_late_gets_it_back() {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    fixture.reconcile();
    let vms = fixture.machine.vms.clone();
    let guest = |keeps_devices| {
        let guest = Guest {
            keeps_devices,
            ..Guest::default()
        };
        vms.set_guest("web", guest).expect("a guest");
    };
    guest(true);
    let before = vms.texts("web");
    let result = fixture.change(&enable("web", LOW, true));
    assert_eq!(refused(&result), Code::LibvirtFailed);
    assert_eq!(vms.texts("web"), before);
    // It follows the request after all, when nobody waits any more.
    guest(false);
    let uuid = vms.uuid("web").expect("a VM");
    let live = before.1.clone().expect("it runs");
    let nic = interface_fragment(&live, mac(1), Part::Persistent).expect("a vNIC");
    vms.detach(&uuid, &nic, Side::Live, Duration::ZERO)
        .expect("given up");
    fixture.reconcile();
    fixture.reconcile();
    let after = vms.texts("web").1.expect("it runs");
    let nic = |xml: &str| {
        let nic = DomainXml::parse(xml).ok()?;
        let lines = nic
            .interface(mac(1), Part::Persistent)?
            .without_generated()
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        Some(
            lines
                .into_iter()
                .filter(|line| !line.contains("<alias "))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(nic(&after), nic(&live));
    assert!(fixture.was_recorded(EventKind::Repaired, "web"));
    vms.calls();
    fixture.reconcile();
    assert!(vms.calls().is_empty(), "not at rest");
}

#[test]
fn a_vnic_that_cannot_be_attached_again_is_attached_by_the_next_pass() {
    let mut fixture = running();
    let vms = fixture.machine.vms.clone();
    // With the failover feature, as it was, and elsewhere.
    vms.refuse("attach live", "error from the hypervisor", 3);
    let result = fixture.change(&enable("web", LOW, true));
    assert_eq!(refused(&result), Code::LibvirtFailed);
    let live = || vms.texts("web").1.expect("it runs");
    assert!(!live().contains("52:54:00:aa:00:01"), "{}", live());
    fixture.reconcile();
    assert!(live().contains("52:54:00:aa:00:01"), "{}", live());
    invariants::hold(&fixture, "attached again");
}

/// Intents: what libvirt or the kernel refuses leaves nothing behind.
#[test]
fn declaring_an_intent() {
    let add = |agent: &mut DirectAgent| {
        agent.add_intent(WHO, &intent_add(INTENT, &[Role::Compute], &["ens1"]))
    };
    for call in 0.. {
        let mut fixture = Fixture::new();
        fixture
            .machine
            .vms
            .refuse_call(call, "error from the hypervisor");
        let added = add(fixture.agent());
        if fixture.machine.vms.accept() {
            added.expect("declared");
            println!("intent add: each of {call} calls refused");
            return;
        }
        let problem = added.expect_err("refused");
        assert_eq!(problem.code, Code::LibvirtFailed, "call {call}");
        assert!(fixture.policy().intents.is_empty(), "call {call}");
        assert!(
            !fixture.machine.kernel.node().has_link("acn-MyIntent"),
            "call {call}"
        );
        let (_, vfs) = fixture.machine.kernel.node().vfs_of("ens1").expect("a PF");
        assert_eq!(vfs.len(), 0, "call {call}");
        add(fixture.agent()).expect("declared now");
        assert!(fixture.is_completed());
    }
}
