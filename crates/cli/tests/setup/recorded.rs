//! What commands without an agent record in the journal of the node.

use std::path::Path;
use std::time::Duration;

use accelnet_store::testing::EtcdServer;
use accelnet_store::{Embedded, History, Store, Txn};

use crate::machine::{End, Machine};

const MANAGEMENT: &str =
    r#"{"format":1,"value":{"enabled":true,"intent":"lan","node_reserve_percentage":10}}"#;
/// No user listens there.
const NOWHERE: &str = "etcd://127.0.0.1:1";

fn put(path: &Path, key: &str, value: &str) {
    let store = Embedded::open(path, History::default(), || Duration::ZERO).expect("a store");
    let _ = store.commit(&Txn::new().put(key, value)).expect("put");
}

/// The only record of a command, as `outcome who role from code: what`.
#[track_caller]
fn record(machine: &Machine, line: &str) -> String {
    let _ = machine.types(line).expect("it ended");
    let records = machine.records();
    let [record] = &records[..] else {
        panic!("{line} has {} records: {records:#?}", records.len());
    };
    let field = |name: &str| record.get(name).map_or("-", String::as_str);
    assert_eq!(field("ACCELNET_KIND"), field("ACCELNET_OUTCOME"));
    assert!(!field("ACCELNET_NODE").is_empty());
    format!(
        "{} {} {} {} {}: {}",
        field("ACCELNET_OUTCOME"),
        field("ACCELNET_WHO"),
        field("ACCELNET_ROLE"),
        field("ACCELNET_FROM"),
        field("ACCELNET_CODE"),
        field("ACCELNET_WHAT"),
    )
}

#[test]
fn setup_is_recorded_with_who_asked() {
    let mut machine = Machine::new();
    machine.sudo_user = Some("anna\nACCELNET_WHO=eve".to_owned());
    let _ = machine.types("accelnet setup").expect("it ended");
    let records = machine.records();
    assert_eq!(records.len(), 1, "{records:#?}");
    let record = &records[0];
    assert_eq!(record["ACCELNET_WHO"], "root");
    assert_eq!(record["ACCELNET_CLAIMED"], "anna\\nACCELNET_WHO=eve");
    assert_eq!(record["ACCELNET_ROLE"], "administrator");
    assert_eq!(record["ACCELNET_FROM"], "command line");
    assert_eq!(record["ACCELNET_OUTCOME"], "changed");
    assert_eq!(record["ACCELNET_WHAT"], "Set up this node.");
    machine.end.set(Some((3, End::Fail)));
    let failed = self::record(&machine, "accelnet setup");
    assert!(
        failed.starts_with("failed root administrator command line setup_failed: Failed: set up"),
        "{failed}"
    );
}

#[test]
fn a_refusal_has_one_record_and_a_dry_run_none() {
    let mut machine = Machine::new();
    machine.user = 1000;
    for words in [
        "setup".to_owned(),
        format!("cluster init --store {NOWHERE}"),
        format!("cluster join --store {NOWHERE}"),
        "cluster leave".to_owned(),
    ] {
        let line = format!("accelnet {words}");
        let refused = record(&machine, &line);
        let start = "refused uid 1000 reader command line not_allowed: Refused: ";
        assert!(refused.starts_with(start), "{line}: {refused}");
    }
    let _ = machine.types("accelnet setup --dry-run").expect("it ended");
    assert!(machine.records().is_empty());
    machine.user = 0;
    let left = record(&machine, "accelnet cluster leave");
    assert!(
        left.contains("not_a_member: Refused: remove this node"),
        "{left}"
    );
}

#[test]
fn a_cluster_that_cannot_be_reached_is_recorded_as_failed() {
    let machine = Machine::new();
    for words in ["init", "join"] {
        let line = format!("accelnet cluster {words} --store {NOWHERE}");
        let failed = record(&machine, &line);
        assert!(failed.starts_with("failed root "), "{failed}");
        assert!(failed.contains(NOWHERE), "{failed}");
    }
}

