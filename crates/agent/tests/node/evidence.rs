//! Whether a guest has its VF is seen, never believed: guests that come late, have no driver, take no part
//! in failover, unbind their VF, reboot, and sleep.

use std::time::Duration;

use accelnet_api::types::{Path, State, VmView};

use accelnet_host::Clock;
use accelnet_host::vms::VmEvent;
use accelnet_model::{Code, Performance};
use accelnet_sim::Guest;
use proptest::prelude::*;

use crate::bench::{Bench, WHO, enable};
use crate::invariants;

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
    bench.reconcile();
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
        if bench.agent().check_paths() {
            bench.reconcile();
        }
    }
}

fn row(vm: &VmView, what: &str) -> (Option<bool>, String) {
    let mut rows = vm.verified.iter();
    let row = rows.find(|row| row.check == what);
    row.map(|row| (row.ok, row.detail.clone()))
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
        assert!(vm.conditions[0].contains("bus master is off"), "{vm:#?}");
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
        assert_eq!((vm.conditions.len(), codes(&bench)), (0, vec![]));
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
    assert!(fault.found.contains("since it was started"), "{fault:?}");
    assert!(fault.found.contains("bus master is off"), "{fault:?}");
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
    assert!(fault.found.contains(words), "{fault:?}");
    assert!(fault.found.contains("VIRTIO_NET_F_STANDBY"), "{fault:?}");
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
    bench.agent().guest_event(&VmEvent::Rebooted { uuid });
    bench.agent().check_paths();
    bench.reconcile();
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
    assert!(fault.found.contains("since it rebooted"), "{fault:?}");
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
    bench.reconcile();
    seconds(&mut bench, 600);
    assert_eq!(codes(&bench), []);
    bench
        .machine
        .vms
        .virsh_pause("web", false)
        .expect("resumed");
    bench.reconcile();
    seconds(&mut bench, 5);
    assert_eq!(codes(&bench), []);
    seconds(&mut bench, 10);
    assert_eq!(codes(&bench), [Code::VfNotUsed]);
}

fn is_bridged(bench: &Bench) -> bool {
    let taken_in = bench.machine.kernel.taken_in();
    taken_in.contains(&(crate::bench::igb(), crate::bench::mac(1)))
}

/// Longer than the time of any guest.
const ALL: u64 = 320;

#[test]
fn a_guest_that_never_drives_its_vf_is_bridged_until_it_is_taken_back() {
    for guest in [without_driver(), without_standby()] {
        for mut bench in [started(guest.clone()), plugged(guest.clone())] {
            for _ in 0..ALL {
                invariants::nobody_is_cut_off(&bench, "while it is waited for");
                seconds(&mut bench, 1);
            }
            let vm = bench.vm("web");
            assert_eq!(
                (vm.acceleration, vm.path, vm.vf),
                (State::Degraded, Path::Software, None)
            );
            assert!(vm.conditions[0].contains("was detached"), "{vm:#?}");
            assert_eq!(codes(&bench), [Code::VfNotUsed]);
            assert_eq!(bench.machine.vms.vfs_in_use(), []);
            // Its definition keeps the pair, and nobody attaches the VF again.
            bench.machine.vms.calls();
            seconds(&mut bench, 100);
            bench.reconcile();
            assert_eq!(bench.machine.vms.calls(), Vec::<String>::new());
            invariants::hold(&bench, "was detached");
            // Nor does another agent.
            bench.start();
            assert_eq!(bench.machine.vms.calls(), Vec::<String>::new());
            assert_eq!(codes(&bench), [Code::VfNotUsed]);
            // A guest that starts anew has another chance.
            bench.machine.vms.virsh_stop("web").expect("stopped");
            bench
                .machine
                .vms
                .set_guest("web", Guest::default())
                .expect("a guest");
            bench.machine.vms.virsh_start("web").expect("started");
            bench.reconcile();
            assert_eq!((bench.vm("web").path, codes(&bench)), (Path::Vf, vec![]));
        }
    }
}

#[test]
fn a_guest_whose_vf_was_taken_back_has_another_chance() {
    for by_request in [false, true] {
        let mut bench = plugged(without_driver());
        seconds(&mut bench, 125);
        assert_eq!(bench.machine.vms.vfs_in_use(), []);
        bench
            .machine
            .vms
            .set_guest("web", Guest::default())
            .expect("a guest");
        match by_request {
            true => assert!(bench.change(&enable("web", LOW, false)).ok),
            false => reboot(&mut bench),
        }
        seconds(&mut bench, 2);
        bench.reconcile();
        assert_eq!((bench.vm("web").path, codes(&bench)), (Path::Vf, vec![]));
    }
}

#[test]
fn an_agent_that_dies_while_it_takes_a_vf_back_goes_on() {
    for step in ["take-back", "detach-vf"] {
        let mut bench = plugged(without_driver());
        seconds(&mut bench, 119);
        bench.machine.kernel.sleep(Duration::from_secs(2));
        bench.agent().check_paths();
        bench.steps.kill_at(step, 0);
        assert!(
            bench.attempt(|agent| agent.reconcile()).is_none(),
            "killed at {step}"
        );
        invariants::nobody_is_cut_off(&bench, step);
        bench.start();
        assert_eq!(bench.machine.vms.vfs_in_use(), [], "{step}");
        invariants::nobody_is_cut_off(&bench, step);
        assert_eq!(codes(&bench), [Code::VfNotUsed], "{step}");
    }
}

