//! Adapters in bonds: which are refused, and what becomes of an intent whose bond changes.

use std::time::Duration;

use accelnet_api::types::{Path, State};
use accelnet_host::{Clock, Links};
use accelnet_model::intent::{IntentState, Role};
use accelnet_model::link::BondMode;
use accelnet_model::{Code, Mac, Performance};
use accelnet_sim::Guest;

use crate::bench::{self, Bench, INTENT, enable, mac};
use crate::invariants;

const COMPUTE: &[Role] = &[Role::Compute];
const LOW: Performance = Performance::Low;

/// `bond0` over ens1 and ens2, a port of bridge `br0`.
fn bonded(mode: BondMode) -> Bench {
    let bench = Bench::new();
    let switches = &bench.machine.switches;
    switches.create_bond_externally("bond0", mode, &["ens1", "ens2"]);
    switches.create_bridge_externally("br0", &["bond0"]);
    bench
}

/// The same with an active-backup bond, the intent on both adapters, management, and a VM that runs with
/// a VF.
fn accelerated() -> Bench {
    let mut bench = bonded(BondMode::ActiveBackup);
    bench
        .add_intent(INTENT, COMPUTE, &["ens1", "ens2"])
        .expect("declared");
    bench.enable(Some(0)).expect("enabled");
    bench.define("web", 1, 4);
    assert!(bench.vm_enable("web", LOW).ok);
    bench.machine.vms.virsh_start("web").expect("started");
    bench.reconcile();
    assert_eq!(bench.vm("web").path, Path::Vf);
    bench
}

/// The fault of the intent, as it is told.
fn fault(bench: &Bench) -> Option<String> {
    let mut faults = bench.report().faults.into_iter();
    let fault = faults.find(|fault| fault.code == Code::UplinkUnfit)?;
    assert_eq!(fault.subject, INTENT);
    Some(format!("{} {}", fault.message, fault.found))
}

#[test]
fn an_aggregate_is_refused_before_anything_changes() {
    for mode in [BondMode::Lacp, BondMode::BalanceXor, BondMode::BalanceRr] {
        let mut bench = bonded(mode);
        bench.machine.switches.applied();
        let refused = bench
            .add_intent(INTENT, COMPUTE, &["ens1"])
            .expect_err("refused");
        assert_eq!(refused.code, Code::UplinkUnfit);
        assert_eq!(
            refused.found,
            format!(
                "ens1 is a port of bond0, a bond in mode {mode}. A VF receives nothing of what the other switch sends to the bond's other ports."
            )
        );
        assert!(bench.policy().intents.is_empty(), "it is not declared");
        assert_eq!(bench.machine.switches.applied(), [""; 0]);
    }
}

#[test]
fn failover_bridging_follows_the_active_port() {
    let mut bench = bonded(BondMode::ActiveBackup);
    bench
        .add_intent(INTENT, COMPUTE, &["ens1", "ens2"])
        .expect("declared");
    bench.enable(Some(0)).expect("enabled");
    assert_eq!(
        bench.status_of(INTENT).expect("a status").bridge.as_deref(),
        Some("br0")
    );
    bench.run("web", 1, 4);
    let waiting = Guest {
        slow: true,
        ..Guest::default()
    };
    bench
        .machine
        .vms
        .set_guest("web", waiting)
        .expect("a guest");
    assert!(bench.change(&enable("web", LOW, true)).ok);
    let taken_in = |bench: &Bench| bench.machine.kernel.taken_in();
    // The bridge has a MAC of its own.
    let all = [Mac([2, 0, 0, 0, 0xbb, 1]), mac(1)];
    assert_eq!(taken_in(&bench), all.map(|mac| (bench::igb(), mac)));
    bench.machine.switches.active_port("bond0", "ens2");
    assert_eq!(taken_in(&bench), all.map(|mac| (bench::mlx5(), mac)));
}

/// The cable of an adapter is cut or plugged in again.
fn plug(bench: &Bench, adapter: &str, plugged: bool) {
    let mut node = bench.machine.kernel.node_mut();
    node.cable(adapter, plugged.then_some(1000)).expect("set");
}

