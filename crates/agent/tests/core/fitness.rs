//! VMs that cannot have a VF are refused before anything changes, by a dry run as by the change.

use accelnet_api::types::{State, VmChange, VmEnable, VmResult};
use accelnet_model::{Code, Performance};
use accelnet_sim::{DomainSpec, NicSpec};

use crate::bench::{self, Bench, INTENT, WHO, enable, mac, refused};
use crate::invariants;

const LOW: Performance = Performance::Low;

/// A VM whose definition was edited before it started.
fn run_edited(bench: &Bench, from: &str, to: &str) {
    bench.define("web", 1, 4);
    let edit = |xml: String| {
        assert!(xml.contains(from), "{xml}");
        xml.replacen(from, to, 1)
    };
    bench.machine.vms.virsh_edit("web", edit).expect("edited");
    bench.machine.vms.virsh_start("web").expect("started");
}

/// Enables `names` now, or shows what would be done.
fn now(bench: &mut Bench, names: &[&str], dry_run: bool) -> Vec<VmResult> {
    let change = VmChange::Enable(VmEnable {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        performance: LOW,
        now: true,
        add_nic: false,
        dry_run,
    });
    let changed = bench.core().change_vms(WHO, &change);
    changed.expect("an answer").results
}

/// Refused by the plan and by the change in the same words, and nothing changed.
fn refused_unchanged(bench: &mut Bench, words: &str) {
    let before = bench.machine.vms.texts("web");
    drop(bench.machine.vms.calls());
    let planned = now(bench, &["web"], true);
    let done = now(bench, &["web"], false);
    let found = |results: &[VmResult]| results[0].problem.clone().expect("a refusal");
    assert_eq!(found(&planned), found(&done));
    assert_eq!(found(&done).code, Code::VmUnfit);
    assert!(found(&done).found.contains(words), "{:?}", found(&done));
    assert_eq!(bench.machine.vms.texts("web"), before);
    assert_eq!(bench.machine.vms.calls(), Vec::<String>::new());
    assert!(bench.policy().vms.is_empty());
}

#[test]
fn a_machine_without_pci_express_is_refused() {
    let mut bench = Bench::enabled();
    run_edited(&bench, "model='pcie-root'", "model='pci-root'");
    refused_unchanged(&mut bench, "has no PCI Express");
}

#[test]
fn an_intel_iommu_without_caching_mode_is_refused() {
    let mut bench = Bench::enabled();
    let iommu = "<iommu model='intel'><driver intremap='on'/></iommu><memballoon";
    run_edited(&bench, "<memballoon", iommu);
    refused_unchanged(&mut bench, "no caching mode");
}

#[test]
fn a_vnic_of_the_root_bus_is_not_replugged_and_now_is_not_advised() {
    let mut bench = Bench::enabled();
    run_edited(&bench, "bus='0x02' slot='0x00'", "bus='0x00' slot='0x09'");
    refused_unchanged(&mut bench, "on PCI bus 0 cannot be unplugged");
    let result = bench.vm_enable("web", LOW);
    assert!(result.ok && result.waits_for_restart, "{result:?}");
    let mut warnings = result.warnings.iter();
    let waits = warnings.find(|one| one.code == Code::NextStart);
    let waits = waits.expect("a warning");
    assert!(!waits.resolution.contains("--now"), "{waits:?}");
    bench.machine.vms.virsh_stop("web").expect("stopped");
    bench.machine.vms.virsh_start("web").expect("started");
    bench.pass();
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
}

#[test]
fn a_running_vm_whose_memory_does_not_fit_is_refused_and_lives() {
    let mut bench = Bench::enabled();
    bench.run("web", 1, 4);
    // 4096 MiB, 256 of them resident: 3840 more, and 512 of 16384 to spare.
    bench.machine.kernel.set_memory(16 << 10, 4351);
    refused_unchanged(&mut bench, "the node has 4351 MiB available");
    assert_eq!(bench.machine.vms.list().len(), 1);
    bench.machine.kernel.set_memory(16 << 10, 4352);
    let done = now(&mut bench, &["web"], false);
    assert!(done[0].ok, "{done:?}");
    invariants::hold(&bench, "memory");
}

#[test]
fn what_one_vm_takes_the_next_does_not_find() {
    let mut bench = Bench::enabled();
    bench.run("db", 1, 4);
    bench.run("web", 2, 4);
    bench.machine.kernel.set_memory(16 << 10, 6000);
    for dry_run in [true, false] {
        let done = now(&mut bench, &["db", "web"], dry_run);
        assert!(done[0].ok, "{done:?}");
        assert_eq!(refused(&done[1]), Code::VmUnfit);
    }
}

#[test]
fn a_stopped_vm_is_warned_that_it_may_not_fit() {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    bench.machine.kernel.set_memory(16 << 10, 2000);
    let result = bench.vm_enable("web", LOW);
    assert!(result.ok, "{result:?}");
    let mut warnings = result.warnings.iter();
    let found = warnings.find(|one| one.code == Code::VmCosts);
    assert!(found.is_some_and(|one| one.found.contains("4096 MiB are locked from its start on")));
}

#[test]
fn a_vm_that_has_its_vf_needs_no_more_memory_and_no_more_ports() {
    let mut bench = Bench::enabled();
    let network = format!("accelnet-{INTENT}");
    let mut spec = DomainSpec::new("web", 1, 4).nic(NicSpec::on_network(mac(1), &network));
    spec.ports = 3;
    bench.machine.vms.add(&spec).expect("defined");
    bench.machine.vms.virsh_start("web").expect("started");
    assert!(bench.change(&enable("web", LOW, true)).ok);
    bench.machine.kernel.set_memory(16 << 10, 0);
    let result = bench.change(&bench::set("web", Performance::Medium, false));
    assert!(result.ok, "{result:?}");
}

#[test]
fn a_pass_gives_no_vf_to_a_vm_that_became_unfit() {
    let mut bench = Bench::enabled();
    bench.run("web", 1, 4);
    assert!(bench.change(&enable("web", LOW, true)).ok);
    bench
        .machine
        .vms
        .virsh_detach_vf("web", mac(1))
        .expect("detached");
    bench.machine.vms.set_resident("web", 256).expect("touched");
    bench.machine.kernel.set_memory(16 << 10, 1000);
    bench.pass();
    let vm = bench.vm("web");
    assert_eq!(vm.acceleration, State::Degraded);
    assert!(
        vm.remarks[0].contains("the node has 1000 MiB available"),
        "{:?}",
        vm.remarks
    );
    bench.machine.kernel.set_memory(16 << 10, 8000);
    bench.pass();
    assert_eq!(bench.vm("web").acceleration, State::Accelerated);
}
