use accelnet_model::VfSecurity;
use accelnet_model::intent::{BoundAdapter, IntentState, Role};

use super::*;

fn intent(vfs: Option<u32>) -> Intent {
    Intent {
        name: "lan".parse().expect("a name"),
        roles: vec![Role::Compute],
        adapters: vec!["ens1".to_owned()],
        vfs,
        security: VfSecurity::default(),
    }
}

/// A node with 7 VFs of ens1.
fn report(node: &str, applied: bool) -> Report {
    let mut report = Report::empty(node, "2026-01-01T00:00:00Z");
    let address = "0000:01:00.0".parse().expect("an address");
    report.adapters = vec![AdapterUse {
        node: node.to_owned(),
        adapter: "ens1".to_owned(),
        address,
        mac: None,
        vfs: 7,
        vfs_in_use: 0,
        vfs_allocated: 0,
        queue_pairs: None,
        queue_pairs_allocated: 0,
        queue_pairs_per_vf: None,
        queue_pairs_in_use: 0,
        vfs_in_use_by_others: 0,
        queue_pairs_in_use_by_others: 0,
    }];
    report.intents = vec![IntentStatus {
        intent: "lan".to_owned(),
        node: node.to_owned(),
        state: IntentState::Completed,
        intent_revision: 1,
        since: String::new(),
        verified_at: None,
        adapters: vec![BoundAdapter {
            name: "ens1".to_owned(),
            mac: None,
            address,
        }],
        bridge: Some("acn-lan".to_owned()),
        vfs: 7,
        problem: None,
        other_problems: Vec::new(),
        warnings: Vec::new(),
        last_report: None,
    }];
    if !applied {
        report.intents.clear();
    }
    report
}

/// Node and action of each step.
fn actions(steps: &[PlannedStep]) -> Vec<(&str, &str)> {
    let each = steps.iter();
    each.map(|step| (&*step.node, &*step.action)).collect()
}

#[test]
fn a_new_intent_is_applied_by_every_other_node() {
    let reports = [
        report("n3", false),
        report("n1", false),
        report("n2", false),
    ];
    let down = BTreeSet::from(["n3".to_owned()]);
    let steps = Elsewhere::of(&reports, "n1", &down).apply(None, &intent(Some(3)));
    let action = "apply the intent: compute on ens1, 3 VFs of each";
    assert_eq!(actions(&steps), [("n2", action), ("n3", action)]);
    assert!(steps[1].reason.contains("down"), "{steps:?}");
}

#[test]
fn another_number_of_vfs_is_compared_with_what_each_node_has() {
    let mut other = report("n3", true);
    other.adapters[0].vfs = 3;
    let reports = [report("n1", true), report("n2", true), other];
    let down = BTreeSet::new();
    let all = Elsewhere::of(&reports, "n1", &down);
    let steps = all.apply(Some(&intent(None)), &intent(Some(3)));
    let action = "change the number of VFs of ens1 from 7 to 3";
    assert_eq!(actions(&steps), [("n2", action)]);
    let trusted = Intent {
        security: VfSecurity {
            trust: true,
            ..VfSecurity::default()
        },
        ..intent(None)
    };
    let steps = all.apply(Some(&intent(None)), &trusted);
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert!(all.apply(Some(&trusted), &trusted).is_empty());
}

#[test]
fn an_intent_is_removed_where_it_is_applied() {
    let reports = [report("n1", true), report("n2", true), report("n3", false)];
    let down = BTreeSet::new();
    let steps = Elsewhere::of(&reports, "n1", &down).remove(&intent(None));
    let action =
        "remove libvirt networks accelnet-lan and accelnet-lan-vf, bridge acn-lan and 7 VFs";
    assert_eq!(actions(&steps), [("n2", action)]);
}
