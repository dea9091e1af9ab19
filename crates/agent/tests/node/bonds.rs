//! Adapters in bonds: which are refused, and what becomes of an intent whose bond changes.

use std::time::Duration;

use accelnet_api::types::{Path, State};
use accelnet_host::{Clock, Links};
use accelnet_model::intent::{IntentState, Role};
use accelnet_model::link::BondMode;
use accelnet_model::{Code, Mac, Performance};
use accelnet_sim::Guest;

use crate::fixture::{self, Fixture, INTENT, enable, mac};
use crate::invariants;

const COMPUTE: &[Role] = &[Role::Compute];
const LOW: Performance = Performance::Low;

/// `bond0` over ens1 and ens2, a port of bridge `br0`.
fn bonded(mode: BondMode) -> Fixture {
    let fixture = Fixture::new();
    let switches = &fixture.machine.switches;
    switches.create_bond_externally("bond0", mode, &["ens1", "ens2"]);
    switches.create_bridge_externally("br0", &["bond0"]);
    fixture
}

/// The same with an active-backup bond, the intent on both adapters, management, and a VM that runs with
/// a VF.
fn accelerated() -> Fixture {
    let mut fixture = bonded(BondMode::ActiveBackup);
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1", "ens2"])
        .expect("declared");
    fixture.enable(Some(0)).expect("enabled");
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    assert_eq!(fixture.vm("web").path, Path::Vf);
    fixture
}

/// The fault of the intent, as it is reported.
fn fault(fixture: &Fixture) -> Option<String> {
    let mut faults = fixture.report().faults.into_iter();
    let fault = faults.find(|fault| fault.code == Code::UplinkUnfit)?;
    assert_eq!(fault.subject, INTENT);
    Some(format!("{} {}", fault.message, fault.found))
}

#[test]
fn an_aggregate_is_refused_before_anything_changes() {
    for mode in [BondMode::Lacp, BondMode::BalanceXor, BondMode::BalanceRr] {
        let mut fixture = bonded(mode);
        fixture.machine.switches.applied();
        let refused = fixture
            .add_intent(INTENT, COMPUTE, &["ens1"])
            .expect_err("refused");
        assert_eq!(refused.code, Code::UplinkUnfit);
        assert_eq!(
            refused.found,
            format!(
                "ens1 is a port of bond0, a bond in mode {mode}. A VF receives nothing of what the other switch sends to the bond's other ports."
            )
        );
        assert!(fixture.policy().intents.is_empty(), "it is not declared");
        assert_eq!(fixture.machine.switches.applied(), [""; 0]);
    }
}

#[test]
fn failover_bridging_follows_the_active_port() {
    let mut fixture = bonded(BondMode::ActiveBackup);
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1", "ens2"])
        .expect("declared");
    fixture.enable(Some(0)).expect("enabled");
    assert_eq!(
        fixture
            .status_of(INTENT)
            .expect("a status")
            .bridge
            .as_deref(),
        Some("br0")
    );
    fixture.run("web", 1, 4);
    let waiting = Guest {
        slow: true,
        ..Guest::default()
    };
    fixture
        .machine
        .vms
        .set_guest("web", waiting)
        .expect("a guest");
    assert!(fixture.change(&enable("web", LOW, true)).ok);
    let taken_in = |fixture: &Fixture| fixture.machine.kernel.taken_in();
    // The bridge has a MAC of its own.
    let all = [Mac([2, 0, 0, 0, 0xbb, 1]), mac(1)];
    assert_eq!(taken_in(&fixture), all.map(|mac| (fixture::igb(), mac)));
    fixture.machine.switches.active_port("bond0", "ens2");
    assert_eq!(taken_in(&fixture), all.map(|mac| (fixture::mlx5(), mac)));
}

/// The cable of an adapter is cut or plugged in again.
fn plug(fixture: &Fixture, adapter: &str, plugged: bool) {
    let mut node = fixture.machine.kernel.node_mut();
    node.cable(adapter, plugged.then_some(1000)).expect("set");
}

#[test]
fn a_vf_of_the_port_that_lost_its_link_is_taken_back_and_comes_again() {
    let mut fixture = accelerated();
    invariants::have_crossed(&mut fixture, "on its VF");
    let vf = |fixture: &Fixture| !fixture.machine.vms.vfs_in_use().is_empty();
    plug(&fixture, "ens1", false);
    fixture.machine.switches.active_port("bond0", "ens2");
    fixture.reconcile();
    assert!(!vf(&fixture), "it receives nothing while it has the VF");
    let faults = fixture.report().faults;
    let fault = faults.iter().find(|one| one.code == Code::VfNotUsed);
    let fault = fault.expect("a fault");
    assert!(fault.found.contains("no link"), "{fault:?}");
    let taken_in = fixture.machine.kernel.taken_in();
    assert!(
        taken_in.contains(&(fixture::mlx5(), mac(1))),
        "by the active port"
    );
    invariants::no_vm_is_cut_off(&fixture, "on its software path");
    // An agent that starts does not give it another one.
    fixture.start();
    assert!(!vf(&fixture));
    plug(&fixture, "ens1", true);
    fixture.reconcile();
    assert!(!vf(&fixture), "the link may not last");
    fixture.machine.kernel.sleep(Duration::from_secs(10));
    assert!(fixture.agent().check_paths());
    fixture.reconcile();
    assert!(vf(&fixture));
    assert!(fixture.report().faults.is_empty());
    invariants::have_crossed(&mut fixture, "on its VF again");
}

