//! Intents declared, changed and removed, with their refusals.

use accelnet_api::types::{EventKind, IntentAdd, IntentSet, State};
use accelnet_model::intent::{IntentState, Role};
use accelnet_model::{Code, Performance};
use accelnet_sim::Fault;

use crate::fixture::{Fixture, INTENT, WHO, igb, intent_add, mlx5};
use crate::invariants;

const COMPUTE: &[Role] = &[Role::Compute];

fn with_address() -> Fixture {
    let fixture = Fixture::new();
    let ip = "192.0.2.4".parse().expect("an address");
    let gateway = "192.0.2.1".parse().ok();
    fixture.machine.switches.address("ens1", ip, 24, gateway);
    fixture
}

#[test]
fn a_compute_intent_gives_a_switch_a_pool_and_all_vfs() {
    let mut fixture = with_address();
    let added = fixture
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared");
    assert!(added.applied && !added.steps.is_empty());
    let status = fixture.status_of(INTENT).expect("a status");
    assert_eq!(status.state, IntentState::Completed);
    assert_eq!(
        (status.vfs, status.bridge.as_deref()),
        (7, Some("acn-MyIntent"))
    );
    assert_eq!(fixture.machine.switches.ports("acn-MyIntent"), ["ens1"]);
    let carries = fixture.machine.switches.carries("acn-MyIntent");
    assert_eq!(carries.addresses.len(), 1);
    assert!(
        fixture
            .machine
            .switches
            .carries("ens1")
            .addresses
            .is_empty()
    );
    invariants::hold(&fixture, "declared");
    // A second time changes nothing.
    fixture.machine.vms.calls();
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("the same");
    assert!(fixture.machine.vms.calls().is_empty());
}

#[test]
fn it_is_known_by_mac_and_path_not_by_name() {
    let mut fixture = Fixture::new();
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared");
    fixture
        .machine
        .kernel
        .node_mut()
        .rename(igb(), "lan0")
        .expect("renamed");
    fixture.reconcile();
    fixture.reconcile();
    assert!(fixture.is_completed(), "{:?}", fixture.status_of(INTENT));
}

