use proptest::prelude::*;

use super::super::*;
use super::small::{self, DIVIDING, ODD, Random, cluster, reserve_for};

/// A small cluster, with a reserve.
fn clusters() -> impl Strategy<Value = (Cluster, u64)> {
    (any::<u64>(), 0..DIVIDING.len() + ODD.len()).prop_map(|(seed, kind)| {
        let mut random = Random(seed);
        let sizes = DIVIDING.iter().chain(&ODD).nth(kind).expect("one of them");
        let mut cluster = cluster(&mut random, *sizes);
        let nodes = cluster.nodes.len();
        let down = random.below(nodes as u64);
        let down = usize::try_from(down).expect("a small number");
        cluster.reserve_percentage = reserve_for(nodes, down);
        (cluster, random.next())
    })
}

/// Every VM, as node, adapter and setting.
fn vms(cluster: &Cluster) -> Vec<(usize, usize, Performance)> {
    let mut all = Vec::new();
    for (node, one) in cluster.nodes.iter().enumerate() {
        for (place, adapter) in one.adapters.iter().enumerate() {
            for setting in Performance::ALL {
                let many = adapter.promised[place_of(setting)];
                all.extend((0..many).map(|_| (node, place, setting)));
            }
        }
    }
    all
}

/// The verdict of a cluster's sums for every number of nodes.
fn answers(ledger: &Ledger) -> Vec<bool> {
    let nodes = ledger.cluster().nodes.len();
    (0..nodes)
        .map(|more| ledger.holds_with(more).holds())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn one_vm_less_never_reduces_failover_capacity((cluster, pick) in clusters()) {
        let vms = vms(&cluster);
        prop_assume!(!vms.is_empty());
        let (node, adapter, setting) = Random(pick).one_of(&vms);
        let mut ledger = Ledger::new(cluster);
        let before = answers(&ledger);
        ledger.remove(node, adapter, setting, 1);
        for (before, after) in before.iter().zip(answers(&ledger)) {
            prop_assert!(!before || after);
        }
    }

    #[test]
    fn fewer_nodes_down_are_never_harder((cluster, _) in clusters()) {
        let ledger = Ledger::new(cluster);
        let up = ledger.cluster().nodes.len() - ledger.cluster().down();
        let answers: Vec<bool> = (0..up).map(|more| ledger.holds_with(more).holds()).collect();
        prop_assert!(answers.is_sorted_by(|less, more| *less || !*more));
        let most = answers.iter().rposition(|holds| *holds);
        if up > 0 {
            prop_assert_eq!(ledger.survives(), most);
        }
    }

    #[test]
    fn sums_that_were_changed_are_those_of_the_changed_cluster((cluster, pick) in clusters()) {
        let mut random = Random(pick);
        let mut ledger = Ledger::new(cluster);
        for _ in 0..12 {
            let vms = vms(ledger.cluster());
            if random.below(2) == 0 && !vms.is_empty() {
                let (node, adapter, setting) = random.one_of(&vms);
                ledger.remove(node, adapter, setting, 1);
            } else {
                let place = random.below(ledger.cluster().nodes.len() as u64);
                let node = usize::try_from(place).expect("a small number");
                let setting = random.one_of(&Performance::ALL);
                let adapters = ledger.cluster().nodes[node].adapters.len();
                let free = |adapter: &usize| {
                    let verdict = ledger.with(node, *adapter, setting, 1);
                    verdict.is_some()
                };
                if let Some(adapter) = (0..adapters).find(free) {
                    ledger.add(node, adapter, setting, 1);
                }
            }
            let anew = Ledger::new(ledger.cluster().clone());
            prop_assert_eq!(answers(&ledger), answers(&anew));
        }
    }

    /// Nodes go down, come back, promise too much, and have VMs that no adapter has a VF for.
    #[test]
    fn a_node_that_takes_the_place_of_another_is_counted_as_if_it_had_been_there((cluster, pick) in clusters()) {
        let mut random = Random(pick);
        let mut ledger = Ledger::new(cluster);
        for _ in 0..8 {
            let sizes = ledger.cluster().sizes;
            let mut other = small::cluster(&mut random, sizes).nodes;
            let mut node = other.swap_remove(0);
            if random.below(6) == 0 {
                node.stranded[0] = 1;
            }
            if let Some(adapter) = node.adapters.first_mut().filter(|_| random.below(6) == 0) {
                adapter.promised[2] += 9;
            }
            let place = random.below(ledger.cluster().nodes.len() as u64);
            ledger.set_node(usize::try_from(place).expect("a small number"), node);
            let anew = Ledger::new(ledger.cluster().clone());
            prop_assert_eq!(answers(&ledger), answers(&anew));
            for node in 0..ledger.cluster().nodes.len() {
                for setting in Performance::ALL {
                    prop_assert_eq!(ledger.admits(node, setting), anew.admits(node, setting));
                }
            }
        }
    }

    #[test]
    fn as_many_are_admitted_as_there_is_room_for((cluster, _) in clusters()) {
        let ledger = Ledger::new(cluster);
        let room = headroom(&ledger);
        for setting in Performance::ALL {
            let place = place_of(setting);
            let mut work = ledger.clone();
            let mut admitted = 0;
            for node in 0..work.cluster().nodes.len() {
                let mut here = 0;
                while let Ok(adapter) = work.admit(node, setting) {
                    work.add(node, adapter, setting, 1);
                    here += 1;
                }
                admitted += here;
                let mut alone = ledger.clone();
                let mut there = 0;
                while let Ok(adapter) = alone.admit(node, setting) {
                    alone.add(node, adapter, setting, 1);
                    there += 1;
                }
                prop_assert_eq!(room.by_node[node][place], there);
            }
            prop_assert_eq!(room.more[place], admitted);
        }
        let largest = (0..=99).rev().find(|reserve| {
            let cluster = Cluster { reserve_percentage: *reserve, ..ledger.cluster().clone() };
            Ledger::new(cluster).holds().holds()
        });
        prop_assert_eq!(room.largest_reserve, largest);
    }

    #[test]
    fn every_remedy_suffices((mut cluster, pick) in clusters()) {
        let mut random = Random(pick);
        let place = random.below(cluster.nodes.len() as u64);
        let node = usize::try_from(place).expect("a small number");
        let setting = random.one_of(&Performance::ALL);
        cluster.nodes[node].down = false;
        let ledger = Ledger::new(cluster.clone());
        prop_assume!(ledger.admit(node, setting).is_err());
        for remedy in remedies(&cluster, Some((node, setting))) {
            let mut better = cluster.clone();
            let (mut on, mut with) = (node, setting);
            match &remedy {
                Remedy::Reserve(reserve) => better.reserve_percentage = *reserve,
                Remedy::Setting(lower) => with = *lower,
                Remedy::Node(name) => {
                    let mut nodes = cluster.nodes.iter();
                    on = nodes.position(|node| node.name == *name).expect("a node");
                }
                Remedy::More { vfs, queue_pairs, nodes } => {
                    for node in better.nodes.iter_mut().filter(|node| nodes.contains(&node.name)) {
                        for adapter in &mut node.adapters {
                            adapter.vfs += vfs;
                            adapter.queue_pairs = adapter.queue_pairs.map(|old| old + queue_pairs);
                        }
                    }
                }
            }
            prop_assert!(Ledger::new(better).admit(on, with).is_ok(), "{remedy}");
        }
    }
}