#[test]
fn creating_joining_and_leaving_a_cluster_are_recorded() {
    let server = EtcdServer::start();
    let etcd = server.address("racks");
    let machine = Machine::new();
    let file = "/etc/accelnet/agent.env";
    let words = "ACCELNET_STORE=--vf-limits 1:2\n";
    machine.write(file, words);
    let root = "root administrator command line";
    let create = format!("accelnet cluster init --store {etcd} --node n1");
    let what = format!("create a cluster on {etcd}");
    assert_eq!(
        record(&machine, &create),
        format!("changed {root} -: Created a cluster on {etcd}.")
    );
    // What another user wrote there is kept.
    let kept = |number: u8| machine.read(&format!("{file}.old.{number}"));
    assert_eq!(kept(1).as_deref(), Some(words));
    let again = record(&machine, &create);
    let refused = format!("refused {root} cluster_refused: Refused: {what}: ");
    assert!(again.starts_with(&refused), "{again}");
    let join = format!("accelnet cluster join --store {etcd} --node n2");
    assert_eq!(
        record(&machine, &join),
        format!("changed {root} -: Joined the cluster on {etcd}.")
    );
    assert_eq!(kept(2), None, "accelnet wrote it");
    let member = Txn::new().put("members/n2", "{}");
    let _ = server.store("racks").commit(&member).expect("put");
    assert_eq!(
        record(&machine, "accelnet cluster leave"),
        format!("changed {root} -: Removed this node from its cluster.")
    );
    assert_eq!(machine.read(file), None);
}

#[test]
fn changes_of_a_store_are_recorded() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("accelnet/store");
    let at = store.display();
    put(&store, "policy/management", MANAGEMENT);
    let backup = folder.path().join("backup.json");
    let backup = backup.display();
    let made = machine.types(&format!("accelnet store backup {backup} --store {at}"));
    assert_eq!(made.map(|made| made.status), Some(0));
    assert!(machine.records().is_empty(), "a backup changes nothing");

    put(&store, "policy/vms/garbage", "garbage");
    let aside = folder.path().join("aside.json");
    let check = format!("accelnet store check --store {at}");
    let _ = machine.types(&check).expect("it ended");
    assert!(machine.records().is_empty(), "a check changes nothing");
    let repair = format!("{check} --repair --into {}", aside.display());
    let root = "root administrator command line";
    let repaired = record(&machine, &repair);
    let what = format!("Moved the unreadable values of {at} to a file.");
    assert_eq!(repaired, format!("changed {root} -: {what}"));
    let _ = machine.types(&repair).expect("it ended");
    assert!(machine.records().is_empty(), "nothing was left to repair");

    let restore = format!("accelnet store restore {backup} --store {at}");
    let _ = machine
        .types(&format!("{restore} --dry-run"))
        .expect("it ended");
    assert!(machine.records().is_empty());
    let restored = record(&machine, &restore);
    assert_eq!(
        restored,
        format!("changed {root} -: Restored {backup} to {at}.")
    );
    let accepted = record(&machine, &format!("accelnet store accept --store {at}"));
    assert_eq!(
        accepted,
        format!("changed {root} -: Accepted the current state of {at}.")
    );
    let missing = folder.path().join("none.json");
    let missing = missing.display();
    let refused = record(
        &machine,
        &format!("accelnet store restore {missing} --store {at}"),
    );
    assert!(
        refused.starts_with(&format!(
            "failed {root} store_failed: Failed: restore {missing}"
        )),
        "{refused}"
    );
    let moved = record(
        &machine,
        &format!("accelnet store migrate --from {at} --to {NOWHERE}"),
    );
    let what = format!("etcd_unreachable: Failed: migrate {at} to {NOWHERE}");
    assert!(moved.contains(&what), "{moved}");
}

#[test]
fn a_change_of_an_adapter_without_an_agent_is_recorded() {
    let machine = Machine::new();
    let enable = "accelnet adapter enable ens1 --vfs 2";
    let _ = machine
        .types(&format!("{enable} --dry-run"))
        .expect("it ended");
    assert!(machine.records().is_empty());
    let made = record(&machine, enable);
    assert_eq!(
        made,
        "changed root administrator command line -: Created VFs."
    );
    let refused = record(&machine, "accelnet adapter enable ens9 --vfs 2");
    assert!(refused.starts_with("refused root"), "{refused}");
}
