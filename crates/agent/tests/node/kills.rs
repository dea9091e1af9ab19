//! The agent is killed at every step of every change, and another one goes on.
//!
//! A first run records the steps that a change passes, each with how often; then the change
//! is begun anew for each of them, and the agent dies exactly there. What is left is the
//! store and the node. A new agent must arrive where the change was going, or where it was.

use std::collections::BTreeMap;

use accelnet_agent::simulated::DirectAgent;
use accelnet_api::types::{IntentSet, State};
use accelnet_model::intent::Role;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Performance};
use accelnet_sim::Fault;

use crate::fixture::{self, Fixture, INTENT, WHO, disable, enable, intent_add, set};
use crate::invariants;

/// Passes that a new agent may need.
const PASSES: u32 = 4;

/// A change, as it is killed.
struct Change {
    /// What it is called when it fails.
    name: &'static str,
    /// What is there before.
    before: fn() -> Fixture,
    /// The change.
    does: fn(&mut DirectAgent),
    /// What must be so afterwards, beside the invariants: it arrived, or was never begun.
    arrives: fn(&Fixture),
}

#[test]
fn adding_an_intent() {
    killed_everywhere(&Change {
        name: "intent add",
        before: || {
            let fixture = Fixture::new();
            let ip = "192.0.2.4".parse().expect("an address");
            let gateway = "192.0.2.1".parse().ok();
            fixture.machine.switches.address("ens1", ip, 24, gateway);
            fixture
        },
        does: |agent| drop(agent.add_intent(WHO, &intent_add(INTENT, &[Role::Compute], &["ens1"]))),
        arrives: |fixture| {
            assert!(fixture.is_completed(), "{:?}", fixture.status_of(INTENT));
            let bridge = fixture.machine.switches.carries("acn-MyIntent");
            assert_eq!(bridge.addresses.len(), 1, "the node's address went over");
        },
    });
}

#[test]
fn removing_an_intent() {
    killed_everywhere(&Change {
        name: "intent remove",
        before: || {
            let mut fixture = Fixture::new();
            let ip = "192.0.2.4".parse().expect("an address");
            let gateway = "192.0.2.1".parse().ok();
            fixture.machine.switches.address("ens1", ip, 24, gateway);
            fixture
                .add_intent(INTENT, &[Role::Compute], &["ens1"])
                .expect("an intent");
            fixture
        },
        does: |agent| drop(agent.remove_intent(WHO, INTENT, false)),
        arrives: |fixture| {
            assert_eq!(fixture.policy().intents.len(), 0);
            let (_, vfs) = fixture.machine.kernel.node().vfs_of("ens1").expect("a PF");
            assert_eq!(vfs.len(), 0, "VFs are left");
            assert!(!fixture.machine.kernel.node().has_link("acn-MyIntent"));
            let carries = fixture.machine.switches.carries("ens1");
            assert_eq!(carries.addresses.len(), 1, "the node's address came back");
        },
    });
}

#[test]
fn an_intent_that_cuts_the_node_off() {
    killed_everywhere(&Change {
        name: "intent add with a gateway that falls silent",
        before: || {
            let fixture = Fixture::new();
            let ip = "192.0.2.4".parse().expect("an address");
            let gateway = "192.0.2.1".parse().ok();
            fixture.machine.switches.address("ens1", ip, 24, gateway);
            fixture.machine.switches.silence_through_bridges(true);
            fixture
        },
        does: |agent| {
            let added = agent.add_intent(WHO, &intent_add(INTENT, &[Role::Compute], &["ens1"]));
            assert_eq!(added.expect_err("silent").code, Code::GatewayLost);
        },
        arrives: |fixture| {
            // Wherever it died: the node can be reached.
            let carries = fixture.machine.switches.carries("ens1");
            assert_eq!(carries.addresses.len(), 1, "the node's address is there");
            assert!(!fixture.is_completed());
        },
    });
}

#[test]
fn enabling_management() {
    killed_everywhere(&Change {
        name: "enable",
        before: || {
            let mut fixture = Fixture::new();
            fixture
                .add_intent(INTENT, &[Role::Compute], &["ens1"])
                .expect("an intent");
            fixture
        },
        does: |agent| {
            let request = accelnet_api::types::Enable {
                intent: INTENT.to_owned(),
                ..Default::default()
            };
            drop(agent.enable(WHO, &request));
        },
        arrives: |fixture| assert!(fixture.is_completed()),
    });
}

