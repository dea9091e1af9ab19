//! VMs that move between two nodes: migrated, or started elsewhere after their node died.

use accelnet_api::types::{EventKind, Path, State};
use accelnet_host::Links;
use accelnet_host::vms::{MigrationChange, VmEvent};
use accelnet_libvirt::xml::Part;
use accelnet_model::hook_config::config_file;
use accelnet_model::{Code, Mac, Performance};

use crate::elements::interface_fragment;
use crate::fixture::{self, Fixture, mac};
use crate::invariants;

const LOW: Performance = Performance::Low;

/// Two nodes with one store, an intent with VFs on both, and management enabled.
fn two() -> (Fixture, Fixture) {
    let one = Fixture::enabled();
    let other = one.beside("node2");
    (one, other)
}

/// `web` runs on the first node, with its VF.
fn with_web() -> (Fixture, Fixture) {
    let (mut one, mut other) = two();
    one.define("web", 1, 4);
    assert!(one.vm_enable("web", LOW).ok);
    one.machine.vms.virsh_start("web").expect("started");
    one.reconcile();
    other.reconcile();
    assert_eq!(one.vm("web").path, Path::Vf);
    (one, other)
}

fn event(fixture: &Fixture, change: MigrationChange) -> VmEvent {
    let uuid = fixture.machine.vms.uuid("web").expect("a VM");
    VmEvent::Migration { uuid, change }
}

/// The administrative MACs of the VFs that VMs have on a node.
fn macs(fixture: &Fixture) -> Vec<Mac> {
    let links = fixture.machine.kernel.links().expect("links");
    let of = |address| {
        let (pf, index) = fixture.machine.kernel.node().vf_at(address).expect("a VF");
        let link = links.iter().find(|link| link.parent == Some(pf));
        let all = fixture.machine.kernel.vf_settings(link.expect("a PF"));
        all.expect("settings")[usize::from(index)].mac
    };
    let held = fixture.machine.vms.vfs_in_use();
    held.into_iter().map(|(vf, _)| of(vf)).collect()
}

fn owner(fixture: &Fixture) -> String {
    fixture.policy().vms[0].0.node.to_string()
}

/// Whether the definition of `web` asks for a VF, and whether its vNIC offers failover.
fn definition(fixture: &Fixture) -> (bool, bool) {
    let config = fixture.machine.vms.texts("web").0.expect("a definition");
    let vf = interface_fragment(&config, mac(1), Part::Transient).is_some();
    let nic = interface_fragment(&config, mac(1), Part::Persistent).expect("a vNIC");
    (vf, nic.contains("persistent"))
}

