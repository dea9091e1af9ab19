//! Whoever else changes something: found, told, and mended.

use accelnet_api::types::{EventKind, IntentSet, State};
use accelnet_host::{Links, Vms};
use accelnet_model::intent::IntentState;
use accelnet_model::{Code, Mac, Performance};
use accelnet_netlink::VfChange;
use accelnet_sim::Fault;

use crate::bench::{Bench, INTENT, igb, mac};
use crate::elements::interface_fragment;
use crate::invariants;

const LOW: Performance = Performance::Low;

/// A VM with its VF.
fn accelerated() -> Bench {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    assert!(bench.vm_enable("web", LOW).ok);
    bench.machine.vms.virsh_start("web").expect("started");
    bench.reconcile();
    bench
}

/// Passes until nothing is left to do, and checks that drift of `subject` was told.
fn is_mended(bench: &mut Bench, subject: &str) {
    bench.reconcile();
    assert!(
        bench.was_told(EventKind::Drift, subject),
        "{:#?}",
        bench.events()
    );
    assert!(
        bench.was_told(EventKind::Repaired, subject),
        "{:#?}",
        bench.events()
    );
    bench.reconcile();
    bench.machine.vms.calls();
    bench.reconcile();
    assert!(bench.machine.vms.calls().is_empty(), "not at rest");
    assert!(bench.is_completed());
    invariants::hold(bench, subject);
}

#[test]
fn the_mac_of_a_vf() {
    let mut bench = accelerated();
    let vf = bench.machine.vms.vfs_in_use()[0].0;
    let (pf, index) = bench.machine.kernel.node().vf_at(vf).expect("a VF");
    let links = bench.machine.kernel.links().expect("links");
    let link = links
        .iter()
        .find(|link| link.parent == Some(pf))
        .expect("a PF");
    let odd = VfChange::Mac(Mac([2, 0, 0, 0, 0, 9]));
    bench
        .machine
        .kernel
        .set_vf(link.index, index.into(), odd)
        .expect("set");
    is_mended(&mut bench, "web");
    let settings = bench.machine.kernel.vf_settings(link).expect("settings");
    assert_eq!(settings[usize::from(index)].mac, mac(1));
}

#[test]
fn what_was_left_on_a_vf_that_nobody_has() {
    let mut bench = Bench::enabled();
    let links = bench.machine.kernel.links().expect("links");
    let link = links
        .iter()
        .find(|link| link.parent == Some(igb()))
        .expect("a PF");
    let odd = VfChange::Rate { min: 0, max: 100 };
    bench
        .machine
        .kernel
        .set_vf(link.index, 4, odd)
        .expect("set");
    is_mended(&mut bench, "ens1");
}

/// A driver refuses every rate without link, so the agent waits for the link, and says nothing meanwhile.
#[test]
fn a_rate_that_was_left_on_a_vf_of_an_adapter_without_link() {
    let mut bench = Bench::enabled();
    let links = bench.machine.kernel.links().expect("links");
    let link = links.iter().find(|link| link.parent == Some(igb()));
    let index = link.expect("a PF").index;
    let odd = VfChange::Rate { min: 0, max: 100 };
    let kernel = bench.machine.kernel.clone();
    kernel.set_vf(index, 4, odd).expect("set");
    let plug = |speed| kernel.node_mut().cable("ens1", speed).expect("set");
    plug(None);
    for _ in 0..3 {
        bench.reconcile();
    }
    for kind in [EventKind::Drift, EventKind::Failed] {
        assert!(!bench.was_told(kind, "ens1"), "{:#?}", bench.events());
    }
    // A MAC needs no link: it is repaired at once.
    kernel.set_vf(index, 4, VfChange::Mac(mac(9))).expect("set");
    bench.reconcile();
    assert!(bench.was_told(EventKind::Repaired, "ens1"));
    assert!(!bench.was_told(EventKind::Failed, "ens1"));
    plug(Some(1000));
    is_mended(&mut bench, "ens1");
    let links = bench.machine.kernel.links().expect("links");
    let link = links.iter().find(|link| link.parent == Some(igb()));
    let settings = kernel.vf_settings(link.expect("a PF")).expect("settings");
    assert_eq!(settings[4].max_tx_rate, 0);
}

