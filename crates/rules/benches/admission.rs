//! How long an admission takes, from scratch and with the sums kept, beside a count of VFs
//! alone: `cargo xtask bench admission`. Prints one line a size, numbers between tabs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use accelnet_model::Performance;
use accelnet_rules::admission::{Adapter, Cluster, Ledger, Node, place_of, reserved_nodes};

/// Nodes, VFs of a node, VMs.
const SIZES: [(u32, u32, u32); 7] = [
    (4, 64, 100),
    (16, 64, 500),
    (64, 64, 2_000),
    (250, 256, 25_000),
    (500, 256, 50_000),
    (1_000, 256, 50_000),
    (1_000, 256, 100_000),
];
/// The share of nodes that may be down.
const RESERVE: u8 = 50;
/// Times that each is done, from scratch and with the sums kept.
const ROUNDS: (u32, u32) = (15, 2_000);

/// A VM: its node, its adapter, its setting.
type Vm = (usize, usize, Performance);

fn main() {
    for (nodes, vfs, vms) in SIZES {
        let (cluster, vms) = cluster(nodes, vfs, vms);
        let mut ledger = Ledger::new(counted(&cluster, &vms));
        assert!(ledger.holds().holds(), "the cluster is to have room");
        let mut scratch = Vec::new();
        let mut naive = Vec::new();
        let mut kept = Vec::new();
        // In turns, so that a machine that is slower for a while is slower for all.
        for round in 0..ROUNDS.0 {
            let node = asked(round, nodes);
            scratch.push(timed(|| {
                let ledger = Ledger::new(counted(&cluster, &vms));
                black_box(ledger.admit(node, Performance::High).is_ok());
            }));
            naive.push(timed(|| {
                black_box(vfs_alone(&cluster, &vms, node));
            }));
            let each = ROUNDS.1 / ROUNDS.0;
            let all = timed(|| {
                for more in 0..each {
                    let node = asked(round * each + more, nodes);
                    let setting = Performance::ALL[(more % 3) as usize];
                    if let Ok(adapter) = ledger.admit(node, setting) {
                        ledger.add(node, adapter, setting, 1);
                        ledger.remove(node, adapter, setting, 1);
                    }
                }
            });
            kept.push(all / each);
        }
        let [scratch, naive, kept] = [scratch, naive, kept].map(median);
        println!(
            "{nodes}\t{vfs}\t{}\t{}\t{}\t{}",
            vms.len(),
            scratch.as_nanos(),
            kept.as_nanos(),
            naive.as_nanos()
        );
    }
}

fn asked(round: u32, nodes: u32) -> usize {
    (round.wrapping_mul(2_654_435_761) % nodes) as usize
}

/// Nodes with two adapters of unlike size, and VMs of all settings spread over them.
fn cluster(nodes: u32, vfs: u32, vms: u32) -> (Cluster, Vec<Vm>) {
    let adapter = |name: &str, vfs: u32| Adapter {
        name: name.to_owned(),
        vfs,
        queue_pairs: Some(vfs * 4),
        queue_pairs_per_vf: Some(8),
        promised: [0; 3],
    };
    let node = |number: u32| {
        let first = vfs / 2 + number % 7;
        Node {
            name: format!("n{number}"),
            down: false,
            adapters: vec![adapter("pf0", first), adapter("pf1", vfs - first)],
            stranded: [0; 3],
        }
    };
    let cluster = Cluster {
        nodes: (0..nodes).map(node).collect(),
        sizes: [1, 2, 4],
        reserve_percentage: RESERVE,
    };
    let vm = |number: u32| {
        let setting = Performance::ALL[(number % 3) as usize];
        (
            (number % nodes) as usize,
            (number / nodes % 2) as usize,
            setting,
        )
    };
    (cluster, (0..vms).map(vm).collect())
}

/// The cluster with its VMs counted.
fn counted(cluster: &Cluster, vms: &[Vm]) -> Cluster {
    let mut counted = cluster.clone();
    for (node, adapter, setting) in vms {
        counted.nodes[*node].adapters[*adapter].promised[place_of(*setting)] += 1;
    }
    counted
}

/// What would be judged if only VFs were counted: the nodes with the most VFs down.
fn vfs_alone(cluster: &Cluster, vms: &[Vm], node: usize) -> bool {
    let mut promised = vec![0_u32; cluster.nodes.len()];
    for (node, ..) in vms {
        promised[*node] += 1;
    }
    promised[node] += 1;
    let vfs = |node: &Node| node.adapters.iter().map(|adapter| adapter.vfs).sum::<u32>();
    let mut nodes: Vec<(u32, u32)> = cluster.nodes.iter().map(vfs).zip(promised).collect();
    nodes.sort_unstable_by_key(|(vfs, promised)| std::cmp::Reverse(*vfs.max(promised)));
    let (down, up) = nodes.split_at(reserved_nodes(nodes.len(), RESERVE));
    let wanted: u32 = down.iter().map(|(_, promised)| promised).sum();
    let free: u32 = up
        .iter()
        .map(|(vfs, promised)| vfs.saturating_sub(*promised))
        .sum();
    wanted <= free
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark is where time is measured"
)]
fn timed(what: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    what();
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
