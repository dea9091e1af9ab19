//! What a watch of the policy reported is as good as what was read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::cluster::link::Link;
use accelnet_agent::cluster::{Linked, Why};
use accelnet_host::SystemClock;
use accelnet_store::testing::until;
use accelnet_store::{Commit, Embedded, History, Range, Store, Txn};

use crate::faulty::Faulty;
use crate::replayed::Replayed;

const POLICY: &str = "policy/";

/// A store in memory, and a node's way to it that can be cut.
struct Wire {
    store: Arc<dyn Store>,
    wire: Arc<Faulty>,
}

impl Wire {
    fn new() -> Self {
        let store = Embedded::in_memory(History::default(), || Duration::ZERO);
        let store: Arc<dyn Store> = Arc::new(store.expect("a store"));
        Wire {
            wire: Arc::new(Faulty::new(store.clone())),
            store,
        }
    }

    fn node(&self, file: &Path) -> (Linked, Arc<Link>) {
        let file = Some(file.to_owned());
        let linked = Linked::new(self.wire.clone(), "node1", file, Arc::new(SystemClock));
        let link = linked.link();
        (linked, link)
    }

    fn change(&self, txn: Txn) -> u64 {
        match self.store.commit(&txn).expect("a commit") {
            Commit::Done { revision } => revision,
            Commit::Conflict { .. } => unreachable!("nothing was checked"),
        }
    }
}

fn reported(range: &Range) -> Vec<(&str, &[u8])> {
    // The first node has given the store an identity.
    let entries = range.entries.iter();
    entries
        .filter(|entry| entry.key != "policy/cluster")
        .map(|entry| (entry.key.as_str(), entry.value.as_slice()))
        .collect()
}

#[test]
fn what_was_heard_of_needs_no_question() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("last-read");
    let wire = Wire::new();
    let _ = wire.change(Txn::new().put("policy/b", "1").put("policy/d", "1"));
    let (node, link) = wire.node(&file);
    let read = node.range(POLICY).expect("policy");
    let mut watch = node.watch(POLICY, read.revision + 1).expect("a watch");

    let _ = wire.change(Txn::new().put("policy/c", "2").delete("policy/b"));
    let _ = wire.change(Txn::new().put("others", "2"));
    let last = wire.change(Txn::new().put("policy/a", "3").put("policy/d", "3"));
    wire.wire.partition(true);
    let mut received = 0;
    while received < last {
        let changes = watch.next(Duration::from_secs(30)).expect("changes");
        received = changes.last().expect("a change").revision();
    }
    let known = node.range_since(POLICY, last).expect("what was received");
    let wanted: [(&str, &[u8]); 3] = [("policy/a", b"3"), ("policy/c", b"2"), ("policy/d", b"3")];
    assert_eq!(reported(&known), wanted);
    assert_eq!(link.cut_off(), None, "the store was not asked");
    assert_eq!(known.entries, wire.store.range(POLICY).expect("it").entries);

    // A node that starts while it is cut off finds it, too; the file is written beside the work.
    let found = || {
        let (again, link) = wire.node(&file);
        let range = again.range(POLICY);
        assert!(link.cut_off().is_some());
        range.is_ok_and(|range| reported(&range) == wanted)
    };
    assert!(until(found));
}

/// As etcd's tool does it with `--bump-revision`: no revision is lower than one that was seen.
#[test]
fn an_older_state_with_a_higher_revision_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("last-read");
    let store = Arc::new(Replayed::new());
    let node = || {
        Linked::new(
            store.clone(),
            "node1",
            Some(file.clone()),
            Arc::new(SystemClock),
        )
    };
    let change = |txn: Txn| drop(store.commit(&txn).expect("a commit"));
    let linked = node();
    drop(linked.range(POLICY).expect("policy"));
    change(Txn::new().put("policy/turn", "1"));
    let then = store.changes();
    change(Txn::new().put("policy/turn", "2"));
    let seen = linked.range(POLICY).expect("policy").revision;
    let written = || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.contains(&format!(r#""mod_revision":{seen}"#))
    };
    assert!(until(written));
    store.set_back(then);
    for _ in 0..5 {
        change(Txn::new().put("others", "x"));
    }
    for linked in [linked, node()] {
        let read = linked.range(POLICY).expect("what was read last");
        assert_eq!(read.revision, seen);
        let cut_off = linked.link().cut_off().expect("it does not count");
        assert_eq!(cut_off.why, Why::Foreign);
        assert!(cut_off.found.contains("policy/turn"), "{cut_off:?}");
    }
}

/// What is not known to be new enough is read.
#[test]
fn what_was_not_heard_of_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let wire = Wire::new();
    let _ = wire.change(Txn::new().put("policy/a", "1"));
    let (node, link) = wire.node(&folder.path().join("last-read"));
    let read = node.range(POLICY).expect("policy");
    let missed = wire.change(Txn::new().put("policy/b", "2"));
    let mut watch = node.watch(POLICY, missed + 1).expect("a watch");
    let last = wire.change(Txn::new().put("policy/c", "3"));
    let changes = watch.next(Duration::from_secs(30)).expect("changes");
    assert_eq!(changes.last().expect("a change").revision(), last);
    // The watch began too late for it to be whole.
    let known = node.range_since(POLICY, read.revision).expect("as it was");
    assert_eq!(reported(&known).len(), 1);
    let now = node.range_since(POLICY, last).expect("as it is");
    assert_eq!(reported(&now).len(), 3);
    // Now it is: and what was read before it was received is not done twice.
    let next = wire.change(Txn::new().delete("policy/c"));
    let read = node.range(POLICY).expect("policy");
    assert_eq!(read.revision, next);
    let _ = watch.next(Duration::from_secs(30)).expect("changes");
    wire.wire.partition(true);
    let known = node.range_since(POLICY, next).expect("as it is");
    assert_eq!(reported(&known).len(), 2);
    assert_eq!(link.cut_off(), None, "the store was not asked");
}
