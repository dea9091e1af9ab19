use accelnet_model::intent::{BoundAdapter, IntentState, IntentStatus};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Mac, PciAddress};

use super::*;

fn address() -> PciAddress {
    "0000:01:00.0".parse().expect("an address")
}

/// A node that reports one adapter of the intent.
fn report(node: &str, vfs: u32) -> Report {
    let mut report = Report::empty(node, "2026-11-22T10:00:00Z");
    report.intents.push(IntentStatus {
        intent: "MyIntent".to_owned(),
        node: node.to_owned(),
        state: IntentState::Completed,
        adapters: vec![BoundAdapter {
            called: "ens1".to_owned(),
            address: address(),
            mac: None,
        }],
        intent_revision: 1,
        since: String::new(),
        verified_at: None,
        bridge: None,
        vfs,
        problem: None,
        warnings: Vec::new(),
    });
    report.adapters.push(AdapterUse {
        node: node.to_owned(),
        adapter: "ens1".to_owned(),
        address: address(),
        mac: None,
        vfs,
        vfs_in_use: 0,
        vfs_promised: 0,
        queue_pairs: Some(vfs * 4),
        queue_pairs_promised: 0,
        queue_pairs_per_vf: Some(4),
        queue_pairs_in_use: 0,
        vfs_foreign: 0,
        queue_pairs_foreign: 0,
    });
    report
}

/// A UUID that is the same for the same name.
fn uuid(name: &str) -> Uuid {
    let number = name
        .bytes()
        .fold(0_u64, |sum, byte| sum * 251 + u64::from(byte));
    let uuid = format!("00000000-0000-4000-8000-{:012x}", number & 0xffff_ffff_ffff);
    uuid.parse().expect("a UUID")
}

fn vm(name: &str, node: &str) -> VmSetting {
    VmSetting {
        uuid: uuid(name),
        name: name.parse().expect("a name"),
        node: node.parse().expect("a name"),
        performance: Performance::Low,
        mac: Mac::ZERO,
        phase: Phase::Enabled,
        nic_added: false,
        nic_teamed: false,
        before: None,
        security: accelnet_model::VfSecurityOfVm::default(),
        security_before: None,
    }
}

fn standing(reserve: u8, promised: &[VmSetting], reports: &[Report], down: &[&str]) -> Standing {
    let management = Management {
        enabled: true,
        intent: Some("MyIntent".to_owned()),
        node_reserve_percentage: reserve,
        ..Management::default()
    };
    let policy = Policy {
        management: management.clone(),
        ..Policy::default()
    };
    Standing::of(&Parts {
        policy: &policy,
        management: &management,
        promised,
        reports,
        down: &down.iter().map(|node| (*node).to_owned()).collect(),
        own: None,
    })
}

#[test]
fn nodes_that_are_down_leave_fewer_that_may_be() {
    let reports = ["n1", "n2", "n3"].map(|node| report(node, 4));
    let vms = [vm("a", "n1"), vm("b", "n1"), vm("c", "n2"), vm("d", "n3")];
    let all_up = standing(34, &vms, &reports, &[]);
    assert_eq!(all_up.ledger.survives(), Some(2));
    let one_down = standing(34, &vms, &reports, &["n1"]);
    assert_eq!(one_down.ledger.survives(), Some(1));
    assert_eq!(one_down.broken_promise(), None);
    let two_down = standing(34, &vms, &reports, &["n1", "n2"]);
    assert_eq!(two_down.ledger.survives(), Some(0));
    let shown = two_down.capacity();
    assert_eq!((shown.nodes[0].down, shown.nodes[2].down), (true, false));
}

#[test]
fn an_adapter_that_is_lost_breaks_the_promise_at_once() {
    let mut reports = ["n1", "n2"].map(|node| report(node, 4));
    let vms = [vm("a", "n1"), vm("b", "n2")];
    assert!(standing(50, &vms, &reports, &[]).ledger.holds().holds());
    reports[1].adapters.clear();
    let standing = standing(50, &vms, &reports, &[]);
    let broken = standing.broken_promise().expect("b has no VF");
    assert_eq!(broken.code, Code::ReserveNotMet);
    assert!(
        broken.found.starts_with("As it is, 1 VM would be left"),
        "{broken:?}"
    );
    assert_eq!(standing.ledger.survives(), None);
}

#[test]
fn vfs_that_others_use_are_not_counted() {
    let mut reports = ["n1", "n2"].map(|node| report(node, 4));
    reports[1].adapters[0].vfs_foreign = 3;
    let vms = [vm("a", "n1")];
    let standing = standing(50, &vms, &reports, &[]);
    assert!(standing.ledger.holds().holds());
    let refused = standing.admit("b", "n1", Performance::Low);
    assert!(
        refused
            .expect_err("one VF is left")
            .found
            .ends_with("VFs bind.")
    );
}

#[test]
fn a_node_that_never_reported_is_down() {
    let standing = standing(0, &[vm("a", "n9")], &[report("n1", 4)], &[]);
    let cluster = standing.ledger.cluster();
    assert_eq!((cluster.nodes.len(), cluster.down()), (2, 1));
    // Its VM fits on the other, and that is all that there is.
    assert_eq!(standing.ledger.survives(), Some(0));
}
