//! How long an admission takes, from scratch and with the sums kept, beside a count of VFs alone and a try
//! of every set of nodes: `cargo xtask bench admission`. Prints one line a size, its kind first, between tabs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use accelnet_model::Performance;
use accelnet_rules::admission::{Adapter, Cluster, Ledger, Node, place_of, reserved_nodes};

/// Nodes, VFs of a node, VMs of a node.
const SIZES: [(u32, u32, u32); 8] = [
    (10, 32, 10),
    (10, 256, 100),
    (100, 32, 10),
    (100, 256, 100),
    (1_000, 32, 10),
    (1_000, 256, 100),
    (10_000, 32, 10),
    (10_000, 256, 100),
];
/// Nodes of clusters in which every set of nodes is tried; more take too long.
const SMALL: [u32; 5] = [8, 12, 16, 20, 24];
/// The share of nodes that may be down.
const RESERVE: u8 = 50;
/// Times that each is done, from scratch and with the sums kept.
const ROUNDS: (u32, u32) = (15, 2_000);

/// A VM: its node, its adapter, its setting.
type Vm = (usize, usize, Performance);

fn main() {
    for (nodes, vfs, each) in SIZES {
        let times = admissions(nodes, vfs, nodes * each);
        let [scratch, kept, naive] = times.map(|time| time.as_nanos());
        let vms = nodes * each;
        println!("admission\t{nodes}\t{vms}\t{scratch}\t{kept}\t{naive}");
    }
    for nodes in SMALL {
        let [scratch, kept, _] = admissions(nodes, 64, nodes * 20).map(|time| time.as_nanos());
        let (cluster, vms) = cluster(nodes, 64, nodes * 20);
        let mut sets = 0;
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..3 {
            times.push(timed(|| {
                sets = black_box(every_set(&counted(&cluster, &vms)));
            }));
        }
        let every = median(times).as_nanos();
        println!("sets\t{nodes}\t{sets}\t{every}\t{scratch}\t{kept}");
    }
}

/// The medians of one admission: from scratch, with the sums kept, of VFs alone.
fn admissions(nodes: u32, vfs: u32, vms: u32) -> [Duration; 3] {
    let (cluster, vms) = cluster(nodes, vfs, vms);
    let mut ledger = Ledger::new(counted(&cluster, &vms));
    assert!(ledger.holds().holds(), "the cluster is to have room");
    let mut times = [const { Vec::new() }; 3];
    // In turns, so that a machine that is slower for a while is slower for all.
    for round in 0..ROUNDS.0 {
        let node = asked(round, nodes);
        times[0].push(timed(|| {
            let ledger = Ledger::new(counted(&cluster, &vms));
            black_box(ledger.admit(node, Performance::High).is_ok());
        }));
        let each = ROUNDS.1 / ROUNDS.0;
        let all = timed(|| {
            for more in 0..each {
                let node = asked(round * each + more, nodes);
                let setting = Performance::ALL[(more % 3) as usize];
                let adapter = ledger.admit(node, setting).expect("room");
                ledger.add(node, adapter, setting, 1);
                ledger.remove(node, adapter, setting, 1);
            }
        });
        times[1].push(all / each);
        times[2].push(timed(|| {
            black_box(vfs_alone(&cluster, &vms, node));
        }));
    }
    times.map(median)
}

/// Tries every set of nodes that may be down; returns how many. Of each, VFs and queue pairs are added up and
/// compared: packing them would take longer still.
fn every_set(cluster: &Cluster) -> u64 {
    let nodes = cluster.nodes.len();
    let down = reserved_nodes(nodes, cluster.reserve_percentage);
    let of = |node: &Node| {
        let vms = node.vms();
        let pairs: u64 = vms
            .iter()
            .zip(cluster.sizes)
            .map(|(vms, size)| u64::from(*vms) * size)
            .sum();
        let all = |count: fn(&Adapter) -> u32| node.adapters.iter().map(count).sum::<u32>();
        let vfs = u64::from(vms.iter().sum::<u32>());
        let free_vfs = u64::from(all(|adapter| adapter.vfs)) - vfs;
        let all_pairs = u64::from(all(|adapter| adapter.queue_pairs.unwrap_or(0)));
        ([vfs, pairs], [free_vfs, all_pairs - pairs])
    };
    let nodes_of: Vec<_> = cluster.nodes.iter().map(of).collect();
    let (mut sets, mut fitting) = (0, 0);
    let last = (1_u64 << nodes) - 1;
    let mut set = (1_u64 << down) - 1;
    while set <= last {
        let (mut wanted, mut free) = ([0; 2], [0; 2]);
        for (place, (vms, room)) in nodes_of.iter().enumerate() {
            let (sum, more) = match set >> place & 1 {
                1 => (&mut wanted, vms),
                _ => (&mut free, room),
            };
            sum[0] += more[0];
            sum[1] += more[1];
        }
        fitting += u64::from(wanted[0] <= free[0] && wanted[1] <= free[1]);
        sets += 1;
        // The next larger number with as many bits.
        let lowest = set & set.wrapping_neg();
        let ripple = set + lowest;
        set = (((ripple ^ set) >> 2) / lowest) | ripple;
    }
    assert_eq!(fitting, sets, "the cluster is to have room");
    sets
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