fn with_vm(runs: bool) -> Fixture {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    if runs {
        fixture.machine.vms.virsh_start("web").expect("started");
    }
    fixture.reconcile();
    fixture
}

/// A VM that runs with its VF.
fn accelerated(adapter: &str) -> Fixture {
    let mut fixture = Fixture::enabled_on(adapter);
    fixture.define("web", 1, 4);
    let result = fixture.vm_enable("web", Performance::Low);
    assert!(result.ok, "{result:?}");
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
    fixture
}

/// A VM that runs with the failover feature, and without a VF.
fn prepared() -> Fixture {
    let mut fixture = with_vm(false);
    fixture
        .machine
        .vms
        .virsh_edit("web", |xml| {
            xml.replacen(
                "<model type='virtio'/>",
                "<model type='virtio'/>\n      <teaming type='persistent'/>\n      <alias name='ua-mine'/>",
                1,
            )
        })
        .expect("edited");
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    fixture
}

/// The VM is enabled, or has nothing of it.
fn enabled_or_not(fixture: &Fixture) {
    let policy = fixture.policy();
    let uuid = fixture.machine.vms.uuid("web").expect("a VM");
    if let Some(setting) = policy.vm(&uuid) {
        assert_eq!(setting.phase, Phase::Enabled);
    }
}

#[test]
fn enabling_a_vm_that_does_not_run() {
    killed_everywhere(&Change {
        name: "vm enable, stopped",
        before: || with_vm(false),
        does: |agent| drop(agent.change_vms(WHO, &enable("web", Performance::Low, false))),
        arrives: enabled_or_not,
    });
}

#[test]
fn enabling_a_running_vm_with_the_failover_feature() {
    killed_everywhere(&Change {
        name: "vm enable, running with failover",
        before: prepared,
        does: |agent| drop(agent.change_vms(WHO, &enable("web", Performance::Low, false))),
        arrives: |fixture| {
            enabled_or_not(fixture);
            let vm = fixture.vm("web");
            assert!(
                vm.performance.is_none() || vm.acceleration == State::Accelerated,
                "{vm:?}"
            );
        },
    });
}

#[test]
fn enabling_a_running_vm_now() {
    killed_everywhere(&Change {
        name: "vm enable --now",
        before: || with_vm(true),
        does: |agent| drop(agent.change_vms(WHO, &enable("web", Performance::Low, true))),
        arrives: enabled_or_not,
    });
}

#[test]
fn enabling_a_vm_that_gets_a_nic() {
    killed_everywhere(&Change {
        name: "vm enable --add-nic",
        before: || {
            let mut fixture = Fixture::enabled();
            fixture
                .machine
                .switches
                .create_bridge_externally("br9", &[]);
            let nic = accelnet_sim::NicSpec::on_bridge(fixture::mac(9), "br9");
            let spec = accelnet_sim::DomainSpec::new("web", 1, 4).nic(nic);
            fixture.machine.vms.add(&spec).expect("defined");
            fixture.machine.vms.virsh_start("web").expect("started");
            fixture.reconcile();
            fixture
        },
        does: |agent| {
            let change = accelnet_api::types::VmChange::Enable(accelnet_api::types::VmEnable {
                names: vec!["web".to_owned()],
                performance: Performance::Low,
                now: false,
                add_nic: true,
                dry_run: false,
                mac: None,
                trust: None,
                spoof_check: None,
            });
            drop(agent.change_vms(WHO, &change));
        },
        arrives: enabled_or_not,
    });
}

#[test]
fn setting_a_vm() {
    killed_everywhere(&Change {
        name: "vm set",
        before: || accelerated("ens1"),
        does: |agent| drop(agent.change_vms(WHO, &set("web", Performance::Medium, false))),
        arrives: |fixture| {
            let vm = fixture.vm("web");
            assert_eq!(vm.acceleration, State::Accelerated, "{vm:?}");
            assert!(vm.performance >= Some(Performance::Low));
        },
    });
}

#[test]
fn setting_a_vm_whose_vf_is_given_anew() {
    killed_everywhere(&Change {
        name: "vm set --now, other queue pairs",
        before: || accelerated("ens2"),
        does: |agent| drop(agent.change_vms(WHO, &set("web", Performance::High, true))),
        arrives: |fixture| {
            let vm = fixture.vm("web");
            assert_eq!(vm.acceleration, State::Accelerated, "{vm:?}");
        },
    });
}

