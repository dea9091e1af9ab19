//! Taken back when a gateway no longer answers, or a step is refused.

use std::time::Duration;

use accelnet_host::switch::hand_over::{Cause, NotHandedOver};
use accelnet_model::switch::SwitchStep;

use crate::bench::{Bench, Hooked};

#[test]
fn a_gateway_that_no_longer_answers_takes_everything_back() {
    let Some(bench) = Bench::new("silent") else {
        return;
    };
    let before = bench.state("up0");
    let plan = bench.plan("acn-vms").expect("a plan");
    // A switch port that shuts down when it sees a bridge.
    let shut = Hooked(|step: &SwitchStep| match step {
        SwitchStep::AddPort { .. } => bench.gateway.ip("link set gw0 down"),
        SwitchStep::RemovePort { .. } => bench.gateway.ip("link set gw0 up"),
        _ => {}
    });
    let error = bench
        .hand_over_by(&shut, &plan, Duration::from_secs(2))
        .unwrap_err();
    println!("failed to {error}");
    let NotHandedOver::RolledBack {
        cause,
        failed,
        still_silent,
    } = error
    else {
        panic!("{error}");
    };
    assert!(matches!(cause, Cause::Silent { .. }), "{cause}");
    assert_eq!(failed, [""; 0]);
    let [v6] = still_silent.as_slice() else {
        panic!("its IPv6 addresses went with its link: {still_silent:?}");
    };
    assert_eq!(v6.to_string(), "fe80::1");
    assert_eq!(bench.state("up0"), before);
    assert_eq!(bench.node.ip_output("-br link show type bridge"), "");
    let left = std::fs::read_dir(bench.folder.path()).expect("the folder");
    assert_eq!(left.count(), 0, "no record is left");
}

#[test]
fn a_gateway_that_never_answered_is_not_demanded() {
    let Some(bench) = Bench::new("never") else {
        return;
    };
    bench.gateway.ip("addr del 192.0.2.1/24 dev gw0");
    let plan = bench.plan("acn-vms").expect("a plan");
    let handed = bench
        .hand_over(&plan, Duration::from_secs(20))
        .expect("done");
    let silent: Vec<String> = handed
        .silent_before
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(silent, ["192.0.2.1"]);
    assert_eq!(handed.answered.len(), 2);
}

#[test]
fn a_step_that_the_kernel_refuses_takes_everything_back() {
    let Some(bench) = Bench::new("refuse") else {
        return;
    };
    let before = bench.state("up0");
    let plan = bench.plan("acn-vms").expect("a plan");
    // Another user makes it a port meanwhile.
    bench.node.ip("link add name theirs type bridge");
    let taken = Hooked(|step: &SwitchStep| {
        if matches!(step, SwitchStep::AddPort { .. }) {
            bench.node.ip("link set up0 master theirs");
        }
    });
    let error = bench
        .hand_over_by(&taken, &plan, Duration::from_secs(20))
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("change up0: make it a port of acn-vms: it is a port of theirs (EBUSY); everything is as it was"),
        "{text}"
    );
    bench.node.ip("link set up0 nomaster");
    assert_eq!(bench.state("up0"), before);
    assert!(bench.gateways_answer("up0"));
}
