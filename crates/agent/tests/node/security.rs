//! Which vNIC of a VM is accelerated, and what its guest may do with its VF.

use accelnet_api::types::{EventKind, IntentAdd, IntentSet, VmChange, VmEnable, VmSet};
use accelnet_host::Links;
use accelnet_model::intent::Role;
use accelnet_model::vf::VfSettings;
use accelnet_model::{Code, Performance, VfChoice};
use accelnet_sim::{DomainSpec, NicSpec};

use crate::fixture::{Fixture, INTENT, WHO, enable, intent_add, mac, refused, vm_enable};
use crate::invariants;

const LOW: Performance = Performance::Low;

/// `two` with two virtio vNICs on the switch and one elsewhere.
fn with_several() -> Fixture {
    let fixture = Fixture::enabled();
    fixture
        .machine
        .switches
        .create_bridge_externally("br9", &[]);
    let network = format!("accelnet-{INTENT}");
    let spec = DomainSpec::new("two", 1, 4)
        .nic(NicSpec::on_bridge(mac(3), "br9"))
        .nic(NicSpec::on_network(mac(1), &network))
        .nic(NicSpec::on_network(mac(2), &network));
    fixture.machine.vms.add(&spec).expect("defined");
    fixture
}

fn on(name: &str, number: u8) -> VmChange {
    VmChange::Enable(VmEnable {
        mac: Some(mac(number)),
        ..vm_enable(name, LOW, false)
    })
}

#[test]
fn the_answer_and_the_event_name_the_vnic_and_mac_chooses() {
    for (change, chosen) in [(enable("two", LOW, false), 1), (on("two", 2), 2)] {
        let mut fixture = with_several();
        let before = fixture.machine.vms.texts("two").0;
        let result = fixture.change(&change);
        assert!(result.ok, "{result:?}");
        let name = mac(chosen).to_string();
        let said = format!(
            "VM two is enabled with Low on its vNIC {name}; it gets its VF at its next start."
        );
        assert!(result.message.starts_with(&said), "{result:?}");
        // Where nobody chose, the others are named, and how to choose.
        let others = format!("Its vNIC {} is on that switch, too; --mac chooses.", mac(2));
        assert_eq!(result.message.contains(&others), chosen == 1, "{result:?}");
        let mut events = fixture.events().into_iter();
        let told = format!("Enabled acceleration on two (Low, vNIC {name}).");
        assert!(events.any(|event| event.message == told), "{told}");
        fixture.machine.vms.virsh_start("two").expect("started");
        fixture.reconcile();
        let vnics = fixture.vm("two").vnics;
        let path = vnics
            .iter()
            .find(|vnic| vnic.role.as_deref() == Some("software path"));
        assert_eq!(path.and_then(|vnic| vnic.mac), Some(mac(chosen)));
        // Asked again, it stays with that one.
        assert!(fixture.vm_enable("two", LOW).ok);
        let result = fixture.vm_disable("two");
        assert!(result.message.contains(&name), "{result:?}");
        assert_eq!(fixture.machine.vms.texts("two").0, before);
        invariants::hold(&fixture, "several vNICs");
    }
}

#[test]
fn a_vnic_that_cannot_be_chosen_is_refused_with_those_there_are() {
    let mut fixture = with_several();
    for (number, words) in [
        (
            9,
            "Its vNICs are 52:54:00:aa:00:03 (bridge br9), 52:54:00:aa:00:01",
        ),
        (3, "That vNIC is on bridge br9"),
    ] {
        let result = fixture.change(&on("two", number));
        assert_eq!(refused(&result), Code::VnicNotFound);
        let found = result.problem.expect("a problem").found;
        assert!(found.contains(words), "{found}");
    }
    assert!(fixture.change(&on("two", 2)).ok);
    let result = fixture.change(&on("two", 1));
    assert_eq!(refused(&result), Code::VnicNotFound);
    let problem = result.problem.expect("a problem");
    assert!(problem.found.contains("is accelerated"), "{problem:?}");
    assert!(problem.resolution.contains("vm disable two"), "{problem:?}");
    assert!(fixture.change(&on("two", 2)).ok, "it is the one");
}