#[test]
fn disabling_a_vm() {
    killed_everywhere(&Change {
        name: "vm disable",
        before: || accelerated("ens1"),
        does: |agent| drop(agent.change_vms(WHO, &disable("web"))),
        arrives: |fixture| {
            let vm = fixture.vm("web");
            let gone = vm.performance.is_none();
            assert_eq!(gone, fixture.machine.vms.vfs_in_use().is_empty(), "{vm:?}");
        },
    });
}

fn fewer(
    agent: &mut DirectAgent,
) -> Result<accelnet_api::types::IntentChanged, accelnet_model::Problem> {
    let request = IntentSet {
        vfs: Some(3),
        disruptive: true,
        ..IntentSet::default()
    };
    agent.set_intent(WHO, INTENT, &request)
}

fn has_its_vf(fixture: &Fixture) {
    let vm = fixture.vm("web");
    assert_eq!(vm.acceleration, State::Accelerated, "{vm:?}");
    assert!(fixture.is_completed(), "{:?}", fixture.status_of(INTENT));
    let vfs = fixture.policy().intent(INTENT).expect("an intent").vfs;
    let (_, there) = fixture.machine.kernel.node().vfs_of("ens1").expect("a PF");
    assert_eq!(there.len() as u32, vfs.unwrap_or(7));
}

#[test]
fn a_disruptive_change() {
    killed_everywhere(&Change {
        name: "disruptive change",
        before: || accelerated("ens1"),
        does: |agent| drop(fewer(agent)),
        arrives: has_its_vf,
    });
}

#[test]
fn a_disruptive_change_that_the_kernel_refuses() {
    killed_everywhere(&Change {
        name: "disruptive change, refused",
        before: || {
            let fixture = accelerated("ens1");
            fixture
                .machine
                .kernel
                .break_with(Fault::RefusesNumber { vfs: 3, errno: 28 });
            fixture
        },
        does: |agent| {
            let changed = fewer(agent);
            assert!(changed.is_err(), "{changed:?}");
        },
        arrives: |fixture| {
            has_its_vf(fixture);
            assert_eq!(fixture.policy().intent(INTENT).expect("one").vfs, None);
        },
    });
}

/// Runs a change once whole, then once for each step at which it can be killed.
fn killed_everywhere(change: &Change) {
    let mut fixture = (change.before)();
    fixture.steps.passed();
    fixture.attempt(change.does).expect("nobody is killed");
    let mut passed = fixture.steps.passed();
    // What was not decided yet is never begun: `many.rs` has the steps of the store.
    passed.retain(|step| !fixture::STORE_STEPS.contains(&step.as_str()));
    fixture.reconcile();
    invariants::hold(&fixture, &format!("{}, whole", change.name));
    (change.arrives)(&fixture);
    let mut often: BTreeMap<String, u32> = BTreeMap::new();
    let mut kills: Vec<(String, u32)> = Vec::new();
    for step in passed {
        let times = often.entry(step.clone()).or_insert(0);
        kills.push((step, *times));
        *times += 1;
    }
    for (step, times) in &kills {
        killed_at(change, step, *times);
    }
    println!("{}: killed at each of {} steps", change.name, kills.len());
}

fn killed_at(change: &Change, step: &str, times: u32) {
    let what = format!("{} killed at {step} ({times})", change.name);
    let mut fixture = (change.before)();
    fixture.steps.kill_at(step, times);
    let ended = fixture.attempt(change.does);
    assert!(ended.is_none(), "{what}: nobody was killed");
    invariants::truthful(&fixture, &format!("{what}, at once"));
    fixture.start();
    invariants::truthful(&fixture, &format!("{what}, after the first pass"));
    for _ in 1..PASSES {
        fixture.reconcile();
        invariants::truthful(&fixture, &format!("{what}, after a pass"));
    }
    invariants::hold(&fixture, &what);
    (change.arrives)(&fixture);
    // At rest: nothing more is to be done.
    fixture.machine.vms.calls();
    fixture.machine.switches.applied();
    fixture.reconcile();
    let calls = fixture.machine.vms.calls();
    assert_eq!(calls, Vec::<String>::new(), "{what}: not at rest");
    assert_eq!(fixture.machine.switches.applied(), Vec::<String>::new());
    invariants::have_crossed(&mut fixture, &what);
}
