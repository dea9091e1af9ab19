//! VMs enabled, set and disabled; and each refusal with its id, in the order of the checks.

use accelnet_api::types::{Path, State, VmChange, VmEnable};
use accelnet_model::{Code, Mac, Performance};
use accelnet_sim::{DomainSpec, Guest, NicSpec};

use crate::fixture::{self, Fixture, INTENT, WHO, disable, enable, mac, refused, set};
use crate::invariants;

const LOW: Performance = Performance::Low;
const MEDIUM: Performance = Performance::Medium;
const HIGH: Performance = Performance::High;

#[test]
fn a_vm_that_does_not_run_gets_its_vf_with_its_next_start() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    let before = fixture.machine.vms.texts("web");
    let result = fixture.vm_enable("web", MEDIUM);
    assert!(result.ok, "{result:?}");
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    let vm = fixture.vm("web");
    assert_eq!((vm.acceleration, vm.path), (State::Accelerated, Path::Vf));
    invariants::hold(&fixture, "enabled");
    let result = fixture.vm_disable("web");
    assert!(result.ok, "{result:?}");
    invariants::hold(&fixture, "disabled");
    assert_eq!(fixture.machine.vms.texts("web").0, before.0);
}

#[test]
fn figures_are_on_the_vf_before_the_guest_has_it() {
    let mut fixture = Fixture::enabled_on("ens2");
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", MEDIUM).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    let vf = fixture.machine.vms.vfs_in_use()[0].0;
    let (pf, index) = fixture.machine.kernel.node().vf_at(vf).expect("a VF");
    let settings = settings(&fixture, pf, index);
    // Half of 100 Gb/s.
    assert_eq!((settings.mac, settings.max_tx_rate), (mac(1), 50_000));
    assert_eq!(settings.spoof_check, Some(true));
    fixture.reconcile();
    let node = fixture.report();
    assert_eq!(node.adapters[0].queue_pairs_allocated, 2);
    // What the VF of the VM has: 2 queue pairs and one more vector.
    let config = fixture
        .machine
        .kernel
        .root()
        .read(&format!("/sys/bus/pci/devices/{vf}/config"));
    let config = config.expect("a configuration space");
    let table = u16::from_le_bytes([config[0x72], config[0x73]]) & 0x7ff;
    assert_eq!(table + 1, 3, "vectors");
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    let back = settings_of(&fixture, pf, index);
    assert_eq!((back.mac, back.max_tx_rate), (Mac::ZERO, 0));
}

fn settings(
    fixture: &Fixture,
    pf: accelnet_model::PciAddress,
    index: u16,
) -> accelnet_model::vf::VfSettings {
    settings_of(fixture, pf, index)
}

fn settings_of(
    fixture: &Fixture,
    pf: accelnet_model::PciAddress,
    index: u16,
) -> accelnet_model::vf::VfSettings {
    use accelnet_host::Links;
    let links = fixture.machine.kernel.links().expect("links");
    let link = links
        .iter()
        .find(|link| link.parent == Some(pf))
        .expect("a PF");
    let all = fixture.machine.kernel.vf_settings(link).expect("settings");
    all.into_iter()
        .find(|one| one.index == u32::from(index))
        .expect("a VF")
}

#[test]
fn a_running_vm_without_failover_waits_unless_now() {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    let before = fixture.machine.vms.texts("web").1;
    let result = fixture.vm_enable("web", LOW);
    assert!(result.ok && result.waits_for_restart, "{result:?}");
    assert!(
        result
            .warnings
            .iter()
            .any(|one| one.code == Code::NextStart)
    );
    assert_eq!(
        fixture.machine.vms.texts("web").1,
        before,
        "what runs is left"
    );
    assert_eq!(fixture.vm("web").acceleration, State::WaitsForRestart);
    assert!(fixture.vm_disable("web").ok);
    let result = fixture.change(&enable("web", LOW, true));
    assert!(result.ok && !result.waits_for_restart, "{result:?}");
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
    let told = result.steps.iter().any(|step| step.restarts.is_some());
    assert!(told, "what it costs is said: {result:?}");
    invariants::hold(&fixture, "now");
}

