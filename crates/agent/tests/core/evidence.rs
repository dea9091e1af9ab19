//! Whether a guest has its VF is seen, never believed: guests that come late, have no driver, take no part
//! in failover, unbind their VF, reboot, and sleep.

use std::time::Duration;

use accelnet_api::types::{Path, State, VmView};
use accelnet_host::Clock;
use accelnet_libvirt::VmEvent;
use accelnet_model::{Code, Performance};
use accelnet_sim::Guest;

use crate::bench::{Bench, enable};

const LOW: Performance = Performance::Low;

/// A guest whose driver waits for [`accelnet_sim::SimVms::guest_binds`].
fn slow() -> Guest {
    Guest {
        slow: true,
        ..Guest::default()
    }
}

fn without_driver() -> Guest {
    Guest {
        vf_driver: false,
        ..Guest::default()
    }
}

fn without_standby() -> Guest {
    Guest {
        standby: false,
        ..Guest::default()
    }
}

/// VM `web` with that guest, enabled while it was stopped, and started.
fn started(guest: Guest) -> Bench {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    assert!(bench.vm_enable("web", LOW).ok);
    bench.machine.vms.set_guest("web", guest).expect("a guest");
    bench.machine.vms.virsh_start("web").expect("started");
    bench.pass();
    bench
}

/// The same, enabled while it ran.
fn plugged(guest: Guest) -> Bench {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    bench.machine.vms.set_guest("web", guest).expect("a guest");
    bench.machine.vms.virsh_start("web").expect("started");
    assert!(bench.change(&enable("web", LOW, true)).ok);
    bench
}

/// Lets so many seconds pass, in which the agent looks whenever it is time, and makes a pass when a look
/// asks for it.
fn seconds(bench: &mut Bench, seconds: u64) {
    for _ in 0..seconds {
        bench.machine.kernel.sleep(Duration::from_secs(1));
        if bench.core().look_at_paths() {
            bench.pass();
        }
    }
}

fn row(vm: &VmView, what: &str) -> (Option<bool>, String) {
    let mut rows = vm.verified.iter();
    let row = rows.find(|row| row.what == what);
    row.map(|row| (row.so, row.seen.clone()))
        .unwrap_or_else(|| panic!("{vm:#?}"))
}

fn codes(bench: &Bench) -> Vec<Code> {
    bench
        .report()
        .faults
        .iter()
        .map(|fault| fault.code)
        .collect()
}

#[test]
fn a_vm_is_over_its_vf_when_its_guest_drives_it_and_not_before() {
    for mut bench in [started(slow()), plugged(slow())] {
        let vm = bench.vm("web");
        assert_eq!(
            (vm.acceleration, vm.path),
            (State::Accelerated, Path::Software),
            "{vm:#?}"
        );
        assert!(vm.remarks[0].contains("bus master is off"), "{vm:#?}");
        assert_eq!(row(&vm, "guest drives the VF").0, Some(false));
        let (attached, seen) = row(&vm, "VF attached");
        assert_eq!(attached, Some(true));
        assert!(seen.contains("QEMU holds /dev/vfio/"), "{seen}");
        bench.machine.vms.guest_binds("web").expect("bound");
        seconds(&mut bench, 2);
        let vm = bench.vm("web");
        assert_eq!(
            (vm.acceleration, vm.path),
            (State::Accelerated, Path::Vf),
            "{vm:#?}"
        );
        assert_eq!(row(&vm, "guest drives the VF").0, Some(true));
        assert_eq!(row(&vm, "failover negotiated").0, Some(true));
        assert_eq!(row(&vm, "guest has both vNIC and VF").0, Some(true));
        assert_eq!((vm.remarks.len(), codes(&bench)), (0, vec![]));
    }
}

#[test]
fn an_answer_claims_no_vf_that_the_guest_does_not_drive_yet() {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    bench.machine.vms.set_guest("web", slow()).expect("a guest");
    bench.machine.vms.virsh_start("web").expect("started");
    let result = bench.change(&enable("web", LOW, true));
    assert!(result.ok, "{result:?}");
    assert!(
        result.message.contains("software path"),
        "{}",
        result.message
    );
    assert_eq!(result.vm.expect("a VM").path, Path::Software);
}