/// A driver that fails to answer for one VF has the kernel leave it out of its answer.
#[test]
fn settings_beside_a_vf_that_the_driver_does_not_answer_for() {
    let mut bench = Bench::enabled();
    let kernel = bench.machine.kernel.clone();
    let links = kernel.links().expect("links");
    let link = links.iter().find(|link| link.parent == Some(igb()));
    let link = link.expect("a PF").clone();
    kernel.break_with(Fault::SettingsLeftOut { vf: 2 });
    for vf in [2, 4] {
        let odd = VfChange::Mac(mac(9));
        kernel.set_vf(link.index, vf, odd).expect("set");
    }
    for _ in 0..3 {
        bench.reconcile();
    }
    let recorded = |bench: &Bench, kind| -> Vec<String> {
        let events = bench.events().into_iter();
        let own = events.filter(|event| event.kind == kind && event.subject == "ens1");
        own.map(|event| event.message).collect()
    };
    for kind in [EventKind::Drift, EventKind::Repaired] {
        let events = recorded(&bench, kind);
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0].contains("VF 4 of ens1"), "{events:?}");
    }
    // It is shown by its address, and its settings as unknown.
    let node = bench.agent().node();
    let adapters = node.adapters.known().expect("adapters");
    let pf = adapters.iter().find(|one| one.address == igb());
    let vfs = &pf.expect("a PF").vfs;
    let unknown = vfs.iter().filter(|vf| vf.settings.known().is_none());
    assert_eq!(unknown.map(|vf| vf.index).collect::<Vec<_>>(), [2]);
    assert_eq!(vfs.len(), 7);
    // Once the driver answers, its settings are repaired, too.
    kernel.repair().expect("an intact kernel");
    is_mended(&mut bench, "ens1");
    assert_eq!(recorded(&bench, EventKind::Repaired).len(), 2);
    let settings = kernel.vf_settings(&link).expect("settings");
    assert!(settings.iter().all(|one| one.mac == Mac::ZERO));
}

#[test]
fn a_bridge_that_was_deleted() {
    let mut bench = accelerated();
    bench
        .machine
        .switches
        .delete_bridge_externally("acn-MyIntent");
    is_mended(&mut bench, INTENT);
    let ports = bench.machine.switches.ports("acn-MyIntent");
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
    let mut bench = accelerated();
    let switches = bench.machine.switches.clone();
    switches.delete_bridge_slowly("acn-MyIntent", 3);
    is_mended(&mut bench, INTENT);
    assert!(!bench.was_told(EventKind::Failed, INTENT));
    // One that takes long is a failure until it is gone, and drift all the same.
    let mut bench = accelerated();
    let switches = bench.machine.switches.clone();
    switches.delete_bridge_slowly("acn-MyIntent", 20);
    bench.reconcile();
    let status = bench.status_of(INTENT).expect("a status");
    assert_eq!(status.state, IntentState::Failed, "{status:#?}");
    assert!(bench.was_told(EventKind::Failed, INTENT));
    for _ in 0..20 {
        bench.reconcile();
    }
    is_mended(&mut bench, INTENT);
}

/// Neither drift nor mended: an administrator asked for it.
#[test]
fn another_number_of_vfs_that_was_asked_for() {
    let mut bench = Bench::enabled();
    let fewer = IntentSet {
        vfs: Some(3),
        ..IntentSet::default()
    };
    bench.set_intent(&fewer).expect("changed");
    assert!(bench.is_completed());
    assert!(
        !bench.was_told(EventKind::Drift, INTENT),
        "{:#?}",
        bench.events()
    );
    assert!(
        !bench.was_told(EventKind::Repaired, INTENT),
        "{:#?}",
        bench.events()
    );
}

#[test]
fn vfs_that_were_switched_off_while_nobody_used_one() {
    let mut bench = Bench::enabled();
    bench.machine.kernel.echo_numvfs(igb(), 0).expect("written");
    is_mended(&mut bench, INTENT);
    let (_, vfs) = bench.machine.kernel.node().vfs_of("ens1").expect("a PF");
    assert_eq!(vfs.len(), 7);
    // And they can be had.
    bench.define("web", 1, 4);
    assert!(bench.vm_enable("web", LOW).ok);
    bench.machine.vms.virsh_start("web").expect("started");
    bench.reconcile();
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
}

