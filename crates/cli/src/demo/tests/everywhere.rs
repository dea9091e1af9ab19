//! Every list and show, and every change of a VM, asked of a node that does not have the VM: as it is, with the
//! node of the VM cut off, and with that node down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use accelnet_agent::cluster::Linked;
use accelnet_agent::run::Place;
use accelnet_host::SystemClock;
use accelnet_model::Code;
use accelnet_store::testing::until;

use super::wire::Wire;
use crate::demo::cluster::Cluster;
use crate::demo::line::{Shown, types};

/// The node that is asked; the VMs are on node1.
const ASKED: u8 = 3;
const LAST: &str = "(last report)";
const NOTE: &str = "note: the last report of node1 is of";

/// A command, what it shows of node1, and what it shows besides while node1 is down or cut off.
const SHOWS: [(&str, &str, &str); 22] = [
    ("vm list", "web01", LAST),
    ("vm list --node node1", "web01", LAST),
    ("vm list --name web01", "node1", LAST),
    ("vm show web01", "node1", NOTE),
    ("vm show web01 --node node1", "node1", NOTE),
    ("vm nics web01", "52:54:00:de:30:06", NOTE),
    ("vm nics web01 --node node1", "52:54:00:de:30:06", NOTE),
    ("adapter list", "node1", LAST),
    ("adapter list --node node1", "ens1", LAST),
    ("adapter show ens1 --node node1", "ens1", NOTE),
    ("node list", "node1", "down"),
    ("node show node1", "web01", NOTE),
    ("intent status", "node1", LAST),
    ("intent status --node node1", "completed", LAST),
    ("intent show MyIntent", "node1", ""),
    ("capacity", "node1", ""),
    ("status", "MyIntent", "node1"),
    ("faults --node node1", "", "node1"),
    ("health", "", ""),
    ("health --node node1", "", ""),
    ("log --node node1 --limit 5", "node1", ""),
    ("plan", "", ""),
];

/// Changes of a VM that is on node1, in an order in which each has something to do.
const CHANGES: [&str; 6] = [
    "vm enable web01 --performance low --dry-run",
    "vm enable web01 --performance low",
    "vm set web01 --performance medium --dry-run",
    "vm set web01 --performance medium",
    "vm disable web01 --dry-run",
    "vm disable web01",
];

struct Bench {
    cluster: Cluster,
    /// Cuts the way of node1 to the store.
    cut: Arc<AtomicBool>,
}

impl Bench {
    fn new() -> Self {
        let cut = Arc::<AtomicBool>::default();
        let cluster = Cluster::start_on(|name, store| {
            let cut = match name {
                "node1" => cut.clone(),
                _ => Arc::default(),
            };
            let wire = Arc::new(Wire::to(store, cut));
            Place::linked(Linked::new(wire, name, None, Arc::new(SystemClock)))
        });
        let cluster = cluster.expect("a cluster");
        cluster.prepare().expect("an intent on four nodes");
        let bench = Bench { cluster, cut };
        let enabled = bench.types(1, "enable --intent MyIntent");
        assert_eq!(enabled.status, 0, "{enabled:?}");
        let listed = || bench.types(ASKED, "vm list").out.contains("web02");
        assert!(until(listed), "node1 has reported its VMs");
        bench
    }

    fn types(&self, node: u8, command: &str) -> Shown {
        let host = self.cluster.node().host(&SystemClock);
        let line = format!("accelnet {command}");
        types(&line, host, &self.cluster.client_of(node), crate::run)
    }

    /// Whether the asked node shows node1 as down.
    fn is_down(&self) -> bool {
        let shown = self.types(ASKED, "node list").out;
        let mut lines = shown.lines();
        lines.any(|line| line.contains("node1") && line.contains("down"))
    }

    /// Every list and show; `gone` while node1 is away.
    #[track_caller]
    fn shows(&self, gone: bool) {
        for (command, words, marked) in SHOWS {
            let shown = self.types(ASKED, command);
            let said = format!("{}{}", shown.out, shown.err);
            assert!(said.contains(words), "{command}: no {words:?} in {said}");
            let marks = [LAST, NOTE].iter().any(|mark| said.contains(mark));
            match gone {
                true => assert!(said.contains(marked), "{command}: no {marked:?} in {said}"),
                false => assert!(!marks && shown.status == 0, "{command}: {shown:?}"),
            }
        }
    }

    /// Every change is refused with that code by `node`, and names node1.
    #[track_caller]
    fn refuses(&self, node: u8, code: Code) {
        for command in CHANGES {
            let shown = self.types(node, command);
            assert_eq!(
                shown.status,
                code.entry().exit_status,
                "{command}: {shown:?}"
            );
            assert!(shown.err.contains(&format!("[{code}]")), "{}", shown.err);
            assert_eq!(shown.err.matches("error:").count(), 1, "{}", shown.err);
        }
    }
}

#[test]
fn the_cluster_is_one_from_a_node_without_vms() {
    let mut bench = Bench::new();
    bench.shows(false);
    for command in CHANGES {
        let shown = bench.types(ASKED, command);
        assert_eq!(shown.status, 0, "{command}: {shown:?}");
    }
    // Nothing of that was node3's: node1 recorded it, with the way that it came.
    let log = bench.types(ASKED, "log --node node1 --output json").out;
    assert!(log.contains("\"node\": \"node3\""), "{log}");

    bench.cut.store(true, Ordering::Release);
    assert!(until(|| bench.is_down()), "its lease ends");
    bench.shows(true);
    bench.refuses(ASKED, Code::NodeDown);
    // The node that is cut off shows what it has, and changes nothing.
    let own = bench.types(1, "vm list");
    assert!(own.out.contains("web01"), "{own:?}");
    bench.refuses(1, Code::NodeCutOff);

    bench.cut.store(false, Ordering::Release);
    assert!(until(|| !bench.is_down()), "it sends heartbeats again");
    let fresh = || !bench.types(ASKED, "vm list").out.contains(LAST);
    assert!(until(fresh));
    let enabled = || bench.types(ASKED, CHANGES[1]).status == 0;
    assert!(until(enabled), "changes go there again");

    bench.cluster.stop(1);
    assert!(until(|| bench.is_down()));
    bench.shows(true);
    bench.refuses(ASKED, Code::NodeDown);
}
