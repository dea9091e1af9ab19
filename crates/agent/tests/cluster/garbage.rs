//! Garbage in each kind of key of a real etcd, and hostile ids, while VMs run: nothing is torn down, each is named
//! by a fault and shown by `store check`, `--repair` sets it aside, and all is well afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::check::{KEYS, KindOfKey, Repaired, check, damaged, judge, repair};
use accelnet_agent::cluster::backup::Backup;
use accelnet_agent::unread::shown;
use accelnet_host::Vms;
use accelnet_model::{Code, outside};
use accelnet_store::testing::{EtcdServer, until};
use accelnet_store::{Entry, Store, Txn};

use crate::etcd::{Node, PREFIX, pair};
use crate::fixture::INTENT;

const AT: &str = "2026-05-01T12:00:00Z";

/// Two nodes on an etcd, the first with a VM that runs on its VF.
struct Cluster {
    nodes: [Node; 2],
    store: Arc<dyn Store>,
    _server: EtcdServer,
}

impl Cluster {
    fn new() -> Self {
        let server = EtcdServer::start();
        let nodes = pair(&server);
        let store: Arc<dyn Store> = Arc::new(server.store(PREFIX));
        let cluster = Cluster {
            nodes,
            store,
            _server: server,
        };
        // Whatever an agent writes is of a kind that the table of all kinds has.
        for entry in cluster.entries() {
            assert!(KindOfKey::of(&entry.key).is_some(), "{}", entry.key);
            assert_eq!(judge(&entry), None);
        }
        cluster
    }

    fn entries(&self) -> Vec<Entry> {
        self.store.range("").expect("a store").entries
    }

    /// The first key of each kind that is in use.
    fn in_use(&self) -> BTreeMap<&'static str, Entry> {
        let mut first = BTreeMap::new();
        for entry in self.entries() {
            if let Some(kind) = KindOfKey::of(&entry.key) {
                first.entry(kind.keys).or_insert(entry);
            }
        }
        assert!(first.len() >= 10, "{:?}", first.keys());
        first
    }

    /// Puts values, has everybody look, and puts all right again.
    fn suffers(&self, puts: &[(String, Vec<u8>)]) {
        let before = self.entries();
        self.put(puts);
        assert!(self.garbage().len() >= 3, "{:?}", self.garbage());
        assert!(
            until(|| self.garbage().is_subset(&self.named())),
            "not named: {:?}",
            self.garbage().difference(&self.named())
        );
        self.stays();
        self.nodes[0].enables(2).expect("agents that run go on");
        self.nodes[0].disables(2).expect("agents that run go on");
        let shown = check(&*self.store).expect("a store").unreadable;
        let shown: BTreeSet<String> = shown.into_iter().map(|one| one.key).collect();
        assert!(self.garbage().is_subset(&shown), "{shown:?}");
        self.repairs(&before);
        assert!(until(|| self.garbage().is_empty()), "{:?}", self.garbage());
        assert!(until(|| self.named().is_empty()), "{:?}", self.named());
        self.stays();
        self.nodes[0].enables(2).expect("all is well");
        self.nodes[0].disables(2).expect("all is well");
    }

    fn put(&self, puts: &[(String, Vec<u8>)]) {
        for (key, value) in puts {
            let txn = Txn::new().put(key.as_str(), value.as_slice());
            let _ = self.store.commit(&txn).expect("put");
        }
    }

    /// Keys whose values cannot be read now.
    fn garbage(&self) -> BTreeSet<String> {
        let entries = self.entries();
        let garbage = entries.iter().filter(|entry| judge(entry).is_some());
        garbage.map(|entry| entry.key.clone()).collect()
    }

    /// Keys that a fault of one of the nodes names.
    fn named(&self) -> BTreeSet<String> {
        let mut named = BTreeSet::new();
        for node in &self.nodes {
            drop(node.client.events(0, 1, Duration::ZERO));
            let faults = node.status().faults.into_iter();
            let faults = faults.filter(|fault| fault.code == Code::StoreValueUnreadable);
            named.extend(faults.map(|fault| fault.subject));
        }
        named
    }

    /// Nothing that runs is taken away.
    fn stays(&self) {
        for (node, vfs_in_use) in self.nodes.iter().zip([1, 0]) {
            assert_eq!((node.vfs(), node.vfs_in_use()), (2, vfs_in_use));
            let networks = node.machine.sim.vms.networks().expect("networks");
            assert_eq!(networks.len(), 2);
            let status = node.status();
            assert!(status.enabled, "{status:?}");
            assert!(!node.is_cut_off(), "{status:?}");
            assert_eq!(
                node.client.intent(INTENT).expect("an intent").intent.name,
                INTENT
            );
        }
    }

    /// As `accelnet store check --repair` on the first node; what a later release wrote is left, and put back
    /// to what it was.
    fn repairs(&self, before: &[Entry]) {
        let aside = damaged(&*self.store, AT).expect("a store");
        let last = std::fs::read(self.nodes[0].last_read()).expect("what was read last");
        let last = Backup::read(&last).expect("a backup");
        let before_plan = self.garbage();
        let planned = repair(&*self.store, &aside, Some(&last), true).expect("planned");
        assert_eq!(self.garbage(), before_plan, "a dry run repairs nothing");
        let repaired = repair(&*self.store, &aside, Some(&last), false).expect("repaired");
        // An agent may write one of its own keys between the two.
        assert_eq!(keys_of(&planned), keys_of(&repaired));
        for key in repaired.remaining {
            let was = before.iter().find(|entry| entry.key == key);
            let txn = match was {
                Some(was) => Txn::new().put(key, was.value.clone()),
                None => Txn::new().delete(key),
            };
            let _ = self.store.commit(&txn).expect("put back");
        }
    }
}

