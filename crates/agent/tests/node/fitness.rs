//! VMs that cannot have a VF are refused before anything changes, by a dry run as by the change.

use accelnet_api::types::{State, VmChange, VmEnable, VmResult};
use accelnet_model::{Code, Performance};
use accelnet_sim::{DomainSpec, Guest, NicSpec};

use crate::fixture::{self, Fixture, INTENT, WHO, enable, mac, refused};
use crate::invariants;

const LOW: Performance = Performance::Low;

/// A VM whose definition was edited before it started.
fn run_edited(fixture: &Fixture, from: &str, to: &str) {
    fixture.define("web", 1, 4);
    let edit = |xml: String| {
        assert!(xml.contains(from), "{xml}");
        xml.replacen(from, to, 1)
    };
    fixture.machine.vms.virsh_edit("web", edit).expect("edited");
    fixture.machine.vms.virsh_start("web").expect("started");
}

/// Enables `names` now, or shows what would be done.
fn now(fixture: &mut Fixture, names: &[&str], dry_run: bool) -> Vec<VmResult> {
    let change = VmChange::Enable(VmEnable {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        performance: LOW,
        now: true,
        add_nic: false,
        mac: None,
        trust: None,
        spoof_check: None,
        dry_run,
    });
    let changed = fixture.agent().change_vms(WHO, &change);
    changed.expect("an answer").results
}

/// Refused by the plan and by the change in the same words, and nothing changed.
fn refused_unchanged(fixture: &mut Fixture, words: &str) {
    let before = fixture.machine.vms.texts("web");
    drop(fixture.machine.vms.calls());
    let planned = now(fixture, &["web"], true);
    let done = now(fixture, &["web"], false);
    let found = |results: &[VmResult]| results[0].problem.clone().expect("a refusal");
    assert_eq!(found(&planned), found(&done));
    assert_eq!(found(&done).code, Code::VmUnfit);
    assert!(found(&done).found.contains(words), "{:?}", found(&done));
    assert_eq!(fixture.machine.vms.texts("web"), before);
    assert_eq!(fixture.machine.vms.calls(), Vec::<String>::new());
    assert!(fixture.policy().vms.is_empty());
}

#[test]
fn a_machine_without_pci_express_is_refused() {
    let mut fixture = Fixture::enabled();
    run_edited(&fixture, "model='pcie-root'", "model='pci-root'");
    refused_unchanged(&mut fixture, "has no PCI Express");
}

#[test]
fn an_intel_iommu_without_caching_mode_is_refused() {
    let mut fixture = Fixture::enabled();
    let iommu = "<iommu model='intel'><driver intremap='on'/></iommu><memballoon";
    run_edited(&fixture, "<memballoon", iommu);
    refused_unchanged(&mut fixture, "no caching mode");
}

#[test]
fn a_vnic_of_the_root_bus_is_not_replugged_and_now_is_not_advised() {
    let mut fixture = Fixture::enabled();
    run_edited(&fixture, "bus='0x02' slot='0x00'", "bus='0x00' slot='0x09'");
    refused_unchanged(&mut fixture, "on PCI bus 0 cannot be unplugged");
    let result = fixture.vm_enable("web", LOW);
    assert!(result.ok && result.waits_for_restart, "{result:?}");
    let mut warnings = result.warnings.iter();
    let waits = warnings.find(|one| one.code == Code::NextStart);
    let waits = waits.expect("a warning");
    assert!(!waits.resolution.contains("--now"), "{waits:?}");
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
}

#[test]
fn a_running_vm_whose_memory_does_not_fit_is_refused_and_lives() {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    // 4096 MiB, 256 of them resident: 3840 more, and 512 of 16384 to spare.
    fixture.machine.kernel.set_memory(16 << 10, 4351);
    refused_unchanged(&mut fixture, "the node has 4351 MiB available");
    assert_eq!(fixture.machine.vms.list().len(), 1);
    fixture.machine.kernel.set_memory(16 << 10, 4352);
    let done = now(&mut fixture, &["web"], false);
    assert!(done[0].ok, "{done:?}");
    invariants::hold(&fixture, "memory");
}

#[test]
fn what_one_vm_takes_the_next_does_not_find() {
    let mut fixture = Fixture::enabled();
    fixture.run("db", 1, 4);
    fixture.run("web", 2, 4);
    fixture.machine.kernel.set_memory(16 << 10, 6000);
    for dry_run in [true, false] {
        let done = now(&mut fixture, &["db", "web"], dry_run);
        assert!(done[0].ok, "{done:?}");
        assert_eq!(refused(&done[1]), Code::VmUnfit);
    }
}

#[test]
fn a_stopped_vm_is_warned_that_it_may_not_fit() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    fixture.machine.kernel.set_memory(16 << 10, 2000);
    let result = fixture.vm_enable("web", LOW);
    assert!(result.ok, "{result:?}");
    let mut warnings = result.warnings.iter();
    let found = warnings.find(|one| one.code == Code::VmCosts);
    assert!(found.is_some_and(|one| one.found.contains("4096 MiB are locked from its start on")));
}

#[test]
fn a_vm_that_has_its_vf_needs_no_more_memory_and_no_more_ports() {
    let mut fixture = Fixture::enabled();
    let network = format!("accelnet-{INTENT}");
    let mut spec = DomainSpec::new("web", 1, 4).nic(NicSpec::on_network(mac(1), &network));
    spec.ports = 3;
    fixture.machine.vms.add(&spec).expect("defined");
    fixture.machine.vms.virsh_start("web").expect("started");
    assert!(fixture.change(&enable("web", LOW, true)).ok);
    fixture.machine.kernel.set_memory(16 << 10, 0);
    let result = fixture.change(&fixture::set("web", Performance::Medium, false));
    assert!(result.ok, "{result:?}");
}

