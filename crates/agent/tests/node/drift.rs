//! Changes by other programs: found, recorded, and repaired.

use accelnet_api::types::{EventKind, IntentSet, State};
use accelnet_host::{Links, Vms};
use accelnet_model::intent::IntentState;
use accelnet_model::{Code, Mac, Performance};
use accelnet_netlink::VfChange;
use accelnet_sim::Fault;

use crate::elements::interface_fragment;
use crate::fixture::{Fixture, INTENT, igb, mac};
use crate::invariants;

const LOW: Performance = Performance::Low;

/// A VM with its VF.
fn accelerated() -> Fixture {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    fixture
}

/// Passes until nothing is left to do, and checks that drift of `subject` was recorded.
fn is_repaired(fixture: &mut Fixture, subject: &str) {
    fixture.reconcile();
    assert!(
        fixture.was_recorded(EventKind::Drift, subject),
        "{:#?}",
        fixture.events()
    );
    assert!(
        fixture.was_recorded(EventKind::Repaired, subject),
        "{:#?}",
        fixture.events()
    );
    fixture.reconcile();
    fixture.machine.vms.calls();
    fixture.reconcile();
    assert!(fixture.machine.vms.calls().is_empty(), "not at rest");
    assert!(fixture.is_completed());
    invariants::hold(fixture, subject);
}

#[test]
fn the_mac_of_a_vf() {
    let mut fixture = accelerated();
    let vf = fixture.machine.vms.vfs_in_use()[0].0;
    let (pf, index) = fixture.machine.kernel.node().vf_at(vf).expect("a VF");
    let links = fixture.machine.kernel.links().expect("links");
    let link = links
        .iter()
        .find(|link| link.parent == Some(pf))
        .expect("a PF");
    let odd = VfChange::Mac(Mac([2, 0, 0, 0, 0, 9]));
    fixture
        .machine
        .kernel
        .set_vf(link.index, index.into(), odd)
        .expect("set");
    is_repaired(&mut fixture, "web");
    let settings = fixture.machine.kernel.vf_settings(link).expect("settings");
    assert_eq!(settings[usize::from(index)].mac, mac(1));
}

#[test]
fn what_was_left_on_a_vf_that_nobody_has() {
    let mut fixture = Fixture::enabled();
    let links = fixture.machine.kernel.links().expect("links");
    let link = links
        .iter()
        .find(|link| link.parent == Some(igb()))
        .expect("a PF");
    let odd = VfChange::Rate { min: 0, max: 100 };
    fixture
        .machine
        .kernel
        .set_vf(link.index, 4, odd)
        .expect("set");
    is_repaired(&mut fixture, "ens1");
}

/// A driver refuses every rate without link, so the agent waits for the link, and says nothing meanwhile.
#[test]
fn a_rate_that_was_left_on_a_vf_of_an_adapter_without_link() {
    let mut fixture = Fixture::enabled();
    let links = fixture.machine.kernel.links().expect("links");
    let link = links.iter().find(|link| link.parent == Some(igb()));
    let index = link.expect("a PF").index;
    let odd = VfChange::Rate { min: 0, max: 100 };
    let kernel = fixture.machine.kernel.clone();
    kernel.set_vf(index, 4, odd).expect("set");
    let plug = |speed| kernel.node_mut().cable("ens1", speed).expect("set");
    plug(None);
    for _ in 0..3 {
        fixture.reconcile();
    }
    for kind in [EventKind::Drift, EventKind::Failed] {
        assert!(
            !fixture.was_recorded(kind, "ens1"),
            "{:#?}",
            fixture.events()
        );
    }
    // A MAC needs no link: it is repaired at once.
    kernel.set_vf(index, 4, VfChange::Mac(mac(9))).expect("set");
    fixture.reconcile();
    assert!(fixture.was_recorded(EventKind::Repaired, "ens1"));
    assert!(!fixture.was_recorded(EventKind::Failed, "ens1"));
    plug(Some(1000));
    is_repaired(&mut fixture, "ens1");
    let links = fixture.machine.kernel.links().expect("links");
    let link = links.iter().find(|link| link.parent == Some(igb()));
    let settings = kernel.vf_settings(link.expect("a PF")).expect("settings");
    assert_eq!(settings[4].max_tx_rate, 0);
}

