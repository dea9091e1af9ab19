//! Whether a guest has its VF is seen, never believed: guests that come late, have no driver, take no part
//! in failover, unbind their VF, reboot, and sleep.

use std::time::Duration;

use accelnet_api::types::{Path, State, VmView};

use accelnet_host::Clock;
use accelnet_host::vms::VmEvent;
use accelnet_model::{Code, Performance};
use accelnet_sim::Guest;
use proptest::prelude::*;

use crate::fixture::{Fixture, WHO, enable};
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
fn started(guest: Guest) -> Fixture {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture
        .machine
        .vms
        .set_guest("web", guest)
        .expect("a guest");
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    fixture
}

/// The same, enabled while it ran.
fn plugged(guest: Guest) -> Fixture {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    fixture
        .machine
        .vms
        .set_guest("web", guest)
        .expect("a guest");
    fixture.machine.vms.virsh_start("web").expect("started");
    assert!(fixture.change(&enable("web", LOW, true)).ok);
    fixture
}

/// Lets so many seconds pass, in which the agent looks whenever it is time, and makes a pass when a look
/// asks for it.
fn seconds(fixture: &mut Fixture, seconds: u64) {
    for _ in 0..seconds {
        fixture.machine.kernel.sleep(Duration::from_secs(1));
        if fixture.agent().check_paths() {
            fixture.reconcile();
        }
    }
}

fn row(vm: &VmView, what: &str) -> (Option<bool>, String) {
    let mut rows = vm.verified.iter();
    let row = rows.find(|row| row.check == what);
    row.map(|row| (row.ok, row.detail.clone()))
        .unwrap_or_else(|| panic!("{vm:#?}"))
}

fn codes(fixture: &Fixture) -> Vec<Code> {
    fixture
        .report()
        .faults
        .iter()
        .map(|fault| fault.code)
        .collect()
}

#[test]
fn a_vm_is_over_its_vf_when_its_guest_drives_it_and_not_before() {
    for mut fixture in [started(slow()), plugged(slow())] {
        let vm = fixture.vm("web");
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
        fixture.machine.vms.guest_binds("web").expect("bound");
        seconds(&mut fixture, 2);
        let vm = fixture.vm("web");
        assert_eq!(
            (vm.acceleration, vm.path),
            (State::Accelerated, Path::Vf),
            "{vm:#?}"
        );
        assert_eq!(row(&vm, "guest drives the VF").0, Some(true));
        assert_eq!(row(&vm, "failover negotiated").0, Some(true));
        assert_eq!(row(&vm, "guest has both vNIC and VF").0, Some(true));
        assert_eq!((vm.conditions.len(), codes(&fixture)), (0, vec![]));
    }
}

#[test]
fn an_answer_claims_no_vf_that_the_guest_does_not_drive_yet() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    fixture
        .machine
        .vms
        .set_guest("web", slow())
        .expect("a guest");
    fixture.machine.vms.virsh_start("web").expect("started");
    let result = fixture.change(&enable("web", LOW, true));
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
    let mut fixture = started(without_driver());
    seconds(&mut fixture, 110);
    assert_eq!(codes(&fixture), [], "guests take their time to boot");
    seconds(&mut fixture, 15);
    assert_eq!(codes(&fixture), [Code::VfNotUsed]);
    let vm = fixture.vm("web");
    assert_eq!(
        (vm.acceleration, vm.path),
        (State::Degraded, Path::Software),
        "{vm:#?}"
    );
    let fault = &fixture.report().faults[0];
    assert!(fault.found.contains("since it was started"), "{fault:?}");
    assert!(fault.found.contains("bus master is off"), "{fault:?}");
}

#[test]
fn a_vf_that_qemu_hides_is_not_attached_and_its_words_are_told() {
    let mut fixture = plugged(without_standby());
    let vm = fixture.vm("web");
    assert_eq!(vm.path, Path::Software);
    let (attached, seen) = row(&vm, "VF attached");
    assert_eq!(attached, Some(false));
    assert!(seen.contains("QEMU does not hold it"), "{seen}");
    let log = fixture
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
    seconds(&mut fixture, 50);
    assert_eq!(codes(&fixture), [Code::VfNotUsed]);
    let fault = &fixture.report().faults[0];
    assert!(fault.found.contains(words), "{fault:?}");
    assert!(fault.found.contains("VIRTIO_NET_F_STANDBY"), "{fault:?}");
}

#[test]
fn a_guest_that_unbinds_its_vf_is_found_within_a_minute() {
    let mut fixture = started(Guest::default());
    assert_eq!(fixture.vm("web").path, Path::Vf);
    fixture.machine.vms.guest_unbinds("web").expect("unbound");
    seconds(&mut fixture, 61);
    assert_eq!(fixture.vm("web").path, Path::Software);
    fixture.machine.vms.guest_binds("web").expect("bound");
    seconds(&mut fixture, 6);
    assert_eq!(fixture.vm("web").path, Path::Vf);
}

