use std::sync::Arc;
use std::time::Duration;

use accelnet_api::types::{Path, Severity, State};
use accelnet_model::domain::DomainState;
use accelnet_model::{Code, Uuid};
use accelnet_store::testing::EtcdServer;
use accelnet_store::{Embedded, History};

use super::*;
use crate::reports::Reports;

const NODE: &str = "node1";
const VMS: u32 = 2000;
/// The longest name of a VM.
const LONGEST: usize = 251;

fn embedded() -> Arc<dyn Store> {
    let store = Embedded::in_memory(History::default(), || Duration::ZERO);
    Arc::new(store.expect("a store"))
}

fn vm(number: u32) -> VmView {
    let uuid: Uuid = format!("00000000-0000-4000-8000-{number:012x}")
        .parse()
        .expect("a UUID");
    VmView {
        name: format!("{number:0LONGEST$}"),
        uuid,
        node: NODE.to_owned(),
        state: DomainState::Running,
        vcpus: 4,
        acceleration: State::Degraded,
        performance: None,
        phase: None,
        path: Path::Software,
        adapter: None,
        vf: None,
        vnics: Vec::new(),
        security: None,
        vnic_settings: vec!["a line of what is carried over to its VF".to_owned(); 4],
        verified: Vec::new(),
        conditions: vec!["it runs without its VF".to_owned()],
        destinations: Vec::new(),
        last_report: None,
    }
}

/// The report of a node with so many VMs, each with two MACs and a fault.
fn report_of(vms: u32) -> Report {
    let mut report = Report::empty(NODE, "2026-11-30T10:00:00Z");
    for number in 0..vms {
        let vm = vm(number);
        let [_, _, high, low] = number.to_be_bytes();
        for kind in [0, 1] {
            let mac = Mac([0x52, 0x54, 0, kind, high, low]);
            report.macs.push((mac, vm.name.clone()));
        }
        report.faults.push(Fault {
            severity: Severity::Warning,
            node: NODE.to_owned(),
            subject: vm.name.clone(),
            code: Code::VmOnSoftwarePath,
            message: format!("VM {} runs on its software path.", vm.name),
            found: "It has no VF.".to_owned(),
            cause: None,
            resolution: format!("'accelnet vm show {}' shows why.", vm.name),
            since: "2026-11-30T10:00:00Z".to_owned(),
            last_report: None,
        });
        report.vms.push(vm);
    }
    report
}

fn write(reports: &Reports, report: &Report) {
    reports.keep(report.clone());
    reports.write();
}

/// What another node reads.
fn read(store: &Arc<dyn Store>) -> Report {
    let others = Reports::new(Arc::clone(store), "node2");
    let mut all = others.all().expect("reports");
    assert_eq!(others.unreadable(), []);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn there(store: &Arc<dyn Store>) -> BTreeSet<String> {
    keys(store.range(&of_node(NODE)).expect("parts").entries)
}

/// A node with many VMs that have the longest names is reported whole, and a change of it writes little.
fn reported_whole(store: &Arc<dyn Store>) {
    let reports = Reports::new(Arc::clone(store), NODE);
    let mut report = report_of(VMS);
    let bytes = serde_json::to_vec(&report).expect("JSON").len();
    assert!(bytes > 2 * MAX_TXN_BYTES, "{bytes}");
    write(&reports, &report);
    assert!(read(store) == report, "it is not what was written");
    let before = there(store);
    assert!(before.len() > 10, "{before:?}");
    report.vms[700].vcpus = 8;
    write(&reports, &report);
    assert!(read(store) == report, "it is not what was written");
    assert_eq!(there(store).difference(&before).count(), 1);
    assert_eq!(there(store).len(), before.len(), "the old part is gone");
    // The agent starts again on a node with few VMs.
    let reports = Reports::new(Arc::clone(store), NODE);
    let few = report_of(3);
    write(&reports, &few);
    assert!(read(store) == few, "it is not what was written");
    assert_eq!(there(store), BTreeSet::new());
}

#[test]
fn many_vms_with_long_names_are_reported_whole() {
    reported_whole(&embedded());
}

#[test]
fn many_vms_with_long_names_are_reported_whole_in_etcd() {
    let server = EtcdServer::start();
    let store: Arc<dyn Store> = Arc::new(server.store("cluster"));
    reported_whole(&store);
}

#[test]
fn a_part_that_is_lost_or_damaged_is_named_and_written_again() {
    for damage in [None, Some("{}")] {
        let store = embedded();
        let reports = Reports::new(Arc::clone(&store), NODE);
        let whole = report_of(VMS);
        write(&reports, &whole);
        let key = there(&store).pop_first().expect("a part");
        let txn = match damage {
            None => Txn::new().delete(key.clone()),
            Some(value) => Txn::new().put(key.clone(), value),
        };
        let _ = store.commit(&txn).expect("damaged");
        let others = Reports::new(Arc::clone(&store), "node2");
        let seen = others.all().expect("reports");
        assert!(seen[0].vms.len() + seen[0].macs.len() > 1000);
        let named = others.unreadable();
        assert_eq!(named.len(), 1);
        assert_eq!(named[0].key, key);
        if damage.is_some() {
            // Whoever repairs the store removes it.
            let _ = store.commit(&Txn::new().delete(key)).expect("repaired");
        }
        // The node's agent looks, and misses it.
        let _ = reports.all().expect("reports");
        reports.write();
        assert!(read(&store) == whole, "it is not what was written");
    }
}

#[test]
fn the_parts_of_a_node_are_removed_with_it() {
    let store = embedded();
    write(&Reports::new(Arc::clone(&store), NODE), &report_of(VMS));
    remove(&*store, "node").expect("nothing");
    assert!(!there(&store).is_empty());
    remove(&*store, NODE).expect("removed");
    assert_eq!(there(&store), BTreeSet::new());
}