#[test]
fn a_vm_is_bridged_unless_its_guest_drives_its_vf() {
    let mut fixture = Fixture::enabled();
    let both = |number| vec![(fixture::igb(), mac(number))];
    let taken_in = |fixture: &Fixture| fixture.machine.kernel.taken_in();
    // Before its VF has the MAC: whoever starts it, it is bridged from the beginning.
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    assert_eq!(taken_in(&fixture), both(1));
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    assert_eq!(taken_in(&fixture), [], "its guest drives its VF");
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    fixture.reconcile();
    assert_eq!(taken_in(&fixture), both(1), "and may be started again");
    assert!(fixture.vm_disable("web").ok);
    fixture.agent().check_paths();
    assert_eq!(taken_in(&fixture), []);
    // One that runs may still let go of its VF when it is disabled.
    fixture.run("live", 2, 4);
    assert!(fixture.change(&enable("live", LOW, true)).ok);
    assert_eq!(taken_in(&fixture), both(2), "the link of its VF comes up");
    invariants::have_crossed(&mut fixture, "its guest drives its VF");
    assert!(fixture.vm_disable("live").ok);
    assert_eq!(taken_in(&fixture), both(2));
    // On its software path it is reached from VFs, also after the agent died.
    invariants::have_crossed(&mut fixture, "on its software path");
    assert_eq!(taken_in(&fixture), both(2));
    fixture.start();
    assert_eq!(taken_in(&fixture), both(2));
    // What is not running has no path.
    fixture.machine.vms.virsh_stop("live").expect("stopped");
    fixture.reconcile();
    assert_eq!(taken_in(&fixture), []);
}

#[test]
fn queue_pairs_of_a_running_vm_change_now_or_with_its_next_start() {
    let mut fixture = Fixture::enabled_on("ens2");
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    let result = fixture.change(&set("web", HIGH, false));
    assert!(result.ok && result.waits_for_restart, "{result:?}");
    let told = result
        .warnings
        .iter()
        .any(|one| one.code == Code::NextStart);
    assert!(told && result.message.contains("queue pairs"), "{result:?}");
    assert_eq!(vectors(&fixture), 2, "as before");
    let result = fixture.change(&set("web", MEDIUM, true));
    assert!(result.ok && !result.waits_for_restart, "{result:?}");
    assert_eq!(vectors(&fixture), 3);
    assert!(fixture.change(&set("web", HIGH, false)).ok);
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    fixture.machine.vms.virsh_start("web").expect("started");
    assert_eq!(vectors(&fixture), 5);
}

/// MSI-X vectors of the VF that is in use.
fn vectors(fixture: &Fixture) -> u16 {
    let vf = fixture.machine.vms.vfs_in_use()[0].0;
    let path = format!("/sys/bus/pci/devices/{vf}/config");
    let config = fixture.machine.kernel.root().read(&path);
    let config = config.expect("a configuration space");
    (u16::from_le_bytes([config[0x72], config[0x73]]) & 0x7ff) + 1
}

#[test]
fn too_few_vcpus_in_each_cell_of_the_table() {
    // SMT, setting, the least number of vCPUs.
    let table = [
        ("off", LOW, 2),
        ("off", MEDIUM, 2),
        ("off", HIGH, 4),
        ("on", LOW, 4),
        ("on", MEDIUM, 4),
        ("on", HIGH, 4),
    ];
    for (smt, setting, least) in table {
        let mut fixture = Fixture::with_platform(|platform| platform.smt = smt.to_owned());
        fixture.manage("ens2");
        fixture.define("few", 1, least - 1);
        fixture.define("enough", 2, least);
        let result = fixture.vm_enable("few", setting);
        assert_eq!(refused(&result), Code::VmNotEnoughVcpus, "{smt} {setting}");
        let problem = result.problem.expect("a problem");
        assert!(
            problem.found.contains(&(least - 1).to_string()),
            "{problem:?}"
        );
        assert!(problem.needed.contains(&least.to_string()), "{problem:?}");
        let result = fixture.vm_enable("enough", setting);
        assert!(result.ok, "{smt} {setting}: {result:?}");
    }
}