/// What libvirt's events come to in an agent.
fn reboot(fixture: &mut Fixture) {
    fixture.machine.vms.guest_reboots("web").expect("rebooted");
    let uuid = fixture.machine.vms.uuid("web").expect("a VM");
    fixture.agent().guest_event(&VmEvent::Rebooted { uuid });
    fixture.agent().check_paths();
    fixture.reconcile();
}

#[test]
fn a_reboot_begins_anew() {
    let mut fixture = started(slow());
    fixture.machine.vms.guest_binds("web").expect("bound");
    seconds(&mut fixture, 2);
    assert_eq!(fixture.vm("web").path, Path::Vf);
    reboot(&mut fixture);
    assert_eq!(fixture.vm("web").path, Path::Software);
    seconds(&mut fixture, 125);
    let fault = fixture.report().faults.remove(0);
    assert!(fault.found.contains("since it rebooted"), "{fault:?}");
    // Another one has the whole time again.
    reboot(&mut fixture);
    assert_eq!(codes(&fixture), []);
    fixture.machine.vms.guest_binds("web").expect("bound");
    seconds(&mut fixture, 2);
    assert_eq!(fixture.vm("web").path, Path::Vf);
}

#[test]
fn a_paused_guest_uses_up_no_time() {
    let mut fixture = plugged(slow());
    seconds(&mut fixture, 40);
    fixture
        .machine
        .vms
        .virsh_pause("web", true)
        .expect("paused");
    fixture.reconcile();
    seconds(&mut fixture, 600);
    assert_eq!(codes(&fixture), []);
    fixture
        .machine
        .vms
        .virsh_pause("web", false)
        .expect("resumed");
    fixture.reconcile();
    seconds(&mut fixture, 5);
    assert_eq!(codes(&fixture), []);
    seconds(&mut fixture, 10);
    assert_eq!(codes(&fixture), [Code::VfNotUsed]);
}

fn is_bridged(fixture: &Fixture) -> bool {
    let taken_in = fixture.machine.kernel.taken_in();
    taken_in.contains(&(crate::fixture::igb(), crate::fixture::mac(1)))
}

/// Longer than the time of any guest.
const ALL: u64 = 320;

#[test]
fn a_guest_that_never_drives_its_vf_is_bridged_until_it_is_taken_back() {
    for guest in [without_driver(), without_standby()] {
        for mut fixture in [started(guest.clone()), plugged(guest.clone())] {
            for _ in 0..ALL {
                invariants::no_vm_is_cut_off(&fixture, "while it is waited for");
                seconds(&mut fixture, 1);
            }
            let vm = fixture.vm("web");
            assert_eq!(
                (vm.acceleration, vm.path, vm.vf),
                (State::Degraded, Path::Software, None)
            );
            assert!(vm.conditions[0].contains("was detached"), "{vm:#?}");
            assert_eq!(codes(&fixture), [Code::VfNotUsed]);
            assert_eq!(fixture.machine.vms.vfs_in_use(), []);
            // Its definition keeps the pair, and nobody attaches the VF again.
            fixture.machine.vms.calls();
            seconds(&mut fixture, 100);
            fixture.reconcile();
            assert_eq!(fixture.machine.vms.calls(), Vec::<String>::new());
            invariants::hold(&fixture, "was detached");
            // Nor does another agent.
            fixture.start();
            assert_eq!(fixture.machine.vms.calls(), Vec::<String>::new());
            assert_eq!(codes(&fixture), [Code::VfNotUsed]);
            // A guest that starts anew has another chance.
            fixture.machine.vms.virsh_stop("web").expect("stopped");
            fixture
                .machine
                .vms
                .set_guest("web", Guest::default())
                .expect("a guest");
            fixture.machine.vms.virsh_start("web").expect("started");
            fixture.reconcile();
            assert_eq!(
                (fixture.vm("web").path, codes(&fixture)),
                (Path::Vf, vec![])
            );
        }
    }
}

#[test]
fn a_guest_whose_vf_was_taken_back_has_another_chance() {
    for by_request in [false, true] {
        let mut fixture = plugged(without_driver());
        seconds(&mut fixture, 125);
        assert_eq!(fixture.machine.vms.vfs_in_use(), []);
        fixture
            .machine
            .vms
            .set_guest("web", Guest::default())
            .expect("a guest");
        match by_request {
            true => assert!(fixture.change(&enable("web", LOW, false)).ok),
            false => reboot(&mut fixture),
        }
        seconds(&mut fixture, 2);
        fixture.reconcile();
        assert_eq!(
            (fixture.vm("web").path, codes(&fixture)),
            (Path::Vf, vec![])
        );
    }
}

#[test]
fn an_agent_that_dies_while_it_takes_a_vf_back_goes_on() {
    for step in ["take-back", "detach-vf"] {
        let mut fixture = plugged(without_driver());
        seconds(&mut fixture, 119);
        fixture.machine.kernel.sleep(Duration::from_secs(2));
        fixture.agent().check_paths();
        fixture.steps.kill_at(step, 0);
        assert!(
            fixture.attempt(|agent| agent.reconcile()).is_none(),
            "killed at {step}"
        );
        invariants::no_vm_is_cut_off(&fixture, step);
        fixture.start();
        assert_eq!(fixture.machine.vms.vfs_in_use(), [], "{step}");
        invariants::no_vm_is_cut_off(&fixture, step);
        assert_eq!(codes(&fixture), [Code::VfNotUsed], "{step}");
    }
}

