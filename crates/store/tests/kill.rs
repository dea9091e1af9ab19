//! A process that is killed while it commits: acknowledged commits are there.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use accelnet_store::{Commit, Embedded, History, Store, Txn};

/// In the folder of the process to be killed: it is that process and no developer's.
const MARK: &str = "commit-here";
const PREFIX: &str = "done: ";

fn open(path: &Path) -> Embedded {
    Embedded::open(path, History::default(), || Duration::ZERO).expect("the store opens")
}

/// The number in both keys, which every transaction sets together.
fn number(store: &Embedded) -> u64 {
    let entries = store.range("/").expect("the store is read").entries;
    let values: Vec<_> = entries.iter().map(|e| e.value.len() as u64).collect();
    match *values {
        [] => 0,
        [a, b] if a == b => a,
        _ => panic!("half a transaction: {values:?}"),
    }
}

#[test]
#[ignore = "started by `what_was_done_is_there`"]
fn commit_until_killed() {
    if !Path::new(MARK).exists() {
        return;
    }
    let store = open(Path::new("store"));
    let mut number = number(&store);
    let mut out = std::io::stdout();
    loop {
        number += 1;
        let value = vec![7; usize::try_from(number).unwrap()];
        let txn = Txn::new().put("/a", value.clone()).put("/b", value);
        let done = store.commit(&txn).unwrap();
        assert!(matches!(done, Commit::Done { .. }), "{done:?}");
        writeln!(out, "\n{PREFIX}{number}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn what_was_done_is_there() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join(MARK), "").unwrap();
    let mut before = 0;
    for lines in [1, 2, 3, 5, 8, 13, 21, 34] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "commit_until_killed", "--nocapture"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut said = out
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix(PREFIX)?.parse::<u64>().ok());
        let last = said.by_ref().take(lines).last().unwrap();
        child.kill().unwrap();
        // What it printed before it was killed counts, too.
        let last = said.last().unwrap_or(last);
        child.wait().unwrap();
        let store = open(&folder.path().join("store"));
        let found = number(&store);
        assert!(last >= before + lines as u64, "{last} after {before}");
        assert!(
            found == last || found == last + 1,
            "{found} is there, {last} was done"
        );
        before = found;
    }
}
