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

use crate::bench::{self, Bench, INTENT, WHO, disable, enable, intent_add, set};
use crate::invariants;

/// Passes that a new agent may need.
const PASSES: u32 = 4;

/// A change, as it is killed.
struct Change {
    /// What it is called when it fails.
    name: &'static str,
    /// What is there before.
    before: fn() -> Bench,
    /// The change.
    does: fn(&mut DirectAgent),
    /// What must be so afterwards, beside the invariants: it arrived, or was never begun.
    arrives: fn(&Bench),
}

#[test]
fn adding_an_intent() {
    killed_everywhere(&Change {
        name: "intent add",
        before: || {
            let bench = Bench::new();
            let ip = "192.0.2.4".parse().expect("an address");
            let gateway = "192.0.2.1".parse().ok();
            bench.machine.switches.address("ens1", ip, 24, gateway);
            bench
        },
        does: |agent| drop(agent.add_intent(WHO, &intent_add(INTENT, &[Role::Compute], &["ens1"]))),
        arrives: |bench| {
            assert!(bench.is_completed(), "{:?}", bench.status_of(INTENT));
            let bridge = bench.machine.switches.carries("acn-MyIntent");
            assert_eq!(bridge.addresses.len(), 1, "the node's address went over");
        },
    });
}

#[test]
fn removing_an_intent() {
    killed_everywhere(&Change {
        name: "intent remove",
        before: || {
            let mut bench = Bench::new();
            let ip = "192.0.2.4".parse().expect("an address");
            let gateway = "192.0.2.1".parse().ok();
            bench.machine.switches.address("ens1", ip, 24, gateway);
            bench
                .add_intent(INTENT, &[Role::Compute], &["ens1"])
                .expect("an intent");
            bench
        },
        does: |agent| drop(agent.remove_intent(WHO, INTENT, false)),
        arrives: |bench| {
            assert_eq!(bench.policy().intents.len(), 0);
            let (_, vfs) = bench.machine.kernel.node().vfs_of("ens1").expect("a PF");
            assert_eq!(vfs.len(), 0, "VFs are left");
            assert!(!bench.machine.kernel.node().has_link("acn-MyIntent"));
            let carries = bench.machine.switches.carries("ens1");
            assert_eq!(carries.addresses.len(), 1, "the node's address came back");
        },
    });
}

#[test]
fn an_intent_that_cuts_the_node_off() {
    killed_everywhere(&Change {
        name: "intent add with a gateway that falls silent",
        before: || {
            let bench = Bench::new();
            let ip = "192.0.2.4".parse().expect("an address");
            let gateway = "192.0.2.1".parse().ok();
            bench.machine.switches.address("ens1", ip, 24, gateway);
            bench.machine.switches.silence_through_bridges(true);
            bench
        },
        does: |agent| {
            let added = agent.add_intent(WHO, &intent_add(INTENT, &[Role::Compute], &["ens1"]));
            assert_eq!(added.expect_err("silent").code, Code::GatewayLost);
        },
        arrives: |bench| {
            // Wherever it died: the node can be reached.
            let carries = bench.machine.switches.carries("ens1");
            assert_eq!(carries.addresses.len(), 1, "the node's address is there");
            assert!(!bench.is_completed());
        },
    });
}

#[test]
fn enabling_management() {
    killed_everywhere(&Change {
        name: "enable",
        before: || {
            let mut bench = Bench::new();
            bench
                .add_intent(INTENT, &[Role::Compute], &["ens1"])
                .expect("an intent");
            bench
        },
        does: |agent| {
            let request = accelnet_api::types::Enable {
                intent: INTENT.to_owned(),
                ..Default::default()
            };
            drop(agent.enable(WHO, &request));
        },
        arrives: |bench| assert!(bench.is_completed()),
    });
}

fn with_vm(runs: bool) -> Bench {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    if runs {
        bench.machine.vms.virsh_start("web").expect("started");
    }
    bench.reconcile();
    bench
}

