//! Handed over, found in place, adopted, repaired.

use std::time::Duration;

use accelnet_host::{KernelSwitches, Switches};
use accelnet_model::switch::SwitchStep;
use accelnet_rules::switch::SwitchRefusal;

use crate::bench::Bench;

const LONG: Duration = Duration::from_secs(20);

#[test]
fn everything_goes_over_and_the_gateways_answer() {
    let Some(bench) = Bench::new("over") else {
        return;
    };
    let before = bench.state("up0");
    assert!(before.len() >= 8, "{before:#?}");
    let plan = bench.plan("acn-vms").expect("a plan");
    assert_eq!(plan.why, "up0 is not a port of a bridge yet.");
    let handed = bench.hand_over(&plan, LONG).expect("done");
    assert_eq!(handed.silent_before, [] as [std::net::IpAddr; 0]);
    assert_eq!(handed.answered.len(), 3, "{handed:?}");
    assert_eq!(bench.state("acn-vms"), before);
    assert_eq!(bench.state("up0"), [""; 0]);
    assert!(bench.gateways_answer("acn-vms"));
    let told = bench.node.ip_output("link show dev acn-vms");
    assert!(
        told.contains("52:54:00:00:00:07"),
        "the uplink's MAC: {told}"
    );
    // Through the bridge, not only beside it.
    bench.gateway.inside(|| {
        let node = "192.0.2.4".parse().expect("an address");
        assert!(KernelSwitches.answers(node, "gw0", LONG));
    });
    let left = std::fs::read_dir(bench.folder.path()).expect("the folder");
    assert_eq!(left.count(), 0, "no record is left");

    let again = bench.plan("acn-vms").expect("a plan");
    assert_eq!(again.steps, []);
    assert_eq!(
        again.why,
        "up0 is a port of bridge acn-vms already; no change is needed."
    );
}

#[test]
fn every_step_and_every_step_back_can_be_done_twice() {
    let Some(bench) = Bench::new("twice") else {
        return;
    };
    let before = bench.state("up0");
    let plan = bench.plan("acn-vms").expect("a plan");
    bench.node.inside(|| {
        for steps in [&plan.steps, &plan.undo, &plan.steps, &plan.undo] {
            for step in steps.iter().flat_map(|step| [step, step]) {
                KernelSwitches.apply(step).expect("each time");
            }
        }
    });
    assert_eq!(bench.state("up0"), before);
    assert!(bench.gateways_answer("up0"));
}

#[test]
fn what_is_undone_after_any_step_is_as_it_was() {
    let Some(bench) = Bench::new("undo") else {
        return;
    };
    let before = bench.state("up0");
    let plan = bench.plan("acn-vms").expect("a plan");
    for done in 0..=plan.steps.len() {
        bench.node.inside(|| {
            let forth = plan.steps[..done].iter();
            for step in forth.chain(&plan.undo) {
                KernelSwitches.apply(step).expect("it works");
            }
        });
        assert_eq!(bench.state("up0"), before, "after {done} steps");
        assert_eq!(bench.node.ip_output("-br link show type bridge"), "");
    }
    assert!(bench.gateways_answer("up0"));
}

#[test]
fn a_bridge_that_stands_is_adopted_under_its_name() {
    let Some(bench) = Bench::new("adopt") else {
        return;
    };
    let first = bench.plan("mine").expect("a plan");
    bench.hand_over(&first, LONG).expect("done");
    let before = bench.state("mine");
    let plan = bench.plan("acn-vms").expect("a plan");
    assert_eq!((&*plan.bridge, plan.steps.len()), ("mine", 0));
    assert_eq!(
        plan.why,
        "up0 is a port of bridge mine already, which is adopted; no change is needed."
    );
    assert_eq!(bench.state("mine"), before);
}

#[test]
fn a_bridge_that_stands_without_the_adapter_gets_it() {
    let Some(bench) = Bench::new("join") else {
        return;
    };
    bench.node.ip("link add name acn-vms type bridge");
    let before = bench.state("up0");
    let plan = bench.plan("acn-vms").expect("a plan");
    assert!(
        matches!(plan.steps[0], SwitchStep::SetMac { .. }),
        "{plan:?}"
    );
    bench.hand_over(&plan, LONG).expect("done");
    assert_eq!(bench.state("acn-vms"), before);
    assert!(bench.gateways_answer("acn-vms"));
}

#[test]
fn addresses_that_come_back_to_the_port_go_over_again() {
    let Some(bench) = Bench::new("drift") else {
        return;
    };
    let plan = bench.plan("acn-vms").expect("a plan");
    bench.hand_over(&plan, LONG).expect("done");
    let over = bench.state("acn-vms");
    bench
        .node
        .ip("addr add 192.0.2.4/24 brd 192.0.2.255 dev up0");
    bench.node.ip("addr add 203.0.114.4/24 dev up0");
    let plan = bench.plan("acn-vms").expect("a plan");
    assert_eq!(
        plan.why,
        "up0 is a port of bridge acn-vms already; up0 is a port and still carries addresses or routes of the node."
    );
    bench.hand_over(&plan, LONG).expect("done");
    assert_eq!(bench.state("up0"), [""; 0]);
    let now = bench.state("acn-vms");
    assert!(over.iter().all(|line| now.contains(line)), "{now:#?}");
    assert!(now.iter().any(|line| line.contains("203.0.114.4/24")));
}

#[test]
fn settings_of_the_adapter_go_over() {
    let Some(bench) = Bench::new("set") else {
        return;
    };
    let read = |file: &str| {
        let path = format!("/proc/sys/net/{file}");
        bench
            .node
            .inside(|| std::fs::read_to_string(path).expect("there"))
    };
    bench.node.inside(|| {
        std::fs::write("/proc/sys/net/ipv4/conf/up0/rp_filter", "2").expect("root may");
        std::fs::write("/proc/sys/net/ipv6/conf/up0/accept_ra", "2").expect("root may");
    });
    let plan = bench.plan("acn-vms").expect("a plan");
    bench.hand_over(&plan, LONG).expect("done");
    assert_eq!(read("ipv4/conf/acn-vms/rp_filter"), "2\n");
    assert_eq!(read("ipv6/conf/acn-vms/accept_ra"), "2\n");
}

#[test]
fn what_stands_on_the_adapter_is_a_refusal() {
    let Some(bench) = Bench::new("stack") else {
        return;
    };
    bench.node.ip("link add link up0 name mv0 type macvlan");
    let refusal = bench.plan("acn-vms").unwrap_err();
    assert_eq!(refusal.to_string(), "up0 has upper devices: mv0 (macvlan).");
    assert!(matches!(refusal, SwitchRefusal::Stacked { .. }));
}
