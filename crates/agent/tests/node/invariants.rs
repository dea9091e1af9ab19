//! What must be so whenever an agent has come to rest.

use std::collections::BTreeSet;
use std::time::Duration;

use accelnet_host::{Clock, Vms};
use accelnet_libvirt::Side;
use accelnet_libvirt::xml::{Definition, Part};
use accelnet_model::domain::Teaming;
use accelnet_model::hook_config::config_file;
use accelnet_model::vm_setting::Phase;

use crate::elements::interface_fragment;
use crate::fixture::{Fixture, INTENT};
use crate::reach;

/// Checks all of it; `what` is said of a failure.
pub fn hold(fixture: &Fixture, what: &str) {
    no_vf_leaks(fixture, what);
    no_vm_is_without_network(fixture, what);
    hook_configs_match(fixture, what);
    at_rest(fixture, what);
    truthful(fixture, what);
    reach::all_reach_each_other(fixture, what);
}

/// Once every guest has had its time, exactly those VMs of this node are bridged whose guests do not drive
/// a VF.
pub fn have_crossed(fixture: &mut Fixture, what: &str) {
    // What is seen to be proved now lingers for a while.
    for _ in 0..2 {
        fixture.machine.kernel.sleep(Duration::from_secs(16));
        fixture.agent().check_paths();
    }
    let policy = fixture.policy();
    let taken_in = fixture.machine.kernel.taken_in();
    for adapter in fixture.machine.kernel.node().adapters() {
        let vfs = reach::vf_macs(fixture, adapter);
        for (setting, _) in policy.vms.iter().filter(|(vm, _)| vm.node == fixture.node) {
            if !vfs.contains(&setting.mac) {
                continue;
            }
            let driven = fixture.machine.vms.guest_drives_vf(&setting.name);
            let bridged = taken_in.contains(&(adapter, setting.mac));
            assert_eq!(bridged, !driven, "{what}: {} on {adapter}", setting.name);
        }
    }
    for (adapter, mac) in taken_in {
        let vf = reach::vf_macs(fixture, adapter).contains(&mac);
        let known = policy.vms.iter().any(|(setting, _)| setting.mac == mac);
        assert!(
            !vf || known,
            "{what}: {mac} of a VF is in the filter of {adapter}"
        );
    }
}

/// No VM is cut off: one whose guest does not drive its VF is bridged, or its VF has another MAC.
pub fn no_vm_is_cut_off(fixture: &Fixture, what: &str) {
    let taken_in = fixture.machine.kernel.taken_in();
    let policy = fixture.policy();
    for (setting, _) in policy.vms.iter().filter(|(vm, _)| vm.node == fixture.node) {
        let used = fixture.machine.vms.vfs_in_use();
        let vf = used.iter().find(|(_, uuid)| *uuid == setting.uuid);
        if vf.is_none() || fixture.machine.vms.guest_drives_vf(&setting.name) {
            continue;
        }
        let bridged = taken_in.iter().any(|(_, mac)| *mac == setting.mac);
        assert!(bridged, "{what}: {} is cut off", setting.name);
    }
}

/// Every VF in use belongs to a VM with a setting, and is bound and set for it; every other
/// is free.
fn no_vf_leaks(fixture: &Fixture, what: &str) {
    let policy = fixture.policy();
    let used = fixture.machine.vms.vfs_in_use();
    for (vf, uuid) in &used {
        assert!(
            policy.vm(uuid).is_some(),
            "{what}: VF {vf} is with {uuid}, which has no setting"
        );
    }
    let node = fixture.machine.kernel.node();
    let root = fixture.machine.kernel.root();
    for adapter in node.adapters() {
        for index in 0..64 {
            let Some(address) = node.vf_address(adapter, index) else {
                continue;
            };
            if node.vf_at(address).is_none() {
                continue;
            }
            let driver = root
                .link_name(&format!("/sys/bus/pci/devices/{address}/driver"))
                .ok()
                .flatten();
            let held = used.iter().any(|(vf, _)| *vf == address);
            let bound = driver.as_deref() == Some("vfio-pci");
            assert_eq!(bound, held, "{what}: VF {address} has driver {driver:?}");
        }
    }
}