#[test]
fn a_pass_gives_no_vf_to_a_vm_that_became_unfit() {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    assert!(fixture.change(&enable("web", LOW, true)).ok);
    fixture
        .machine
        .vms
        .virsh_detach_vf("web", mac(1))
        .expect("detached");
    fixture
        .machine
        .vms
        .set_resident("web", 256)
        .expect("touched");
    fixture.machine.kernel.set_memory(16 << 10, 1000);
    fixture.reconcile();
    let vm = fixture.vm("web");
    assert_eq!(vm.acceleration, State::Degraded);
    assert!(
        vm.conditions[0].contains("the node has 1000 MiB available"),
        "{:?}",
        vm.conditions
    );
    fixture.machine.kernel.set_memory(16 << 10, 8000);
    fixture.reconcile();
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
}

/// What is said of the guest of a VM that is enabled.
fn reported_of_the_guest(fixture: &mut Fixture) -> Option<String> {
    let result = fixture.vm_enable("web", LOW);
    assert!(result.ok, "{result:?}");
    let mut warnings = result.warnings.into_iter();
    let found = warnings.find(|one| one.code == Code::GuestUnknown);
    found.map(|one| one.found)
}

#[test]
fn a_freebsd_guest_is_not_taken_for_a_linux_of_that_number() {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    let guest = Guest {
        id: "freebsd".to_owned(),
        kernel: "14.1-RELEASE".to_owned(),
        ..Guest::default()
    };
    fixture
        .machine
        .vms
        .set_guest("web", guest)
        .expect("a guest");
    let said = reported_of_the_guest(&mut fixture);
    assert!(said.is_some_and(|found| found.contains("FreeBSD")));
}

#[test]
fn the_guest_of_a_stopped_vm_is_known_by_its_metadata() {
    let debian = "http://debian.org/debian/13";
    for (id, words) in [
        (debian, None),
        ("http://microsoft.com/win/2k22", Some("Windows")),
        ("http://freebsd.org/freebsd/14.1", Some("freebsd.org")),
    ] {
        let mut fixture = Fixture::enabled();
        fixture.define("web", 1, 4);
        let edit = |xml: String| xml.replace(debian, id);
        fixture.machine.vms.virsh_edit("web", edit).expect("edited");
        let said = reported_of_the_guest(&mut fixture);
        assert_eq!(said.is_some(), words.is_some(), "{said:?}");
        assert!(words.is_none_or(|words| said.is_some_and(|said| said.contains(words))));
    }
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    let edit = |xml: String| xml.replace("libosinfo:os id", "libosinfo:os no");
    fixture.machine.vms.virsh_edit("web", edit).expect("edited");
    let said = reported_of_the_guest(&mut fixture);
    assert!(said.is_some_and(|found| found.contains("does not name its system")));
}

/// The codes of the faults of a running VM with its VF, once `spoil` was done.
fn faults(spoil: impl FnOnce(&Fixture)) -> Vec<(Code, String)> {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    assert!(fixture.change(&enable("web", LOW, true)).ok, "a VF");
    spoil(&fixture);
    fixture.reconcile();
    let faults = fixture.report().faults.into_iter();
    faults.map(|fault| (fault.code, fault.found)).collect()
}

fn outcome(fixture: &Fixture) -> std::path::PathBuf {
    let uuid = fixture.vm("web").uuid;
    accelnet_model::hook_config::outcome_file(fixture.machine.hook_configs(), &uuid)
}

#[test]
fn a_hook_that_did_not_run_for_a_vf_is_a_fault() {
    assert_eq!(faults(|_| {}), []);
    let missing = faults(|fixture| std::fs::remove_file(outcome(fixture)).expect("removed"));
    assert_eq!(missing[0].0, Code::HookSilent);
    assert!(missing[0].1.contains("does not exist"), "{missing:?}");
    let old = faults(|fixture| {
        let file = std::fs::File::options().append(true).open(outcome(fixture));
        let hours = std::time::Duration::from_secs(7200);
        let time = std::time::UNIX_EPOCH + hours;
        file.expect("an outcome").set_modified(time).expect("aged");
    });
    assert!(old[0].1.contains("older than the VM's start"), "{old:?}");
    let other = faults(|fixture| {
        let text = std::fs::read_to_string(outcome(fixture)).expect("an outcome");
        let text = text.replace("port-created", "port-deleted");
        std::fs::write(outcome(fixture), text).expect("written");
    });
    assert!(other[0].1.contains("is not about VF"), "{other:?}");
}

#[test]
fn locked_memory_that_leaves_the_node_too_little_is_a_fault() {
    let faults = faults(|fixture| fixture.machine.kernel.set_memory(16 << 10, 511));
    assert_eq!(faults[0].0, Code::MemoryShort);
    assert!(
        faults[0]
            .1
            .contains("4096 MiB locked, and less than 512 MiB"),
        "{faults:?}"
    );
}

#[test]
fn a_vm_that_takes_the_last_memory_with_its_start_is_a_fault() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    fixture.machine.kernel.set_memory(16 << 10, 4300);
    let result = fixture.vm_enable("web", LOW);
    assert!(
        result.warnings.iter().any(|one| one.code == Code::VmCosts),
        "{result:?}"
    );
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    let mut faults = fixture.report().faults.into_iter();
    assert!(faults.any(|fault| fault.code == Code::MemoryShort));
}