#[test]
fn a_name_with_a_star_means_the_vm_that_has_it() {
    let mut fixture = Fixture::enabled();
    fixture.define("axb", 1, 4);
    fixture.define("a*b", 2, 4);
    let result = fixture.vm_enable("a*b", LOW);
    assert_eq!((result.ok, result.name.as_str()), (true, "a*b"));
    assert!(fixture.vm_disable("a[*]b").ok);
    assert_eq!(fixture.policy().vms.len(), 0);
    fixture
        .machine
        .vms
        .virsh_undefine("a*b")
        .expect("undefined");
    fixture.reconcile();
    let result = fixture.vm_enable("a*b", LOW);
    assert_eq!((result.ok, result.name.as_str()), (true, "axb"), "a glob");
    assert_eq!(refused(&fixture.vm_enable("a[*]b", LOW)), Code::VmNotFound);
}

/// The settings of the VF that `web` has.
fn vf(fixture: &Fixture) -> VfSettings {
    let (vf, _) = fixture.machine.vms.vfs_in_use().remove(0);
    let kernel = &fixture.machine.kernel;
    let (pf, index) = kernel.node().vf_at(vf).expect("a VF");
    let links = kernel.links().expect("links");
    let link = links.iter().find(|link| link.parent == Some(pf));
    let all = kernel.vf_settings(link.expect("a PF")).expect("settings");
    let mut own = all.into_iter();
    own.find(|one| one.index == u32::from(index)).expect("a VF")
}

fn set(trust: Option<VfChoice>, spoof_check: Option<VfChoice>) -> VmChange {
    VmChange::Set(VmSet {
        names: vec!["web".to_owned()],
        performance: None,
        trust,
        spoof_check,
        now: false,
        dry_run: false,
    })
}

#[test]
fn a_guest_is_trusted_when_somebody_says_so_and_without_taking_its_vf() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    let enabled = VmChange::Enable(VmEnable {
        trust: Some(VfChoice::On),
        ..vm_enable("web", LOW, false)
    });
    let result = fixture.change(&enabled);
    assert!(result.ok, "{result:?}");
    let told = format!(
        "Enabled acceleration on web (Low, vNIC {}, trust on).",
        mac(1)
    );
    let mut events = fixture.events().into_iter();
    assert!(events.any(|event| event.message == told));
    fixture.machine.vms.virsh_start("web").expect("started");
    let now = vf(&fixture);
    assert_eq!(
        (now.trust, now.spoof_check),
        (Some(true), Some(true)),
        "the hook"
    );
    fixture.reconcile();
    let drifts = |fixture: &Fixture| {
        let events = fixture.events().into_iter();
        events.filter(|one| one.kind == EventKind::Drift).count()
    };
    let before = drifts(&fixture);
    let _ = fixture.machine.vms.calls();
    // Live, with the performance that it has.
    let result = fixture.change(&set(Some(VfChoice::Off), Some(VfChoice::Off)));
    assert!(result.ok && !result.waits_for_restart, "{result:?}");
    let now = vf(&fixture);
    assert_eq!((now.trust, now.spoof_check), (Some(false), Some(false)));
    assert_eq!(
        fixture.machine.vms.calls(),
        [] as [String; 0],
        "libvirt is not asked"
    );
    let shown = fixture.vm("web");
    assert_eq!(shown.performance, Some(LOW));
    let security = shown.security.expect("a setting");
    assert_eq!((security.trust, security.spoof_check), (false, false));
    for what in ["trust", "spoof check"] {
        let mut lines = shown.verified.iter();
        let line = lines.find(|one| one.check == what).expect("a line");
        assert_eq!(line.ok, Some(true), "{line:?}");
    }
    fixture.reconcile();
    assert_eq!(drifts(&fixture), before, "nothing is found to be otherwise");
    // As the intent has it.
    let result = fixture.change(&set(None, Some(VfChoice::Intent)));
    assert!(result.ok, "{result:?}");
    assert_eq!(vf(&fixture).spoof_check, Some(true));
    let change = IntentSet {
        trust: Some(true),
        spoof_check: Some(false),
        ..IntentSet::default()
    };
    fixture.set_intent(&change).expect("changed");
    let now = vf(&fixture);
    assert_eq!(
        (now.trust, now.spoof_check),
        (Some(false), Some(false)),
        "its own first"
    );
    // Somebody sets it by hand.
    let kernel = &fixture.machine.kernel;
    let links = kernel.links().expect("links");
    let link = links.iter().find(|link| link.name == "ens1").expect("a PF");
    let by_hand = accelnet_netlink::VfChange::Trust(true);
    kernel.set_vf(link.index, now.index, by_hand).expect("set");
    fixture.reconcile();
    assert_eq!(vf(&fixture).trust, Some(false));
    fixture.machine.vms.virsh_stop("web").expect("stopped");
    invariants::hold(&fixture, "trusted");
}

