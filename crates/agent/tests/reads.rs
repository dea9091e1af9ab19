//! Reads and plans change nothing: every request of the API that a reader may make, on nodes of several kinds, whose
//! store and edge record each change.

#[path = "reads/frozen.rs"]
mod frozen;
#[path = "reads/plans.rs"]
mod plans;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::simulated::served::{self, ADAPTER, INTENT, NODE, Served, VM};
use accelnet_api::Client;
use accelnet_api::client::{Credentials, Remote};
use accelnet_api::routes::{Operation, ROUTES, Route};
use accelnet_api::testing::Authority;
use accelnet_api::types::*;
use accelnet_model::intent::Role;
use accelnet_model::{PciAddress, Performance, Problem};
use accelnet_sim::SimMachine;
use frozen::{Freeze, FrozenEdge, FrozenStore};

/// What is so of a node when it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing is declared.
    Fresh,
    /// An intent, management, and a VM that is accelerated and stopped.
    Declared,
    /// The same, and somebody removed the VFs: there is something to repair.
    Drifted,
    /// The same, and libvirt does not answer.
    WithoutLibvirt,
}

const KINDS: [Kind; 4] = [
    Kind::Fresh,
    Kind::Declared,
    Kind::Drifted,
    Kind::WithoutLibvirt,
];

/// A node of a kind, and what a reader asks it by.
struct Looked {
    reader: Client,
    freeze: Arc<Freeze>,
    machine: SimMachine,
    // Ends before its folder goes.
    served: Served,
    folder: tempfile::TempDir,
}

impl Looked {
    fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let machine = served::small(&folder.path().join("node")).expect("a node");
        let ca = Authority::new("the CA");
        let options = ca.door(folder.path()).expect("files");
        let freeze = Arc::new(Freeze::default());
        let edge = FrozenEdge::new(machine.clone(), freeze.clone()).in_real_time();
        let store = FrozenStore {
            store: served::store().expect("a store"),
            freeze: freeze.clone(),
        };
        let served = Served::start(
            folder.path(),
            Box::new(edge),
            Arc::new(store),
            Some(&options),
        );
        let served = served.expect("an agent");
        if kind != Kind::Fresh {
            served.declare().expect("a VM");
        }
        match kind {
            Kind::Fresh | Kind::Declared => {}
            Kind::Drifted => machine.kernel.echo_numvfs(pf(), 0).expect("no VFs"),
            Kind::WithoutLibvirt => machine.vms.set_away(true),
        }
        let certified = ca.client("reader", Some("accelnet-reader"));
        let (cert, key) = certified.write(folder.path(), "reader").expect("files");
        ca.write(&folder.path().join("ca.pem")).expect("a file");
        let address = served.address().expect("an address");
        let credentials = Credentials {
            ca: folder.path().join("ca.pem"),
            cert,
            key,
        };
        let remote = Remote::new(&format!("localhost:{}", address.port()), &credentials);
        let looked = Looked {
            reader: Client::remote(remote.expect("a client")),
            freeze,
            machine,
            served,
            folder,
        };
        looked.await_rest();
        looked
    }

    /// Waits until the agent has done what it does by itself after a start and a change.
    fn await_rest(&self) {
        loop {
            let before = self.freeze.commits();
            let second = Duration::from_secs(1);
            let waited = self.reader.events(u64::MAX >> 1, 1, second);
            waited.expect("an answer");
            self.served.root().prereq(None).expect("an answer");
            if self.freeze.commits() == before {
                return;
            }
        }
    }

    /// Asks by the socket for what clients have no call for.
    fn get(&self, path: &str) -> Result<(), Problem> {
        let mut stream = UnixStream::connect(self.served.socket()).expect("connected");
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        Ok(())
    }

    /// All files of the node, by path.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        files(&self.folder.path().join("node"))
    }
}

/// All files below a folder, by path.
fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    files
}

fn collect(folder: &std::path::Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a type");
        let path = entry.path();
        if kind.is_dir() {
            collect(&path, files);
        } else if kind.is_file() {
            let content = std::fs::read(&path).expect("a file");
            files.push((path.display().to_string(), content));
        }
    }
}

fn pf() -> PciAddress {
    "0000:01:00.0".parse().expect("an address")
}