#[test]
fn vms_that_cannot_be_meant() {
    let mut fixture = Fixture::enabled();
    assert_eq!(refused(&fixture.vm_enable("nobody", LOW)), Code::VmNotFound);
    let bare = DomainSpec::new("bare", 1, 4);
    fixture.machine.vms.add(&bare).expect("defined");
    assert_eq!(
        refused(&fixture.vm_enable("bare", LOW)),
        Code::GetNetworkAdapterFailed
    );
    fixture
        .machine
        .switches
        .create_bridge_externally("br9", &[]);
    let elsewhere = DomainSpec::new("elsewhere", 2, 4).nic(NicSpec::on_bridge(mac(2), "br9"));
    fixture.machine.vms.add(&elsewhere).expect("defined");
    assert_eq!(
        refused(&fixture.vm_enable("elsewhere", LOW)),
        Code::VmNotOnSwitch
    );
    let mut e1000e = NicSpec::on_network(mac(3), &format!("accelnet-{INTENT}"));
    e1000e.model = "e1000e";
    let other = DomainSpec::new("other", 3, 4).nic(e1000e);
    fixture.machine.vms.add(&other).expect("defined");
    // It is on the switch: neither is that denied, nor does it get a second one.
    let add_nic = VmChange::Enable(VmEnable {
        names: vec!["other".to_owned()],
        performance: LOW,
        now: false,
        add_nic: true,
        dry_run: false,
        mac: None,
        trust: None,
        spoof_check: None,
    });
    for change in [enable("other", LOW, false), add_nic] {
        let result = fixture.change(&change);
        assert_eq!(refused(&result), Code::VmUnfit);
        let problem = result.problem.expect("a problem");
        let found = "is on the virtual switch of intent MyIntent, and its model is e1000e";
        assert!(problem.found.contains(found), "{problem:?}");
        assert!(problem.resolution.contains("virtio"), "{problem:?}");
        assert!(!problem.resolution.contains("--add-nic"), "{problem:?}");
    }
    fixture.define("plain", 4, 4);
    assert_eq!(
        refused(&fixture.change(&set("plain", LOW, false))),
        Code::VmNotAccelerated
    );
    assert!(fixture.policy().vms.is_empty());
}

#[test]
fn a_vm_that_is_as_requested_succeeds_and_nothing_changes() {
    let mut fixture = Fixture::enabled();
    for (name, number) in [("web", 1), ("db", 2)] {
        fixture.define(name, number, 4);
        assert!(fixture.vm_enable(name, LOW).ok);
    }
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    let (policy, events) = (fixture.policy(), fixture.events().len());
    for (change, message) in [
        (
            enable("web", LOW, false),
            "VM web is already accelerated with Low on its vNIC 52:54:00:aa:00:01.",
        ),
        (
            set("web", LOW, true),
            "VM web is already accelerated with Low on its vNIC 52:54:00:aa:00:01.",
        ),
        (
            enable("db", LOW, false),
            "VM db is already enabled with Low on its vNIC 52:54:00:aa:00:02; it gets its VF at its next start.",
        ),
    ] {
        let result = fixture.change(&change);
        assert!(result.ok && result.unchanged, "{result:?}");
        assert_eq!(result.message, message);
    }
    // The store is not written, and no event records a change.
    assert_eq!(fixture.policy().revision, policy.revision);
    assert_eq!(fixture.events().len(), events);
    let result = fixture.change(&set("web", MEDIUM, false));
    assert!(result.ok && !result.unchanged, "{result:?}");
}

#[test]
fn a_vm_without_acceleration_is_disabled_already() {
    let mut fixture = Fixture::enabled();
    for (name, number) in [("web", 1), ("db", 2), ("mail", 3)] {
        fixture.define(name, number, 4);
    }
    assert!(fixture.vm_enable("web", LOW).ok);
    let all = disable("*");
    let mut unchanged = Vec::new();
    for _ in 0..2 {
        let changed = fixture.agent().change_vms(WHO, &all).expect("changed");
        assert!(changed.ok, "{changed:?}");
        let same = changed.results.iter().filter(|result| result.unchanged);
        unchanged.push(same.count());
    }
    assert_eq!(unchanged, [2, 3]);
    assert!(fixture.policy().vms.is_empty());
    let result = fixture.vm_disable("db");
    assert_eq!(result.message, "VM db is not accelerated.");
}

