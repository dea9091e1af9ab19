//! Intents declared, changed and removed, with their refusals.

use accelnet_api::types::{EventKind, IntentAdd, IntentSet, State};
use accelnet_model::intent::{IntentState, Role};
use accelnet_model::{Code, Performance};
use accelnet_sim::Fault;

use crate::bench::{Bench, INTENT, WHO, igb, intent_add, mlx5};
use crate::invariants;

const COMPUTE: &[Role] = &[Role::Compute];

fn with_address() -> Bench {
    let bench = Bench::new();
    let ip = "192.0.2.4".parse().expect("an address");
    let gateway = "192.0.2.1".parse().ok();
    bench.machine.switches.address("ens1", ip, 24, gateway);
    bench
}

#[test]
fn a_compute_intent_gives_a_switch_a_pool_and_all_vfs() {
    let mut bench = with_address();
    let added = bench
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared");
    assert!(added.applied && !added.steps.is_empty());
    let status = bench.status_of(INTENT).expect("a status");
    assert_eq!(status.state, IntentState::Completed);
    assert_eq!(
        (status.vfs, status.bridge.as_deref()),
        (7, Some("acn-MyIntent"))
    );
    assert_eq!(bench.machine.switches.ports("acn-MyIntent"), ["ens1"]);
    let carries = bench.machine.switches.carries("acn-MyIntent");
    assert_eq!(carries.addresses.len(), 1);
    assert!(bench.machine.switches.carries("ens1").addresses.is_empty());
    invariants::hold(&bench, "declared");
    // A second time changes nothing.
    bench.machine.vms.calls();
    bench
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("the same");
    assert!(bench.machine.vms.calls().is_empty());
}

#[test]
fn it_is_known_by_mac_and_path_not_by_name() {
    let mut bench = Bench::new();
    bench
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared");
    bench
        .machine
        .kernel
        .node_mut()
        .rename(igb(), "lan0")
        .expect("renamed");
    bench.reconcile();
    bench.reconcile();
    assert!(bench.is_completed(), "{:?}", bench.status_of(INTENT));
}

#[test]
fn what_may_not_be_declared() {
    let mut bench = Bench::new();
    bench
        .add_intent("One", COMPUTE, &["ens1"])
        .expect("declared");
    let mut ask = |name: &str, roles: &[Role], adapters: &[&str]| {
        bench
            .add_intent(name, roles, adapters)
            .expect_err("refused")
            .code
    };
    assert_eq!(ask("Two", COMPUTE, &["ens1"]), Code::IntentAdapterTaken);
    assert_eq!(
        ask("Two", COMPUTE, &["0000:01:00.0"]),
        Code::IntentAdapterTaken
    );
    assert_eq!(ask("One", COMPUTE, &["ens2"]), Code::IntentExists);
    assert_eq!(ask("a b", COMPUTE, &["ens2"]), Code::IntentInvalid);
    assert_eq!(ask("Two", &[], &["ens2"]), Code::IntentInvalid);
    assert_eq!(ask("Two", COMPUTE, &[]), Code::IntentInvalid);
    assert_eq!(
        ask("Two", COMPUTE, &["ens2", "0000:09:00.0"]),
        Code::IntentInvalid
    );
    let without_use = IntentAdd {
        vfs: Some(2),
        ..intent_add("Two", &[Role::Storage], &["ens2"])
    };
    let refused = bench.agent().add_intent(WHO, &without_use);
    assert_eq!(refused.expect_err("no VFs").code, Code::IntentInvalid);
    let mut ask = |name: &str, roles: &[Role], adapters: &[&str]| {
        bench
            .add_intent(name, roles, adapters)
            .expect_err("refused")
            .code
    };
    assert_eq!(ask("Two", COMPUTE, &["ens9"]), Code::AdapterNotFound);
    assert_eq!(ask("Two", COMPUTE, &["eno1"]), Code::SriovUnknown);
    bench
        .add_intent("Store", &[Role::Storage], &["ens2"])
        .expect("declared");
    let refused = bench.add_intent("Two", &[Role::Storage], &["eno1"]);
    assert_eq!(refused.expect_err("taken").code, Code::IntentRoleTaken);
    assert_eq!(bench.policy().intents.len(), 2);
}

