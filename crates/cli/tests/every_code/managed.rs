//! What an agent refuses or finds on its node: a real agent over a simulated one.

use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::run::{Place, StoreChoice};
use accelnet_agent::simulated::DirectAgent;
use accelnet_agent::simulated::Simulated;
use accelnet_api::types::{IntentAdd, VmChange, VmChanged, VmEnable, VmResult};
use accelnet_host::{Clock, Vms};
use accelnet_model::intent::Role;
use accelnet_model::{Code, Performance, Problem, hook_config};
use accelnet_sim::{Fault, Guest};

use crate::fixture::{
    Fixture, INTENT, NODE, WHO, disable, enable, igb, intent_add, mac, set, vm_enable,
};

const COMPUTE: &[Role] = &[Role::Compute];
const LOW: Performance = Performance::Low;

fn refused<T>(answer: Result<T, Problem>) -> Vec<Code> {
    answer
        .err()
        .map(|problem| problem.code)
        .into_iter()
        .collect()
}

/// The codes of a result: its problem and its warnings.
fn of(result: &VmResult) -> Vec<Code> {
    let problems = result.problem.iter().chain(&result.warnings);
    problems.map(|problem| problem.code).collect()
}

pub fn an_intent_without_a_name() -> Vec<Code> {
    refused(Fixture::new().add_intent("-", COMPUTE, &["ens1"]))
}

pub fn two_intents(second: &str, roles: &[Role], adapter: &str) -> Vec<Code> {
    let mut fixture = Fixture::new();
    fixture
        .add_intent("One", &[Role::Storage], &["ens1"])
        .expect("declared");
    refused(fixture.add_intent(second, roles, &[adapter]))
}

pub fn an_intent_that_management_is_on() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    refused(fixture.agent().remove_intent(WHO, INTENT, false))
}

/// Somebody switched the VFs off, and the kernel makes no new ones.
pub fn an_intent_that_failed() -> Vec<Code> {
    let mut fixture = Fixture::new();
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared");
    let kernel = &fixture.machine.kernel;
    kernel.node_mut().apply_numvfs(igb(), 0).expect("a tree");
    kernel.break_with(Fault::Errno(28));
    fixture.reconcile();
    refused(fixture.enable(Some(0)))
}

/// Two adapters that are ports of a bridge already, one of them not the intent's.
pub fn an_uplink_of_another_user() -> Vec<Code> {
    let mut fixture = Fixture::new();
    fixture
        .machine
        .switches
        .create_bridge_externally("br0", &["ens1", "ens2"]);
    refused(fixture.add_intent(INTENT, COMPUTE, &["ens1"]))
}

pub fn a_gateway_that_falls_silent() -> Vec<Code> {
    let mut fixture = Fixture::new();
    let switches = &fixture.machine.switches;
    let ip = "192.0.2.4".parse().expect("an address");
    switches.address("ens1", ip, 24, "192.0.2.1".parse().ok());
    switches.silence_through_bridges(true);
    refused(fixture.add_intent(INTENT, COMPUTE, &["ens1"]))
}

/// An uplink whose address is leased: no client runs on the bridge.
pub fn a_lease_that_nothing_renews() -> Vec<Code> {
    let mut fixture = Fixture::new();
    let ip = "192.0.2.4".parse().expect("an address");
    let time = Duration::from_secs(900);
    fixture.machine.switches.lease("ens1", ip, 24, None, time);
    fixture
        .add_intent(INTENT, COMPUTE, &["ens1"])
        .expect("declared");
    let faults = fixture.report().faults.into_iter();
    faults.map(|fault| fault.code).collect()
}

pub fn a_vm_without_a_setting() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.define("web1", 1, 4);
    of(&fixture.change(&set("web1", LOW, false)))
}

pub fn a_vm_on_another_network() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.define_on("web1", 1, 4, "default");
    of(&fixture.vm_enable("web1", LOW))
}

pub fn two_vms_with_one_mac() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.define("web1", 1, 4);
    let network = format!("accelnet-{INTENT}");
    let twin = accelnet_sim::DomainSpec::new("web2", 2, 4)
        .nic(accelnet_sim::NicSpec::on_network(mac(1), &network));
    fixture.machine.vms.add(&twin).expect("defined");
    of(&fixture.vm_enable("web1", LOW))
}

pub fn a_vnic_that_is_not_there() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.define("web1", 1, 4);
    of(&fixture.change(&VmChange::Enable(VmEnable {
        mac: Some(mac(9)),
        ..vm_enable("web1", LOW, false)
    })))
}

/// An adapter whose driver does not let guests be trusted.
pub fn a_driver_without_trust() -> Vec<Code> {
    let mut fixture = Fixture::without_trust();
    let add = IntentAdd {
        trust: Some(true),
        ..intent_add(INTENT, COMPUTE, &["ens1"])
    };
    refused(fixture.agent().add_intent(WHO, &add))
}

