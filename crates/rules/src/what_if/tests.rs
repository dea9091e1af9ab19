use accelnet_model::{Capacity, Code};

use super::*;
use crate::admission;

fn read(text: &str) -> ClusterFile {
    serde_json::from_str(text).expect("a file")
}

fn capacity(text: &str) -> Capacity {
    judge(&read(text)).expect("a cluster")
}

fn wrong(text: &str) -> (String, String) {
    let wrong = judge(&read(text)).expect_err("nonsense");
    (wrong.path(), wrong.what)
}

/// Two nodes with 7 VFs and 28 queue pairs each, besides what is given.
fn two(rest: &str) -> String {
    let adapters = r#"[{"name": "pf0", "vfs": 7, "queue_pairs": 28, "max_queue_pairs_per_vf": 4}]"#;
    format!(
        r#"{{"nodes": [{{"name": "n1", "adapters": {adapters}}}, {{"name": "n2", "adapters": {adapters}}}]{rest}}}"#
    )
}

#[test]
fn what_is_left_out_has_its_default() {
    let file = read(r#"{"nodes": [{"name": "n1"}]}"#);
    assert_eq!(file.node_reserve_percentage, 50);
    let figures = file.performance.figures();
    assert_eq!(admission::sizes_of(&figures), [1, 2, 4]);
    assert!(!file.nodes[0].smt);
    let capacity = capacity(&two(""));
    assert_eq!(
        (capacity.survives_nodes, capacity.failover_capacity_ok),
        (1, true)
    );
    assert_eq!(
        (
            capacity.additional_vms.low,
            capacity.additional_vms.medium,
            capacity.additional_vms.high
        ),
        (7, 7, 7)
    );
    assert_eq!(capacity.largest_reserve, Some(99));
}

#[test]
fn what_is_admitted_counts_for_those_after_it() {
    let mut asks = Vec::new();
    for number in 1..=8 {
        let node = 1 + number % 2;
        asks.push(format!(
            r#"{{"name": "vm{number}", "node": "n{node}", "vcpus": 4, "performance": "low"}}"#
        ));
    }
    let capacity = capacity(&two(&format!(r#", "ask": [{}]"#, asks.join(", "))));
    let admitted: Vec<bool> = capacity
        .answers
        .iter()
        .map(|answer| answer.admitted)
        .collect();
    assert_eq!(admitted, [true, true, true, true, true, true, true, false]);
    let refused = &capacity.answers[7];
    assert_eq!(refused.code, Some(Code::ClusterNotEnoughResources));
    assert_eq!(refused.binding.as_deref(), Some("vfs"));
    assert_eq!(refused.worst_nodes.as_ref().map(Vec::len), Some(1));
    assert_eq!(refused.proven, Some(true));
    // It is among those that would lose, or a VM before it is.
    assert_eq!(refused.vms_without_vf.len(), 1);
    assert_eq!(capacity.answers[0].adapter.as_deref(), Some("pf0"));
}

#[test]
fn a_node_that_is_left_out_is_any_that_admits_it() {
    let vms: Vec<String> = (0..7)
        .map(|number| format!(r#"{{"name": "vm{number}", "node": "n1", "performance": "low"}}"#))
        .collect();
    let rest = format!(
        r#", "node_reserve_percentage": 0, "vms": [{}], "ask": [{{"name": "x", "performance": "HIGH"}}]"#,
        vms.join(", ")
    );
    let capacity = capacity(&two(&rest));
    assert_eq!(capacity.answers[0].node.as_deref(), Some("n2"));
    assert_eq!(capacity.nodes[0].vfs.allocated, 7);
}

#[test]
fn vcpus_and_hyperthreading() {
    let ask = |smt: &str, vcpus: u32, performance: &str| {
        let text = format!(
            r#"{{"nodes": [{{"name": "n1", "smt": {smt}, "adapters": [{{"name": "pf0", "vfs": 7}}]}}],
                "ask": [{{"name": "a", "node": "n1", "vcpus": {vcpus}, "performance": "{performance}"}}]}}"#
        );
        capacity(&text).answers[0].code
    };
    let few = Some(Code::VmNotEnoughVcpus);
    assert_eq!(ask("false", 2, "low"), None);
    assert_eq!(ask("false", 1, "low"), few);
    assert_eq!(ask("false", 3, "high"), few);
    assert_eq!(ask("false", 4, "high"), None);
    assert_eq!(ask("true", 2, "low"), few);
    assert_eq!(ask("true", 4, "medium"), None);
}

#[test]
fn a_setting_that_no_adapter_can_give() {
    let text = r#"{"nodes": [{"name": "n1", "adapters": [
        {"name": "pf0", "vfs": 7, "queue_pairs": 28, "max_queue_pairs_per_vf": 2},
        {"name": "pf1", "vfs": 7, "queue_pairs": 3}]}],
        "ask": [{"name": "a", "node": "n1", "performance": "high"},
                {"name": "b", "node": "n1", "performance": "medium"}]}"#;
    let capacity = capacity(text);
    assert_eq!(
        capacity.answers[0].code,
        Some(Code::CannotProvisionPerformance)
    );
    assert_eq!(capacity.answers[0].binding, None);
    assert!(capacity.answers[1].admitted);
}

