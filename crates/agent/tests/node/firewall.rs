//! A host whose firewall drops what bridges forward: br_netfilter with the policy DROP, as on a host with
//! Docker.

use accelnet_api::types::{NodeDrain, Path};
use accelnet_model::intent::Role;
use accelnet_model::{Code, Performance};

use crate::bench::{Bench, INTENT, NODE, WHO, refused};

const LOW: Performance = Performance::Low;
/// Accepts some of what is forwarded.
const SOME: &str = "-A FORWARD -d 192.0.2.0/24 -j ACCEPT";

/// The node with the intent, and a VM that runs with its VF.
fn accelerated() -> Bench {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    assert!(bench.vm_enable("web", LOW).ok);
    bench.machine.vms.virsh_start("web").expect("started");
    bench.reconcile();
    bench
}

fn with_docker(bench: &Bench, rules: &str) {
    bench.machine.kernel.load_br_netfilter().expect("loaded");
    bench.machine.kernel.drop_forwarded(rules).expect("rules");
}

fn fault(bench: &Bench) -> Option<Code> {
    let mut faults = bench.report().faults.into_iter();
    let fault = faults.find(|fault| fault.subject == format!("acn-{INTENT}"))?;
    Some(fault.code)
}

#[test]
fn no_vm_is_put_on_a_path_that_carries_nothing() {
    let mut bench = accelerated();
    with_docker(&bench, "");
    bench.machine.vms.calls();
    let result = bench.vm_disable("web");
    assert_eq!(refused(&result), Code::SoftwarePathDropped);
    assert_eq!(
        result.problem.expect("a problem").found,
        "IPv4 is dropped by chain FORWARD of table ip filter (br_netfilter passes bridged packets to it)."
    );
    assert!(bench.machine.vms.calls().is_empty(), "the VM is left alone");
    assert_eq!(bench.vm("web").path, Path::Vf);
    // Nor is another accelerated, which would fall back to it.
    bench.define("db", 2, 4);
    let enable = crate::bench::enable("db", LOW, false);
    let refused = bench.agent().change_vms(WHO, &enable).expect_err("refused");
    assert_eq!(refused.code, Code::SoftwarePathDropped);
    // What is set of a VM that has its VF can be changed.
    assert!(bench.change(&crate::bench::set("web", LOW, false)).ok);
    bench.machine.kernel.call_no_firewall().expect("remedied");
    assert!(bench.vm_disable("web").ok);
    assert!(bench.vm_enable("db", LOW).ok);
}

#[test]
fn a_vm_that_is_stopped_is_disabled_with_a_warning() {
    let mut bench = accelerated();
    bench.machine.vms.virsh_stop("web").expect("stopped");
    with_docker(&bench, "");
    let result = bench.vm_disable("web");
    assert!(result.ok, "{result:?}");
    let codes: Vec<Code> = result.warnings.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Code::SoftwarePathDropped]);
}

#[test]
fn what_cannot_be_told_is_a_warning() {
    let mut bench = accelerated();
    with_docker(&bench, SOME);
    bench.define("db", 2, 4);
    let warned = |result: &accelnet_api::types::VmResult| {
        assert!(result.ok, "{result:?}");
        let mut codes = result.warnings.iter().map(|one| one.code);
        codes.any(|code| code == Code::SoftwarePathUnclear)
    };
    let enabled = bench.vm_enable("db", LOW);
    assert!(warned(&enabled), "{enabled:?}");
    let disabled = bench.vm_disable("web");
    assert!(warned(&disabled), "{disabled:?}");
    bench.reconcile();
    assert_eq!(fault(&bench), None);
}

#[test]
fn it_is_a_fault_while_it_holds() {
    let mut bench = accelerated();
    bench.machine.kernel.load_br_netfilter().expect("loaded");
    bench.reconcile();
    assert_eq!(fault(&bench), None, "nothing is filtered");
    with_docker(&bench, "");
    bench.reconcile();
    assert_eq!(fault(&bench), Some(Code::SoftwarePathDropped));
    assert!(bench.is_completed());
    let accept = format!("-A FORWARD -i acn-{INTENT} -o acn-{INTENT} -j ACCEPT");
    with_docker(&bench, &accept);
    bench.reconcile();
    assert_eq!(fault(&bench), None);
}

#[test]
fn an_intent_is_refused_before_anything_changes() {
    let mut bench = Bench::new();
    with_docker(&bench, "");
    bench.machine.switches.applied();
    let refused = bench
        .add_intent(INTENT, &[Role::Compute], &["ens1"])
        .expect_err("refused");
    assert_eq!(refused.code, Code::SoftwarePathDropped);
    assert!(bench.policy().intents.is_empty(), "it is not declared");
    assert_eq!(bench.machine.switches.applied(), [""; 0]);
    with_docker(&bench, SOME);
    let added = bench
        .add_intent(INTENT, &[Role::Compute], &["ens1"])
        .expect("declared");
    assert!(
        added.warnings.iter().any(|one| one.contains("may drop")),
        "{:?}",
        added.warnings
    );
}

#[test]
fn a_drained_node_leaves_vms_their_vfs_until_their_path_carries_something() {
    let mut bench = accelerated();
    with_docker(&bench, "");
    let drain = NodeDrain {
        node: NODE.parse().expect("a name"),
        undrain: false,
        dry_run: false,
    };
    bench.agent().drain(WHO, &drain).expect("drained");
    bench.reconcile();
    assert_eq!(bench.vm("web").path, Path::Vf);
    bench.machine.kernel.call_no_firewall().expect("remedied");
    bench.reconcile();
    assert_eq!(bench.vm("web").path, Path::Software);
}