/// A VM with a managed save image, or with snapshots.
pub fn a_saved_vm(image: bool, snapshots: u32) -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.define("web1", 1, 4);
    let vms = &fixture.machine.vms;
    vms.virsh_save("web1", image, snapshots).expect("saved");
    of(&fixture.vm_enable("web1", LOW))
}

/// A running VM whose vNIC has no failover feature, and whose guest says nothing.
pub fn a_running_vm() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.run("web1", 1, 4);
    let windows = Guest {
        id: "mswindows".to_owned(),
        ..Guest::default()
    };
    fixture
        .machine
        .vms
        .set_guest("web1", windows)
        .expect("a guest");
    of(&fixture.vm_enable("web1", LOW))
}

/// An adapter that takes in no address beside its own.
pub fn a_filter_that_is_full() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.machine.kernel.limit_filters(Some(0));
    fixture.run("db", 1, 4);
    fixture.define("web1", 2, 4);
    fixture.reconcile();
    of(&fixture.vm_enable("web1", LOW))
}

pub fn a_libvirt_that_refuses() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.define("web1", 1, 4);
    fixture.machine.vms.refuse_call(0, "no way");
    of(&fixture.vm_enable("web1", LOW))
}

pub fn a_libvirt_that_is_away() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.machine.vms.set_away(true);
    refused::<VmChanged>(fixture.agent().change_vms(WHO, &enable("web1", LOW, false)))
}

/// Settings that a newer accelnet wrote.
pub fn a_store_that_cannot_be_read() -> Vec<Code> {
    let folder = tempfile::tempdir().expect("a folder");
    // A folder lies where the file should be.
    let choice = StoreChoice::File(folder.path().to_owned());
    refused(Place::open(&choice, "node1"))
}

/// Somebody takes the VF away right after it was given.
pub fn a_vf_that_is_gone_at_once() -> Vec<Code> {
    let mut fixture = Fixture::enabled_on("ens2");
    fixture.run("web1", 1, 4);
    assert!(fixture.change(&enable("web1", LOW, true)).ok, "a pair");
    assert!(
        fixture.change(&disable("web1")).ok,
        "with failover from now on"
    );
    let machine = fixture.machine.clone();
    let thief = machine.clone();
    let edge = Simulated::new(machine).failpoint(Arc::new(move |step: &str| {
        if step == "acted" {
            let _ = thief.vms.virsh_detach_vf("web1", mac(1));
        }
    }));
    let mut agent = DirectAgent::new(Box::new(edge), fixture.store.clone(), NODE);
    agent.reconcile().expect("a store");
    let changed = agent.change_vms(WHO, &enable("web1", LOW, false));
    of(&changed.expect("an answer").results[0])
}

pub fn a_pool_that_was_restarted() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.run("web1", 1, 4);
    assert!(fixture.change(&enable("web1", LOW, true)).ok, "a VF");
    let vms = &fixture.machine.vms;
    vms.stop_network("accelnet-MyIntent-vf").expect("stopped");
    fixture.reconcile();
    let faults = fixture.report().faults;
    faults.into_iter().map(|fault| fault.code).collect()
}

pub fn a_guest_without_a_driver_for_its_vf() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.run("web1", 1, 4);
    let guest = Guest {
        vf_driver: false,
        ..Guest::default()
    };
    let vms = fixture.machine.vms.clone();
    vms.set_guest("web1", guest).expect("a guest");
    assert!(fixture.change(&enable("web1", LOW, true)).ok, "a VF");
    fixture.machine.kernel.sleep(Duration::from_secs(60));
    assert!(fixture.agent().check_paths(), "it takes too long");
    fixture.reconcile();
    let faults = fixture.report().faults;
    faults.into_iter().map(|fault| fault.code).collect()
}

pub fn a_vf_that_does_not_come_back() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.run("web1", 1, 4);
    assert!(fixture.change(&enable("web1", LOW, true)).ok, "a VF");
    let vms = &fixture.machine.vms;
    vms.virsh_detach_vf("web1", mac(1)).expect("detached");
    vms.refuse("attach live", "no way", 1);
    fixture.reconcile();
    let faults = fixture.report().faults;
    faults.into_iter().map(|fault| fault.code).collect()
}

fn faults_of_a_running_vm(spoil: impl FnOnce(&Fixture)) -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.run("web1", 1, 4);
    assert!(fixture.change(&enable("web1", LOW, true)).ok, "a VF");
    spoil(&fixture);
    fixture.reconcile();
    let faults = fixture.report().faults;
    faults.into_iter().map(|fault| fault.code).collect()
}

pub fn a_hook_that_did_not_run() -> Vec<Code> {
    faults_of_a_running_vm(|fixture| {
        let uuid = fixture.machine.vms.uuid("web1").expect("a VM");
        let file = hook_config::outcome_file(
            fixture.machine.hook_configs(),
            &uuid.parse().expect("a UUID"),
        );
        std::fs::remove_file(file).expect("an outcome");
    })
}

pub fn a_node_without_memory_to_spare() -> Vec<Code> {
    faults_of_a_running_vm(|fixture| fixture.machine.kernel.set_memory(16 << 10, 511))
}