#[test]
fn guests_of_an_intent_are_trusted_together() {
    let mut fixture = Fixture::new();
    let add = IntentAdd {
        trust: Some(true),
        spoof_check: Some(false),
        ..intent_add(INTENT, &[Role::Compute], &["ens1"])
    };
    let _ = fixture.agent().add_intent(WHO, &add).expect("declared");
    fixture.enable(Some(0)).expect("enabled");
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    let now = vf(&fixture);
    assert_eq!((now.trust, now.spoof_check), (Some(true), Some(false)));
    let storage = IntentAdd {
        trust: Some(true),
        ..intent_add("disks", &[Role::Storage], &["ens2"])
    };
    let problem = fixture
        .agent()
        .add_intent(WHO, &storage)
        .expect_err("no VFs");
    assert_eq!(problem.code, Code::IntentInvalid);
}

#[test]
fn a_driver_that_does_not_take_it_is_named_and_nothing_is_changed() {
    let mut fixture = Fixture::without_trust();
    let add = IntentAdd {
        trust: Some(true),
        ..intent_add(INTENT, &[Role::Compute], &["ens1"])
    };
    let problem = fixture.agent().add_intent(WHO, &add).expect_err("refused");
    assert_eq!(problem.code, Code::VfSettingUnsupported);
    assert!(problem.message.contains("ens1") && problem.message.contains("trust on"));
    assert!(fixture.policy().intents.is_empty());
    fixture.manage("ens1");
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    let result = fixture.change(&set(Some(VfChoice::On), None));
    assert_eq!(refused(&result), Code::VfSettingUnsupported);
    let uuid = fixture.machine.vms.uuid("web").expect("a VM");
    let security = fixture.policy().vm(&uuid).map(|vm| vm.security);
    assert_eq!(security, Some(accelnet_model::VfSecurityOfVm::default()));
    invariants::hold(&fixture, "refused");
}

#[test]
fn a_driver_that_refuses_after_all_leaves_the_setting_as_it_was() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    assert!(fixture.vm_enable("web", LOW).ok);
    fixture.machine.vms.virsh_start("web").expect("started");
    fixture.reconcile();
    fixture.machine.kernel.refuse_trust(true);
    let result = fixture.change(&set(Some(VfChoice::On), None));
    assert_eq!(refused(&result), Code::VfSettingUnsupported);
    assert!(result.problem.is_some_and(|one| one.cause.is_some()));
    fixture.machine.kernel.refuse_trust(false);
    fixture.reconcile();
    assert_eq!(vf(&fixture).trust, Some(false));
    assert_eq!(fixture.vm("web").security.map(|one| one.trust), Some(false));
    invariants::hold(&fixture, "as it was");
}
