//! The node reserve, with another node beside this one.

use accelnet_agent::reports::Reports;
use accelnet_api::types::Set;
use accelnet_model::{Code, Performance};

use crate::fixture::*;

const LOW: Performance = Performance::Low;
const MEDIUM: Performance = Performance::Medium;

/// A second node that reports as this one does, with so many VFs and queue pairs.
fn beside(fixture: &Fixture, vfs: u32, queue_pairs: u32) {
    let mut report = fixture.report();
    report.node = "node2".to_owned();
    report.vms.clear();
    report.macs.clear();
    for status in &mut report.intents {
        status.node = "node2".to_owned();
    }
    for adapter in &mut report.adapters {
        adapter.node = "node2".to_owned();
        adapter.vfs = vfs;
        adapter.vfs_in_use = 0;
        adapter.vfs_allocated = 0;
        adapter.queue_pairs = Some(queue_pairs);
        adapter.queue_pairs_allocated = 0;
        adapter.queue_pairs_in_use = 0;
    }
    let reports = Reports::new(fixture.store.clone(), "node2");
    reports.keep(report);
    reports.write();
}

#[test]
fn a_node_is_told_its_own_newest_report_and_the_others_what_was_written() {
    let fixture = Fixture::enabled_on("ens1");
    let (own, other) = (
        Reports::new(fixture.store.clone(), "node2"),
        Reports::new(fixture.store.clone(), "node3"),
    );
    let told = |reports: &Reports| -> Vec<usize> {
        let all = reports.all().expect("reports").into_iter();
        let of_own = all.filter(|report| report.node == "node2");
        of_own.map(|report| report.adapters.len()).collect()
    };
    let mut report = fixture.report();
    report.node = "node2".to_owned();
    own.keep(report.clone());
    // What no other node was told yet is told nobody.
    assert_eq!((told(&own), told(&other)), (vec![], vec![]));
    own.write();
    let adapters = report.adapters.len();
    assert_eq!((told(&own), told(&other)), (vec![adapters], vec![adapters]));
    report.adapters.clear();
    own.keep(report);
    assert_eq!((told(&own), told(&other)), (vec![0], vec![adapters]));
    own.write();
    assert_eq!((told(&own), told(&other)), (vec![0], vec![0]));
}

fn reserve(fixture: &mut Fixture, percentage: i64) -> Result<(), accelnet_model::Problem> {
    let set = Set {
        node_reserve_percentage: Some(percentage),
        ..Set::default()
    };
    fixture.agent().set(WHO, &set).map(drop)
}

fn enabled() -> Fixture {
    let fixture = Fixture::enabled();
    for number in 1..=7 {
        fixture.define(&format!("vm{number}"), number, 4);
    }
    fixture
}

#[test]
fn vfs_of_the_other_node_bind() {
    let mut fixture = enabled();
    beside(&fixture, 3, 64);
    reserve(&mut fixture, 50).expect("nothing is promised yet");
    for number in 1..=3 {
        assert!(fixture.vm_enable(&format!("vm{number}"), LOW).ok);
    }
    let result = fixture.vm_enable("vm4", LOW);
    assert_eq!(refused(&result), Code::ClusterNotEnoughResources);
    let problem = result.problem.expect("a problem");
    assert_eq!(
        problem.found,
        "With node1 down, 1 VM would be left without a VF (vm4); VFs bind."
    );
    assert!(
        problem
            .resolution
            .contains("add 1 VF to each adapter of 1 node (node2)"),
        "{problem:?}"
    );
    // What it advises is so.
    beside(&fixture, 4, 64);
    assert!(fixture.vm_enable("vm4", LOW).ok);
    reserve(&mut fixture, 0).expect("less is promised");
    assert!(fixture.vm_enable("vm5", LOW).ok);
}

#[test]
fn queue_pairs_of_the_other_node_bind() {
    let mut fixture = enabled();
    beside(&fixture, 7, 4);
    reserve(&mut fixture, 50).expect("nothing is promised yet");
    for number in 1..=2 {
        assert!(fixture.vm_enable(&format!("vm{number}"), MEDIUM).ok);
    }
    let result = fixture.vm_enable("vm3", MEDIUM);
    assert_eq!(refused(&result), Code::ClusterNotEnoughResources);
    let problem = result.problem.expect("a problem");
    assert!(problem.found.ends_with("queue pairs bind."), "{problem:?}");
}

#[test]
fn a_reserve_that_what_is_promised_does_not_leave_is_refused() {
    let mut fixture = enabled();
    beside(&fixture, 3, 64);
    for number in 1..=5 {
        assert!(fixture.vm_enable(&format!("vm{number}"), LOW).ok);
    }
    let problem = reserve(&mut fixture, 50).expect_err("five do not fit into three");
    assert_eq!(problem.code, Code::ClusterNotEnoughResources);
    assert!(
        problem.found.contains("2 VMs would be left without a VF"),
        "{problem:?}"
    );
    assert_eq!(fixture.policy().management.node_reserve_percentage, 0);
    reserve(&mut fixture, 49).expect("49 % of two nodes is none");
}
