//! What an agent of a real node does otherwise than one of a simulated node: when its mind panics, its process
//! ends at once, and it changes no single adapters.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::Edge;
use accelnet_agent::journal::Journal;
use accelnet_agent::run::{Place, Running, start};
use accelnet_agent::simulated::DirectAgent;
use accelnet_agent::simulated::Simulated;
use accelnet_api::Server;
use accelnet_api::types::{AdaptersChange, EventKind};
use accelnet_host::switch::Switches;
use accelnet_host::switch::guard::Guard;
use accelnet_host::{Host, Links, Vms};
use accelnet_model::Code;
use accelnet_sim::{SimMachine, Tree};
use accelnet_store::{Embedded, History, Store};

/// A node whose VMs make the mind panic, for its first look at them.
struct Panicking(Simulated);

impl Edge for Panicking {
    fn host(&self) -> Host<'_> {
        self.0.host()
    }

    fn vms(&self) -> &dyn Vms {
        match std::thread::current().name() {
            Some("engine") => panic!("a VM with\na name"),
            _ => self.0.vms(),
        }
    }

    fn switches(&self) -> &dyn Switches {
        self.0.switches()
    }

    fn responder_links(&self) -> Arc<dyn Links + Send + Sync> {
        self.0.responder_links()
    }

    fn guard(&self) -> &dyn Guard {
        self.0.guard()
    }

    fn hook_configs(&self) -> &Path {
        self.0.hook_configs()
    }

    fn is_simulated(&self) -> bool {
        self.0.is_simulated()
    }
}

fn begin(folder: &Path, simulated: bool) -> Running {
    let machine = SimMachine::boot(Tree::new(), &folder.join("node")).expect("a node");
    let store = Embedded::in_memory(History::default(), || Duration::ZERO).expect("a store");
    let server = Server::bind(&folder.join("agent.sock")).expect("a socket");
    let edge = Simulated::new(machine).in_real_time();
    let edge = match simulated {
        true => edge,
        false => edge.taken_for_real(),
    };
    start(
        Box::new(Panicking(edge)),
        Place::own(Arc::new(store)),
        "node1".parse().expect("a name"),
        server,
        false,
    )
    .expect("an agent")
}

#[test]
#[ignore = "it is the process of the test below"]
fn an_agent_of_a_real_node_in_this_folder() {
    begin(Path::new("."), false).wait();
}

#[test]
fn the_process_ends_by_a_signal_and_leaves_its_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let agent = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "an_agent_of_a_real_node_in_this_folder"])
        .args(["--ignored", "--nocapture"])
        .current_dir(folder.path())
        .output()
        .expect("run");
    let said = String::from_utf8_lossy(&agent.stderr);
    assert_eq!(agent.status.signal(), Some(6), "{:?} {said}", agent.status);
    let line = "Thread engine panicked: the agent ends now; systemd starts it again.";
    assert!(said.lines().any(|said| said == line), "{said}");
    drop(Server::bind(&folder.path().join("agent.sock")).expect("the next agent has it"));
}

#[test]
fn one_agent_of_several_in_a_process_closes_its_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    begin(folder.path(), true).wait();
    drop(Server::bind(&folder.path().join("agent.sock")).expect("the next agent has it"));
}

#[test]
fn an_agent_of_a_real_node_changes_no_single_adapters() {
    let folder = tempfile::tempdir().expect("a folder");
    let machine = SimMachine::boot(Tree::new(), folder.path()).expect("a node");
    let store = Embedded::in_memory(History::default(), || Duration::ZERO).expect("a store");
    let store: Arc<dyn Store> = Arc::new(store);
    let edge = Simulated::new(machine).taken_for_real();
    let mut agent = DirectAgent::new(Box::new(edge), store.clone(), "node1");
    for dry_run in [true, false] {
        let change = AdaptersChange {
            dry_run,
            ..AdaptersChange::default()
        };
        let refused = agent.change_adapters("root", &change).expect_err("refused");
        assert_eq!(refused.code, Code::BadRequest);
        assert!(refused.found.contains("does not change single adapters"));
    }
    let events = Journal::new(store, "node1")
        .since(None, 0, 10)
        .expect("events");
    assert_eq!(events.len(), 1, "a dry run leaves none: {events:#?}");
    assert_eq!(events[0].kind, EventKind::Refused);
}