#[test]
fn a_bridge_that_stands_is_adopted_and_stays() {
    let mut bench = Bench::new();
    bench
        .machine
        .switches
        .create_bridge_externally("br0", &["ens1"]);
    bench
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared");
    let status = bench.status_of(INTENT).expect("a status");
    assert_eq!(status.bridge.as_deref(), Some("br0"));
    assert!(!bench.machine.kernel.node().has_link("acn-MyIntent"));
    bench
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect("removed");
    assert_eq!(bench.machine.switches.ports("br0"), ["ens1"]);
}

#[test]
fn a_node_is_never_cut_off() {
    let mut bench = with_address();
    bench.machine.switches.silence_through_bridges(true);
    let refused = bench
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect_err("silent");
    assert_eq!(refused.code, Code::GatewayLost);
    assert!(bench.policy().intents.is_empty(), "it is not declared");
    assert_eq!(bench.machine.switches.carries("ens1").addresses.len(), 1);
    assert!(!bench.machine.kernel.node().has_link("acn-MyIntent"));
    bench.machine.switches.silence_through_bridges(false);
    bench
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared");
    assert!(bench.is_completed());
}

#[test]
fn one_in_use_stays() {
    let mut bench = Bench::enabled();
    let refused = bench
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect_err("managed");
    assert_eq!(refused.code, Code::IntentInUse);
    bench.agent().disable(WHO, false).expect("disabled");
    bench.define("web", 1, 4);
    let refused = bench
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect_err("a VM is on it");
    assert_eq!(refused.code, Code::IntentInUse);
    assert!(refused.found.contains("web"), "{refused:?}");
    bench.machine.vms.virsh_undefine("web").expect("gone");
    bench
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect("removed");
    let refused = bench
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect_err("gone");
    assert_eq!(refused.code, Code::IntentNotFound);
}

#[test]
fn several_adapters_give_vfs_together() {
    let mut bench = Bench::new();
    bench
        .add_intent(INTENT, COMPUTE, &["ens1", "ens2"])
        .expect("declared");
    let status = bench.status_of(INTENT).expect("a status");
    assert_eq!((status.state, status.vfs), (IntentState::Completed, 15));
    assert_eq!(bench.machine.switches.ports("acn-MyIntent"), ["ens1"]);
    bench.enable(Some(0)).expect("enabled");
    for number in 1..=15 {
        bench.define(&format!("vm{number}"), number, 4);
        let result = bench.vm_enable(&format!("vm{number}"), Performance::Low);
        assert!(result.ok, "{number}: {result:?}");
        bench
            .machine
            .vms
            .virsh_start(&format!("vm{number}"))
            .expect("started");
    }
    bench.reconcile();
    // Each got the share of its own adapter's speed from libvirt's hook: nothing was to mend.
    let mut drift = bench.events();
    drift.retain(|event| event.kind == EventKind::Drift);
    assert!(drift.is_empty(), "{drift:#?}");
    invariants::hold(&bench, "fifteen VMs");
    assert_eq!(bench.vm("vm15").acceleration, State::Accelerated);
}

#[test]
fn all_problems_of_a_failed_intent_are_known_at_once() {
    let mut bench = Bench::new();
    bench
        .add_intent(INTENT, COMPUTE, &["ens1", "ens2"])
        .expect("declared");
    bench.enable(Some(0)).expect("enabled");
    for adapter in [igb(), mlx5()] {
        let root = bench.machine.kernel.root();
        let folder = root.locate(&format!("/sys/bus/pci/devices/{adapter}"));
        std::fs::write(folder.join("sriov_numvfs"), "0\n").expect("written");
        std::fs::write(folder.join("sriov_totalvfs"), "0\n").expect("written");
    }
    bench.reconcile();
    let status = bench.status_of(INTENT).expect("a status");
    assert_eq!(status.state, IntentState::Failed, "{status:?}");
    let about = |name: &str| {
        let names = |problem: &&accelnet_model::Problem| problem.message.contains(name);
        status.problems().filter(names).count()
    };
    assert_eq!((about("ens1"), about("ens2")), (1, 1), "{status:#?}");
    let faults = bench.report().faults;
    let faults = faults.iter().filter(|fault| fault.subject == INTENT);
    assert_eq!(faults.count(), 2);
}

