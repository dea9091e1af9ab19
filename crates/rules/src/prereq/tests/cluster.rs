//! Several nodes, judged from one.

use accelnet_model::intent::Role;

use super::*;

const INTENT: &str = "lan";

fn intent() -> Intent {
    Intent {
        name: INTENT.parse().expect("a name"),
        roles: vec![Role::Compute],
        adapters: vec!["ens1".to_owned()],
        vfs: None,
        security: accelnet_model::VfSecurity::default(),
    }
}

fn igb(most: u32) -> IntentAdapter {
    IntentAdapter {
        intent: INTENT.to_owned(),
        adapter: "ens1".to_owned(),
        model: "Intel 82576".to_owned(),
        speed_mbps: Some(1000),
        most_queue_pairs: Some(most),
    }
}

/// A node like this one, which is sound.
fn peer(name: &str, change: impl FnOnce(&mut PeerReport)) -> Peer {
    let mut like = node();
    like.name = Observed::Known(name.to_owned());
    let mut report = PeerReport {
        smt: smt_of(&like).known().copied(),
        checks: own(&like),
        intents: vec![PeerIntent {
            name: INTENT.parse().expect("a name"),
            problem: None,
        }],
        adapters: vec![igb(2)],
    };
    change(&mut report);
    Peer {
        node: name.to_owned(),
        down_since: None,
        report: Some(report),
    }
}

fn rows(peers: &[Peer], scope: &Scope, needed: u32) -> Vec<Check> {
    judge_cluster(&node(), &[igb(2)], peers, &[intent()], scope, needed)
}

fn of<'a>(rows: &'a [Check], name: CheckName, node: &str) -> Option<&'a Check> {
    let mut all = rows.iter();
    all.find(|row| row.name == name && row.node == node)
}

#[test]
fn alone_it_is_judged_as_ever() {
    let scope = Scope::Intent(INTENT.to_owned());
    let alone = judge(&[node()], &[intent()], &scope);
    assert_eq!(rows(&[], &scope, 0), alone);
}

#[test]
fn nodes_that_are_alike_pass_every_check() {
    for scope in [Scope::All, Scope::Intent(INTENT.to_owned())] {
        let all = rows(&[peer("n2", |_| {}), peer("n3", |_| {})], &scope, 2);
        for row in &all {
            assert_eq!(came_out(row), PASSED, "{row:?}");
        }
        for name in ["n2", "n3"] {
            for check in [CheckName::Node, CheckName::Kernel, CheckName::Driver] {
                assert!(of(&all, check, name).is_some(), "{check:?} of {name}");
            }
        }
        assert!(of(&all, CheckName::AdaptersAlike, "cluster").is_some());
    }
}

#[test]
fn one_that_is_down_or_silent_is_a_failed_row() {
    let mut down = peer("n2", |_| {});
    down.down_since = Some("2026-01-01T00:00:00Z".to_owned());
    let mut silent = peer("n3", |_| {});
    silent.report = None;
    let all = rows(&[down, silent], &Scope::All, 0);
    let row = of(&all, CheckName::Node, "n2").expect("a row");
    assert_eq!(came_out(row), failed(Code::NodeDown));
    let row = of(&all, CheckName::Node, "n3").expect("a row");
    assert_eq!(came_out(row), UNKNOWN);
    assert!(of(&all, CheckName::Kernel, "n2").is_none(), "that is old");
}

#[test]
fn smt_differs_on_any_node() {
    let other = |report: &mut PeerReport| report.smt = report.smt.map(|on| !on);
    let all = rows(&[peer("n2", other)], &Scope::All, 0);
    let row = of(&all, CheckName::Hyperthreading, "cluster").expect("a row");
    assert_eq!(came_out(row), failed(Code::HyperthreadingCheckFailed));
    assert!(row.found.contains("n2"), "{}", row.found);
}

#[test]
fn an_intent_that_a_node_lacks_is_named() {
    let scope = Scope::Intent(INTENT.to_owned());
    let all = rows(&[peer("n2", |report| report.intents.clear())], &scope, 0);
    let row = of(&all, CheckName::Intent, "n2").expect("a row");
    assert_eq!(came_out(row), failed(Code::IntentNotFound));
    assert!(row.found.contains("n2"), "{}", row.found);
    // One that failed there is reported in its own words.
    let broken = Problem::new(Code::AdapterNotFound, &["ens1"], "There is none.");
    let fails = |report: &mut PeerReport| report.intents[0].problem = Some(broken.clone());
    let all = rows(&[peer("n2", fails)], &scope, 0);
    let row = of(&all, CheckName::Intent, "n2").expect("a row");
    assert_eq!(came_out(row), failed(Code::AdapterNotFound));
    assert_eq!(row.found, "On node n2: There is none.");
    let unknown = Scope::Intent("nobody's".to_owned());
    let all = rows(&[peer("n2", |_| {})], &unknown, 0);
    let intents = all.iter().filter(|row| row.name == CheckName::Intent);
    assert_eq!(intents.count(), 1, "one that nobody declared is told once");
}

#[test]
fn adapters_that_differ_are_a_warning_until_capacity_is_short() {
    for change in [
        (|one: &mut IntentAdapter| one.model = "Intel X550".to_owned()) as fn(&mut IntentAdapter),
        |one| one.speed_mbps = Some(100),
        |one| one.speed_mbps = None,
    ] {
        let other = peer("n2", |report| change(&mut report.adapters[0]));
        let all = rows(std::slice::from_ref(&other), &Scope::All, 2);
        let row = of(&all, CheckName::AdaptersAlike, "cluster").expect("a row");
        assert_eq!(came_out(row), warned(Code::AdaptersDiffer), "{row:?}");
        assert!(row.found.contains("n2: "), "{}", row.found);
    }
    let weak = peer("n2", |report| {
        report.adapters[0].model = "Intel X550".to_owned();
        report.adapters[0].most_queue_pairs = Some(1);
    });
    let all = rows(&[weak], &Scope::All, 2);
    let row = of(&all, CheckName::AdaptersAlike, "cluster").expect("a row");
    assert_eq!(came_out(row), failed(Code::AdaptersDiffer));
}