#[test]
fn missing_failover_capacity_is_reported_first() {
    let vms: Vec<String> = (0..5)
        .flat_map(|number| [(number, "n1"), (number + 5, "n2")])
        .map(|(number, node)| format!(r#"{{"name": "vm{number}", "node": "{node}", "adapter": "pf0", "performance": "low"}}"#))
        .collect();
    let capacity = capacity(&two(&format!(r#", "vms": [{}]"#, vms.join(", "))));
    assert!(!capacity.failover_capacity_ok);
    let problem = capacity.problem.expect("why not");
    assert_eq!(problem.code, Code::ReserveNotMet);
    assert!(
        problem.found.contains("3 VMs would be left without a VF"),
        "{problem:?}"
    );
    assert_eq!(capacity.node_failures_survived, Some(0));
    assert_eq!(capacity.largest_reserve, Some(49));
    assert_eq!(capacity.additional_vms.low, 0);
    let share = capacity.nodes[0].vfs;
    assert_eq!(
        (share.in_use, share.allocated, share.free, share.unavailable),
        (5, 5, Some(2), Some(2))
    );
}

#[test]
fn fields_that_make_no_sense_beside_others_are_named() {
    let vm = |fields: &str| {
        two(&format!(
            r#", "vms": [{{"name": "a", "performance": "high", {fields}}}]"#
        ))
    };
    let cases = [
        (r#"{"nodes": []}"#.to_owned(), "nodes", "at least one node is needed"),
        (r#"{"nodes": [{"name": "n1"}, {"name": "n1"}]}"#.to_owned(), "nodes[1].name", "another node is called n1"),
        (
            r#"{"nodes": [{"name": "n1", "adapters": [{"name": "p", "vfs": 1}, {"name": "p", "vfs": 1}]}]}"#.to_owned(),
            "nodes[0].adapters[1].name",
            "another adapter of n1 is called p",
        ),
        (vm(r#""node": "n9""#), "vms[0].node", "no node is called n9"),
        (vm(r#""node": "n1", "adapter": "pf9""#), "vms[0].adapter", "no adapter of n1 is called pf9"),
        (two(r#", "ask": [{"name": "a", "node": "n9", "performance": "low"}]"#), "ask[0].node", "no node is called n9"),
        (
            two(r#", "ask": [{"name": "a", "performance": "low"}, {"name": "a", "performance": "low"}]"#),
            "ask[1].name",
            "another VM is called a",
        ),
        (
            two(r#", "performance": {"low": {"queue_pairs": 8}}"#),
            "performance",
            "Medium has 2 as queue pairs, lower than Low with 8",
        ),
        (
            two(r#", "performance": {"low": {"queue_pairs": 0}}"#),
            "performance",
            "Low has 0 queue pairs",
        ),
        (
            r#"{"nodes": [{"name": "n1", "adapters": [{"name": "p", "vfs": 1, "max_queue_pairs_per_vf": 2}]}],
                "vms": [{"name": "a", "node": "n1", "adapter": "p", "performance": "high"}]}"#.to_owned(),
            "vms[0].adapter",
            "p cannot provide a VF with 4 queue pairs",
        ),
        (
            r#"{"nodes": [{"name": "n1", "adapters": [{"name": "p", "vfs": 1}]}],
                "vms": [{"name": "a", "node": "n1", "adapter": "p", "performance": "low"},
                        {"name": "b", "node": "n1", "adapter": "p", "performance": "low"}]}"#.to_owned(),
            "vms[1].adapter",
            "p has no VF with 1 queue pair left for it",
        ),
        (
            r#"{"nodes": [{"name": "n1"}], "vms": [{"name": "a", "node": "n1", "performance": "low"}]}"#.to_owned(),
            "vms[0].node",
            "no adapter of n1 has enough free capacity",
        ),
    ];
    for (text, field, what) in cases {
        assert_eq!(wrong(&text), (field.to_owned(), what.to_owned()), "{text}");
    }
}