/// A VM that runs with its VF.
fn accelerated(adapter: &str) -> Bench {
    let mut bench = Bench::enabled_on(adapter);
    bench.define("web", 1, 4);
    let result = bench.vm_enable("web", Performance::Low);
    assert!(result.ok, "{result:?}");
    bench.machine.vms.virsh_start("web").expect("started");
    bench.reconcile();
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
    bench
}

/// A VM that runs with the failover feature, and without a VF.
fn prepared() -> Bench {
    let mut bench = with_vm(false);
    bench
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
    bench.machine.vms.virsh_start("web").expect("started");
    bench.reconcile();
    bench
}

/// The VM is enabled, or has nothing of it.
fn enabled_or_not(bench: &Bench) {
    let policy = bench.policy();
    let uuid = bench.machine.vms.uuid("web").expect("a VM");
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
        arrives: |bench| {
            enabled_or_not(bench);
            let vm = bench.vm("web");
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
            let mut bench = Bench::enabled();
            bench.machine.switches.create_bridge_externally("br9", &[]);
            let nic = accelnet_sim::NicSpec::on_bridge(bench::mac(9), "br9");
            let spec = accelnet_sim::DomainSpec::new("web", 1, 4).nic(nic);
            bench.machine.vms.add(&spec).expect("defined");
            bench.machine.vms.virsh_start("web").expect("started");
            bench.reconcile();
            bench
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
        arrives: |bench| {
            let vm = bench.vm("web");
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
        arrives: |bench| {
            let vm = bench.vm("web");
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
        arrives: |bench| {
            let vm = bench.vm("web");
            let gone = vm.performance.is_none();
            assert_eq!(gone, bench.machine.vms.vfs_in_use().is_empty(), "{vm:?}");
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

fn has_its_vf(bench: &Bench) {
    let vm = bench.vm("web");
    assert_eq!(vm.acceleration, State::Accelerated, "{vm:?}");
    assert!(bench.is_completed(), "{:?}", bench.status_of(INTENT));
    let vfs = bench.policy().intent(INTENT).expect("an intent").vfs;
    let (_, there) = bench.machine.kernel.node().vfs_of("ens1").expect("a PF");
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
            let bench = accelerated("ens1");
            bench
                .machine
                .kernel
                .break_with(Fault::RefusesNumber { vfs: 3, errno: 28 });
            bench
        },
        does: |agent| {
            let changed = fewer(agent);
            assert!(changed.is_err(), "{changed:?}");
        },
        arrives: |bench| {
            has_its_vf(bench);
            assert_eq!(bench.policy().intent(INTENT).expect("one").vfs, None);
        },
    });
}

/// Runs a change once whole, then once for each step at which it can be killed.
fn killed_everywhere(change: &Change) {
    let mut bench = (change.before)();
    bench.steps.passed();
    bench.attempt(change.does).expect("nobody is killed");
    let mut passed = bench.steps.passed();
    // What was not decided yet is never begun: `many.rs` has the steps of the store.
    passed.retain(|step| !bench::STORE_STEPS.contains(&step.as_str()));
    bench.reconcile();
    invariants::hold(&bench, &format!("{}, whole", change.name));
    (change.arrives)(&bench);
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
    let mut bench = (change.before)();
    bench.steps.kill_at(step, times);
    let ended = bench.attempt(change.does);
    assert!(ended.is_none(), "{what}: nobody was killed");
    invariants::truthful(&bench, &format!("{what}, at once"));
    bench.start();
    invariants::truthful(&bench, &format!("{what}, after the first pass"));
    for _ in 1..PASSES {
        bench.reconcile();
        invariants::truthful(&bench, &format!("{what}, after a pass"));
    }
    invariants::hold(&bench, &what);
    (change.arrives)(&bench);
    // At rest: nothing more is to be done.
    bench.machine.vms.calls();
    bench.machine.switches.applied();
    bench.reconcile();
    let calls = bench.machine.vms.calls();
    assert_eq!(calls, Vec::<String>::new(), "{what}: not at rest");
    assert_eq!(bench.machine.switches.applied(), Vec::<String>::new());
    invariants::have_crossed(&mut bench, &what);
}