/// The virtio vNIC that every VM was given is there, in its definition and live.
fn no_vm_is_without_network(fixture: &Fixture, what: &str) {
    let vms = &fixture.machine.vms;
    for (name, _) in vms.list() {
        let (config, live) = vms.texts(&name);
        for (side, xml) in [("definition", config), ("running state", live)] {
            let Some(xml) = xml else { continue };
            let vnics = Definition::parse(&xml).expect("a domain").vnics;
            let virtio = vnics
                .iter()
                .any(|vnic| vnic.model.as_deref() == Some("virtio"));
            assert!(virtio, "{what}: the {side} of {name} has no vNIC\n{xml}");
            // A VF never stands without its partner.
            for vnic in &vnics {
                let Some(Teaming::Transient { persistent }) = &vnic.teaming else {
                    continue;
                };
                let partner = vnics.iter().any(|other| {
                    other.alias.as_ref() == Some(persistent)
                        && other.teaming == Some(Teaming::Persistent)
                });
                assert!(partner, "{what}: a VF alone in the {side} of {name}\n{xml}");
            }
        }
    }
}

/// A wish lies there for each VM with a setting, and for no other.
fn hook_configs_match(fixture: &Fixture, what: &str) {
    let policy = fixture.policy();
    let folder = fixture.machine.hook_configs();
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".json") && !name.ends_with(".outcome.json"))
        .map(|name| name.trim_end_matches(".json").to_owned())
        .collect();
    let known = |uuid: &str| fixture.machine.vms.xml(uuid, Side::Config).is_ok();
    for (setting, _) in &policy.vms {
        let file = config_file(folder, &setting.uuid);
        if !known(&setting.uuid) {
            continue;
        }
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{what}: wish of {}: {error}", setting.name));
        let wish: accelnet_model::hook_config::HookConfig =
            serde_json::from_str(&text).expect("a wish");
        assert_eq!(wish.mac, setting.mac, "{what}: wish of {}", setting.name);
    }
    for uuid in there {
        assert!(
            policy.vm(&uuid).is_some(),
            "{what}: a wish is left of {uuid}"
        );
    }
}

/// Nothing is half-way, and definitions are as the settings say.
fn at_rest(fixture: &Fixture, what: &str) {
    let policy = fixture.policy();
    for (setting, _) in &policy.vms {
        assert_eq!(
            setting.phase,
            Phase::Enabled,
            "{what}: {} is half-way",
            setting.name
        );
    }
    let disruption = fixture.policies().disruption(INTENT).expect("a store");
    assert_eq!(disruption, None, "{what}: a disruptive change is half-way");
    let pool = format!("accelnet-{INTENT}-vf");
    for (name, _) in fixture.machine.vms.list() {
        let (Some(config), _) = fixture.machine.vms.texts(&name) else {
            continue;
        };
        let uuid = fixture.machine.vms.uuid(&name).expect("a VM");
        let vnics = Definition::parse(&config).expect("a domain").vnics;
        let has_vf = vnics
            .iter()
            .any(|vnic| vnic.source.as_deref() == Some(&pool));
        match policy.vm(&uuid) {
            Some(setting) if policy.management.enabled && setting.node == fixture.node => {
                let vf = interface_fragment(&config, setting.mac, Part::Transient);
                assert!(vf.is_some(), "{what}: {name} has no VF defined\n{config}");
            }
            Some(_) => {}
            None => assert!(!has_vf, "{what}: a VF is left in {name}\n{config}"),
        }
    }
}

/// What is told is so.
pub fn truthful(fixture: &Fixture, what: &str) {
    let policy = fixture.policy();
    for status in fixture.report().intents {
        let Some(intent) = policy.intent(&status.intent) else {
            continue;
        };
        if status.state != accelnet_model::intent::IntentState::Completed || !intent.is_compute() {
            continue;
        }
        if status.intent_revision < policy.intent_revision(&status.intent) {
            continue;
        }
        // Nobody can tell while libvirt is away.
        let Ok(networks) = fixture.machine.vms.networks() else {
            continue;
        };
        for name in [intent.switch_network(), intent.pool_network()] {
            let runs = networks
                .iter()
                .any(|network| network.name == name && network.active && network.autostart);
            assert!(runs, "{what}: completed, and network {name} does not run");
        }
        let bridge = status.bridge.clone().expect("a bridge");
        let ports = fixture.machine.switches.ports(&bridge);
        assert!(
            ports.iter().any(|port| port.starts_with("en")),
            "{what}: completed, and {bridge} has ports {ports:?}"
        );
        if let (Some(vfs), [adapter]) = (intent.vfs, intent.adapters.as_slice()) {
            let (_, there) = fixture.machine.kernel.node().vfs_of(adapter).expect("a PF");
            assert_eq!(there.len() as u32, vfs, "{what}: completed, and other VFs");
        }
    }
}