#[test]
fn a_definition_that_lost_its_pair() {
    let mut bench = accelerated();
    bench.machine.vms.virsh_stop("web").expect("stopped");
    let config = bench.machine.vms.texts("web").0.expect("a definition");
    let part = accelnet_libvirt::xml::Part::Transient;
    let vf = interface_fragment(&config, mac(1), part).expect("a VF");
    bench
        .machine
        .vms
        .virsh_edit("web", |xml| xml.replace(&vf, ""))
        .expect("edited");
    is_mended(&mut bench, "web");
}

#[test]
fn a_definition_that_was_written_anew() {
    let mut bench = accelerated();
    bench.define("web", 1, 4);
    is_mended(&mut bench, "web");
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
}

#[test]
fn a_vf_that_was_taken_from_a_running_vm() {
    let mut bench = accelerated();
    bench
        .machine
        .vms
        .virsh_detach_vf("web", mac(1))
        .expect("detached");
    is_mended(&mut bench, "web");
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
}

#[test]
fn a_network_that_was_stopped_or_removed() {
    let mut bench = accelerated();
    for network in ["accelnet-MyIntent", "accelnet-MyIntent-vf"] {
        bench.machine.vms.stop_network(network).expect("stopped");
        is_mended(&mut bench, INTENT);
        bench.machine.vms.stop_network(network).expect("stopped");
        bench.machine.vms.remove_network(network).expect("removed");
        is_mended(&mut bench, INTENT);
    }
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
}

/// A limit of libvirt's: a pool that was restarted no longer knows which VFs are taken, and
/// hands out the first. What it says then is carried to whoever asked, and a fault says what
/// mends it.
#[test]
fn another_vm_after_the_pool_was_restarted() {
    let mut bench = accelerated();
    bench.define("next", 2, 4);
    bench
        .machine
        .vms
        .stop_network("accelnet-MyIntent-vf")
        .expect("stopped");
    bench.reconcile();
    assert!(bench.vm_enable("next", LOW).ok);
    let refused = bench.machine.vms.virsh_start("next").expect_err("taken");
    assert!(
        refused
            .to_string()
            .contains("in use by driver QEMU, domain web")
    );
    bench.reconcile();
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
    invariants::hold(&bench, "the pool was restarted");
    let faults = bench.report().faults;
    let forgot = faults.iter().find(|fault| fault.code == Code::PoolForgot);
    let forgot = forgot.unwrap_or_else(|| panic!("{faults:?}"));
    assert_eq!(forgot.subject, "accelnet-MyIntent-vf");
    assert!(
        forgot.found.contains("use 1 of its VFs; libvirt counts 0"),
        "{forgot:?}"
    );
    bench.machine.vms.virsh_stop("web").expect("stopped");
    bench.machine.vms.virsh_start("next").expect("started");
    bench.reconcile();
    assert_eq!(bench.vm("next").acceleration, State::Accelerated);
    assert!(
        bench.report().faults.is_empty(),
        "{:?}",
        bench.report().faults
    );
}

#[test]
fn a_vm_that_is_called_otherwise() {
    let mut bench = accelerated();
    bench.machine.vms.virsh_stop("web").expect("stopped");
    bench
        .machine
        .vms
        .virsh_rename("web", "shop")
        .expect("renamed");
    bench.reconcile();
    assert_eq!(bench.policy().vms[0].0.name, "shop");
    assert!(bench.was_told(EventKind::Noticed, "shop"));
    bench.machine.vms.virsh_start("shop").expect("started");
    bench.reconcile();
    assert_eq!(bench.vm("shop").acceleration, State::Accelerated);
    invariants::hold(&bench, "renamed");
}

#[test]
fn a_vm_that_is_gone() {
    let mut bench = accelerated();
    bench.machine.vms.virsh_undefine("web").expect("undefined");
    bench.machine.vms.virsh_stop("web").expect("stopped");
    bench.reconcile();
    assert_eq!(bench.vm("web").acceleration, State::Gone);
    let result = bench.vm_disable("web");
    assert!(result.ok, "{result:?}");
    assert!(bench.policy().vms.is_empty());
    invariants::hold(&bench, "gone");
}