#[test]
fn the_mac_goes_the_moment_the_guest_gives_up_its_vf() {
    let (mut one, mut other) = with_web();
    assert_eq!(macs(&one), [mac(1)]);
    let migration = one.machine.vms.virsh_migrate("web", &other.machine.vms);
    let migration = migration.expect("begun");
    // The guest is asked: it still has its VF.
    let responder = one.agent().responder();
    assert_eq!(
        responder.respond(&event(&one, MigrationChange::WaitsForGuest)),
        None
    );
    assert_eq!(macs(&one), [mac(1)]);
    let response = responder.respond(&event(&one, MigrationChange::Active));
    let response = response.expect("a response");
    assert_eq!(
        (response.kind, response.subject.as_str()),
        (EventKind::Noticed, "web")
    );
    assert_eq!(macs(&one), [Mac::ZERO]);
    let taken_in = |fixture: &Fixture| fixture.machine.kernel.taken_in();
    let both = [(fixture::igb(), mac(1))];
    assert_eq!(
        taken_in(&one),
        both,
        "VFs of its node reach it over the bridge"
    );
    // Passes meanwhile, on both nodes, leave it so, and nobody takes the VM over yet.
    one.reconcile();
    other.reconcile();
    assert_eq!(macs(&one), [Mac::ZERO]);
    assert_eq!(owner(&one), "node1");
    // At the end it is paused on both; what leaves does not take itself for what arrives.
    one.machine.vms.virsh_pause("web", true).expect("paused");
    one.reconcile();
    assert_eq!(taken_in(&one), both);
    assert_eq!(
        responder.respond(&event(&one, MigrationChange::Completed)),
        None
    );
    assert_eq!(macs(&one), [Mac::ZERO]);
    assert_eq!(
        taken_in(&one),
        [],
        "it is reached over the wire from now on"
    );
    one.reconcile();
    assert_eq!(taken_in(&one), [], "though nobody has taken it over yet");
    // On the target its neighbours reach it where it still is.
    assert_eq!(macs(&other), [mac(1)]);
    let there = other.agent().responder();
    let response = there.respond(&event(&other, MigrationChange::Active));
    assert!(
        response
            .expect("a response")
            .message
            .contains("is migrating to this node")
    );
    assert_eq!(macs(&other), [Mac::ZERO]);
    other.reconcile();
    assert_eq!(macs(&other), [Mac::ZERO]);
    assert_eq!(other.machine.kernel.taken_in(), [], "it is not here yet");
    let response = there.respond(&event(&other, MigrationChange::Completed));
    assert!(
        response
            .expect("a response")
            .message
            .contains("has migrated to this node")
    );
    assert_eq!(macs(&other), [mac(1)]);
    // Until its guest has taken its VF, its packets come both ways.
    assert_eq!(taken_in(&other), both);
    migration.finish(true);
    other.reconcile();
    one.reconcile();
    assert_eq!(taken_in(&other), both);
    invariants::have_crossed(&mut other, "arrived");
    assert_eq!(taken_in(&one), []);
    assert_eq!(owner(&one), "node2");
    assert_eq!(macs(&other), [mac(1)]);
    let vm = other.vm("web");
    assert_eq!((vm.acceleration, vm.path), (State::Accelerated, Path::Vf));
    assert!(other.was_recorded(EventKind::Noticed, "web"));
    invariants::hold(&other, "arrived");
}

#[test]
fn a_migration_that_fails_gives_the_vf_its_mac_back_at_once() {
    let (mut one, other) = with_web();
    let migration = one.machine.vms.virsh_migrate("web", &other.machine.vms);
    let migration = migration.expect("begun");
    let responder = one.agent().responder();
    assert!(
        responder
            .respond(&event(&one, MigrationChange::Active))
            .is_some()
    );
    assert_eq!(macs(&one), [Mac::ZERO]);
    migration.cancel();
    assert!(
        responder
            .respond(&event(&one, MigrationChange::Failed))
            .is_some()
    );
    assert_eq!(macs(&one), [mac(1)]);
    one.reconcile();
    assert_eq!(owner(&one), "node1");
    assert_eq!(one.vm("web").acceleration, State::Accelerated);
    invariants::hold(&one, "cancelled");
}

#[test]
fn an_agent_that_missed_the_failure_mends_the_mac() {
    let (mut one, other) = with_web();
    let migration = one.machine.vms.virsh_migrate("web", &other.machine.vms);
    let migration = migration.expect("begun");
    let responder = one.agent().responder();
    assert!(
        responder
            .respond(&event(&one, MigrationChange::Active))
            .is_some()
    );
    // It dies, and the next one begins in the middle.
    one.start();
    assert_eq!(macs(&one), [Mac::ZERO]);
    migration.cancel();
    one.reconcile();
    assert_eq!(macs(&one), [mac(1)]);
}

#[test]
fn every_node_is_prepared_for_every_vm() {
    let (one, mut other) = with_web();
    let uuid = one.vm("web").uuid;
    assert!(config_file(other.machine.hook_configs(), &uuid).is_file());
    let mut one = one;
    assert!(one.vm_disable("web").ok);
    other.reconcile();
    assert!(!config_file(other.machine.hook_configs(), &uuid).exists());
}

