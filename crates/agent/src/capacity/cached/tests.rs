use std::collections::{BTreeMap, BTreeSet};

use accelnet_api::types::AdapterUse;
use proptest::prelude::*;

use accelnet_model::intent::{BoundAdapter, IntentState, IntentStatus};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Mac, Management, PciAddress};

use super::*;
use crate::policy::Policy;

fn address() -> PciAddress {
    "0000:01:00.0".parse().expect("an address")
}

/// A node that reports one adapter of the intent.
fn report(node: &str, vfs: u32) -> Report {
    let mut report = Report::empty(node, "2026-11-22T10:00:00Z");
    report.intents.push(IntentStatus {
        state: IntentState::Completed,
        adapters: vec![BoundAdapter {
            name: "ens1".to_owned(),
            address: address(),
            mac: None,
        }],
        intent_revision: 1,
        vfs,
        ..IntentStatus::pending("MyIntent", node, "")
    });
    report.adapters.push(AdapterUse {
        node: node.to_owned(),
        adapter: "ens1".to_owned(),
        address: address(),
        mac: None,
        vfs,
        vfs_in_use: 0,
        vfs_allocated: 0,
        queue_pairs: Some(vfs * 4),
        queue_pairs_allocated: 0,
        queue_pairs_per_vf: Some(4),
        queue_pairs_in_use: 0,
        vfs_in_use_by_others: 0,
        queue_pairs_in_use_by_others: 0,
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

fn policy(reserve: u8) -> Policy {
    Policy {
        management: Management {
            enabled: true,
            intent: Some("MyIntent".to_owned()),
            node_reserve_percentage: reserve,
            ..Management::default()
        },
        ..Policy::default()
    }
}

fn state(reserve: u8, promised: &[VmSetting], reports: &[Report], down: &[&str]) -> ClusterState {
    let policy = policy(reserve);
    let reports: Vec<Arc<Report>> = reports.iter().cloned().map(Arc::new).collect();
    ClusterState::of(&Inputs {
        policy: &policy,
        management: &policy.management,
        settings: promised,
        reports: &reports,
        down: &down.iter().map(|node| (*node).to_owned()).collect(),
        own: None,
    })
}

#[test]
fn nodes_that_are_down_leave_fewer_that_may_be() {
    let reports = ["n1", "n2", "n3"].map(|node| report(node, 4));
    let vms = [vm("a", "n1"), vm("b", "n1"), vm("c", "n2"), vm("d", "n3")];
    let all_up = state(34, &vms, &reports, &[]);
    assert_eq!(all_up.ledger.survives(), Some(2));
    let one_down = state(34, &vms, &reports, &["n1"]);
    assert_eq!(one_down.ledger.survives(), Some(1));
    assert_eq!(one_down.failover_problem(), None);
    let two_down = state(34, &vms, &reports, &["n1", "n2"]);
    assert_eq!(two_down.ledger.survives(), Some(0));
    let shown = two_down.capacity();
    assert_eq!((shown.nodes[0].down, shown.nodes[2].down), (true, false));
}

#[test]
fn an_adapter_that_is_lost_breaks_the_promise_at_once() {
    let mut reports = ["n1", "n2"].map(|node| report(node, 4));
    let vms = [vm("a", "n1"), vm("b", "n2")];
    assert!(state(50, &vms, &reports, &[]).ledger.holds().holds());
    reports[1].adapters.clear();
    let state = state(50, &vms, &reports, &[]);
    let broken = state.failover_problem().expect("b has no VF");
    assert_eq!(broken.code, Code::ReserveNotMet);
    assert!(
        broken.found.starts_with("Now 1 VM would be left"),
        "{broken:?}"
    );
    assert_eq!(state.ledger.survives(), None);
}

#[test]
fn vfs_that_others_use_are_not_counted() {
    let mut reports = ["n1", "n2"].map(|node| report(node, 4));
    reports[1].adapters[0].vfs_in_use_by_others = 3;
    let vms = [vm("a", "n1")];
    let state = state(50, &vms, &reports, &[]);
    assert!(state.ledger.holds().holds());
    let refused = state.admit("b", "n1", Performance::Low);
    assert!(
        refused
            .expect_err("one VF is left")
            .found
            .ends_with("VFs bind.")
    );
}

#[test]
fn a_node_that_never_reported_is_down() {
    let state = state(0, &[vm("a", "n9")], &[report("n1", 4)], &[]);
    let cluster = state.ledger.cluster();
    assert_eq!((cluster.nodes.len(), cluster.down()), (2, 1));
    // Its VM fits on the other, and that is all that there is.
    assert_eq!(state.ledger.survives(), Some(0));
}

/// What happens between two admissions.
#[derive(Debug, Clone)]
enum Event {
    /// A node reports so many VFs.
    Reports(usize, u32),
    /// A node goes down, or comes back.
    Down(usize),
    /// A node leaves, or joins.
    Leaves(usize),
    /// A VM is promised a VF on a node, with a setting; it may have had one elsewhere.
    Promise(usize, usize, usize),
    /// A VM is promised nothing any more.
    GivesUp(usize),
    /// An admission that judges a VM, and is not recorded.
    Judged(usize, usize),
    /// The reserve changes.
    Reserve(u8),
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..5_usize, 0..6_u32).prop_map(|(node, vfs)| Event::Reports(node, vfs)),
        2 => (0..5_usize).prop_map(Event::Down),
        1 => (0..5_usize).prop_map(Event::Leaves),
        6 => (0..9_usize, 0..5_usize, 0..3_usize)
            .prop_map(|(vm, node, setting)| Event::Promise(vm, node, setting)),
        2 => (0..9_usize).prop_map(Event::GivesUp),
        2 => (0..9_usize, 0..5_usize).prop_map(|(vm, node)| Event::Judged(vm, node)),
        1 => (0..99_u8).prop_map(Event::Reserve),
    ]
}

/// A cluster of up to five nodes and nine VMs.
struct World {
    reserve: u8,
    reports: BTreeMap<usize, Arc<Report>>,
    vms: BTreeMap<usize, VmSetting>,
    down: BTreeSet<String>,
}

impl World {
    fn after(&mut self, event: &Event, kept: &mut CachedCluster) {
        let name = |node: usize| format!("n{node}");
        match *event {
            Event::Reports(node, vfs) => {
                let report = Arc::new(report(&name(node), vfs));
                self.reports.insert(node, report);
            }
            Event::Down(node) => {
                if !self.down.remove(&name(node)) {
                    self.down.insert(name(node));
                }
            }
            Event::Leaves(node) => drop(self.reports.remove(&node)),
            Event::Promise(number, node, setting) => {
                let mut one = vm(&format!("vm{number}"), &name(node));
                one.performance = Performance::ALL[setting];
                self.vms.insert(number, one);
            }
            Event::GivesUp(number) => drop(self.vms.remove(&number)),
            Event::Judged(number, node) => {
                let one = vm(&format!("vm{number}"), &name(node));
                kept.state.release(&one.uuid);
                kept.state.reserve(&one, None);
            }
            Event::Reserve(reserve) => self.reserve = reserve,
        }
    }

    /// The cluster as it was kept, and counted anew.
    fn both(&self, kept: Option<CachedCluster>) -> (CachedCluster, ClusterState) {
        let policy = policy(self.reserve);
        let mut promised: Vec<VmSetting> = self.vms.values().cloned().collect();
        promised.sort_by(|one, other| one.uuid.cmp(&other.uuid));
        let reports: Vec<Arc<Report>> = self.reports.values().cloned().collect();
        let inputs = Inputs {
            policy: &policy,
            management: &policy.management,
            settings: &promised,
            reports: &reports,
            down: &self.down,
            own: None,
        };
        (
            CachedCluster::follow(kept, &inputs),
            ClusterState::of(&inputs),
        )
    }
}

proptest! {
    #[test]
    fn sums_that_are_kept_are_those_that_are_made_anew(
        steps in prop::collection::vec(prop::collection::vec(events(), 0..4), 1..12),
    ) {
        let mut world = World {
            reserve: 50,
            reports: (0..4).map(|node| (node, Arc::new(report(&format!("n{node}"), 3)))).collect(),
            vms: BTreeMap::new(),
            down: BTreeSet::new(),
        };
        let mut kept = world.both(None).0;
        for happens in steps {
            for event in &happens {
                world.after(event, &mut kept);
            }
            let (now, anew) = world.both(Some(kept));
            kept = now;
            let state = &kept.state;
            prop_assert_eq!(state.ledger.cluster(), anew.ledger.cluster());
            prop_assert_eq!(state.reserved(), anew.reserved());
            prop_assert_eq!(&state.places, &anew.places);
            prop_assert_eq!(&state.in_use, &anew.in_use);
            prop_assert_eq!(state.capacity(), anew.capacity());
            for node in anew.nodes.keys() {
                for setting in Performance::ALL {
                    prop_assert_eq!(
                        state.admit("new", node, setting),
                        anew.admit("new", node, setting)
                    );
                }
            }
        }
    }
}

#[test]
fn a_node_of_which_nothing_changed_is_not_counted_again() {
    let world = World {
        reserve: 0,
        reports: [
            (0, Arc::new(report("n0", 3))),
            (1, Arc::new(report("n1", 3))),
        ]
        .into(),
        vms: [(0, vm("a", "n0"))].into(),
        down: BTreeSet::new(),
    };
    let mut kept = world.both(None).0;
    // A wrong sum, which stays only where the node is not counted again.
    kept.state.in_use[0].vfs = 77;
    kept.state.in_use[1].vfs = 77;
    kept.state.release(&uuid("a"));
    let kept = world.both(Some(kept)).0;
    assert_eq!(
        kept.state
            .in_use
            .iter()
            .map(|one| one.vfs)
            .collect::<Vec<_>>(),
        [0, 77]
    );
}