#[test]
fn a_vf_without_link_is_taken_back_before_its_adapter_is_mended() {
    let mut fixture = accelerated();
    plug(&fixture, "ens1", false);
    let cut = fixture
        .machine
        .kernel
        .node_mut()
        .set_up("ens1", false, None);
    cut.expect("set");
    fixture.machine.switches.active_port("bond0", "ens2");
    fixture.steps.kill_at("take-back", 0);
    let ended = fixture.attempt(|agent| agent.reconcile());
    assert!(ended.is_none(), "the agent was not killed");
    let links = fixture.machine.kernel.links().expect("links");
    let mut own = links.iter().filter(|link| link.name == "ens1");
    assert!(own.all(|link| !link.up), "the VM comes first");
}

#[test]
fn a_single_adapter_may_be_without_link_for_a_moment() {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    assert!(fixture.change(&enable("web", LOW, true)).ok);
    invariants::have_crossed(&mut fixture, "on its VF");
    let vf = |fixture: &Fixture| !fixture.machine.vms.vfs_in_use().is_empty();
    plug(&fixture, "ens1", false);
    fixture.reconcile();
    fixture.machine.kernel.sleep(Duration::from_secs(2));
    fixture.agent().check_paths();
    fixture.reconcile();
    assert!(vf(&fixture), "it may come back");
    fixture.machine.kernel.sleep(Duration::from_secs(4));
    assert!(fixture.agent().check_paths());
    fixture.reconcile();
    assert!(!vf(&fixture), "those on the node reach it over its vNIC");
    plug(&fixture, "ens1", true);
    fixture.reconcile();
    fixture.machine.kernel.sleep(Duration::from_secs(10));
    fixture.agent().check_paths();
    fixture.reconcile();
    assert!(vf(&fixture));
}

#[test]
fn a_bond_that_becomes_an_aggregate_is_a_fault_until_it_is_none() {
    let mut fixture = accelerated();
    assert_eq!(fault(&fixture), None);
    let switches = fixture.machine.switches.clone();
    switches.change_bond_externally("bond0", BondMode::Lacp);
    fixture.reconcile();
    let found = fault(&fixture).expect("a fault");
    assert!(found.contains("a bond in mode 802.3ad"), "{found}");
    let status = fixture.status_of(INTENT).expect("a status");
    assert_eq!(status.state, IntentState::Failed);
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
    switches.change_bond_externally("bond0", BondMode::ActiveBackup);
    fixture.reconcile();
    assert_eq!(fault(&fixture), None);
    assert!(fixture.is_completed());
}

#[test]
fn an_adapter_that_goes_into_a_bond_later_is_a_fault() {
    let mut fixture = Fixture::enabled();
    let switches = fixture.machine.switches.clone();
    switches.create_bond_externally("bond0", BondMode::BalanceXor, &["ens1"]);
    fixture.reconcile();
    let found = fault(&fixture).expect("a fault");
    assert!(found.contains("a bond in mode balance-xor"), "{found}");
    assert_eq!(switches.ports("bond0"), ["ens1"], "it is left where it is");
}

/// A bond changes its mode without ports. A bridge of accelnet's own would part the VMs from the network.
#[test]
fn an_adapter_that_leaves_an_adopted_bridge_is_a_fault_and_gets_no_other_bridge() {
    let mut fixture = accelerated();
    let switches = fixture.machine.switches.clone();
    for port in ["ens1", "ens2"] {
        fixture
            .machine
            .kernel
            .node()
            .set_master(port, None)
            .expect("released");
    }
    switches.applied();
    fixture.reconcile();
    let found = fault(&fixture).expect("a fault");
    assert!(
        found
            .contains("Bridge br0 is the intent's virtual switch, and ens1 is no longer its port."),
        "{found}"
    );
    assert_eq!(switches.applied(), [""; 0]);
    assert!(!fixture.machine.kernel.node().has_link("acn-MyIntent"));
    for port in ["ens1", "ens2"] {
        fixture
            .machine
            .kernel
            .node()
            .set_master(port, Some("bond0"))
            .expect("enslaved");
    }
    fixture.reconcile();
    assert!(fixture.is_completed());
}
