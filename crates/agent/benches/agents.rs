//! Many agents in one process on one real etcd: how long they take to join, how soon all act on a
//! changed setting, and what they cost while nothing happens. As many as the first argument that is a
//! number says. Their nodes are simulated; agents, store and traffic are real. Prints lines
//! `NAME VALUE`.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use accelnet_agent::cluster::Linked;
use accelnet_agent::cluster::nodes::Nodes;
use accelnet_agent::policy::PolicyStore;
use accelnet_agent::run::{Place, Running, start};
use accelnet_agent::simulated::Simulated;
use accelnet_api::types::{Enable, IntentAdd, IntentSet, Set};
use accelnet_api::{Client, Server};
use accelnet_host::SystemClock;
use accelnet_model::PciAddress;
use accelnet_model::intent::Role;
use accelnet_model::performance::PerformanceSettings;
use accelnet_sim::{AdapterSpec, Port, SimMachine, Tree};
use accelnet_store::testing::{EtcdServer, wait};
use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

const INTENT: &str = "lan";
/// Each of these numbers of VFs in turn.
const CHANGES: [u32; 3] = [3, 4, 5];
/// Each of these rate limits of the setting Low in turn.
const WEIGHTS: [u32; 3] = [20, 30, 40];
/// Between changes, and before traffic is counted.
const REST: Duration = Duration::from_secs(15);
/// How long traffic is counted.
const IDLE: Duration = Duration::from_secs(60);
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at all nodes that have not acted yet: looking costs CPU that agents need.
const INTERVAL: Duration = Duration::from_millis(100);
/// Between two questions who has joined: each reads all of them.
const ASK: Duration = Duration::from_millis(500);

/// Of a second, as the kernel tells CPU time (`USER_HZ` on x86-64 and AArch64).
const TICKS: f64 = 100.0;

struct Node {
    name: String,
    machine: SimMachine,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark is called with words and measures time"
)]
fn main() {
    let agents = std::env::args().find_map(|word| word.parse().ok());
    let agents: u16 = agents.unwrap_or(1000);
    let files = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: files.maximum,
        ..files
    };
    setrlimit(Resource::Nofile, most).expect("as many files as allowed");
    let folder = tempfile::tempdir().expect("a folder");
    let nodes: Vec<Node> = (1..=agents).map(|n| node(n, folder.path())).collect();
    let server = EtcdServer::start();
    report("memory of the nodes", mebibytes("VmRSS:"), "MiB");

    let begun = Instant::now();
    let running: Vec<Running> = thread::scope(|scope| {
        let starts = nodes.iter().map(|node| {
            let (server, folder) = (&server, folder.path());
            scope.spawn(move || begin(node, server, folder))
        });
        let starts: Vec<_> = starts.collect();
        let started = starts.into_iter().map(|start| start.join());
        started.map(|start| start.expect("an agent")).collect()
    });
    // Of so many threads the one that measures must not wait for its turn. Without the right to this
    // the times are too long.
    let _ = setpriority_process(None, -20);
    let known = Nodes::new(Arc::new(server.store("cluster")), "nobody");
    let all_up = || {
        // While all of them join, etcd may keep one waiting for too long.
        let up = known.all().map(|nodes| {
            let up = nodes.iter().filter(|node| !node.is_down());
            up.count()
        });
        up.is_ok_and(|up| up == usize::from(agents))
    };
    while !all_up() {
        assert!(begun.elapsed() < PATIENCE, "not all agents joined");
        wait(ASK);
    }
    report("joined", begun.elapsed().as_secs_f64(), "s");

    // The last of what joining set off.
    wait(REST);
    let client = Client::new(folder.path().join("node1.sock"));
    let add = IntentAdd {
        name: INTENT.to_owned(),
        roles: vec![Role::Compute],
        adapters: vec!["ens1".to_owned()],
        vfs: Some(2),
        dry_run: false,
        trust: None,
        spoof_check: None,
    };
    let begun = Instant::now();
    client.intent_add(&add).expect("an intent");
    acted("declared", &nodes, 2, begun);
    for vfs in CHANGES {
        wait(REST);
        let set = IntentSet {
            roles: None,
            adapters: None,
            vfs: Some(vfs),
            disruptive: false,
            dry_run: false,
            trust: None,
            spoof_check: None,
        };
        let begun = Instant::now();
        client.intent_set(INTENT, &set).expect("a change");
        acted("changed", &nodes, vfs, begun);
    }

    wait(REST);
    let enable = Enable {
        intent: INTENT.to_owned(),
        ..Enable::default()
    };
    client.enable(&enable).expect("enabled");
    let policy = PolicyStore::new(Arc::new(server.store("cluster")), "nobody");
    for weight in WEIGHTS {
        wait(REST);
        let mut figures = PerformanceSettings::default();
        figures.low.rate_limit_percent = weight;
        let set = Set {
            performance: Some(figures),
            ..Set::default()
        };
        let begun = Instant::now();
        client.set(&set).expect("a change");
        let revision = policy.read().expect("policy").revision;
        in_time("setting", &running, begun, |agent| {
            agent.applied_revision() >= revision
        });
    }

    wait(REST);
    let etcd = server.pid().expect("etcd runs").to_string();
    let costs = || [sent(), cpu("self"), cpu(&etcd)];
    let (before, begun) = (costs(), Instant::now());
    wait(IDLE);
    let (after, seconds) = (costs(), begun.elapsed().as_secs_f64());
    let [sent, ours, etcds] = [0, 1, 2].map(|n| (after[n] - before[n]) / seconds);
    report("idle traffic of each", sent / f64::from(agents), "B/s");
    report("idle CPU of each", ours / f64::from(agents) * 1e6, "us/s");
    report("idle CPU of etcd", etcds * 100.0, "%");
    report("memory", mebibytes("VmRSS:"), "MiB");
    report("threads", status("Threads:"), "");
    for agent in running {
        agent.stopper().stop();
        drop(agent);
    }
    drop(server);
    drop(folder);
    // Not one by one: each would wait for its threads.
    std::process::exit(0);
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn report(what: &str, value: f64, unit: &str) {
    println!("{what}: {value:.3} {unit}");
}