#[test]
fn a_vf_that_cannot_be_told_is_never_taken_back() {
    let mut bench = started(Guest::default());
    let vf = bench.vm("web").vf.expect("a VF");
    let config = bench
        .machine
        .kernel
        .root()
        .locate(&format!("/sys/bus/pci/devices/{vf}/config"));
    std::fs::remove_file(config).expect("removed");
    std::fs::remove_dir_all(bench.machine.kernel.root().locate("/run/libvirt")).expect("removed");
    seconds(&mut bench, ALL + 60);
    assert_eq!(bench.vm("web").path, Path::Unknown);
    assert_eq!(bench.machine.vms.vfs_in_use().len(), 1);
    assert!(is_bridged(&bench));
    assert_eq!(codes(&bench), [Code::VfNotUsed]);
}

#[test]
fn a_guest_that_goes_past_its_vf_is_bridged_while_it_does() {
    let mut bench = started(Guest::default());
    assert!(!is_bridged(&bench));
    bench.agent().sender_event(crate::bench::mac(1));
    assert!(bench.agent().check_paths());
    assert!(is_bridged(&bench));
    bench.reconcile();
    assert_eq!(bench.vm("web").path, Path::Unknown);
    seconds(&mut bench, 10);
    assert_eq!(bench.vm("web").path, Path::Vf);
    assert!(is_bridged(&bench), "for a moment after the proof");
    seconds(&mut bench, 20);
    assert!(!is_bridged(&bench));
    // Its bridge learns of one that unbinds its VF sooner than the next look.
    bench.machine.vms.guest_unbinds("web").expect("unbound");
    bench.agent().sender_event(crate::bench::mac(1));
    bench.agent().check_paths();
    assert!(is_bridged(&bench));
    bench.reconcile();
    assert_eq!(bench.vm("web").path, Path::Software);
}

#[test]
fn after_disable_a_vm_stays_whole() {
    let mut bench = started(slow());
    bench.agent().disable(WHO, false).expect("disabled");
    assert!(is_bridged(&bench));
    seconds(&mut bench, ALL + 60);
    assert_eq!(
        bench.machine.vms.vfs_in_use().len(),
        1,
        "nothing is taken back"
    );
    assert!(is_bridged(&bench));
    bench.machine.vms.guest_binds("web").expect("bound");
    seconds(&mut bench, 61);
    assert!(!is_bridged(&bench));
    assert_eq!(bench.vm("web").path, Path::Vf);
    reboot(&mut bench);
    assert!(is_bridged(&bench));
    bench.machine.vms.virsh_stop("web").expect("stopped");
    bench.reconcile();
    assert!(is_bridged(&bench), "it may be started again");
    let wish = accelnet_model::hook_config::config_file(
        bench.machine.hook_configs(),
        &bench.vm("web").uuid,
    );
    assert!(wish.exists(), "the hook sets the VF of its next start");
}

/// What a guest and its owner do, in any order.
#[derive(Debug, Clone)]
enum Act {
    Guest(bool, bool, bool),
    Bind,
    Unbind,
    Reboot,
    Start,
    Stop,
    Pause(bool),
    Seconds(u64),
    AgentDies,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => any::<(bool, bool, bool)>().prop_map(|(a, b, c)| Act::Guest(a, b, c)),
        2 => Just(Act::Bind),
        2 => Just(Act::Unbind),
        2 => Just(Act::Reboot),
        2 => Just(Act::Start),
        1 => Just(Act::Stop),
        1 => any::<bool>().prop_map(Act::Pause),
        4 => (1..200_u64).prop_map(Act::Seconds),
        1 => Just(Act::AgentDies),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the guest does: once the agent has heard of it (an event, a look, or the bridge that
    /// learns), its VM is bridged, or its VF is gone.
    #[test]
    fn no_behaviour_of_a_guest_cuts_its_vm_off(acts in proptest::collection::vec(act(), 1..16)) {
        let mut bench = started(slow());
        for act in &acts {
            let vms = bench.machine.vms.clone();
            match act {
                Act::Guest(standby, vf_driver, slow) => {
                    let guest = Guest { standby: *standby, vf_driver: *vf_driver, slow: *slow, ..Guest::default() };
                    vms.set_guest("web", guest).expect("a guest");
                    // One that runs has just booted.
                    let uuid = vms.uuid("web").expect("a VM");
                    bench.agent().guest_event(&VmEvent::Rebooted { uuid });
                }
                Act::Bind => drop(vms.guest_binds("web")),
                Act::Unbind => {
                    drop(vms.guest_unbinds("web"));
                    bench.agent().sender_event(crate::bench::mac(1));
                }
                Act::Reboot if vms.guest_reboots("web").is_ok() => {
                    let uuid = vms.uuid("web").expect("a VM");
                    bench.agent().guest_event(&VmEvent::Rebooted { uuid });
                }
                Act::Start => { drop(vms.virsh_start("web")); bench.reconcile(); }
                Act::Stop => { drop(vms.virsh_stop("web")); bench.reconcile(); }
                Act::Pause(paused) if bench.vm("web").path != Path::NotRunning => {
                    drop(vms.virsh_pause("web", *paused));
                    bench.reconcile();
                }
                Act::Seconds(some) => seconds(&mut bench, *some),
                Act::AgentDies => bench.start(),
                Act::Reboot | Act::Pause(_) => {}
            }
            bench.agent().check_paths();
            invariants::nobody_is_cut_off(&bench, &format!("{act:?} of {acts:?}"));
            let vm = bench.vm("web");
            bench.reconcile();
            if bench.vm("web").path == Path::Vf {
                prop_assert!(bench.machine.vms.guest_drives_vf("web"), "{acts:?} {vm:#?}");
            }
        }
    }
}