/// Asks for it in every way that a reader may. Whether the node refuses is its affair.
fn ask(looked: &Looked, route: &Route) -> Vec<Result<(), Problem>> {
    let reader = &looked.reader;
    let vm = |change: VmChange| reader.vms_change(&change).map(drop);
    let names = || vec![VM.to_owned(), "nobody".to_owned()];
    match route.operation {
        Operation::Version => vec![reader.version().map(drop)],
        Operation::Openapi | Operation::IntentStatus => vec![looked.get(route.path)],
        Operation::Status => vec![reader.status().map(drop)],
        Operation::Capacity => vec![reader.capacity().map(drop)],
        Operation::Node => vec![reader.node().map(drop)],
        Operation::Prereq => vec![
            reader.prereq(None).map(drop),
            reader.prereq(Some(INTENT)).map(drop),
            reader.prereq(Some("nobody")).map(drop),
        ],
        Operation::Plan => vec![reader.plan().map(drop)],
        Operation::Events => vec![
            reader.events(0, 1000, Duration::ZERO).map(drop),
            reader
                .events(u64::MAX >> 1, 1, Duration::from_secs(1))
                .map(drop),
        ],
        Operation::Management => vec![reader.management().map(drop)],
        Operation::Enable => vec![
            reader
                .enable(&Enable {
                    intent: INTENT.to_owned(),
                    node_reserve_percentage: Some(30),
                    dry_run: true,
                    ..Enable::default()
                })
                .map(drop),
        ],
        Operation::Set => vec![
            reader
                .set(&Set {
                    node_reserve_percentage: Some(20),
                    dry_run: true,
                    ..Set::default()
                })
                .map(drop),
        ],
        Operation::Disable => vec![reader.disable(true).map(drop)],
        Operation::Intents => vec![reader.intents().map(drop)],
        Operation::Intent => vec![reader.intent(INTENT).map(drop)],
        Operation::IntentAdd => ["lan", "other"]
            .map(|name| {
                let intent = IntentAdd {
                    name: name.to_owned(),
                    roles: vec![Role::Compute],
                    adapters: vec![ADAPTER.to_owned()],
                    vfs: Some(3),
                    trust: None,
                    spoof_check: None,
                    dry_run: true,
                };
                reader.intent_add(&intent).map(drop)
            })
            .into(),
        Operation::IntentSet => [false, true]
            .map(|disruptive| {
                let set = IntentSet {
                    vfs: Some(2),
                    disruptive,
                    dry_run: true,
                    ..IntentSet::default()
                };
                reader.intent_set(INTENT, &set).map(drop)
            })
            .into(),
        Operation::IntentRemove => vec![reader.intent_remove(INTENT, true).map(drop)],
        Operation::Vms => vec![reader.vms().map(drop)],
        Operation::Vm => vec![reader.vm(VM).map(drop)],
        Operation::VmEnable => vec![vm(VmChange::Enable(VmEnable {
            names: names(),
            performance: Performance::Low,
            now: true,
            add_nic: true,
            dry_run: true,
            mac: None,
            trust: None,
            spoof_check: None,
        }))],
        Operation::VmSet => vec![vm(VmChange::Set(VmSet {
            names: names(),
            performance: Some(Performance::Medium),
            now: true,
            dry_run: true,
            trust: None,
            spoof_check: None,
        }))],
        Operation::VmDisable => vec![vm(VmChange::Disable(VmDisable {
            names: names(),
            dry_run: true,
        }))],
        Operation::Adapters => vec![reader.adapters(None).map(drop)],
        Operation::AdaptersChange => [None, Some(2), Some(0)]
            .map(|vfs| {
                let change = AdaptersChange {
                    names: vec![ADAPTER.to_owned()],
                    vfs,
                    timeout_seconds: None,
                    dry_run: true,
                };
                reader.adapters_change(&change).map(drop)
            })
            .into(),
        Operation::Nodes => vec![reader.nodes().map(drop)],
        Operation::NodeReport => [NODE, "nobody"]
            .map(|node| reader.node_report(node).map(drop))
            .into(),
        Operation::NodeDrain => [false, true]
            .map(|undrain| {
                let drain = NodeDrain {
                    node: NODE.parse().expect("a name"),
                    undrain,
                    dry_run: true,
                };
                reader.node_drain(&drain).map(drop)
            })
            .into(),
    }
}

#[test]
fn no_request_of_a_reader_changes_anything() {
    for kind in KINDS {
        let looked = Looked::new(kind);
        let files = looked.files();
        drop((
            looked.machine.vms.calls(),
            looked.machine.switches.applied(),
        ));
        looked.freeze.close();
        let mut answered = 0;
        for route in ROUTES {
            for answer in ask(&looked, route) {
                answered += usize::from(answer.is_ok());
                let told = format!("{kind:?}, {:?}: {answer:?}", route.operation);
                // A reader may ask all of it: nothing is refused for the role.
                if let Err(problem) = answer {
                    assert_ne!(problem.code, accelnet_model::Code::NotAllowed, "{told}");
                }
                assert_eq!(looked.freeze.broken(), Vec::<String>::new(), "{told}");
            }
        }
        assert!(answered >= 10, "{kind:?}: only {answered} were answered");
        // What was begun is over when this is answered.
        looked.reader.status().expect("an answer");
        assert_eq!(looked.freeze.broken(), Vec::<String>::new(), "{kind:?}");
        assert_eq!(looked.files(), files, "{kind:?}");
        let changes = (
            looked.machine.vms.calls(),
            looked.machine.switches.applied(),
        );
        assert_eq!(changes, (Vec::new(), Vec::new()), "{kind:?}");
    }
}

#[test]
fn a_freeze_records_changes() {
    let looked = Looked::new(Kind::Declared);
    let change = |vfs| {
        let set = IntentSet {
            vfs: Some(vfs),
            disruptive: true,
            ..IntentSet::default()
        };
        looked.served.root().intent_set(INTENT, &set)
    };
    looked.freeze.close();
    assert!(change(2).is_err());
    let broken = looked.freeze.broken();
    assert!(broken.contains(&"commit".to_owned()), "{broken:?}");
    looked.freeze.open();
    looked.freeze.close_edge();
    change(3).expect("changed");
    let broken = looked.freeze.broken();
    let is_write = |what: &String| what.starts_with("write ") && what.ends_with("sriov_numvfs");
    assert!(broken.iter().any(is_write), "{broken:?}");
}
