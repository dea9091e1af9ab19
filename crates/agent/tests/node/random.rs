//! Requests, foreign hands, faults and kills in any order: what must be so is so afterwards.

use accelnet_api::types::IntentSet;
use accelnet_host::Vms;
use accelnet_model::{Mac, Performance};
use accelnet_sim::{DomainSpec, NicSpec};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::fixture::{Fixture, INTENT, WHO, disable, enable, igb, mac, set};
use crate::{invariants, reach};

/// VMs there are.
const VMS: u8 = 3;

/// Steps at which an agent is killed now and then.
const STEPS: &[&str] = &[
    "decided",
    "wish",
    "join-nic",
    "define-vf",
    "attach-vf",
    "detach-vf",
    "undefine-vf",
    "part-nic",
    "forget",
    "acted",
    "verified",
    "recorded",
    "vfs",
    "network",
    "fall-back",
    "stop-pool",
    "going-back",
    "disrupted",
];

#[derive(Debug, Clone)]
enum Op {
    Enable(u8, Performance, bool),
    Set(u8, Performance, bool),
    Disable(u8),
    Manage(bool),
    Vfs(u32, bool),
    Start(u8),
    Stop(u8),
    TakeVf(u8),
    WriteAnew(u8),
    StopNetwork(bool),
    DeleteBridge,
    SwitchVfsOff,
    Refuse(u32),
    Away(bool),
    /// A container is connected and speaks, or it is disconnected.
    Container(u8, bool),
    Kill(usize, u32),
    Reconcile,
}

fn op() -> impl Strategy<Value = Op> {
    let vm = || 1..=VMS;
    let performance = || prop_oneof![Just(Performance::Low), Just(Performance::Medium)];
    prop_oneof![
        4 => (vm(), performance(), any::<bool>()).prop_map(|(vm, how, now)| Op::Enable(vm, how, now)),
        2 => (vm(), performance(), any::<bool>()).prop_map(|(vm, how, now)| Op::Set(vm, how, now)),
        3 => vm().prop_map(Op::Disable),
        1 => any::<bool>().prop_map(Op::Manage),
        2 => (3..=7_u32, any::<bool>()).prop_map(|(vfs, disruptive)| Op::Vfs(vfs, disruptive)),
        3 => vm().prop_map(Op::Start),
        2 => vm().prop_map(Op::Stop),
        1 => vm().prop_map(Op::TakeVf),
        1 => vm().prop_map(Op::WriteAnew),
        1 => any::<bool>().prop_map(Op::StopNetwork),
        1 => Just(Op::DeleteBridge),
        1 => Just(Op::SwitchVfsOff),
        2 => (0..4_u32).prop_map(Op::Refuse),
        1 => any::<bool>().prop_map(Op::Away),
        2 => (0..3_u8, any::<bool>()).prop_map(|(port, there)| Op::Container(port, there)),
        4 => (0..STEPS.len(), 0..2_u32).prop_map(|(step, times)| Op::Kill(step, times)),
        3 => Just(Op::Reconcile),
    ]
}

fn name(vm: u8) -> String {
    format!("vm{vm}")
}