#[test]
fn a_stopped_vm_is_enabled_and_told_when_its_vf_comes() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    let result = fixture.vm_enable("web", LOW);
    assert_eq!(
        result.message,
        "VM web is enabled with Low on its vNIC 52:54:00:aa:00:01; it gets its VF at its next start."
    );
    assert_eq!(fixture.vm("web").path, Path::NotRunning);
    let result = fixture.change(&set("web", MEDIUM, false));
    let set =
        "VM web is set to Medium on its vNIC 52:54:00:aa:00:01; it gets its VF at its next start.";
    assert_eq!(result.message, set);
}

#[test]
fn a_setting_that_the_adapter_cannot_give() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 8);
    let result = fixture.vm_enable("web", HIGH);
    assert_eq!(refused(&result), Code::CannotProvisionPerformance);
    let problem = result.problem.expect("a problem");
    assert!(problem.needed.contains("4 queue pairs"), "{problem:?}");
    assert!(problem.found.contains("2 queue pairs"), "{problem:?}");
    let mut fixture = Fixture::enabled_on("ens2");
    fixture.define("web", 1, 8);
    assert!(fixture.vm_enable("web", HIGH).ok);
}

#[test]
fn a_rate_that_the_adapter_cannot_limit() {
    use accelnet_sim::{AdapterSpec, Port, Tree};
    let at = |text: &str| text.parse().expect("an address");
    let rigid =
        AdapterSpec::igb(at("0000:01:00.0"), "ens1").sriov(|sriov| sriov.limits_rate = false);
    let mut fixture =
        Fixture::of(Tree::new().port(Port::root(at("0000:00:01.0"), 1, 2).adapter(rigid)));
    fixture.manage("ens1");
    fixture.define("web", 1, 4);
    let result = fixture.vm_enable("web", LOW);
    assert_eq!(refused(&result), Code::CannotProvisionPerformance);
}

#[test]
fn a_pool_that_is_exhausted_and_a_reserve_that_binds() {
    let mut fixture = Fixture::enabled();
    for number in 1..=8 {
        fixture.define(&format!("vm{number}"), number, 4);
    }
    for number in 1..=7 {
        assert!(fixture.vm_enable(&format!("vm{number}"), LOW).ok);
    }
    let result = fixture.vm_enable("vm8", LOW);
    assert_eq!(refused(&result), Code::ClusterNotEnoughResources);
    let problem = result.problem.expect("a problem");
    assert!(problem.found.contains("0 VFs"), "{problem:?}");
    assert_eq!(fixture.policy().vms.len(), 7);
    invariants::hold(&fixture, "full");
    assert!(fixture.vm_disable("vm3").ok);
    assert!(fixture.vm_enable("vm8", LOW).ok);
}

#[test]
fn of_several_that_do_not_all_fit_the_first_are_admitted() {
    let mut fixture = Fixture::enabled();
    for number in 1..=9 {
        fixture.define(&format!("vm{number}"), number, 4);
    }
    let changed = fixture
        .agent()
        .change_vms(WHO, &enable("vm*", LOW, false))
        .expect("answered");
    assert!(!changed.ok);
    let ok: Vec<bool> = changed.results.iter().map(|result| result.ok).collect();
    assert_eq!(ok.iter().filter(|ok| **ok).count(), 7);
    for result in changed.results.iter().filter(|result| !result.ok) {
        assert_eq!(refused(result), Code::ClusterNotEnoughResources);
    }
    invariants::hold(&fixture, "seven of nine");
}

#[test]
fn a_mac_that_two_have() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    let network = format!("accelnet-{INTENT}");
    let twin = DomainSpec::new("twin", 2, 4).nic(NicSpec::on_network(mac(1), &network));
    fixture.machine.vms.add(&twin).expect("defined");
    let result = fixture.vm_enable("web", LOW);
    assert_eq!(refused(&result), Code::MacDuplicate);
    assert!(result.problem.expect("a problem").found.contains("twin"));
}