#[test]
fn the_figures_are_on_the_vf_at_the_target_before_the_guest_has_it() {
    let (one, other) = with_web();
    let migration = one.machine.vms.virsh_migrate("web", &other.machine.vms);
    let migration = migration.expect("begun");
    // No pass of the target's agent has seen the VM: the hook has set it.
    let vf = other.machine.vms.vfs_in_use()[0].0;
    let (pf, index) = other.machine.kernel.node().vf_at(vf).expect("a VF");
    let links = other.machine.kernel.links().expect("links");
    let link = links.iter().find(|link| link.parent == Some(pf));
    let all = other.machine.kernel.vf_settings(link.expect("a PF"));
    let settings = &all.expect("settings")[usize::from(index)];
    // A tenth of 1 Gb/s.
    assert_eq!(settings.max_tx_rate, 100);
    migration.finish(true);
}

#[test]
fn the_definition_that_is_left_behind_asks_for_no_vf() {
    let (mut one, mut other) = with_web();
    let migration = one.machine.vms.virsh_migrate("web", &other.machine.vms);
    migration.expect("begun").finish(true);
    other.reconcile();
    one.reconcile();
    assert_eq!(definition(&other), (true, true));
    assert_eq!(definition(&one), (false, true));
    one.machine.vms.calls();
    one.reconcile();
    assert!(one.machine.vms.calls().is_empty(), "not at rest");
}

#[test]
fn a_vm_of_a_dead_node_is_started_elsewhere_and_gets_its_vf() {
    let (one, mut other) = with_web();
    // The same definition as it was before accelnet knew of it, on the other node.
    other.define("web", 1, 4);
    other.reconcile();
    assert_eq!(definition(&other), (false, true));
    drop(one);
    other.machine.vms.virsh_start("web").expect("started");
    other.reconcile();
    assert_eq!(owner(&other), "node2");
    let vm = other.vm("web");
    assert_eq!((vm.acceleration, vm.path), (State::Accelerated, Path::Vf));
    assert_eq!(definition(&other), (true, true));
    invariants::hold(&other, "failed over");
}

#[test]
fn a_definition_elsewhere_is_what_it_was_once_the_setting_is_gone() {
    let (mut one, mut other) = with_web();
    other.define("web", 1, 4);
    let text = |fixture: &Fixture| fixture.machine.vms.texts("web").0.expect("a definition");
    let before = text(&other);
    other.reconcile();
    assert_eq!(definition(&other), (false, true));
    assert!(one.vm_disable("web").ok);
    other.reconcile();
    assert_eq!(text(&other), before);
    other.machine.vms.calls();
    other.reconcile();
    assert!(other.machine.vms.calls().is_empty(), "not at rest");
}

#[test]
fn a_vm_without_a_definition_gets_its_vf_and_gives_it_up() {
    let (one, mut other) = with_web();
    let migration = one.machine.vms.virsh_migrate("web", &other.machine.vms);
    migration.expect("begun").finish(false);
    other.reconcile();
    assert_eq!(other.vm("web").acceleration, State::Accelerated);
    other
        .machine
        .vms
        .virsh_detach_vf("web", mac(1))
        .expect("detached");
    other.reconcile();
    assert_eq!(other.vm("web").acceleration, State::Accelerated);
    assert!(other.vm_disable("web").ok);
    assert_eq!(other.vm("web").path, Path::Software);
}