#[test]
fn a_vm_that_starts_and_stops_by_others_hands() {
    let mut bench = accelerated();
    for _ in 0..3 {
        bench.machine.vms.virsh_stop("web").expect("stopped");
        bench.reconcile();
        assert!(bench.machine.vms.vfs_in_use().is_empty());
        invariants::hold(&bench, "stopped");
        bench.machine.vms.virsh_start("web").expect("started");
        bench.reconcile();
        assert_eq!(bench.vm("web").acceleration, State::Accelerated);
        bench.machine.vms.virsh_pause("web", true).expect("paused");
        bench.reconcile();
        invariants::hold(&bench, "paused");
        bench
            .machine
            .vms
            .virsh_pause("web", false)
            .expect("resumed");
    }
}

#[test]
fn libvirt_that_goes_and_comes() {
    let mut bench = accelerated();
    bench.machine.vms.set_away(true);
    bench.reconcile();
    let faults = bench.report().faults;
    assert!(
        faults
            .iter()
            .any(|fault| fault.code == Code::VmStateUnknown),
        "{faults:?}"
    );
    let refused = bench
        .agent()
        .change_vms("root", &crate::bench::disable("web"));
    assert_eq!(refused.expect_err("away").code, Code::VmStateUnknown);
    bench.machine.vms.set_away(false);
    bench.reconcile();
    assert!(
        bench.report().faults.is_empty(),
        "{:?}",
        bench.report().faults
    );
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
    invariants::hold(&bench, "back");
}

/// Whether it had attached the VF or not: the VM is accelerated, or as before.
#[test]
fn libvirt_that_goes_in_the_middle_of_an_attach() {
    for done in [false, true] {
        let mut bench = Bench::enabled();
        bench.run("web", 1, 4);
        let before = bench.machine.vms.texts("web").0;
        let words = ["attach live", "transient"];
        bench.machine.vms.go_away_in(&words, done);
        let result = bench.change(&crate::bench::enable("web", LOW, true));
        assert!(!result.ok, "{result:?}");
        assert!(bench.was_told(EventKind::Refused, "web"));
        bench.machine.vms.set_away(false);
        for _ in 0..3 {
            bench.reconcile();
        }
        assert_eq!(bench.vm("web").acceleration, State::NotAccelerated);
        assert_eq!(bench.machine.vms.texts("web").0, before);
        assert!(bench.machine.vms.vfs_in_use().is_empty());
        invariants::hold(&bench, "libvirt went in the middle of an attach");
    }
}

#[test]
fn a_running_vm_without_its_vf_is_a_fault_until_it_has_one() {
    let mut bench = accelerated();
    bench
        .machine
        .vms
        .virsh_detach_vf("web", mac(1))
        .expect("detached");
    bench.machine.vms.refuse("attach live", "no way", 1);
    bench.reconcile();
    let faults = bench.report().faults;
    let found = faults.iter().find(|fault| fault.subject == "web");
    assert_eq!(found.expect("a fault").code, Code::VmOnSoftwarePath);
    assert_eq!(bench.vm("web").acceleration, State::Degraded);
    bench.reconcile();
    assert!(bench.report().faults.is_empty());
}

#[test]
fn a_reboot() {
    let mut bench = accelerated();
    bench
        .machine
        .vms
        .virsh_autostart("web", true)
        .expect("autostart");
    bench.define("idle", 2, 4);
    bench.machine.power_cycle().expect("rebooted");
    // The agent is up before libvirt: VFs and bridge are there when guests start.
    bench.start();
    assert!(!bench.is_completed());
    let failures = bench.machine.vms.boot();
    assert_eq!(failures, Vec::<String>::new());
    bench.reconcile();
    assert!(bench.is_completed());
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
    let vf = bench.machine.vms.vfs_in_use()[0].0;
    let (pf, index) = bench.machine.kernel.node().vf_at(vf).expect("a VF");
    let links = bench.machine.kernel.links().expect("links");
    let link = links
        .iter()
        .find(|link| link.parent == Some(pf))
        .expect("a PF");
    let settings = bench.machine.kernel.vf_settings(link).expect("settings");
    // 10 % of 1 Gb/s.
    assert_eq!(settings[usize::from(index)].max_tx_rate, 100);
    invariants::hold(&bench, "rebooted");
}