#[test]
fn what_does_not_go_with_a_vf() {
    let mut fixture = Fixture::enabled();
    fixture.define("saved", 1, 4);
    fixture
        .machine
        .vms
        .virsh_save("saved", true, 0)
        .expect("saved");
    assert_eq!(refused(&fixture.vm_enable("saved", LOW)), Code::VmUnfit);
    fixture.define("snapped", 2, 4);
    fixture
        .machine
        .vms
        .virsh_save("snapped", false, 2)
        .expect("saved");
    let result = fixture.vm_enable("snapped", LOW);
    assert!(result.ok && result.warnings.iter().any(|one| one.code == Code::VmCosts));
    let network = format!("accelnet-{INTENT}");
    let mut full = DomainSpec::new("full", 3, 4).nic(NicSpec::on_network(mac(3), &network));
    full.ports = 2;
    fixture.machine.vms.add(&full).expect("defined");
    // Its definition gets a port for the VF.
    let result = fixture.vm_enable("full", LOW);
    let mut steps = result.steps.iter();
    assert!(result.ok && steps.any(|step| step.action.contains("PCI Express port")));
    let mut small = DomainSpec::new("small", 4, 4).nic(NicSpec::on_network(mac(4), &network));
    small.more = "<memtune><hard_limit unit='MiB'>512</hard_limit></memtune>".to_owned();
    fixture.machine.vms.add(&small).expect("defined");
    assert_eq!(refused(&fixture.vm_enable("small", LOW)), Code::VmUnfit);
}

#[test]
fn a_guest_that_may_not_support_it_is_pointed_out() {
    let mut fixture = Fixture::enabled();
    let silent = Guest {
        answers: false,
        ..Guest::default()
    };
    let old = Guest {
        kernel: "3.10.0-1160.el7".to_owned(),
        ..Guest::default()
    };
    let none = Guest {
        has_channel: false,
        ..Guest::default()
    };
    for (number, guest) in (1..).zip([silent, old, none]) {
        let name = format!("vm{number}");
        fixture.define(&name, number, 4);
        // Without an agent, the definition's metadata would name its system.
        let edit = |xml: String| xml.replace("libosinfo:os id", "libosinfo:os no");
        fixture.machine.vms.virsh_edit(&name, edit).expect("edited");
        fixture.machine.vms.virsh_start(&name).expect("started");
        fixture
            .machine
            .vms
            .set_guest(&name, guest)
            .expect("a guest");
        let result = fixture.vm_enable(&name, LOW);
        assert!(result.ok, "{result:?}");
        let told = result
            .warnings
            .iter()
            .any(|one| one.code == Code::GuestUnknown);
        assert!(told, "{result:?}");
    }
    fixture.run("new", 9, 4);
    let result = fixture.vm_enable("new", LOW);
    assert!(
        result
            .warnings
            .iter()
            .all(|one| one.code != Code::GuestUnknown)
    );
}

#[test]
fn checks_come_in_their_order() {
    // Everything is wrong with it, and one thing after the other is put right.
    let mut fixture = Fixture::enabled();
    for number in 11..=17 {
        fixture.define(&format!("other{number}"), number, 4);
        assert!(fixture.vm_enable(&format!("other{number}"), LOW).ok);
    }
    fixture
        .machine
        .switches
        .create_bridge_externally("br9", &[]);
    let ask = |fixture: &mut Fixture| refused(&fixture.vm_enable("web", HIGH));
    assert_eq!(ask(&mut fixture), Code::VmNotFound);
    fixture
        .machine
        .vms
        .add(&DomainSpec::new("web", 1, 1))
        .expect("defined");
    assert_eq!(ask(&mut fixture), Code::GetNetworkAdapterFailed);
    let spec = |vcpus, nic| DomainSpec::new("web", 1, vcpus).nic(nic);
    let away = NicSpec::on_bridge(mac(11), "br9");
    fixture.machine.vms.add(&spec(1, away)).expect("defined");
    assert_eq!(ask(&mut fixture), Code::VmNotOnSwitch);
    // The MAC is another VM's.
    let on = || NicSpec::on_network(mac(11), &format!("accelnet-{INTENT}"));
    fixture.machine.vms.add(&spec(1, on())).expect("defined");
    assert_eq!(ask(&mut fixture), Code::VmNotEnoughVcpus);
    fixture.machine.vms.add(&spec(4, on())).expect("defined");
    assert_eq!(ask(&mut fixture), Code::CannotProvisionPerformance);
    let ask = |fixture: &mut Fixture| refused(&fixture.vm_enable("web", LOW));
    assert_eq!(ask(&mut fixture), Code::ClusterNotEnoughResources);
    assert!(fixture.vm_disable("other17").ok);
    assert_eq!(ask(&mut fixture), Code::MacDuplicate);
    fixture
        .machine
        .vms
        .virsh_undefine("other11")
        .expect("undefined");
    fixture.reconcile();
    assert!(fixture.vm_enable("web", LOW).ok);
}