#[test]
fn a_vm_that_finds_no_vf_starts_on_virtio_and_gets_one_when_one_frees() {
    let (one, mut other) = with_web();
    other.define("web", 1, 4);
    other.reconcile();
    other.use_all_vfs();
    drop(one);
    other.machine.vms.virsh_start("web").expect("started");
    other.reconcile();
    let vm = other.vm("web");
    assert_eq!(
        (vm.acceleration, vm.path),
        (State::Degraded, Path::Software)
    );
    let faults = other.report().faults;
    let fault = faults.iter().find(|fault| fault.subject == "web");
    assert_eq!(fault.map(|fault| fault.code), Some(Code::VmOnSoftwarePath));
    // It waits without a change of anything.
    other.machine.vms.calls();
    other.reconcile();
    assert!(other.machine.vms.calls().is_empty(), "not at rest");
    other.machine.vms.virsh_stop("filler1").expect("stopped");
    other.reconcile();
    let vm = other.vm("web");
    assert_eq!((vm.acceleration, vm.path), (State::Accelerated, Path::Vf));
    assert!(other.report().faults.is_empty());
}

#[test]
fn two_nodes_that_run_the_same_vm_do_not_take_it_from_each_other_for_ever() {
    let (mut one, mut other) = with_web();
    other.define("web", 1, 4);
    other.machine.vms.virsh_start("web").expect("started");
    other.reconcile();
    one.reconcile();
    assert_eq!(owner(&one), "node2");
    let before = one.policy().revision;
    for _ in 0..3 {
        one.reconcile();
        other.reconcile();
    }
    assert_eq!(one.policy().revision, before);
    let vm = one.vm("web");
    assert!(
        vm.conditions.iter().any(|remark| remark.contains("node2")),
        "{vm:?}"
    );
    // Once it has ended there, what is started here again is taken over again.
    one.machine.vms.virsh_stop("web").expect("stopped");
    one.reconcile();
    other.machine.vms.virsh_stop("web").expect("stopped");
    one.machine.vms.virsh_start("web").expect("started");
    one.reconcile();
    assert_eq!(owner(&one), "node1");
}

#[test]
fn it_is_said_beforehand_where_a_vm_can_move_to() {
    let (mut one, mut other) = with_web();
    let shown = one.vm_shown("web").destinations;
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(
        (shown[0].node.as_str(), shown[0].can_migrate),
        ("node2", true)
    );
    assert_eq!(shown[0].path, Some(Path::Vf));
    assert!(shown[0].reason.contains("7 VFs are free"), "{shown:?}");
    other.use_all_vfs();
    other.reconcile();
    let shown = one.vm_shown("web").destinations;
    assert_eq!(shown[0].path, Some(Path::Software), "{shown:?}");
    one.machine.vms.virsh_stop("web").expect("stopped");
    one.reconcile();
    let shown = one.vm_shown("web").destinations;
    assert!(
        !shown[0].can_migrate && shown[0].reason.contains("does not run"),
        "{shown:?}"
    );
}

#[test]
fn a_vm_that_comes_to_a_full_node_arrives_on_virtio_and_gets_a_vf_when_one_frees() {
    let (mut one, mut other) = with_web();
    other.use_all_vfs();
    other.reconcile();
    let migration = one.machine.vms.virsh_migrate("web", &other.machine.vms);
    migration.expect("let in").finish(true);
    one.reconcile();
    other.reconcile();
    let vm = other.vm("web");
    assert_eq!(
        (vm.acceleration, vm.path),
        (State::Degraded, Path::Software)
    );
    // What came in the place of the VF is gone again.
    other.reconcile();
    assert_eq!(
        other.vm("web").vnics.len(),
        1,
        "{:?}",
        other.vm("web").vnics
    );
    let faults = other.report().faults;
    assert_eq!(faults[0].code, Code::VmOnSoftwarePath, "{faults:?}");
    other.machine.vms.calls();
    other.reconcile();
    assert!(other.machine.vms.calls().is_empty(), "not at rest");
    other.machine.vms.virsh_stop("filler3").expect("stopped");
    other.reconcile();
    let vm = other.vm("web");
    assert_eq!((vm.acceleration, vm.path), (State::Accelerated, Path::Vf));
    assert_eq!(macs(&other).iter().filter(|one| **one == mac(1)).count(), 1);
}
