//! What an adapter can do for its VFs, asked of it on a VF that no process uses, and kept on
//! record until the next boot or another driver.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use accelnet_model::adapter::VfFeatures;
use accelnet_model::link::{DriverInfo, Interface};
use accelnet_model::{Adapter, Observed, PciAddress};
use accelnet_netlink::{NetlinkError, VfChange, VfControl, probe};
use serde::{Deserialize, Serialize};

use crate::Host;
use crate::put::put;

/// What is on record of one adapter.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// Form of this file; another number is another release's and counts as no record.
    version: u32,
    /// Driver and firmware that answered.
    asked: DriverInfo,
    /// What they answered.
    features: VfFeatures,
}

const VERSION: u32 = 1;

/// Where records live: gone at boot, when drivers and firmware may change.
const FOLDER: &str = "/run/accelnet/features";

/// What asking brought beside the features.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Remarks of the driver.
    pub warnings: Vec<String>,
    /// Settings that could not be put back, in sentences.
    pub not_restored: Vec<String>,
}

/// What is on record for the adapter with these `interfaces`; none when nothing is, or
/// when another driver or firmware answered then.
pub fn on_record(
    host: &Host<'_>,
    address: PciAddress,
    interfaces: &[Interface],
) -> Option<VfFeatures> {
    let now = interfaces.first()?.driver_info.known()?;
    let bytes = host.root.read(&format!("{FOLDER}/{address}.json")).ok()?;
    let record: Record = serde_json::from_slice(&bytes).ok()?;
    (record.version == VERSION && record.asked == *now).then_some(record.features)
}

/// Whether asking `adapter` again would bring nothing new: its driver and firmware have
/// answered, and what they left open they left open without carrier, as there is none now. That is
/// looked up: a driver may take its link down while it makes VFs.
pub fn is_stable(host: &Host<'_>, adapter: &Adapter) -> bool {
    let Some(known) = on_record(host, adapter.address, &adapter.interfaces) else {
        return false;
    };
    let asked = [
        &known.max_tx_rate,
        &known.min_tx_rate,
        &known.trust,
        &known.spoof_check,
        &known.vlan,
        &known.vlan_802_1ad,
        &known.link_state,
    ];
    let carrier = |interface: &Interface| {
        let file = format!("/sys/class/net/{}/carrier", interface.link.name);
        // While the link is down it cannot be read.
        host.root.text(&file).is_ok_and(|carrier| carrier == "1")
    };
    asked.iter().all(|support| support.known().is_some()) || !adapter.interfaces.iter().any(carrier)
}

/// Asks `adapter` on the last of its VFs that no process uses, puts everything back, and keeps
/// the answers on record.
///
/// # Errors
///
/// Why nothing could be asked, as a sentence.
pub fn ask(host: &Host<'_>, adapter: &Adapter) -> Result<Asked, String> {
    let interface = adapter
        .interfaces
        .first()
        .ok_or("The adapter has no netdev here to ask.")?;
    let unused = |users: &Observed<Vec<_>>| users.known().is_some_and(Vec::is_empty);
    let free = adapter.vfs.iter().rfind(|vf| unused(&vf.users));
    let free = free.ok_or("No VF is free to ask on.")?;
    let failed = |error: NetlinkError| format!("The adapter was not asked: failed to {error}.");
    // As it is now: it may have gone down with the change.
    let links = host.links.links().map_err(failed)?;
    let link = links.iter().find(|link| link.index == interface.link.index);
    let link = link
        .ok_or("The adapter's netdev does not exist any more, so its driver cannot be queried.")?;
    let settings = host.links.vf_settings(link).map_err(failed)?;
    let settings = settings.iter().find(|one| one.index == free.index);
    let settings = settings.ok_or("The driver reports nothing for the VF that is free.")?;
    let control = Control {
        host,
        index: link.index,
    };
    let answer = probe(&control, settings, link.carrier);
    if let Some(asked) = interface.driver_info.known() {
        let record = Record {
            version: VERSION,
            asked: asked.clone(),
            features: answer.features,
        };
        keep(host, adapter.address, &record).map_err(|error| {
            format!("The adapter's VF capabilities could not be recorded: {error}.")
        })?;
    }
    Ok(Asked {
        warnings: answer.warnings,
        not_restored: answer
            .not_restored
            .iter()
            .map(|error| format!("failed to {error}"))
            .collect(),
    })
}

fn keep(host: &Host<'_>, address: PciAddress, record: &Record) -> std::io::Result<()> {
    let folder = host.root.locate(FOLDER);
    std::fs::create_dir_all(&folder)?;
    // A process that reads adapters reads it, whatever the agent's umask is.
    std::fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
    let text = serde_json::to_string_pretty(record)?;
    let file = folder.join(format!("{address}.json"));
    put(&file, &file.with_extension("json.new"), &text, 0o644).map(drop)
}

/// The VFs of one link of a host.
struct Control<'a> {
    host: &'a Host<'a>,
    index: u32,
}

impl VfControl for Control<'_> {
    fn set(&self, vf: u32, change: VfChange) -> Result<Option<String>, NetlinkError> {
        self.host.links.set_vf(self.index, vf, change)
    }
}