#[test]
fn a_vnic_is_added_and_goes_with_the_setting() {
    let mut fixture = Fixture::enabled();
    fixture
        .machine
        .switches
        .create_bridge_externally("br9", &[]);
    let spec = DomainSpec::new("web", 1, 4).nic(NicSpec::on_bridge(mac(1), "br9"));
    fixture.machine.vms.add(&spec).expect("defined");
    fixture.machine.vms.virsh_start("web").expect("started");
    let before = fixture.machine.vms.texts("web");
    let change = VmChange::Enable(VmEnable {
        names: vec!["web".to_owned()],
        performance: LOW,
        now: false,
        add_nic: true,
        dry_run: false,
        mac: None,
        trust: None,
        spoof_check: None,
    });
    let result = fixture.change(&change);
    assert!(result.ok, "{result:?}");
    assert_eq!(fixture.vm("web").acceleration, State::Accelerated);
    invariants::hold(&fixture, "with a vNIC");
    assert!(fixture.vm_disable("web").ok);
    assert_eq!(fixture.machine.vms.texts("web"), before);
    invariants::hold(&fixture, "without");
}

#[test]
fn a_vnic_that_was_added_in_vain_goes_again() {
    let mut fixture = Fixture::enabled();
    fixture
        .machine
        .switches
        .create_bridge_externally("br9", &[]);
    // Too few vCPUs: it is refused after its vNIC was added.
    let spec = DomainSpec::new("web", 1, 1).nic(NicSpec::on_bridge(mac(1), "br9"));
    fixture.machine.vms.add(&spec).expect("defined");
    let before = fixture.machine.vms.texts("web");
    let change = VmChange::Enable(VmEnable {
        names: vec!["web".to_owned()],
        performance: LOW,
        now: false,
        add_nic: true,
        dry_run: false,
        mac: None,
        trust: None,
        spoof_check: None,
    });
    assert_eq!(refused(&fixture.change(&change)), Code::VmNotEnoughVcpus);
    assert_eq!(fixture.machine.vms.texts("web"), before);
}

#[test]
fn a_dry_run_says_what_would_be() {
    let mut fixture = Fixture::enabled();
    fixture.run("web", 1, 4);
    let before = fixture.machine.vms.texts("web");
    let change = VmChange::Enable(VmEnable {
        names: vec!["web".to_owned()],
        performance: LOW,
        now: true,
        add_nic: false,
        dry_run: true,
        mac: None,
        trust: None,
        spoof_check: None,
    });
    let result = fixture.change(&change);
    assert!(result.ok && !result.steps.is_empty(), "{result:?}");
    assert_eq!(fixture.machine.vms.texts("web"), before);
    assert!(fixture.policy().vms.is_empty());
    invariants::hold(&fixture, "a dry run");
}

#[test]
fn queue_pairs_of_a_running_vm_are_looked_at() {
    let mut fixture = Fixture::enabled_on("ens1");
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", Performance::Low).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    let vm = fixture.vm("web");
    let line = vm.verified.iter().find(|line| line.check == "queue pairs");
    let line = line.unwrap_or_else(|| panic!("{vm:#?}"));
    assert_eq!(line.ok, Some(true), "{line:?}");
    assert_eq!(line.detail, "2 for the 1 that were asked (3 MSI-X vectors)");
}