#[test]
fn what_may_not_be_declared() {
    let mut fixture = Fixture::new();
    fixture
        .add_intent("One", COMPUTE, &["ens1"])
        .expect("declared");
    let mut ask = |name: &str, roles: &[Role], adapters: &[&str]| {
        fixture
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
    let refused = fixture.agent().add_intent(WHO, &without_use);
    assert_eq!(refused.expect_err("no VFs").code, Code::IntentInvalid);
    let mut ask = |name: &str, roles: &[Role], adapters: &[&str]| {
        fixture
            .add_intent(name, roles, adapters)
            .expect_err("refused")
            .code
    };
    assert_eq!(ask("Two", COMPUTE, &["ens9"]), Code::AdapterNotFound);
    assert_eq!(ask("Two", COMPUTE, &["eno1"]), Code::SriovUnknown);
    fixture
        .add_intent("Store", &[Role::Storage], &["ens2"])
        .expect("declared");
    let refused = fixture.add_intent("Two", &[Role::Storage], &["eno1"]);
    assert_eq!(refused.expect_err("taken").code, Code::IntentRoleTaken);
    assert_eq!(fixture.policy().intents.len(), 2);
}

#[test]
fn a_bridge_that_stands_is_adopted_and_stays() {
    let mut fixture = Fixture::new();
    fixture
        .machine
        .switches
        .create_bridge_externally("br0", &["ens1"]);
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared");
    let status = fixture.status_of(INTENT).expect("a status");
    assert_eq!(status.bridge.as_deref(), Some("br0"));
    assert!(!fixture.machine.kernel.node().has_link("acn-MyIntent"));
    fixture
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect("removed");
    assert_eq!(fixture.machine.switches.ports("br0"), ["ens1"]);
}

#[test]
fn a_node_is_never_cut_off() {
    let mut fixture = with_address();
    fixture.machine.switches.silence_through_bridges(true);
    let refused = fixture
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect_err("silent");
    assert_eq!(refused.code, Code::GatewayLost);
    assert!(fixture.policy().intents.is_empty(), "it is not declared");
    assert_eq!(fixture.machine.switches.carries("ens1").addresses.len(), 1);
    assert!(!fixture.machine.kernel.node().has_link("acn-MyIntent"));
    fixture.machine.switches.silence_through_bridges(false);
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared");
    assert!(fixture.is_completed());
}

#[test]
fn one_in_use_stays() {
    let mut fixture = Fixture::enabled();
    let refused = fixture
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect_err("managed");
    assert_eq!(refused.code, Code::IntentInUse);
    fixture.agent().disable(WHO, false).expect("disabled");
    fixture.define("web", 1, 4);
    let refused = fixture
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect_err("a VM is on it");
    assert_eq!(refused.code, Code::IntentInUse);
    assert!(refused.found.contains("web"), "{refused:?}");
    fixture.machine.vms.virsh_undefine("web").expect("gone");
    fixture
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect("removed");
    let refused = fixture
        .agent()
        .remove_intent(WHO, INTENT, false)
        .expect_err("gone");
    assert_eq!(refused.code, Code::IntentNotFound);
}

#[test]
fn several_adapters_give_vfs_together() {
    let mut fixture = Fixture::new();
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1", "ens2"])
        .expect("declared");
    let status = fixture.status_of(INTENT).expect("a status");
    assert_eq!((status.state, status.vfs), (IntentState::Completed, 15));
    assert_eq!(fixture.machine.switches.ports("acn-MyIntent"), ["ens1"]);
    fixture.enable(Some(0)).expect("enabled");
    for number in 1..=15 {
        fixture.define(&format!("vm{number}"), number, 4);
        let result = fixture.vm_enable(&format!("vm{number}"), Performance::Low);
        assert!(result.ok, "{number}: {result:?}");
        fixture
            .machine
            .vms
            .virsh_start(&format!("vm{number}"))
            .expect("started");
    }
    fixture.reconcile();
    // Each got the share of its own adapter's speed from libvirt's hook: nothing was to mend.
    let mut drift = fixture.events();
    drift.retain(|event| event.kind == EventKind::Drift);
    assert!(drift.is_empty(), "{drift:#?}");
    invariants::hold(&fixture, "fifteen VMs");
    assert_eq!(fixture.vm("vm15").acceleration, State::Accelerated);
}

#[test]
fn all_problems_of_a_failed_intent_are_known_at_once() {
    let mut fixture = Fixture::new();
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1", "ens2"])
        .expect("declared");
    fixture.enable(Some(0)).expect("enabled");
    for adapter in [igb(), mlx5()] {
        let root = fixture.machine.kernel.root();
        let folder = root.locate(&format!("/sys/bus/pci/devices/{adapter}"));
        std::fs::write(folder.join("sriov_numvfs"), "0\n").expect("written");
        std::fs::write(folder.join("sriov_totalvfs"), "0\n").expect("written");
    }
    fixture.reconcile();
    let status = fixture.status_of(INTENT).expect("a status");
    assert_eq!(status.state, IntentState::Failed, "{status:?}");
    let about = |name: &str| {
        let names = |problem: &&accelnet_model::Problem| problem.message.contains(name);
        status.problems().filter(names).count()
    };
    assert_eq!((about("ens1"), about("ens2")), (1, 1), "{status:#?}");
    let faults = fixture.report().faults;
    let faults = faults.iter().filter(|fault| fault.subject == INTENT);
    assert_eq!(faults.count(), 2);
}

#[test]
fn another_number_of_vfs_waits_for_none_in_use_or_disrupts() {
    let mut fixture = Fixture::enabled();
    let set = |vfs, disruptive| IntentSet {
        vfs: Some(vfs),
        disruptive,
        ..IntentSet::default()
    };
    fixture.set_intent(&set(5, false)).expect("none is in use");
    assert_eq!(fixture.status_of(INTENT).expect("a status").vfs, 5);
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", Performance::Low).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    let refused = fixture.set_intent(&set(3, false)).expect_err("in use");
    assert_eq!(refused.code, Code::VfInUse);
    assert!(refused.resolution.contains("--disruptive"));
    assert_eq!(fixture.policy().intent(INTENT).expect("one").vfs, Some(5));
    fixture.machine.vms.calls();
    let changed = fixture.set_intent(&set(3, true)).expect("disrupted");
    assert_eq!(changed.steps.len(), 3, "{:?}", changed.steps);
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
    assert_eq!(fixture.status_of(INTENT).expect("a status").vfs, 3);
    invariants::hold(&fixture, "disrupted");
    // The kernel does not take it: the number before comes back, and so does the VF.
    fixture
        .machine
        .kernel
        .break_with(Fault::RefusesNumber { vfs: 2, errno: 28 });
    fixture.set_intent(&set(2, true)).expect_err("refused");
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
    assert_eq!(fixture.status_of(INTENT).expect("a status").vfs, 3);
    assert_eq!(fixture.policy().intent(INTENT).expect("one").vfs, Some(3));
    invariants::hold(&fixture, "gone back");
}

#[test]
fn a_disruptive_change_with_a_vm_that_cannot_fall_back_does_nothing() {
    let mut fixture = Fixture::enabled();
    // Somebody takes a VF from the pool by hand, without a partner.
    fixture.define("other", 9, 4);
    let xml = "<interface type='network'><mac address='52:54:00:aa:00:77'/><source network='accelnet-MyIntent-vf'/></interface>";
    let edit = |text: String| text.replacen("    <channel", &format!("    {xml}\n    <channel"), 1);
    fixture
        .machine
        .vms
        .virsh_edit("other", edit)
        .expect("edited");
    fixture.machine.vms.virsh_start("other").expect("started");
    fixture.reconcile();
    let request = IntentSet {
        vfs: Some(3),
        disruptive: true,
        ..IntentSet::default()
    };
    let refused = fixture.set_intent(&request).expect_err("in use");
    assert_eq!(refused.code, Code::VfInUse);
    assert_eq!(fixture.machine.vms.vfs_in_use().len(), 1);
    assert_eq!(fixture.policy().intent(INTENT).expect("one").vfs, None);
}

#[test]
fn a_dry_run_declares_nothing() {
    let mut fixture = with_address();
    let mut request = intent_add(INTENT, COMPUTE, &["ens1"]);
    request.dry_run = true;
    let added = fixture.agent().add_intent(WHO, &request).expect("judged");
    assert!(!added.applied && added.steps.len() > 3, "{:?}", added.steps);
    assert!(fixture.policy().intents.is_empty());
    assert!(fixture.machine.switches.applied().is_empty());
    assert!(fixture.machine.vms.calls().is_empty());
    assert!(!fixture.was_recorded(EventKind::Changed, INTENT));
}