/// All keys that a repair is about.
fn keys_of(repaired: &Repaired) -> BTreeSet<&str> {
    let all = [&repaired.replaced, &repaired.removed, &repaired.remaining];
    all.into_iter().flatten().map(String::as_str).collect()
}

/// The same garbage in a key of each kind: one that is in use, then one beside.
fn everywhere(of: impl Fn(&str, &[u8]) -> Vec<u8>) {
    let cluster = Cluster::new();
    let in_use = cluster.in_use();
    let put = |key: &str, sound: &[u8]| {
        let value = of(key, sound);
        let entry = Entry {
            key: key.to_owned(),
            value: value.clone(),
            create_revision: 1,
            mod_revision: 1,
            version: 1,
            lease: None,
        };
        // Any value is good for whose turn it is, and some values name nothing.
        judge(&entry).map(|_| (entry.key, value))
    };
    let puts = in_use.values();
    let puts: Vec<_> = puts
        .filter_map(|entry| put(&entry.key, &entry.value))
        .collect();
    cluster.suffers(&puts);
    let beside = KEYS.into_iter().filter_map(|kind| {
        // Each node names what is its own.
        let key = match kind.example.starts_with("report") || kind.example.starts_with("nodes/") {
            true => kind.example.replace("s/node9/", "s/node1/"),
            false => kind.example.to_owned(),
        };
        let sound = in_use.get(kind.keys).map(|entry| entry.value.as_slice());
        match in_use.values().any(|entry| entry.key == key) {
            true => None,
            false => put(&key, sound.unwrap_or(b"{}")),
        }
    });
    cluster.suffers(&beside.collect::<Vec<_>>());
}

#[test]
fn nothing_at_all() {
    everywhere(|_, _| Vec::new());
}

#[test]
fn no_json() {
    everywhere(|_, _| b"\x1b[2J garbage".to_vec());
}

#[test]
fn an_array_for_an_object() {
    everywhere(|_, _| br#"{"format":1,"value":[null,null]}"#.to_vec());
}

#[test]
fn a_later_format() {
    everywhere(|_, _| br#"{"format":9,"value":{"of":"a later release"}}"#.to_vec());
}

/// Each value is about another thing than its key says, where it says so.
#[test]
fn another_id() {
    everywhere(|key, value| {
        let id = key.rsplit('/').next().expect("a part");
        let text = String::from_utf8_lossy(value);
        text.replace(id, "../../x").into_bytes()
    });
}

#[test]
fn deep_nesting() {
    everywhere(|_, _| vec![b'['; 100_000]);
}

#[test]
fn a_megabyte() {
    everywhere(|_, _| vec![b'x'; 1_000_000]);
}

#[test]
fn no_text() {
    everywhere(|_, _| b"{\"format\":1,\"value\":\"\xff\xfe\"}".to_vec());
}

/// Sound values at keys whose ids lead elsewhere, end a line, turn text round, or are very long.
#[test]
fn hostile_ids() {
    let cluster = Cluster::new();
    let in_use = cluster.in_use();
    let long = "x".repeat(64 * 1024);
    for id in ["../../x", "a\nFORGED", "\u{202e}\u{1b}[31m", &long] {
        let mut puts = Vec::new();
        for kind in KEYS {
            let Some(above) = kind.keys.strip_suffix('*') else {
                continue;
            };
            // Parts of a report that no report has are read by nobody but their own node.
            let above = match above {
                "report-parts/" => "report-parts/node1/".to_owned(),
                above => above.replace('*', "node1"),
            };
            let value = in_use.get(kind.keys).map(|entry| entry.value.clone());
            puts.push((
                format!("{above}{id}"),
                value.unwrap_or_else(|| b"{}".to_vec()),
            ));
        }
        cluster.put(&puts);
        let garbage = cluster.garbage();
        assert!(garbage.len() >= 9, "{garbage:?}");
        let all: BTreeSet<String> = garbage.iter().map(|key| shown(key)).collect();
        assert!(
            until(|| all.is_subset(&cluster.named())),
            "{:?}",
            cluster.named()
        );
        for fault in cluster.nodes.iter().flat_map(|node| node.status().faults) {
            let text = format!("{}{}{}", fault.subject, fault.message, fault.found);
            assert!(!text.chars().any(outside::is_hidden), "{fault:?}");
            assert!(text.len() < 4096, "{} bytes", text.len());
        }
        cluster.stays();
        cluster.nodes[0].enables(2).expect("it goes on");
        cluster.nodes[0].disables(2).expect("it goes on");
        cluster.repairs(&[]);
        for (key, _) in puts {
            let _ = cluster
                .store
                .commit(&Txn::new().delete(key))
                .expect("removed");
        }
        assert!(
            until(|| cluster.named().is_empty()),
            "{:?}",
            cluster.named()
        );
        cluster.stays();
    }
}

/// An agent that starts while garbage is in the keys that count goes by what its node read last.
#[test]
fn an_agent_that_starts_anew_takes_nothing_away() {
    let mut cluster = Cluster::new();
    for entry in cluster.in_use().values() {
        let txn = Txn::new().put(entry.key.clone(), "garbage");
        let _ = cluster.store.commit(&txn).expect("put");
    }
    cluster.nodes[0].start_agent();
    let node = &cluster.nodes[0];
    assert!(until(|| cluster.garbage().is_subset(&cluster.named())));
    cluster.stays();
    node.enables(2).expect("it goes on");
    cluster.repairs(&[]);
    assert!(
        until(|| cluster.named().is_empty()),
        "{:?}",
        cluster.named()
    );
    cluster.stays();
    node.disables(2).expect("all is well");
}
