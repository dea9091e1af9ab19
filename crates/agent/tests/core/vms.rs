//! VMs enabled, set and disabled; and each refusal with its id, in the order of the checks.

use accelnet_api::types::{Path, State};
use accelnet_model::Performance;

use crate::bench::Bench;
use crate::invariants;

#[test]
fn a_vm_that_does_not_run_gets_its_vf_with_its_next_start() {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    let before = bench.machine.vms.texts("web");
    let result = bench.vm_enable("web", Performance::Medium);
    assert!(result.ok, "{result:?}");
    bench.machine.vms.virsh_start("web").expect("started");
    bench.pass();
    let vm = bench.vm("web");
    assert_eq!((vm.acceleration, vm.path), (State::Accelerated, Path::Vf));
    invariants::hold(&bench, "enabled");
    let result = bench.vm_disable("web");
    assert!(result.ok, "{result:?}");
    invariants::hold(&bench, "disabled");
    assert_eq!(bench.machine.vms.texts("web").0, before.0);
}
