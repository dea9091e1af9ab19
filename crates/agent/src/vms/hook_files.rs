//! Files for libvirt's hook: the VF settings of each VM before it starts, also at boot, when libvirt starts VMs by
//! itself; and the managed pool.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use accelnet_libvirt::LibvirtError;
use accelnet_model::hook_config::{HookConfig, Pool, config_file, outcome_file, pool_file};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Adapter, Uuid, VmSetting};
use accelnet_rules::{vf_settings, vm_action};
use serde::de::DeserializeOwned;

use super::vnics::Vnics;
use crate::context::Context;
use crate::files;
use crate::world::World;

/// The VF settings of a VM, whichever of `adapters` libvirt takes the VF from.
pub(crate) fn desired(
    world: &World,
    vnics: &Vnics,
    setting: &VmSetting,
    adapters: &[&Adapter],
) -> HookConfig {
    vf_settings::desired(
        setting.mac,
        world.policy.management.performance.of(setting.performance),
        world.security(setting),
        vnics.transmit_limit(setting),
        adapters,
    )
}

/// Brings the files here to the settings of VMs: of all, because any of them may come to this node.
pub(crate) fn reconcile(ctx: &Context, world: &World, vnics: &Vnics) {
    let adapters = world.managed_adapters();
    let folder = ctx.edge.hook_configs();
    // The file of a VM is not changed while its setting is being removed.
    let enabled = world.settings().filter(|vm| vm.phase == Phase::Enabled);
    for setting in enabled.filter(|_| !adapters.is_empty()) {
        let config = desired(world, vnics, setting, &adapters);
        if read::<HookConfig>(&config_file(folder, &setting.uuid)).as_ref() != Some(&config) {
            // The next reconcile repeats what fails.
            drop(write(ctx, &setting.uuid, &config));
        }
    }
    let known: BTreeSet<&Uuid> = world.settings().map(|setting| &setting.uuid).collect();
    for name in names(folder) {
        let uuid = name.strip_suffix(".json");
        let uuid = uuid.map(|uuid| uuid.strip_suffix(".outcome").unwrap_or(uuid));
        let uuid = uuid.and_then(|uuid| uuid.parse::<Uuid>().ok());
        let gone = |uuid: &Uuid| !known.contains(uuid) && world.policy.has_no(uuid);
        if let Some(uuid) = uuid.filter(gone)
            && !holds_devices(world, &uuid)
        {
            remove(ctx, &uuid);
        }
    }
}

/// Whether a VM may hold devices of the node: the outcome of its VF stays until the VF is released.
fn holds_devices(world: &World, uuid: &Uuid) -> bool {
    let running = world.snapshot.running(uuid);
    !world.snapshot.has_domains() || running.is_some_and(|domain| !domain.host_devices.is_empty())
}

/// Writes the managed pool, in which the hook finds whether an arriving VM would get a VF. Without reconciles, which
/// repair what arrived, no pool is left.
pub(crate) fn reconcile_pool(ctx: &Context, world: &World) {
    let folder = ctx.edge.hook_configs().with_file_name("pools");
    let management = &world.policy.management;
    let intent = world.enabled_intent();
    // A setting that cannot be read may name one.
    let is_unclear = management.enabled && management.intent.is_some() && intent.is_none();
    if is_unclear || world.policy.held.management {
        return;
    }
    let file = intent.map(|intent| {
        let vfs = world.managed_adapters();
        let vfs = vfs.iter().flat_map(|adapter| &adapter.vfs);
        let pool = Pool {
            network: intent.switch_network(),
            vfs: vfs.map(|vf| vf.address).collect(),
        };
        let file = pool_file(&folder, &intent.name);
        if read::<Pool>(&file).as_ref() != Some(&pool)
            && let Ok(text) = serde_json::to_string(&pool)
        {
            // The next reconcile repeats what fails.
            drop(files::replace(&file, text.as_bytes()));
        }
        file
    });
    for name in names(&folder) {
        let other = folder.join(name);
        if file.as_ref() != Some(&other) {
            drop(fs::remove_file(other));
        }
    }
}

/// A change that failed restores the file of the setting before it.
pub(crate) fn restore(ctx: &Context, world: &World, vnics: &Vnics, setting: &VmSetting) {
    match vm_action::after_failure(setting, false) {
        None => remove(ctx, &setting.uuid),
        Some(before) => {
            let config = desired(world, vnics, &before, &world.managed_adapters());
            // The next reconcile repeats what fails.
            drop(write(ctx, &setting.uuid, &config));
        }
    }
}

/// Writes the file of a VM.
pub(crate) fn write(ctx: &Context, uuid: &Uuid, config: &HookConfig) -> Result<(), LibvirtError> {
    let file = config_file(ctx.edge.hook_configs(), uuid);
    let failed = |words: String| LibvirtError::Failed {
        doing: "be prepared for a VF",
        words,
    };
    let text = serde_json::to_string(config).map_err(|error| failed(error.to_string()))?;
    let written = files::replace(&file, text.as_bytes());
    written.map_err(|error| failed(format!("{}: {error}", file.display())))
}

/// Removes the files of a VM.
pub(crate) fn remove(ctx: &Context, uuid: &Uuid) {
    let folder = ctx.edge.hook_configs();
    for file in [config_file(folder, uuid), outcome_file(folder, uuid)] {
        // It may not exist.
        drop(fs::remove_file(file));
    }
}

fn read<T: DeserializeOwned>(file: &Path) -> Option<T> {
    let text = files::read_capped(file).ok()?;
    serde_json::from_slice(&text).ok()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.collect()
}