/// A driver that fails to answer for one VF has the kernel leave it out of its answer.
#[test]
fn settings_beside_a_vf_that_the_driver_does_not_answer_for() {
    let mut fixture = Fixture::enabled();
    let kernel = fixture.machine.kernel.clone();
    let links = kernel.links().expect("links");
    let link = links.iter().find(|link| link.parent == Some(igb()));
    let link = link.expect("a PF").clone();
    kernel.break_with(Fault::SettingsLeftOut { vf: 2 });
    for vf in [2, 4] {
        let odd = VfChange::Mac(mac(9));
        kernel.set_vf(link.index, vf, odd).expect("set");
    }
    for _ in 0..3 {
        fixture.reconcile();
    }
    let recorded = |fixture: &Fixture, kind| -> Vec<String> {
        let events = fixture.events().into_iter();
        let own = events.filter(|event| event.kind == kind && event.subject == "ens1");
        own.map(|event| event.message).collect()
    };
    for kind in [EventKind::Drift, EventKind::Repaired] {
        let events = recorded(&fixture, kind);
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0].contains("VF 4 of ens1"), "{events:?}");
    }
    // It is shown by its address, and its settings as unknown.
    let node = fixture.agent().node();
    let adapters = node.adapters.known().expect("adapters");
    let pf = adapters.iter().find(|one| one.address == igb());
    let vfs = &pf.expect("a PF").vfs;
    let unknown = vfs.iter().filter(|vf| vf.settings.known().is_none());
    assert_eq!(unknown.map(|vf| vf.index).collect::<Vec<_>>(), [2]);
    assert_eq!(vfs.len(), 7);
    // Once the driver answers, its settings are repaired, too.
    kernel.repair().expect("an intact kernel");
    is_repaired(&mut fixture, "ens1");
    assert_eq!(recorded(&fixture, EventKind::Repaired).len(), 2);
    let settings = kernel.vf_settings(&link).expect("settings");
    assert!(settings.iter().all(|one| one.mac == Mac::ZERO));
}

#[test]
fn a_bridge_that_was_deleted() {
    let mut fixture = accelerated();
    fixture
        .machine
        .switches
        .delete_bridge_externally("acn-MyIntent");
    is_repaired(&mut fixture, INTENT);
    let ports = fixture.machine.switches.ports("acn-MyIntent");
    assert!(ports.contains(&"ens1".to_owned()));
    // The software path of the VM that runs leads somewhere again.
    assert!(
        ports.iter().any(|port| port.starts_with("vnet")),
        "{ports:?}"
    );
}

/// Deleting a bridge takes the kernel a while, and its first events come in the middle.
#[test]
fn a_bridge_that_is_being_deleted() {
    let mut fixture = accelerated();
    let switches = fixture.machine.switches.clone();
    switches.delete_bridge_slowly("acn-MyIntent", 3);
    is_repaired(&mut fixture, INTENT);
    assert!(!fixture.was_recorded(EventKind::Failed, INTENT));
    // One that takes long is a failure until it is gone, and drift all the same.
    let mut fixture = accelerated();
    let switches = fixture.machine.switches.clone();
    switches.delete_bridge_slowly("acn-MyIntent", 20);
    fixture.reconcile();
    let status = fixture.status_of(INTENT).expect("a status");
    assert_eq!(status.state, IntentState::Failed, "{status:#?}");
    assert!(fixture.was_recorded(EventKind::Failed, INTENT));
    for _ in 0..20 {
        fixture.reconcile();
    }
    is_repaired(&mut fixture, INTENT);
}

/// Neither drift nor repaired: an administrator requested it.
#[test]
fn another_number_of_vfs_that_was_asked_for() {
    let mut fixture = Fixture::enabled();
    let fewer = IntentSet {
        vfs: Some(3),
        ..IntentSet::default()
    };
    fixture.set_intent(&fewer).expect("changed");
    assert!(fixture.is_completed());
    assert!(
        !fixture.was_recorded(EventKind::Drift, INTENT),
        "{:#?}",
        fixture.events()
    );
    assert!(
        !fixture.was_recorded(EventKind::Repaired, INTENT),
        "{:#?}",
        fixture.events()
    );
}

#[test]
fn vfs_that_were_switched_off_while_nobody_used_one() {
    let mut fixture = Fixture::enabled();
    fixture
        .machine
        .kernel
        .echo_numvfs(igb(), 0)
        .expect("written");
    is_repaired(&mut fixture, INTENT);
    let (_, vfs) = fixture.machine.kernel.node().vfs_of("ens1").expect("a PF");
    assert_eq!(vfs.len(), 7);
    // And they can be had.
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
}

