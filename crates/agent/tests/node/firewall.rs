//! A host whose firewall drops what bridges forward: br_netfilter with the policy DROP, as on a host with
//! Docker.

use accelnet_api::types::{NodeDrain, Path};
use accelnet_model::intent::Role;
use accelnet_model::{Code, Performance};

use crate::fixture::{Fixture, INTENT, NODE, WHO, refused};

const LOW: Performance = Performance::Low;
/// Accepts some of what is forwarded.
const SOME: &str = "-A FORWARD -d 192.0.2.0/24 -j ACCEPT";

/// The node with the intent, and a VM that runs with its VF.
fn accelerated() -> Fixture {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    fixture
}

fn with_docker(fixture: &Fixture, rules: &str) {
    fixture.machine.kernel.load_br_netfilter().expect("loaded");
    fixture.machine.kernel.drop_forwarded(rules).expect("rules");
}

fn fault(fixture: &Fixture) -> Option<Code> {
    let mut faults = fixture.report().faults.into_iter();
    let fault = faults.find(|fault| fault.subject == format!("acn-{INTENT}"))?;
    Some(fault.code)
}

#[test]
fn no_vm_is_put_on_a_path_that_carries_nothing() {
    let mut fixture = accelerated();
    with_docker(&fixture, "");
    fixture.machine.vms.calls();
    let result = fixture.vm_disable("web");
    assert_eq!(refused(&result), Code::SoftwarePathDropped);
    assert_eq!(
        result.problem.expect("a problem").found,
        "IPv4 is dropped by chain FORWARD of table ip filter (br_netfilter passes bridged packets to it)."
    );
    assert!(
        fixture.machine.vms.calls().is_empty(),
        "the VM is left alone"
    );
    assert_eq!(fixture.vm("web").path, Path::Vf);
    // Nor is another accelerated, which would fall back to it.
    fixture.define("db", 2, 4);
    let enable = crate::fixture::enable("db", LOW, false);
    let refused = fixture
        .agent()
        .change_vms(WHO, &enable)
        .expect_err("refused");
    assert_eq!(refused.code, Code::SoftwarePathDropped);
    // What is set of a VM that has its VF can be changed.
    assert!(fixture.change(&crate::fixture::set("web", LOW, false)).ok);
    fixture.machine.kernel.call_no_firewall().expect("remedied");
    assert!(fixture.vm_disable("web").ok);
    assert!(fixture.vm_enable("db", LOW).ok);
}

#[test]
fn a_vm_that_is_stopped_is_disabled_with_a_warning() {
    let mut fixture = accelerated();
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    with_docker(&fixture, "");
    let result = fixture.vm_disable("web");
    assert!(result.ok, "{result:?}");
    let codes: Vec<Code> = result.warnings.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Code::SoftwarePathDropped]);
}

#[test]
fn what_cannot_be_told_is_a_warning() {
    let mut fixture = accelerated();
    with_docker(&fixture, SOME);
    fixture.define("db", 2, 4);
    let warned = |result: &accelnet_api::types::VmResult| {
        assert!(result.ok, "{result:?}");
        let mut codes = result.warnings.iter().map(|one| one.code);
        codes.any(|code| code == Code::SoftwarePathUnclear)
    };
    let enabled = fixture.vm_enable("db", LOW);
    assert!(warned(&enabled), "{enabled:?}");
    let disabled = fixture.vm_disable("web");
    assert!(warned(&disabled), "{disabled:?}");
    fixture.reconcile();
    assert_eq!(fault(&fixture), None);
}

#[test]
fn it_is_a_fault_while_it_holds() {
    let mut fixture = accelerated();
    fixture.machine.kernel.load_br_netfilter().expect("loaded");
    fixture.reconcile();
    assert_eq!(fault(&fixture), None, "nothing is filtered");
    with_docker(&fixture, "");
    fixture.reconcile();
    assert_eq!(fault(&fixture), Some(Code::SoftwarePathDropped));
    assert!(fixture.is_completed());
    let accept = format!("-A FORWARD -i acn-{INTENT} -o acn-{INTENT} -j ACCEPT");
    with_docker(&fixture, &accept);
    fixture.reconcile();
    assert_eq!(fault(&fixture), None);
}

#[test]
fn an_intent_is_refused_before_anything_changes() {
    let mut fixture = Fixture::new();
    with_docker(&fixture, "");
    fixture.machine.switches.applied();
    let refused = fixture
        .add_intent(INTENT, &[Role::Compute], &["ens1"])
        .expect_err("refused");
    assert_eq!(refused.code, Code::SoftwarePathDropped);
    assert!(fixture.policy().intents.is_empty(), "it is not declared");
    assert_eq!(fixture.machine.switches.applied(), [""; 0]);
    with_docker(&fixture, SOME);
    let added = fixture
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
    let mut fixture = accelerated();
    with_docker(&fixture, "");
    let drain = NodeDrain {
        node: NODE.parse().expect("a name"),
        undrain: false,
        dry_run: false,
    };
    fixture.agent().drain(WHO, &drain).expect("drained");
    fixture.reconcile();
    assert_eq!(fixture.vm("web").path, Path::Vf);
    fixture.machine.kernel.call_no_firewall().expect("remedied");
    fixture.reconcile();
    assert_eq!(fixture.vm("web").path, Path::Software);
}