/// Does one thing; what is refused is refused.
fn does(fixture: &mut Fixture, op: &Op) {
    let vms = fixture.machine.vms.clone();
    let change = match op {
        Op::Enable(vm, performance, now) => Some(enable(&name(*vm), *performance, *now)),
        Op::Set(vm, performance, now) => Some(set(&name(*vm), *performance, *now)),
        Op::Disable(vm) => Some(disable(&name(*vm))),
        _ => None,
    };
    if let Some(change) = change {
        drop(fixture.attempt(|agent| agent.change_vms(WHO, &change)));
        return;
    }
    match op {
        Op::Manage(true) => {
            let request = accelnet_api::types::Enable {
                intent: INTENT.to_owned(),
                node_reserve_percentage: Some(0),
                ..Default::default()
            };
            drop(fixture.attempt(|agent| agent.enable(WHO, &request)));
        }
        Op::Manage(false) => drop(fixture.attempt(|agent| agent.disable(WHO, false))),
        Op::Vfs(vfs, disruptive) => {
            let request = IntentSet {
                vfs: Some(*vfs),
                disruptive: *disruptive,
                ..IntentSet::default()
            };
            drop(fixture.attempt(|agent| agent.set_intent(WHO, INTENT, &request)));
        }
        Op::Start(vm) => drop(vms.virsh_start(&name(*vm))),
        Op::Stop(vm) => drop(vms.virsh_stop(&name(*vm))),
        Op::TakeVf(vm) => drop(vms.virsh_detach_vf(&name(*vm), mac(*vm))),
        Op::WriteAnew(vm) => {
            let network = format!("accelnet-{INTENT}");
            let spec = DomainSpec::new(&name(*vm), (*vm).into(), 4)
                .nic(NicSpec::on_network(mac(*vm), &network));
            drop(vms.add(&spec));
        }
        Op::StopNetwork(pool) => {
            let network = match pool {
                true => "accelnet-MyIntent-vf",
                false => "accelnet-MyIntent",
            };
            drop(vms.stop_network(network));
        }
        Op::DeleteBridge => {
            let switches = &fixture.machine.switches;
            switches.delete_bridge_externally("acn-MyIntent");
        }
        Op::SwitchVfsOff => {
            if vms.vfs_in_use().is_empty() {
                drop(fixture.machine.kernel.echo_numvfs(igb(), 0));
            }
        }
        Op::Refuse(call) => vms.refuse_call(*call, "error from the hypervisor"),
        Op::Away(away) => vms.set_away(*away),
        Op::Container(number, there) => {
            let port = format!("veth{number}");
            fixture.machine.switches.disconnect(&port);
            if *there
                && fixture
                    .machine
                    .switches
                    .connect(&port, "acn-MyIntent")
                    .is_ok()
            {
                reach::speaks(fixture, &port, Mac([0x02, 0x42, 0, 0, 0, *number]));
            }
        }
        Op::Kill(step, times) => fixture.steps.kill_at(STEPS[*step], *times),
        Op::Reconcile => drop(fixture.attempt(|agent| agent.reconcile())),
        Op::Enable(..) | Op::Set(..) | Op::Disable(_) => {}
    }
}

/// Does all of it, then puts right what an agent cannot, and lets it come to rest.
fn run(ops: &[Op]) {
    let mut fixture = Fixture::enabled();
    for vm in 1..=VMS {
        fixture.define(&name(vm), vm, 4);
    }
    fixture.reconcile();
    for op in ops {
        does(&mut fixture, op);
        if !fixture.lives() {
            fixture.steps.spare();
            fixture.start();
            invariants::truthful(&fixture, &format!("killed, {ops:?}"));
        }
    }
    fixture.steps.spare();
    fixture.machine.vms.accept();
    fixture.machine.vms.set_away(false);
    for _ in 0..4 {
        fixture.reconcile();
    }
    invariants::hold(&fixture, &format!("{ops:?}"));
    invariants::have_crossed(&mut fixture, &format!("{ops:?}"));
    assert!(
        fixture.is_completed(),
        "{:?} {ops:?}",
        fixture.status_of(INTENT)
    );
}

proptest! {
    #![proptest_config(Config {
        cases: 24,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn anything_in_any_order(ops in vec(op(), 1..14)) {
        run(&ops);
    }
}

/// Found by the above: a vNIC was taken out to be plugged in again, and its network did not run.
#[test]
fn a_network_that_somebody_stopped_costs_no_vm_its_vnic() {
    let low = Performance::Low;
    run(&[
        Op::Start(2),
        Op::StopNetwork(false),
        Op::Enable(2, low, true),
    ]);
}

/// The same of the bridge that the network stands for.
#[test]
fn a_bridge_that_somebody_deleted_costs_no_vm_its_vnic() {
    let low = Performance::Low;
    run(&[Op::Start(2), Op::DeleteBridge, Op::Enable(2, low, true)]);
}