#[test]
fn a_definition_that_lost_its_pair() {
    let mut fixture = accelerated();
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    let config = fixture.machine.vms.texts("web").0.expect("a definition");
    let part = accelnet_libvirt::xml::Part::Transient;
    let vf = interface_fragment(&config, mac(1), part).expect("a VF");
    fixture
        .machine
        .vms
        .virsh_edit("web", |xml| xml.replace(&vf, ""))
        .expect("edited");
    is_repaired(&mut fixture, "web");
}

#[test]
fn a_definition_that_was_written_anew() {
    let mut fixture = accelerated();
    fixture.define("web", 1, 4);
    is_repaired(&mut fixture, "web");
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
}

#[test]
fn a_vf_that_was_taken_from_a_running_vm() {
    let mut fixture = accelerated();
    fixture
        .machine
        .vms
        .virsh_detach_vf("web", mac(1))
        .expect("detached");
    is_repaired(&mut fixture, "web");
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
}

#[test]
fn a_network_that_was_stopped_or_removed() {
    let mut fixture = accelerated();
    for network in ["accelnet-MyIntent", "accelnet-MyIntent-vf"] {
        fixture.machine.vms.stop_network(network).expect("stopped");
        is_repaired(&mut fixture, INTENT);
        fixture.machine.vms.stop_network(network).expect("stopped");
        fixture
            .machine
            .vms
            .remove_network(network)
            .expect("removed");
        is_repaired(&mut fixture, INTENT);
    }
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
}

/// A limit of libvirt's: a pool that was restarted no longer knows which VFs are taken, and
/// hands out the first. Its message is in the answer to the caller, and a fault names
/// the repair.
#[test]
fn another_vm_after_the_pool_was_restarted() {
    let mut fixture = accelerated();
    fixture.define("next", 2, 4);
    fixture
        .machine
        .vms
        .stop_network("accelnet-MyIntent-vf")
        .expect("stopped");
    fixture.reconcile();
    assert!(fixture.vm_enable("next", LOW).ok);
    let refused = fixture.machine.vms.virsh_start("next").expect_err("taken");
    assert!(
        refused
            .to_string()
            .contains("in use by driver QEMU, domain web")
    );
    fixture.reconcile();
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
    invariants::hold(&fixture, "the pool was restarted");
    let faults = fixture.report().faults;
    let forgot = faults.iter().find(|fault| fault.code == Code::PoolForgot);
    let forgot = forgot.unwrap_or_else(|| panic!("{faults:?}"));
    assert_eq!(forgot.subject, "accelnet-MyIntent-vf");
    assert!(
        forgot.found.contains("use 1 of its VFs; libvirt counts 0"),
        "{forgot:?}"
    );
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    fixture.machine.vms.virsh_start("next").expect("started");
    fixture.reconcile();
    assert_eq!(fixture.vm("next").acceleration, State::Accelerated);
    assert!(
        fixture.report().faults.is_empty(),
        "{:?}",
        fixture.report().faults
    );
}

#[test]
fn a_vm_that_is_called_otherwise() {
    let mut fixture = accelerated();
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    fixture
        .machine
        .vms
        .virsh_rename("web", "shop")
        .expect("renamed");
    fixture.reconcile();
    assert_eq!(fixture.policy().vms[0].0.name, "shop");
    assert!(fixture.was_recorded(EventKind::Noticed, "shop"));
    fixture.machine.vms.virsh_start("shop").expect("started");
    fixture.reconcile();
    assert_eq!(fixture.vm("shop").acceleration, State::Accelerated);
    invariants::hold(&fixture, "renamed");
}

#[test]
fn a_vm_that_is_gone() {
    let mut fixture = accelerated();
    fixture
        .machine
        .vms
        .virsh_undefine("web")
        .expect("undefined");
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    fixture.reconcile();
    assert_eq!(fixture.vm("web").acceleration, State::Gone);
    let result = fixture.vm_disable("web");
    assert!(result.ok, "{result:?}");
    assert!(fixture.policy().vms.is_empty());
    invariants::hold(&fixture, "gone");
}

