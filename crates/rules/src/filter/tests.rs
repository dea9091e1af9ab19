use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;

use super::*;

fn mac(number: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0, 0, number])
}

fn set<const N: usize>(numbers: [u8; N]) -> BTreeSet<Mac> {
    numbers.into_iter().map(mac).collect()
}

fn named<const N: usize>(names: [(u8, &str); N]) -> BTreeMap<Mac, String> {
    let names = names.into_iter();
    names
        .map(|(number, name)| (mac(number), name.to_owned()))
        .collect()
}

/// An adapter with VFs; `web` is on its VF, `db` is not.
fn facts() -> Facts {
    Facts {
        adapter: Some(mac(100)),
        vfs: 3,
        vf_macs: set([1]),
        bridged: BTreeSet::new(),
        stopped: BTreeSet::new(),
        node: set([100, 101]),
        vms: named([(1, "web"), (2, "db")]),
        learned: named([(1, "vnet0"), (2, "vnet1"), (50, "veth0")]),
    }
}

fn macs(wanted: &[Address]) -> Vec<Mac> {
    wanted.iter().map(|(_, mac)| *mac).collect()
}

#[test]
fn stations_behind_the_bridge_without_a_vf() {
    let wanted = wanted(&facts());
    let expected = [
        (Owner::Node, mac(101)),
        (Owner::Vm("db".to_owned()), mac(2)),
        (Owner::Port("veth0".to_owned()), mac(50)),
    ];
    assert_eq!(wanted, expected);
}

#[test]
fn a_vm_in_failover_bridging_comes_first_although_its_vf_has_the_mac() {
    let bridged = Facts {
        bridged: set([1]),
        ..facts()
    };
    let first = wanted(&bridged).remove(0);
    assert_eq!(first, (Owner::Bridged("web".to_owned()), mac(1)));
}

#[test]
fn an_accelerated_vm_that_does_not_run_comes_last_although_a_vf_may_have_its_mac() {
    let stopped = Facts {
        stopped: set([1, 7]),
        ..facts()
    };
    let last = wanted(&stopped).split_off(3);
    assert_eq!(last, [(Owner::Stopped, mac(1)), (Owner::Stopped, mac(7))]);
}

#[test]
fn an_adapter_without_vfs_needs_none() {
    let none = Facts { vfs: 0, ..facts() };
    assert_eq!(wanted(&none), []);
}

#[test]
fn a_port_with_many_addresses_leaves_room_for_the_others() {
    let mut facts = facts();
    for number in 0..200 {
        let many = Mac([2, 0, 0, 0, 0, number]);
        facts.learned.insert(many, "veth1".to_owned());
    }
    let wanted = wanted(&facts);
    let last = wanted
        .iter()
        .rposition(|(_, mac)| *mac == Mac([0x52, 0x54, 0, 0, 0, 50]));
    assert_eq!(last, Some(2), "{wanted:?}");
    assert_eq!(wanted.len(), 3 + MOST_BEHIND_A_PORT);
}

#[test]
fn a_filter_that_is_too_small_keeps_the_important_ones() {
    let wanted = wanted(&facts());
    // What is there is the least important, and another's entry stays.
    let change = change(&wanted, &set([50]), &set([101]), 1);
    assert_eq!(change.remove, [mac(50)]);
    assert_eq!(macs(&change.add), [mac(2)]);
    assert_eq!(macs(&change.left_out), [mac(50)]);
}

fn some_macs() -> impl Strategy<Value = BTreeSet<Mac>> {
    btree_set((0..40_u8).prop_map(mac), 0..12)
}

fn some_names() -> impl Strategy<Value = BTreeMap<Mac, String>> {
    btree_map((0..40_u8).prop_map(mac), "[a-c]", 0..12)
}

prop_compose! {
    fn any_facts()(
        vfs in 0..3_usize,
        vf_macs in some_macs(),
        bridged in some_macs(),
        stopped in some_macs(),
        node in some_macs(),
        vms in some_names(),
        learned in some_names(),
    ) -> Facts {
        Facts { adapter: Some(mac(0)), vfs, vf_macs, bridged, stopped, node, vms, learned }
    }
}

proptest! {
    /// What was changed is as it should be, and another's entries are as they were.
    #[test]
    fn a_change_leads_to_what_is_wanted(
        facts in any_facts(),
        ours in some_macs(),
        others in some_macs(),
        capacity in 0..20_usize,
    ) {
        let ours: BTreeSet<Mac> = ours.difference(&others).copied().collect();
        let wanted = wanted(&facts);
        let done = change(&wanted, &ours, &others, capacity);
        let mut after: BTreeSet<Mac> = ours.clone();
        for mac in &done.remove {
            prop_assert!(after.remove(mac));
        }
        for (_, mac) in &done.add {
            prop_assert!(!others.contains(mac) && after.insert(*mac));
        }
        prop_assert!(after.len() <= capacity);
        let there: BTreeSet<Mac> = after.union(&others).copied().collect();
        for (owner, mac) in &wanted {
            let left_out = done.left_out.contains(&(owner.clone(), *mac));
            prop_assert_ne!(there.contains(mac), left_out);
        }
        let missing: BTreeSet<Mac> = macs(&wanted).into_iter().collect();
        prop_assert!(after.is_subset(&missing));
        let again = change(&wanted, &after, &others, capacity);
        prop_assert!(again.remove.is_empty() && again.add.is_empty());
        if facts.vfs > 0 {
            // Every station here without a VF is in it; none outside is.
            let here = facts.node.iter().chain(facts.vms.keys()).chain(facts.learned.keys());
            for mac in here.filter(|mac| !facts.vf_macs.contains(mac) && facts.adapter != Some(**mac)) {
                prop_assert!(missing.contains(mac));
            }
        }
        let both: BTreeSet<Mac> = facts.bridged.union(&facts.stopped).copied().collect();
        for mac in missing.difference(&both) {
            prop_assert!(!facts.vf_macs.contains(mac));
        }
    }
}