#[test]
fn a_guest_without_a_driver_becomes_a_fault() {
    let mut bench = started(without_driver());
    seconds(&mut bench, 110);
    assert_eq!(codes(&bench), [], "guests take their time to boot");
    seconds(&mut bench, 15);
    assert_eq!(codes(&bench), [Code::VfNotUsed]);
    let vm = bench.vm("web");
    assert_eq!(
        (vm.acceleration, vm.path),
        (State::Degraded, Path::Software),
        "{vm:#?}"
    );
    let fault = &bench.report().faults[0];
    assert!(fault.message.contains("since it was started"), "{fault:?}");
    assert!(fault.message.contains("bus master is off"), "{fault:?}");
}

#[test]
fn a_vf_that_qemu_hides_is_not_attached_and_its_words_are_told() {
    let mut bench = plugged(without_standby());
    let vm = bench.vm("web");
    assert_eq!(vm.path, Path::Software);
    let (attached, seen) = row(&vm, "VF attached");
    assert_eq!(attached, Some(false));
    assert!(seen.contains("QEMU does not hold it"), "{seen}");
    let log = bench
        .machine
        .kernel
        .root()
        .locate("/var/log/libvirt/qemu/web.log");
    std::fs::create_dir_all(log.parent().expect("a folder")).expect("made");
    let words = "failover primary device must be on PCIExpress bus";
    std::fs::write(
        log,
        format!("2026-11-29T18:00:00Z qemu-system-x86_64: {words}\n"),
    )
    .expect("written");
    seconds(&mut bench, 50);
    assert_eq!(codes(&bench), [Code::VfNotUsed]);
    let fault = &bench.report().faults[0];
    assert!(fault.message.contains(words), "{fault:?}");
    assert!(fault.message.contains("VIRTIO_NET_F_STANDBY"), "{fault:?}");
}

#[test]
fn a_guest_that_unbinds_its_vf_is_found_within_a_minute() {
    let mut bench = started(Guest::default());
    assert_eq!(bench.vm("web").path, Path::Vf);
    bench.machine.vms.guest_unbinds("web").expect("unbound");
    seconds(&mut bench, 61);
    assert_eq!(bench.vm("web").path, Path::Software);
    bench.machine.vms.guest_binds("web").expect("bound");
    seconds(&mut bench, 6);
    assert_eq!(bench.vm("web").path, Path::Vf);
}

/// What libvirt's events come to in an agent.
fn reboot(bench: &mut Bench) {
    bench.machine.vms.guest_reboots("web").expect("rebooted");
    let uuid = bench.machine.vms.uuid("web").expect("a VM");
    bench.core().heard_of_guest(&VmEvent::Rebooted { uuid });
    bench.core().look_at_paths();
    bench.pass();
}

#[test]
fn a_reboot_begins_anew() {
    let mut bench = started(slow());
    bench.machine.vms.guest_binds("web").expect("bound");
    seconds(&mut bench, 2);
    assert_eq!(bench.vm("web").path, Path::Vf);
    reboot(&mut bench);
    assert_eq!(bench.vm("web").path, Path::Software);
    seconds(&mut bench, 125);
    let fault = bench.report().faults.remove(0);
    assert!(fault.message.contains("since it rebooted"), "{fault:?}");
    // Another one has the whole time again.
    reboot(&mut bench);
    assert_eq!(codes(&bench), []);
    bench.machine.vms.guest_binds("web").expect("bound");
    seconds(&mut bench, 2);
    assert_eq!(bench.vm("web").path, Path::Vf);
}

#[test]
fn a_paused_guest_uses_up_no_time() {
    let mut bench = plugged(slow());
    seconds(&mut bench, 40);
    bench.machine.vms.virsh_pause("web", true).expect("paused");
    bench.pass();
    seconds(&mut bench, 600);
    assert_eq!(codes(&bench), []);
    bench
        .machine
        .vms
        .virsh_pause("web", false)
        .expect("resumed");
    bench.pass();
    seconds(&mut bench, 5);
    assert_eq!(codes(&bench), []);
    seconds(&mut bench, 10);
    assert_eq!(codes(&bench), [Code::VfNotUsed]);
}