#[test]
fn a_vf_of_the_port_that_lost_its_link_is_taken_back_and_comes_again() {
    let mut bench = accelerated();
    invariants::have_crossed(&mut bench, "on its VF");
    let vf = |bench: &Bench| !bench.machine.vms.vfs_in_use().is_empty();
    plug(&bench, "ens1", false);
    bench.machine.switches.active_port("bond0", "ens2");
    bench.reconcile();
    assert!(!vf(&bench), "it receives nothing while it has the VF");
    let faults = bench.report().faults;
    let fault = faults.iter().find(|one| one.code == Code::VfNotUsed);
    let fault = fault.expect("a fault");
    assert!(fault.found.contains("no link"), "{fault:?}");
    let taken_in = bench.machine.kernel.taken_in();
    assert!(
        taken_in.contains(&(bench::mlx5(), mac(1))),
        "by the active port"
    );
    invariants::nobody_is_cut_off(&bench, "on its software path");
    // An agent that starts does not give it another one.
    bench.start();
    assert!(!vf(&bench));
    plug(&bench, "ens1", true);
    bench.reconcile();
    assert!(!vf(&bench), "the link may not last");
    bench.machine.kernel.sleep(Duration::from_secs(10));
    assert!(bench.agent().check_paths());
    bench.reconcile();
    assert!(vf(&bench));
    assert!(bench.report().faults.is_empty());
    invariants::have_crossed(&mut bench, "on its VF again");
}

#[test]
fn a_vf_without_link_is_taken_back_before_its_adapter_is_mended() {
    let mut bench = accelerated();
    plug(&bench, "ens1", false);
    let cut = bench.machine.kernel.node_mut().set_up("ens1", false, None);
    cut.expect("set");
    bench.machine.switches.active_port("bond0", "ens2");
    bench.steps.kill_at("take-back", 0);
    let ended = bench.attempt(|agent| agent.reconcile());
    assert!(ended.is_none(), "the agent was not killed");
    let links = bench.machine.kernel.links().expect("links");
    let mut own = links.iter().filter(|link| link.name == "ens1");
    assert!(own.all(|link| !link.up), "the VM comes first");
}

#[test]
fn a_single_adapter_may_be_without_link_for_a_moment() {
    let mut bench = Bench::enabled();
    bench.run("web", 1, 4);
    assert!(bench.change(&enable("web", LOW, true)).ok);
    invariants::have_crossed(&mut bench, "on its VF");
    let vf = |bench: &Bench| !bench.machine.vms.vfs_in_use().is_empty();
    plug(&bench, "ens1", false);
    bench.reconcile();
    bench.machine.kernel.sleep(Duration::from_secs(2));
    bench.agent().check_paths();
    bench.reconcile();
    assert!(vf(&bench), "it may come back");
    bench.machine.kernel.sleep(Duration::from_secs(4));
    assert!(bench.agent().check_paths());
    bench.reconcile();
    assert!(!vf(&bench), "those on the node reach it over its vNIC");
    plug(&bench, "ens1", true);
    bench.reconcile();
    bench.machine.kernel.sleep(Duration::from_secs(10));
    bench.agent().check_paths();
    bench.reconcile();
    assert!(vf(&bench));
}

#[test]
fn a_bond_that_becomes_an_aggregate_is_a_fault_until_it_is_none() {
    let mut bench = accelerated();
    assert_eq!(fault(&bench), None);
    let switches = bench.machine.switches.clone();
    switches.change_bond_externally("bond0", BondMode::Lacp);
    bench.reconcile();
    let found = fault(&bench).expect("a fault");
    assert!(found.contains("a bond in mode 802.3ad"), "{found}");
    let status = bench.status_of(INTENT).expect("a status");
    assert_eq!(status.state, IntentState::Failed);
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
    switches.change_bond_externally("bond0", BondMode::ActiveBackup);
    bench.reconcile();
    assert_eq!(fault(&bench), None);
    assert!(bench.is_completed());
}

#[test]
fn an_adapter_that_goes_into_a_bond_later_is_a_fault() {
    let mut bench = Bench::enabled();
    let switches = bench.machine.switches.clone();
    switches.create_bond_externally("bond0", BondMode::BalanceXor, &["ens1"]);
    bench.reconcile();
    let found = fault(&bench).expect("a fault");
    assert!(found.contains("a bond in mode balance-xor"), "{found}");
    assert_eq!(switches.ports("bond0"), ["ens1"], "it is left where it is");
}

/// A bond changes its mode without ports. A bridge of accelnet's own would part the VMs from the network.
#[test]
fn an_adapter_that_leaves_an_adopted_bridge_is_a_fault_and_gets_no_other_bridge() {
    let mut bench = accelerated();
    let switches = bench.machine.switches.clone();
    for port in ["ens1", "ens2"] {
        bench
            .machine
            .kernel
            .node()
            .set_master(port, None)
            .expect("released");
    }
    switches.applied();
    bench.reconcile();
    let found = fault(&bench).expect("a fault");
    assert!(
        found
            .contains("Bridge br0 is the intent's virtual switch, and ens1 is no longer its port."),
        "{found}"
    );
    assert_eq!(switches.applied(), [""; 0]);
    assert!(!bench.machine.kernel.node().has_link("acn-MyIntent"));
    for port in ["ens1", "ens2"] {
        bench
            .machine
            .kernel
            .node()
            .set_master(port, Some("bond0"))
            .expect("enslaved");
    }
    bench.reconcile();
    assert!(bench.is_completed());
}