#[test]
fn a_vf_that_cannot_be_told_is_never_taken_back() {
    let mut fixture = started(Guest::default());
    let vf = fixture.vm("web").vf.expect("a VF");
    let config = fixture
        .machine
        .kernel
        .root()
        .locate(&format!("/sys/bus/pci/devices/{vf}/config"));
    std::fs::remove_file(config).expect("removed");
    std::fs::remove_dir_all(fixture.machine.kernel.root().locate("/run/libvirt")).expect("removed");
    seconds(&mut fixture, ALL + 60);
    assert_eq!(fixture.vm("web").path, Path::Unknown);
    assert_eq!(fixture.machine.vms.vfs_in_use().len(), 1);
    assert!(is_bridged(&fixture));
    assert_eq!(codes(&fixture), [Code::VfNotUsed]);
}

#[test]
fn a_guest_that_goes_past_its_vf_is_bridged_while_it_does() {
    let mut fixture = started(Guest::default());
    assert!(!is_bridged(&fixture));
    fixture.agent().sender_event(crate::fixture::mac(1));
    assert!(fixture.agent().check_paths());
    assert!(is_bridged(&fixture));
    fixture.reconcile();
    assert_eq!(fixture.vm("web").path, Path::Unknown);
    seconds(&mut fixture, 10);
    assert_eq!(fixture.vm("web").path, Path::Vf);
    assert!(is_bridged(&fixture), "for a moment after the proof");
    seconds(&mut fixture, 20);
    assert!(!is_bridged(&fixture));
    // Its bridge learns of one that unbinds its VF sooner than the next look.
    fixture.machine.vms.guest_unbinds("web").expect("unbound");
    fixture.agent().sender_event(crate::fixture::mac(1));
    fixture.agent().check_paths();
    assert!(is_bridged(&fixture));
    fixture.reconcile();
    assert_eq!(fixture.vm("web").path, Path::Software);
}

#[test]
fn after_disable_a_vm_stays_whole() {
    let mut fixture = started(slow());
    fixture.agent().disable(WHO, false).expect("disabled");
    assert!(is_bridged(&fixture));
    seconds(&mut fixture, ALL + 60);
    assert_eq!(
        fixture.machine.vms.vfs_in_use().len(),
        1,
        "nothing is taken back"
    );
    assert!(is_bridged(&fixture));
    fixture.machine.vms.guest_binds("web").expect("bound");
    seconds(&mut fixture, 61);
    assert!(!is_bridged(&fixture));
    assert_eq!(fixture.vm("web").path, Path::Vf);
    reboot(&mut fixture);
    assert!(is_bridged(&fixture));
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    fixture.reconcile();
    assert!(is_bridged(&fixture), "it may be started again");
    let wish = accelnet_model::hook_config::config_file(
        fixture.machine.hook_configs(),
        &fixture.vm("web").uuid,
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
        let mut fixture = started(slow());
        for act in &acts {
            let vms = fixture.machine.vms.clone();
            match act {
                Act::Guest(standby, vf_driver, slow) => {
                    let guest = Guest { standby: *standby, vf_driver: *vf_driver, slow: *slow, ..Guest::default() };
                    vms.set_guest("web", guest).expect("a guest");
                    // One that runs has just booted.
                    let uuid = vms.uuid("web").expect("a VM");
                    fixture.agent().guest_event(&VmEvent::Rebooted { uuid });
                }
                Act::Bind => drop(vms.guest_binds("web")),
                Act::Unbind => {
                    drop(vms.guest_unbinds("web"));
                    fixture.agent().sender_event(crate::fixture::mac(1));
                }
                Act::Reboot if vms.guest_reboots("web").is_ok() => {
                    let uuid = vms.uuid("web").expect("a VM");
                    fixture.agent().guest_event(&VmEvent::Rebooted { uuid });
                }
                Act::Start => { drop(vms.virsh_start("web")); fixture.reconcile(); }
                Act::Stop => { drop(vms.virsh_stop("web")); fixture.reconcile(); }
                Act::Pause(paused) if fixture.vm("web").path != Path::NotRunning => {
                    drop(vms.virsh_pause("web", *paused));
                    fixture.reconcile();
                }
                Act::Seconds(some) => seconds(&mut fixture, *some),
                Act::AgentDies => fixture.start(),
                Act::Reboot | Act::Pause(_) => {}
            }
            fixture.agent().check_paths();
            invariants::no_vm_is_cut_off(&fixture, &format!("{act:?} of {acts:?}"));
            let vm = fixture.vm("web");
            fixture.reconcile();
            if fixture.vm("web").path == Path::Vf {
                prop_assert!(fixture.machine.vms.guest_drives_vf("web"), "{acts:?} {vm:#?}");
            }
        }
    }
}
