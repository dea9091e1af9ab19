//! More VMs in one request than go into one transaction of a store.

use accelnet_api::types::{VmChange, VmDisable};
use accelnet_model::intent::Role;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Mac, PciAddress, Performance};
use accelnet_sim::{AdapterSpec, DomainSpec, NicSpec, Port, Tree};

use crate::bench::{Bench, INTENT, WHO, vm_enable};

/// Several transactions of [`accelnet_store::MAX_OPS`].
const VMS: u8 = 130;

fn bench() -> Bench {
    let address: PciAddress = "0000:01:00.0".parse().expect("an address");
    let port: PciAddress = "0000:00:01.0".parse().expect("an address");
    let adapter = AdapterSpec::mlx5(address, "ens1");
    let mut bench = Bench::of(Tree::new().port(Port::root(port, 1, 3).adapter(adapter)));
    bench
        .add_intent(INTENT, &[Role::Compute], &["ens1"])
        .expect("an intent");
    bench.enable(Some(0)).expect("enabled");
    for number in 1..=VMS {
        let nic = NicSpec::on_network(
            Mac([0x52, 0x54, 0, 0xaa, 0, number]),
            &format!("accelnet-{INTENT}"),
        );
        let spec = DomainSpec::new(&format!("vm{number}"), number.into(), 4).nic(nic);
        bench.machine.vms.add(&spec).expect("a VM");
    }
    bench
}

fn all_enabled() -> VmChange {
    VmChange::Enable(vm_enable("*", Performance::Low, false))
}

fn all_disabled() -> VmChange {
    VmChange::Disable(VmDisable {
        names: vec!["*".to_owned()],
        dry_run: false,
    })
}

/// Settings that are there; none of them is half-way.
fn whole(bench: &Bench) -> usize {
    let policy = bench.policy();
    let half = policy
        .vms
        .iter()
        .filter(|(vm, _)| vm.phase != Phase::Enabled);
    assert_eq!(half.count(), 0);
    policy.vms.len()
}

#[test]
fn more_than_go_at_once_are_enabled_and_disabled_by_one_request_each() {
    let mut bench = bench();
    for _ in 0..2 {
        let changed = bench
            .core()
            .change_vms(WHO, &all_enabled())
            .expect("an answer");
        assert!(changed.ok && changed.results.len() == usize::from(VMS));
        assert_eq!(whole(&bench), usize::from(VMS));
    }
    let changed = bench
        .core()
        .change_vms(WHO, &all_disabled())
        .expect("an answer");
    assert!(changed.ok && changed.results.len() == usize::from(VMS));
    assert_eq!(whole(&bench), 0);
}

#[test]
fn killed_in_the_middle_none_is_half_done() {
    for (step, times) in [
        ("decided", 0),
        ("acted", 0),
        ("verified", 0),
        ("recorded", 0),
    ] {
        let mut bench = bench();
        bench.steps.kill_at(step, times);
        let answer = bench.attempt(|core| core.change_vms(WHO, &all_enabled()));
        assert!(answer.is_none(), "it died at {step}");
        bench.steps.spare();
        bench.start();
        assert_eq!(whole(&bench), usize::from(VMS), "{step}");
        if step == "verified" {
            bench.steps.kill_at("acted", 90);
            let answer = bench.attempt(|core| core.change_vms(WHO, &all_disabled()));
            assert!(answer.is_none(), "it died in the middle");
            bench.steps.spare();
            bench.start();
            assert_eq!(whole(&bench), 0);
        }
    }
}
