//! Agents at work on a real etcd, and what becomes of them when it is paused, killed, compacted,
//! cut off from one of them, or full.

use std::sync::Arc;

use accelnet_agent::cluster::Linked;
use accelnet_agent::run::{Place, Running, start};
use accelnet_agent::simulated::Simulated;
use accelnet_api::types::{EventKind, IntentSet, Status};
use accelnet_api::{Client, Server};
use accelnet_host::SystemClock;
use accelnet_model::intent::IntentState;
use accelnet_model::{Code, Problem};
use accelnet_store::testing::{EtcdServer, Proxy, until};
use accelnet_store::{Store, StoreError, Txn};
use tempfile::TempDir;

use crate::fixture::{INTENT, Machine, enable, intent_add, only, policy, vm_disable, vm_enable};

pub const PREFIX: &str = "cluster";

/// A node whose agent is asked over its socket, and has its own wire to etcd.
pub struct Node {
    pub machine: Machine,
    pub wire: Proxy,
    pub client: Client,
    running: Option<Running>,
    folder: TempDir,
}

impl Node {
    pub fn start(number: u8, server: &EtcdServer) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut node = Node {
            machine: Machine::boot(number),
            wire: Proxy::to(server.port()),
            client: Client::new(folder.path().join("socket")),
            running: None,
            folder,
        };
        node.start_agent();
        node
    }

    pub fn start_agent(&mut self) {
        self.stop_agent();
        let server = Server::bind(&self.folder.path().join("socket")).expect("a socket");
        let edge = Simulated::new(self.machine.sim.clone()).in_real_time();
        let file = self.folder.path().join("last-read");
        let store = Linked::new(
            Arc::new(self.wire.store(PREFIX)),
            &self.machine.name,
            Some(file),
            Arc::new(SystemClock),
        );
        let place = Place::linked(store);
        let name = &self.machine.name;
        let running = start(
            Box::new(edge),
            place,
            name.parse().expect("a name"),
            server,
            false,
        );
        self.running = Some(running.expect("an agent"));
    }

    pub fn stop_agent(&mut self) {
        if let Some(running) = self.running.take() {
            running.stopper().stop();
            running.wait();
        }
    }

    pub fn status(&self) -> Status {
        self.client.status().expect("a status")
    }

    pub fn is_cut_off(&self) -> bool {
        self.status().agent.cut_off_since.is_some()
    }

    pub fn vfs_in_use(&self) -> usize {
        self.machine.sim.vms.vfs_in_use().len()
    }

    pub fn vfs(&self) -> usize {
        let kernel = &self.machine.sim.kernel;
        let (_, vfs) = kernel.node().vfs_of("ens1").expect("a PF");
        vfs.len()
    }

    pub fn enables(&self, vm: u8) -> Result<(), Problem> {
        let result = only(self.client.vms_change(&vm_enable(&self.machine.vm(vm))))?;
        match result.problem {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }

    pub fn disables(&self, vm: u8) -> Result<(), Problem> {
        let result = only(self.client.vms_change(&vm_disable(&self.machine.vm(vm))))?;
        match result.problem {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }

    /// Where its agent keeps what it read last.
    pub fn last_read(&self) -> std::path::PathBuf {
        self.folder.path().join("last-read")
    }

    /// The highest revision that its agent would know after a start.
    pub fn knows(&self) -> u64 {
        let text = std::fs::read(self.folder.path().join("last-read.revision"));
        let text = text.unwrap_or_default();
        let known: Option<serde_json::Value> = serde_json::from_slice(&text).ok();
        known.map_or(0, |known| known["revision"].as_u64().expect("a number"))
    }

    pub fn was_recorded(&self, kind: EventKind, words: &str) -> bool {
        let events = self.client.events(0, 1000, std::time::Duration::ZERO);
        let events = events.expect("events").events;
        events
            .iter()
            .any(|event| event.kind == kind && event.message.contains(words))
    }
}

/// Two nodes on which management is enabled, the first with a VM that runs on its VF.
pub fn pair(server: &EtcdServer) -> [Node; 2] {
    let nodes = [Node::start(1, server), Node::start(2, server)];
    let [one, other] = &nodes;
    one.client.intent_add(&intent_add(2)).expect("declared");
    let done = |node: &Node| {
        let view = node.client.intent(INTENT).expect("an intent");
        let done = view.status.iter();
        let done = done.filter(|status| status.state == IntentState::Completed);
        done.count() == 2
    };
    assert!(until(|| done(one)), "{:?}", one.client.intent(INTENT));
    one.client.enable(&enable(0)).expect("enabled");
    for node in [one, other] {
        node.machine.define(1);
        node.machine.define(2);
    }
    one.enables(1).expect("accelerated");
    let vms = &one.machine.sim.vms;
    vms.virsh_start(&one.machine.vm(1)).expect("started");
    assert_eq!(one.vfs_in_use(), 1);
    nodes
}

fn code(result: Result<(), Problem>) -> Code {
    result.expect_err("refused").code
}

/// A node that is cut off keeps what it has, says so, and refuses changes.
fn keeps_what_it_has(one: &Node) {
    assert!(until(|| one.is_cut_off()));
    let status = one.status();
    assert!(status.enabled, "what was read last is shown");
    let accelerated: u32 = status.accelerated_vms.iter().map(|(_, vms)| vms).sum();
    assert_eq!(accelerated, 1);
    let reported = |fault: &accelnet_api::types::Fault| fault.code == Code::NodeCutOff;
    assert!(status.faults.iter().any(reported), "{:?}", status.faults);
    assert_eq!(code(one.enables(2)), Code::NodeCutOff);
    assert_eq!(code(one.disables(1)), Code::NodeCutOff);
    assert_eq!((one.vfs(), one.vfs_in_use()), (2, 1));
}

#[test]
fn paused() {
    let server = EtcdServer::start();
    let nodes = pair(&server);
    server.pause();
    keeps_what_it_has(&nodes[0]);
    assert!(until(|| nodes[1].is_cut_off()));
    server.resume();
    for node in &nodes {
        assert!(until(|| !node.is_cut_off()));
        node.enables(2).expect("accelerated");
    }
    assert!(nodes[0].was_recorded(EventKind::Noticed, "The store answers again"));
    let store: Arc<dyn Store> = Arc::new(server.store(PREFIX));
    assert_eq!(policy(&store).vms.len(), 3);
}

#[test]
fn killed_and_started_again() {
    let mut server = EtcdServer::start();
    let nodes = pair(&server);
    let store: Arc<dyn Store> = Arc::new(server.store(PREFIX));
    let before = policy(&store).vms;
    server.kill();
    keeps_what_it_has(&nodes[0]);
    server.start_again();
    assert!(until(|| !nodes[0].is_cut_off()));
    assert_eq!(policy(&store).vms, before);
    nodes[0].enables(2).expect("accelerated");
}

/// Whoever was away while others changed the intent, and the history was compacted, brings its
/// node to it.
#[test]
fn cut_off_from_one_and_compacted() {
    let server = EtcdServer::start();
    let [one, other] = pair(&server);
    other.wire.cut();
    assert!(until(|| other.is_cut_off()));
    assert_eq!(code(other.enables(1)), Code::NodeCutOff);
    let request = IntentSet {
        vfs: Some(4),
        disruptive: true,
        ..IntentSet::default()
    };
    one.client.intent_set(INTENT, &request).expect("set");
    one.enables(2).expect("accelerated");
    let store = server.store(PREFIX);
    let revision = store.range("").expect("read").revision;
    store.compact(revision).expect("compacted");
    assert_eq!(other.vfs(), 2, "it cannot know yet");
    other.wire.repair();
    assert!(until(|| other.vfs() == 4), "{:?}", other.status());
    assert!(until(|| !other.is_cut_off()));
    other.enables(1).expect("accelerated");
}

/// An agent that starts while it is cut off goes by what was read last.
#[test]
fn started_while_cut_off() {
    let server = EtcdServer::start();
    let [mut one, _other] = pair(&server);
    one.stop_agent();
    one.wire.cut();
    one.machine.sim.power_cycle().expect("power");
    assert_eq!(one.vfs(), 0);
    one.start_agent();
    assert!(until(|| one.vfs() == 2), "{:?}", one.status());
    assert!(one.is_cut_off());
    assert_eq!(code(one.enables(2)), Code::NodeCutOff);
    one.wire.repair();
    assert!(until(|| !one.is_cut_off()));
}

#[test]
fn full() {
    let server = EtcdServer::start_with(&["--quota-backend-bytes", "16777216"]);
    let [one, _other] = pair(&server);
    let junk = server.store("junk");
    let full = (0..2000).find_map(|number| {
        let txn = Txn::new().put(format!("fill/{number}"), vec![7; 500_000]);
        junk.commit(&txn).err()
    });
    assert!(matches!(full, Some(StoreError::NoSpace { .. })), "{full:?}");
    let problem = one.enables(2).expect_err("refused");
    assert_eq!(problem.code, Code::StoreFailed);
    assert!(problem.found.contains("space is used up"), "{problem:?}");
    assert!(!one.is_cut_off(), "it can be read");
    assert_eq!((one.vfs(), one.vfs_in_use()), (2, 1));
    server.etcdctl(&["del", "--prefix", "/junk/"]);
    let revision = junk.range("").expect("read").revision;
    junk.compact(revision).expect("compacted");
    server.etcdctl(&["defrag"]);
    server.etcdctl(&["alarm", "disarm"]);
    assert!(until(|| one.enables(2).is_ok()));
    let store: Arc<dyn Store> = Arc::new(server.store(PREFIX));
    assert_eq!(policy(&store).vms.len(), 2);
}