#[test]
fn a_vm_that_starts_and_stops_by_others_hands() {
    let mut fixture = accelerated();
    for _ in 0..3 {
        fixture.machine.vms.virsh_stop("web").expect("stopped");
        fixture.reconcile();
        assert!(fixture.machine.vms.vfs_in_use().is_empty());
        invariants::hold(&fixture, "stopped");
        fixture.machine.vms.virsh_start("web").expect("started");
        fixture.reconcile();
        assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
        fixture
            .machine
            .vms
            .virsh_pause("web", true)
            .expect("paused");
        fixture.reconcile();
        invariants::hold(&fixture, "paused");
        fixture
            .machine
            .vms
            .virsh_pause("web", false)
            .expect("resumed");
    }
}

#[test]
fn libvirt_that_goes_and_comes() {
    let mut fixture = accelerated();
    fixture.machine.vms.set_away(true);
    fixture.reconcile();
    let faults = fixture.report().faults;
    assert!(
        faults
            .iter()
            .any(|fault| fault.code == Code::VmStateUnknown),
        "{faults:?}"
    );
    let refused = fixture
        .agent()
        .change_vms("root", &crate::fixture::disable("web"));
    assert_eq!(refused.expect_err("away").code, Code::VmStateUnknown);
    fixture.machine.vms.set_away(false);
    fixture.reconcile();
    assert!(
        fixture.report().faults.is_empty(),
        "{:?}",
        fixture.report().faults
    );
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
    invariants::hold(&fixture, "back");
}

/// Whether it had attached the VF or not: the VM is accelerated, or as before.
#[test]
fn libvirt_that_goes_in_the_middle_of_an_attach() {
    for done in [false, true] {
        let mut fixture = Fixture::enabled();
        fixture.run("web", 1, 4);
        let before = fixture.machine.vms.texts("web").0;
        let words = ["attach live", "transient"];
        fixture.machine.vms.go_away_in(&words, done);
        let result = fixture.change(&crate::fixture::enable("web", LOW, true));
        assert!(!result.ok, "{result:?}");
        assert!(fixture.was_recorded(EventKind::Refused, "web"));
        fixture.machine.vms.set_away(false);
        for _ in 0..3 {
            fixture.reconcile();
        }
        assert_eq!(fixture.vm("web").acceleration, State::NotAccelerated);
        assert_eq!(fixture.machine.vms.texts("web").0, before);
        assert!(fixture.machine.vms.vfs_in_use().is_empty());
        invariants::hold(&fixture, "libvirt went in the middle of an attach");
    }
}

#[test]
fn a_running_vm_without_its_vf_is_a_fault_until_it_has_one() {
    let mut fixture = accelerated();
    fixture
        .machine
        .vms
        .virsh_detach_vf("web", mac(1))
        .expect("detached");
    fixture.machine.vms.refuse("attach live", "no way", 1);
    fixture.reconcile();
    let faults = fixture.report().faults;
    let found = faults.iter().find(|fault| fault.subject == "web");
    assert_eq!(found.expect("a fault").code, Code::VmOnSoftwarePath);
    assert_eq!(fixture.vm("web").acceleration, State::Degraded);
    fixture.reconcile();
    assert!(fixture.report().faults.is_empty());
}

#[test]
fn a_reboot() {
    let mut fixture = accelerated();
    fixture
        .machine
        .vms
        .virsh_autostart("web", true)
        .expect("autostart");
    fixture.define("idle", 2, 4);
    fixture.machine.power_cycle().expect("rebooted");
    // The agent is up before libvirt: VFs and bridge are there when guests start.
    fixture.start();
    assert!(!fixture.is_completed());
    let failures = fixture.machine.vms.boot();
    assert_eq!(failures, Vec::<String>::new());
    fixture.reconcile();
    assert!(fixture.is_completed());
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
    let vf = fixture.machine.vms.vfs_in_use()[0].0;
    let (pf, index) = fixture.machine.kernel.node().vf_at(vf).expect("a VF");
    let links = fixture.machine.kernel.links().expect("links");
    let link = links
        .iter()
        .find(|link| link.parent == Some(pf))
        .expect("a PF");
    let settings = fixture.machine.kernel.vf_settings(link).expect("settings");
    // 10 % of 1 Gb/s.
    assert_eq!(settings[usize::from(index)].max_tx_rate, 100);
    invariants::hold(&fixture, "rebooted");
}