#[test]
fn another_number_of_vfs_waits_for_none_in_use_or_disrupts() {
    let mut bench = Bench::enabled();
    let set = |vfs, disruptive| IntentSet {
        vfs: Some(vfs),
        disruptive,
        ..IntentSet::default()
    };
    bench.set_intent(&set(5, false)).expect("none is in use");
    assert_eq!(bench.status_of(INTENT).expect("a status").vfs, 5);
    bench.define("web", 1, 4);
    assert!(bench.vm_enable("web", Performance::Low).ok);
    bench.machine.vms.virsh_start("web").expect("started");
    bench.reconcile();
    let refused = bench.set_intent(&set(3, false)).expect_err("in use");
    assert_eq!(refused.code, Code::VfInUse);
    assert!(refused.resolution.contains("--disruptive"));
    assert_eq!(bench.policy().intent(INTENT).expect("one").vfs, Some(5));
    bench.machine.vms.calls();
    let changed = bench.set_intent(&set(3, true)).expect("disrupted");
    assert_eq!(changed.steps.len(), 3, "{:?}", changed.steps);
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
    assert_eq!(bench.status_of(INTENT).expect("a status").vfs, 3);
    invariants::hold(&bench, "disrupted");
    // The kernel does not take it: the number before comes back, and so does the VF.
    bench
        .machine
        .kernel
        .break_with(Fault::RefusesNumber { vfs: 2, errno: 28 });
    bench.set_intent(&set(2, true)).expect_err("refused");
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
    assert_eq!(bench.status_of(INTENT).expect("a status").vfs, 3);
    assert_eq!(bench.policy().intent(INTENT).expect("one").vfs, Some(3));
    invariants::hold(&bench, "gone back");
}

#[test]
fn a_disruptive_change_with_a_vm_that_cannot_fall_back_does_nothing() {
    let mut bench = Bench::enabled();
    // Somebody takes a VF from the pool by hand, without a partner.
    bench.define("other", 9, 4);
    let xml = "<interface type='network'><mac address='52:54:00:aa:00:77'/><source network='accelnet-MyIntent-vf'/></interface>";
    let edit = |text: String| text.replacen("    <channel", &format!("    {xml}\n    <channel"), 1);
    bench.machine.vms.virsh_edit("other", edit).expect("edited");
    bench.machine.vms.virsh_start("other").expect("started");
    bench.reconcile();
    let request = IntentSet {
        vfs: Some(3),
        disruptive: true,
        ..IntentSet::default()
    };
    let refused = bench.set_intent(&request).expect_err("in use");
    assert_eq!(refused.code, Code::VfInUse);
    assert_eq!(bench.machine.vms.vfs_in_use().len(), 1);
    assert_eq!(bench.policy().intent(INTENT).expect("one").vfs, None);
}

#[test]
fn a_dry_run_declares_nothing() {
    let mut bench = with_address();
    let mut request = intent_add(INTENT, COMPUTE, &["ens1"]);
    request.dry_run = true;
    let added = bench.agent().add_intent(WHO, &request).expect("judged");
    assert!(!added.applied && added.steps.len() > 3, "{:?}", added.steps);
    assert!(bench.policy().intents.is_empty());
    assert!(bench.machine.switches.applied().is_empty());
    assert!(bench.machine.vms.calls().is_empty());
    assert!(!bench.was_told(EventKind::Changed, INTENT));
}