/// A machine with one adapter, whose address no other has.
fn node(number: u16, folder: &Path) -> Node {
    let at = |bus, device| PciAddress {
        domain: number.into(),
        bus,
        device,
        function: 0,
    };
    let name = format!("node{number}");
    let adapter = AdapterSpec::igb(at(1, 0), "ens1");
    let tree = Tree::new()
        .platform(|platform| platform.host_name.clone_from(&name))
        .port(Port::root(at(0, 1), 1, 2).adapter(adapter));
    let machine = SimMachine::boot(tree, &folder.join(&name)).expect("a node");
    Node { name, machine }
}

fn begin(node: &Node, server: &EtcdServer, folder: &Path) -> Running {
    let socket = folder.join(format!("{}.sock", node.name));
    let door = Server::bind(&socket).expect("a socket");
    let store = Linked::new(
        Arc::new(server.store("cluster")),
        &node.name,
        Some(folder.join(format!("{}.last-read", node.name))),
        Arc::new(SystemClock),
    );
    let edge = Simulated::new(node.machine.clone()).in_real_time();
    let place = Place::linked(store);
    start(
        Box::new(edge),
        place,
        node.name.parse().expect("a name"),
        door,
        false,
    )
    .expect("an agent")
}

/// Waits until every adapter has so many VFs, and tells how long that took.
fn acted(what: &str, nodes: &[Node], vfs: u32, begun: Instant) {
    in_time(what, nodes, begun, |node| {
        let root = node.machine.kernel.root();
        let found = fs::read_to_string(root.locate("/sys/class/net/ens1/device/sriov_numvfs"));
        found.is_ok_and(|found| found.trim() == vfs.to_string())
    });
}

/// Waits until `is_done` of all, and tells how long that took.
fn in_time<T>(what: &str, all: &[T], begun: Instant, is_done: impl Fn(&T) -> bool) {
    let mut left: Vec<&T> = all.iter().collect();
    let mut times = Vec::with_capacity(all.len());
    while !left.is_empty() {
        left.retain(|one| {
            let done = is_done(one);
            if done {
                times.push(begun.elapsed());
            }
            !done
        });
        assert!(
            begun.elapsed() < PATIENCE,
            "{what}: {} of {} have not acted",
            left.len(),
            all.len()
        );
        wait(INTERVAL);
    }
    for (name, share) in [("median", 50), ("p99", 99), ("last", 100)] {
        let place = (times.len() * share).div_ceil(100).saturating_sub(1);
        let time = times[place].as_secs_f64();
        report(&format!("{what}, {name}"), time, "s");
    }
}

/// Bytes sent over the loopback since boot.
fn sent() -> f64 {
    let file = "/sys/class/net/lo/statistics/tx_bytes";
    let bytes = fs::read_to_string(file).expect("the loopback's counters");
    bytes.trim().parse().expect("a number")
}

/// CPU time of a process, in seconds (`proc_pid_stat(5)`: `utime` and `stime`).
fn cpu(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("a process");
    let (_, rest) = stat.rsplit_once(") ").expect("its name ends");
    let ticks = rest.split(' ').skip(11).take(2);
    let ticks = ticks.filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS
}

fn mebibytes(line: &str) -> f64 {
    status(line) / 1024.0
}

/// A number of `/proc/self/status`.
fn status(line: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").expect("/proc is there");
    let found = text.lines().find_map(|one| one.strip_prefix(line));
    let number = found.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|n| n.parse().ok()).expect("a number")
}
