//! The store leaves most of the agent's 20 MiB to the agent. One test: it measures its own process.

use std::time::Duration;

use accelnet_store::{Commit, Embedded, History, Store, Txn};

/// Memory of this process that is in use and its own, in KiB (proc(5), `RssAnon`).
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is there");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number.and_then(|n| n.parse().ok()).expect("a number of kB")
}

#[test]
fn stays_small() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("store");
    let before = resident();
    let store = Embedded::open(&path, History::default(), || Duration::ZERO).unwrap();
    let mut watch = store.watch("/inventory/", 0).unwrap();
    for round in 0..300_usize {
        let txn = (0..4).fold(Txn::new().put("/round", round.to_string()), |txn, node| {
            let size = 20_000 + 97 * (round % 50);
            txn.put(format!("/inventory/{node}"), vec![b'x'; size])
        });
        let done = store.commit(&txn).unwrap();
        assert!(matches!(done, Commit::Done { .. }), "{done:?}");
        assert_eq!(watch.next(Duration::ZERO).unwrap().len(), 4);
    }
    assert_eq!(store.range("/").unwrap().entries.len(), 5);
    let grown = resident() - before;
    assert!(grown < 5 * 1024, "the store holds {grown} KiB");
    let length = std::fs::metadata(&path).unwrap().len();
    assert!(length < 64 * 1024 * 1024, "the file has {length} bytes");
}
