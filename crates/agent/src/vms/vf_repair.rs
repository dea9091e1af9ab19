//! Repairs the settings of VFs: of a VM's VF to the VM's setting, of an unused VF to none.

use accelnet_api::types::EventKind;
use accelnet_model::past::past;
use accelnet_model::vf_security::OnOff;
use accelnet_model::{Adapter, Code, Domain, Problem, Vf, VfChange, VmSetting};
use accelnet_rules::vf_settings::{self, Target};

use super::vnics::Vnics;
use crate::context::Context;
use crate::world::World;

/// Repairs the VFs of the managed intent.
pub(crate) fn reconcile(ctx: &Context, world: &World, vnics: &Vnics) {
    if world.enabled_intent().is_none() {
        return;
    }
    for setting in world.settings() {
        let Some(domain) = world.snapshot.running(&setting.uuid) else {
            continue;
        };
        let Some((adapter, vf)) = world.vf_of(domain, setting.mac) else {
            continue;
        };
        let vlan = vnics.vlan_of_live(domain, setting.mac);
        let changes = differences(world, vnics, setting, (adapter, vf), vlan);
        // A VM that migrates to another node has released the VF, and still has it by name.
        let leaves = || ctx.edge.vms().is_busy(&setting.uuid).unwrap_or(true);
        if !changes.is_empty() && !leaves() {
            set(ctx, adapter, vf, &changes, Some(&setting.name));
        }
    }
    for adapter in world.managed_adapters() {
        for vf in &adapter.vfs {
            let unused = vf.users.known().is_some_and(Vec::is_empty);
            let driver = vf.driver.known();
            let free = driver.is_some_and(|driver| driver.as_deref() != Some("vfio-pci"));
            if let (true, true, Some(settings)) = (unused, free, vf.settings.known()) {
                let changes = vf_settings::cleared(None, settings);
                set(ctx, adapter, vf, &changes, None);
            }
        }
    }
}

fn set(ctx: &Context, adapter: &Adapter, vf: &Vf, changes: &[VfChange], vm: Option<&str>) {
    let Some(interface) = adapter.interfaces.first() else {
        return;
    };
    let name = adapter.name();
    let (subject, what) = match vm {
        None => (&*name, format!("VF {} of {name} (not in use)", vf.index)),
        Some(vm) => (vm, format!("VF {} of {name} (VM {vm})", vf.index)),
    };
    // `igb_ndo_set_vf_bw` refuses every rate without link: it is set when the link is up.
    let has_link = interface.link.up && interface.link.carrier;
    let possible = |change: &&VfChange| has_link || !matches!(change, VfChange::Rate { .. });
    for change in changes.iter().filter(possible) {
        let drift = format!("Drift: {what} has other settings; repair: {change}.");
        ctx.record(EventKind::Drift, subject, drift);
        let links = ctx.edge.host().links;
        match links.set_vf(interface.link.index, vf.index, *change) {
            Ok(_) => {
                let done = format!("{} on {what}.", past(&change.to_string()));
                ctx.record(EventKind::Repaired, subject, done);
            }
            Err(error) => {
                let failed = format!("Failed to {error} on {what}.");
                ctx.record(EventKind::Failed, subject, failed);
            }
        }
    }
}

/// Sets trust and spoof check of the VF that a running VM has, without detaching it.
///
/// # Errors
///
/// The driver refuses it.
pub(crate) fn set_security(
    ctx: &Context,
    (world, vnics): (&World, &Vnics),
    setting: &VmSetting,
    domain: &Domain,
) -> Result<(), Problem> {
    let vf = world.vf_of(domain, setting.mac);
    let Some((adapter, vf)) = vf.filter(|_| domain.state.holds_devices()) else {
        return Ok(());
    };
    let Some(interface) = adapter.interfaces.first() else {
        return Ok(());
    };
    for change in differences(world, vnics, setting, (adapter, vf), None) {
        let what = match change {
            VfChange::Trust(on) => format!("trust {}", OnOff(on)),
            VfChange::SpoofCheck(on) => format!("spoof check {}", OnOff(on)),
            _ => continue,
        };
        let links = ctx.edge.host().links;
        let set = links.set_vf(interface.link.index, vf.index, change);
        set.map_err(|error| {
            let found = format!(
                "It was to have it for VF {}, of VM {}.",
                vf.index, setting.name
            );
            Problem::new(Code::VfSettingUnsupported, &[&adapter.name(), &what], found)
                .cause(error.to_string())
        })?;
    }
    Ok(())
}

/// The changes of a VF to its VM's setting. Without link a rate is not changed.
fn differences(
    world: &World,
    vnics: &Vnics,
    setting: &VmSetting,
    (adapter, vf): (&Adapter, &Vf),
    vlan: Option<u16>,
) -> Vec<VfChange> {
    let Some(settings) = vf.settings.known() else {
        return Vec::new();
    };
    let rate = rate(world, vnics, setting, adapter).ok();
    let target = Target {
        mac: Some(setting.mac),
        vlan,
        rate: rate.map(|max| (0, max)),
        security: world.security(setting),
        assume_defaults: false,
    };
    vf_settings::changes(&target, settings)
}

/// The maximum transmit rate of a VM's VF in Mb/s, 0 for none.
///
/// # Errors
///
/// The adapter has no link; a fragment.
pub(crate) fn rate(
    world: &World,
    vnics: &Vnics,
    setting: &VmSetting,
    adapter: &Adapter,
) -> Result<u32, String> {
    let figure = world.policy.management.performance.of(setting.performance);
    vf_settings::rate(figure, vnics.transmit_limit(setting), adapter)
}
